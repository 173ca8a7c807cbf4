import HTTP

/// Which Host and Origin are ours: against cross-site requests and DNS rebinding, where the gateway or the api would act with more
/// rights than the page that asks.
struct HostCheck: Sendable {
    private let names: [String]?
    private let isLoopback: Bool

    /// - Parameters:
    ///   - names: the names configured; nil for the defaults.
    ///   - isLoopback: the listener is on a loopback address: then only loopback names are ours, besides those configured.
    init(names: [String]?, isLoopback: Bool) {
        self.names = names?.map { $0.lowercased() }
        self.isLoopback = isLoopback
    }

    /// Whether Host, and Origin where there is one, are ours.
    func accepts(_ head: MessageHead) -> Bool {
        if let index = head.index(of: .host), !isOurs(authority: head.value(index)) { return false }
        guard let index = head.index(of: .origin) else { return true }
        let origin = head.value(index)
        if origin.starts(with: "http://") { return isOurs(authority: origin.extracting(7..<origin.byteCount)) }
        if origin.starts(with: "https://") { return isOurs(authority: origin.extracting(8..<origin.byteCount)) }
        return false
    }

    private func isOurs(authority: RawSpan) -> Bool {
        if names == nil, !isLoopback { return true }
        var host = authority
        if host.byteCount > 0, host[byte: 0] == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return false }
            host = host.extracting(1..<end)
        } else if let colon = host.firstIndex(of: UInt8(ascii: ":")) {
            host = host.extracting(0..<colon)
        }
        if isLoopback, Self.isLoopbackName(host) { return true }
        guard let names else { return false }
        let name = host.string.lowercased()
        return names.contains(name)
    }

    private static func isLoopbackName(_ host: RawSpan) -> Bool {
        host.equalsIgnoringCase("localhost") || host.equals("::1") || host.equals("127.0.0.1")
            || (host.starts(with: "127.") && host.string.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
                && host.string.split(separator: ".").count == 4)
    }
}
