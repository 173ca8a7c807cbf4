import EventLoop
import HTTP
import TLS

/// The caller as far as runs are concerned: the holder of its client certificate, else its address. One scope's names and evidence mean
/// nothing in another.
struct Caller {
    private let scope: [UInt8]

    /// The caller at the other end; its certificate, if it has shown one, has been checked.
    @inline(never)
    init(of stream: ByteStream) {
        // No address looks like a certificate's fingerprint.
        scope = Array((stream.tls?.peerCertificate?.fingerprint ?? SocketAddress(peerOf: stream.socket.descriptor).host).utf8)
    }

    var bytes: RawSpan {
        @_lifetime(borrow self) get { unsafe scope.span.bytes }
    }
}
