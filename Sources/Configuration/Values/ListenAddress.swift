/// Where a listener listens.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    let address: IPAddress
    /// 0 takes a free one.
    public let port: UInt16

    init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// `host:port` or `[host]:port`; `localhost` is 127.0.0.1. Other names are not taken: what they stand for could change.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(exactDigits: text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        let bracketed = host.first == "[" && host.last == "]"
        if bracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(host == "localhost" ? "127.0.0.1" : String(host)), address.isV6 == bracketed else { return nil }
        self.init(address, port: port)
    }

    /// `host:port` or `[host]:port`.
    public var description: String { address.isV6 ? "[\(address)]:\(port)" : "\(address):\(port)" }

    /// An IPv4 or IPv6 address, without brackets: what inet_pton takes.
    public var host: String { address.description }
    public var isV6: Bool { address.isV6 }
    /// Reached from this machine alone: 127.0.0.0/8, ::1.
    public var isLoopback: Bool { address.isLoopback }

    /// Whether both cannot listen at once on one machine.
    func collides(with other: ListenAddress) -> Bool {
        port == other.port && port != 0 && (address == other.address || address.isUnspecified || other.address.isUnspecified)
    }
}

extension UInt16 {
    /// One to five digits and nothing else.
    init?(exactDigits text: some StringProtocol) {
        guard (1...5).contains(text.utf8.count), let number = Int(decimalDigits: text) else { return nil }
        self.init(exactly: number)
    }
}

extension Form where Value == ListenAddress {
    static var listenAddress: Form {
        .scalar(
            "an address to listen on", expected: "an IP address and a port, such as 127.0.0.1:8700 or \"[::1]:8700\"",
            parse: { (text) throws(Wrong) in
                if let address = ListenAddress(text) { return address }
                if let port = UInt16(exactDigits: text.drop { $0 == ":" || $0 == "*" }) {
                    throw Wrong(problem: "\(quoted(text)) has no address", expected: "127.0.0.1:\(port) for this machine alone, 0.0.0.0:\(port) for all")
                }
                throw Wrong()
            }, write: { .text($0.description) })
    }
}
