import EventLoop
import TLS

/// The caller as far as runs are concerned: the holder of its client certificate, else its address. One scope's names and evidence mean
/// nothing in another.
struct Caller {
    private let scope: [UInt8]

    /// - Parameter certificate: what the caller has shown and the listener has checked.
    init(_ address: SocketAddress, certificate: TLSCertificate? = nil) {
        // No address looks like a certificate's fingerprint.
        scope = Array((certificate?.fingerprint ?? address.host).utf8)
    }

    var bytes: RawSpan {
        @_lifetime(borrow self) get { unsafe scope.span.bytes }
    }
}
