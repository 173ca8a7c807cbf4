import HTTP

/// The part of a path that names an upstream: `openai` of `/openai/v1/models`, `mcp/weather` of `/mcp/weather`, `a2a/researcher` of
/// `/a2a/researcher/message:send`.
enum UpstreamPath {
    /// - Returns: the name, without the slash before it; nil where the path has none.
    @_lifetime(copy path)
    static func name(in path: RawSpan) -> RawSpan? {
        let end = path.firstIndex(of: UInt8(ascii: "/"), from: 1) ?? path.byteCount
        guard end > 1 else { return nil }
        let first = path.extracting(1..<end)
        if first.equals("a2a") {
            let last = path.firstIndex(of: UInt8(ascii: "/"), from: end + 1) ?? path.byteCount
            return end + 1 < last ? path.extracting(1..<last) : nil
        }
        guard first.equals("mcp") else { return first }
        // All there is below it is the server's one endpoint.
        var last = path.byteCount
        if last > end + 1, path[byte: last - 1] == UInt8(ascii: "/") { last -= 1 }
        guard end + 1 < last, path.firstIndex(of: UInt8(ascii: "/"), from: end + 1) ?? last >= last else { return nil }
        return path.extracting(1..<last)
    }
}

extension GatewaySettings {
    /// What a name in a path leads to; nil where it is nothing known.
    func role(at name: RawSpan) -> Upstream.Role? {
        if name.starts(with: "a2a/") {
            let agent = name.extracting(4..<name.byteCount).string
            return agents.first { $0.name == agent }.map { .agent($0) }
        }
        guard name.starts(with: "mcp/") else { return provider(named: name).map { .provider($0) } }
        let server = name.extracting(4..<name.byteCount).string
        return mcpServers.first { $0.name == server }.map { .mcpServer($0) }
    }
}
