internal import JSON
public import JSONRPC

// What a request asks of a tool, where not every tool may be used: read so that no server can read it as another.
extension MCPRequest {
    /// Whether the tool that is asked for may be used; true of what asks for none.
    public func asksAllowedTool(in bytes: RawSpan, allows: (RawSpan) -> Bool) -> Bool {
        guard method == .toolsCall else { return true }
        guard !target.isEmpty else { return false }
        var json = JSONReader(bytes.extracting(target))
        guard let name = try? json.string() else { return false }
        return name.isAllowed(allows)
    }

    private static let envelope = ["jsonrpc", "id", "method", "params", "result", "error"].map { Array($0.utf8) }
    private static let names = [Array("name".utf8)]

    /// Whether the message has a member that some readers take for one that is acted on here: they do not tell letter cases apart (Go's
    /// `encoding/json` and those made after it, which fold `K` and `ſ` as well).
    public static func hasLookalikes(_ bytes: RawSpan) -> Bool {
        do throws(JSONError) {
            var json = JSONReader(bytes)
            guard try json.enterObject() else { return false }
            while let key = try json.nextMember() {
                if key.isLookalike(of: envelope) { return true }
                guard key.is("params"), try json.enterObject() else { continue }
                while let key = try json.nextMember() { if key.isLookalike(of: names) { return true } }
            }
            return false
        } catch { return true }
    }
}

extension JSONString {
    /// Whether it is one of the names but for its letters' case. The names are in lower case.
    fileprivate func isLookalike(of names: [[UInt8]]) -> Bool {
        // With every letter two or three bytes long, or escaped, a name is no longer than this.
        guard raw.byteCount <= 64 else { return false }
        var decoded: [UInt8] = []
        append(to: &decoded)
        if names.contains(decoded) { return false }
        var folded: [UInt8] = []
        var at = 0
        while at < decoded.count {
            if decoded[at...].starts(with: [0xE2, 0x84, 0xAA]) {  // K, the sign for kelvin
                folded.append(UInt8(ascii: "k"))
                at += 3
            } else if decoded[at...].starts(with: [0xC5, 0xBF]) {  // ſ
                folded.append(UInt8(ascii: "s"))
                at += 2
            } else {
                folded.append(decoded[at] &- 0x41 < 26 ? decoded[at] | 0x20 : decoded[at])
                at += 1
            }
        }
        return names.contains(folded)
    }
}
