internal import JSON
public import JSONRPC

/// The tools a server lists (`tools/list`, every revision).
public enum ToolList {
    /// The changes that take tools out of an answer; what is left stays as it is, byte for byte. Members of other kinds of answers, requests
    /// and notifications are none of a list.
    ///
    /// Where a member stands twice, which no server should write, both are read: another reader may take either.
    ///
    /// - Parameters:
    ///   - text: one message, or an array of them (2025-03-26).
    ///   - allows: whether a tool of this name stays. One without a name, or with two, does not.
    /// - Returns: nil where it is no JSON.
    public static func edits(in text: RawSpan, allows: (RawSpan) -> Bool) -> [MessageEdit]? {
        var edits: [MessageEdit] = []
        do throws(JSONError) {
            var json = JSONReader(text)
            if try json.enterArray() {
                while try json.nextElement() { try readMessage(&json, allows, &edits) }
            } else {
                try readMessage(&json, allows, &edits)
            }
            try json.finish()
        } catch { return nil }
        return edits
    }

    @_lifetime(json: copy json)
    private static func readMessage(_ json: inout JSONReader, _ allows: (RawSpan) -> Bool, _ edits: inout [MessageEdit]) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            guard key.is("result"), try json.enterObject() else { continue }
            while let key = try json.nextMember() {
                if key.is("tools") { try readTools(&json, allows, &edits) }
            }
        }
    }

    @_lifetime(json: copy json)
    private static func readTools(_ json: inout JSONReader, _ allows: (RawSpan) -> Bool, _ edits: inout [MessageEdit]) throws(JSONError) {
        guard try json.enterArray() else { return }
        // The end of the last tool, and whether one before it stays; where one begins that goes and takes the comma behind it along.
        var end: Int?
        var hasKept = false
        var open: Int?
        while try json.nextElement() {
            _ = try json.peek()
            let start = json.offset
            if let from = open {
                edits.append(MessageEdit(range: from..<start, bytes: []))
                open = nil
            }
            let stays = try readTool(&json, allows)
            if !stays {
                if hasKept, let end { edits.append(MessageEdit(range: end..<json.offset, bytes: [])) } else { open = start }
            }
            end = json.offset
            hasKept = hasKept || stays
        }
        if let open, let end { edits.append(MessageEdit(range: open..<end, bytes: [])) }
    }

    /// Reads one element of the list to its end.
    @_lifetime(json: copy json)
    private static func readTool(_ json: inout JSONReader, _ allows: (RawSpan) -> Bool) throws(JSONError) -> Bool {
        guard try json.enterObject() else {
            try json.skip()
            return false
        }
        var names = 0
        var stays = true
        while let key = try json.nextMember() {
            guard key.is("name") else { continue }
            names += 1
            guard let name = try json.string() else {
                stays = false
                continue
            }
            if !name.isAllowed(allows) { stays = false }
        }
        return stays && names == 1
    }
}

extension JSONString {
    /// Whether the decoded string may be used.
    func isAllowed(_ allows: (RawSpan) -> Bool) -> Bool {
        guard hasEscapes else { return allows(raw) }
        var decoded: [UInt8] = []
        append(to: &decoded)
        // Sound: bytes have no padding.
        return unsafe allows(decoded.span.bytes)
    }
}
