/// Which Host and Origin are ours: against cross-site requests and DNS rebinding, where the gateway or the api would act with more
/// rights than the page that asks.
public struct HostCheck: Sendable {
    private let names: [String]?
    private let isLoopback: Bool

    /// - Parameters:
    ///   - names: the names configured, without ports; nil or none at all for any. On a loopback address they make no difference.
    ///   - isLoopback: the listener is on a loopback address: then only loopback names are ours.
    public init(names: [String]?, isLoopback: Bool) {
        let names = (names ?? []).map { $0.lowercased() }
        self.names = names.isEmpty ? nil : names
        self.isLoopback = isLoopback
    }

    /// Whether Host, and Origin where there is one, are ours.
    public func accepts(_ head: MessageHead) -> Bool {
        if let index = head.index(of: .host), !isOurs(authority: head.value(index)) { return false }
        guard let index = head.index(of: .origin) else { return true }
        return isOurs(origin: head.value(index))
    }

    public func accepts(_ request: HTTPRequest) -> Bool {
        if let host = request.value(of: "host") {
            let host = Array(host.utf8)
            guard isOurs(authority: unsafe host.span.bytes) else { return false }  // sound: a UInt8 has no padding
        }
        guard let origin = request.value(of: "origin").map({ Array($0.utf8) }) else { return true }
        return isOurs(origin: unsafe origin.span.bytes)
    }

    /// An origin that is no web page's (`null`, an extension's) is nobody's.
    private func isOurs(origin: RawSpan) -> Bool {
        if names == nil, !isLoopback { return true }
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
        if isLoopback { return Self.isLoopbackName(host) }
        guard let names else { return true }
        let name = host.string.lowercased()
        return names.contains(name)
    }

    private static func isLoopbackName(_ host: RawSpan) -> Bool {
        host.equalsIgnoringCase("localhost") || host.equals("::1") || host.equals("127.0.0.1")
            || (host.starts(with: "127.") && host.string.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
                && host.string.split(separator: ".").count == 4)
    }
}
