import EventLoop

/// The caller as far as runs are concerned: its address. One scope's names and evidence mean nothing in another.
struct CallerAddress {
    private let text: [UInt8]

    init(_ address: SocketAddress) { text = Array(address.host.utf8) }

    var bytes: RawSpan {
        @_lifetime(borrow self) get { unsafe text.span.bytes }
    }
}
