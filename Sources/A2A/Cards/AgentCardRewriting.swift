internal import HTTP
internal import JSON

/// Makes an agent's card lead to the gateway, in the shape of any version (A2A 0.2 to 1.0, "Agent discovery"): a client that took the
/// agent's own address from it would go past the gateway.
///
/// Every interface leads to the gateway's address for the agent; those of a binding that the gateway cannot pass are left out. Signatures
/// are, too: they are of the card as it was. So is what the agent wants of callers for security, as the gateway sees to that; unless it
/// passes their credentials on. Skills that callers may not use are not shown. All else stays as it is, byte for byte.
public struct AgentCardRewriting: Sendable {
    /// Where callers reach the agent through the gateway, without a slash at its end: `http://127.0.0.1:8700/a2a/researcher`.
    private let gateway: [UInt8]
    /// The path of the agent's URL, without a slash at its end; empty normally.
    private let agentPath: [UInt8]
    private let keepsSecurity: Bool

    public init(gateway: [UInt8], agentPath: [UInt8], keepsSecurity: Bool) {
        self.gateway = gateway
        self.agentPath = agentPath
        self.keepsSecurity = keepsSecurity
    }

    /// A card as it is for callers.
    public struct Rewritten: Sendable {
        public internal(set) var text: [UInt8]
        /// Which version of itself the agent says it is; empty where it says none.
        public internal(set) var version: [UInt8]
    }

    /// - Parameters:
    ///   - card: a JSON text, an object.
    ///   - allowsSkill: whether callers may use the skill of that id, decoded.
    /// - Returns: nil where it is no JSON object.
    public func rewrite(_ card: RawSpan, allowsSkill: (RawSpan) -> Bool) -> Rewritten? {
        do throws(JSONError) {
            var json = JSONReader(card)
            guard try json.peek() == .object else { return nil }
            let main = try MainInterface(&json)
            try json.finish()
            var writer = JSONWriter()
            var version: [UInt8] = []
            try write(card, main, &version, to: &writer, allowsSkill)
            return Rewritten(text: writer.bytes, version: version)
        } catch { return nil }
    }

    /// The interface that a card of 0.x names beside the list of the others.
    private struct MainInterface {
        var isPassed = true
        /// Where it cannot be passed, the first of the others that can be.
        var otherURL: [UInt8] = []
        var otherTransport: [UInt8] = []

        @_lifetime(json: copy json)
        init(_ json: inout JSONReader) throws(JSONError) {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                if key.is("preferredTransport") || key.is("preferred_transport") {
                    if let transport = try json.string() { isPassed = AgentCardRewriting.passes(transport) }
                } else if key.is("additionalInterfaces") || key.is("additional_interfaces") {
                    guard try json.enterArray() else { continue }
                    while try json.nextElement() { try readOther(&json) }
                }
            }
        }

        @_lifetime(json: copy json)
        private mutating func readOther(_ json: inout JSONReader) throws(JSONError) {
            var (url, transport): ([UInt8], [UInt8]) = ([], [])
            var isPassed = false
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                if key.is("url") {
                    url = try json.text(.max)
                } else if key.is("transport"), let name = try json.string() {
                    isPassed = AgentCardRewriting.passes(name)
                    name.append(to: &transport)
                }
            }
            if isPassed, otherTransport.isEmpty { (otherURL, otherTransport) = (url, transport) }
        }
    }

    /// Whether the gateway can pass what is spoken by that name.
    private static func passes(_ binding: borrowing JSONString) -> Bool { binding.is("JSONRPC") || binding.is("HTTP+JSON") }

    // MARK: writing

    private func write(
        _ card: RawSpan, _ main: MainInterface, _ version: inout [UInt8], to writer: inout JSONWriter, _ allowsSkill: (RawSpan) -> Bool
    ) throws(JSONError) {
        var json = JSONReader(card)
        writer.beginObject()
        _ = try json.enterObject()
        while let key = try json.nextMember() {
            let start = key.start - 1
            if key.is("url") {
                writer.key("url")
                // Without any interface that can be passed, callers at least come here to be told so.
                let url = main.isPassed ? try json.text(.max) : main.otherURL
                writeURL(url, to: &writer)
            } else if key.is("preferredTransport") || key.is("preferred_transport"), !main.isPassed {
                writer.key("preferredTransport")
                // Sound here and below: bytes have no padding.
                if main.otherTransport.isEmpty { writer.string("JSONRPC") } else { unsafe writer.string(utf8: main.otherTransport.span.bytes) }
            } else if key.is("additionalInterfaces") || key.is("additional_interfaces") || key.is("supportedInterfaces") || key.is("supported_interfaces") {
                if key.is("supportedInterfaces") || key.is("supported_interfaces") { writer.key("supportedInterfaces") } else { writer.key("additionalInterfaces") }
                try writeInterfaces(&json, to: &writer)
            } else if key.is("skills") {
                writer.key("skills")
                try writeSkills(&json, to: &writer, allowsSkill)
            } else if key.is("signatures") || !keepsSecurity && Self.isSecurity(key) {
                continue
            } else {
                let isVersion = key.is("version")
                let value = try json.rawValue()
                if isVersion {
                    var reader = JSONReader(card.extracting(value))
                    version = try reader.text(256)
                }
                writer.raw(card.extracting(start..<value.upperBound))
            }
        }
        writer.endObject()
    }

    /// What the agent wants of callers, or one of its skills does.
    private static func isSecurity(_ key: borrowing JSONString) -> Bool {
        key.is("security") || key.is("securitySchemes") || key.is("security_schemes") || key.is("securityRequirements") || key.is("security_requirements")
    }

    @_lifetime(json: copy json)
    private func writeInterfaces(_ json: inout JSONReader, to writer: inout JSONWriter) throws(JSONError) {
        writer.beginArray()
        if try json.enterArray() {
            while try json.nextElement() {
                let value = try json.rawValue()
                try writeInterface(json.bytes.extracting(value), to: &writer)
            }
        }
        writer.endArray()
    }

    private func writeInterface(_ text: RawSpan, to writer: inout JSONWriter) throws(JSONError) {
        var json = JSONReader(text)
        var isPassed = false
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("transport") || key.is("protocolBinding") || key.is("protocol_binding"), let name = try json.string() { isPassed = Self.passes(name) }
        }
        guard isPassed else { return }
        json = JSONReader(text)
        writer.beginObject()
        _ = try json.enterObject()
        while let key = try json.nextMember() {
            let start = key.start - 1
            if key.is("url") {
                writer.key("url")
                writeURL(try json.text(.max), to: &writer)
            } else {
                writer.raw(text.extracting(start..<(try json.rawValue()).upperBound))
            }
        }
        writer.endObject()
    }

    @_lifetime(json: copy json)
    private func writeSkills(_ json: inout JSONReader, to writer: inout JSONWriter, _ allows: (RawSpan) -> Bool) throws(JSONError) {
        writer.beginArray()
        if try json.enterArray() {
            while try json.nextElement() {
                let value = try json.rawValue()
                try writeSkill(json.bytes.extracting(value), to: &writer, allows)
            }
        }
        writer.endArray()
    }

    private func writeSkill(_ text: RawSpan, to writer: inout JSONWriter, _ allows: (RawSpan) -> Bool) throws(JSONError) {
        var json = JSONReader(text)
        guard try json.enterObject() else { return }
        // One that is named twice must be allowed by each name, and one without a name by an empty one.
        var ids: [[UInt8]] = []
        while let key = try json.nextMember() {
            if key.is("id") { ids.append(try json.text(.max)) }
        }
        if ids.isEmpty { ids = [[]] }
        for id in ids where unsafe !allows(id.span.bytes) { return }
        json = JSONReader(text)
        writer.beginObject()
        _ = try json.enterObject()
        while let key = try json.nextMember() {
            if !keepsSecurity, Self.isSecurity(key) { continue }
            let start = key.start - 1
            writer.raw(text.extracting(start..<(try json.rawValue()).upperBound))
        }
        writer.endObject()
    }

    private func writeURL(_ url: [UInt8], to writer: inout JSONWriter) {
        let mapped = map(url)
        unsafe writer.string(utf8: mapped.span.bytes)
    }

    /// The gateway's address for a URL of the agent's: what stands in it behind the agent's own path stands behind the agent's name here.
    /// Whatever its host says: an agent is often called by another name than it knows, and behind the gateway there is only the one.
    func map(_ url: [UInt8]) -> [UInt8] {
        let text = unsafe url.span.bytes
        var start = 0
        while start + 2 < text.byteCount, !text.extracting(start..<start + 3).equals("://") { start += 1 }
        guard start + 3 <= text.byteCount else { return gateway }
        start += 3
        // Nothing that is no path: neither a query nor a fragment has a place in an interface's URL.
        while start < text.byteCount, !Self.endsAuthority(text[byte: start]) { start += 1 }
        guard start < text.byteCount, text[byte: start] == UInt8(ascii: "/") else { return gateway }
        let path = text.extracting(start..<text.byteCount)
        guard path.byteCount >= agentPath.count, unsafe path.extracting(0..<agentPath.count).equals(agentPath.span.bytes) else { return gateway }
        let rest = path.extracting(agentPath.count..<path.byteCount)
        guard rest.byteCount > 0, rest[byte: 0] == UInt8(ascii: "/"), rest.byteCount > 1 || !agentPath.isEmpty else { return gateway }
        // Sound: the bytes are read inside the closure only.
        return unsafe rest.withUnsafeBytes { unsafe gateway + Array($0) }
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") }
}
