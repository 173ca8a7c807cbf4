internal import Content
internal import JSON

/// Writes messages as the JSON of an attribute, never longer than the limit and always whole: a text is cut where it must be, and
/// what comes after it is left out.
struct ContentWriter {
    private let limit: Int
    private let isRedacted: Bool
    private(set) var bytes: [UInt8] = []
    /// Something was cut or left out; nothing more is written.
    private var isFull = false

    init(_ recording: ContentRecording) {
        limit = recording.limit
        isRedacted = recording.mode == .redacted
    }

    // MARK: attributes

    /// `gen_ai.input.messages`, `gen_ai.output.messages`.
    mutating func write(messages: [ContentMessage]) {
        bytes.append(UInt8(ascii: "["))
        for message in messages where !isFull {
            var begin = JSONWriter()
            begin.beginObject()
            begin.key("role")
            begin.text(message.role)
            if !message.name.isEmpty {
                begin.key("name")
                begin.text(isRedacted ? Redaction.apply(to: message.name) : message.name)
            }
            var end = Array("]".utf8)
            if let reason = message.finishReason {
                var writer = JSONWriter()
                writer.text(reason)
                end += Array(",\"finish_reason\":".utf8) + writer.bytes
            }
            end.append(UInt8(ascii: "}"))
            writeElement(begin.bytes + Array(",\"parts\":[".utf8), message.parts, end)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// `gen_ai.system_instructions`: parts without a message around them.
    mutating func write(parts: [ContentPart]) {
        writeElement([UInt8(ascii: "[")], parts, [UInt8(ascii: "]")])
    }

    /// `gen_ai.tool.definitions`: with descriptions and parameters if they fit, else types and names, as many as fit.
    mutating func write(tools: [ToolDefinition]) {
        var whole = JSONWriter()
        whole.beginArray()
        for tool in tools { tool.write(&whole, isRedacted: isRedacted) }
        whole.endArray()
        if whole.bytes.count <= limit {
            bytes += whole.bytes
            return
        }
        bytes.append(UInt8(ascii: "["))
        for tool in tools {
            var one = JSONWriter()
            tool.writeName(&one)
            guard bytes.count + one.bytes.count + 2 <= limit else { break }
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += one.bytes
        }
        bytes.append(UInt8(ascii: "]"))
    }

    // MARK: fitting

    /// A list of parts between `begin` and `end`, and a comma before it where it is not the first; all of it, or with as many
    /// parts as fit, or none of it.
    private mutating func writeElement(_ begin: [UInt8], _ parts: [ContentPart], _ end: [UInt8]) {
        let comma = bytes.count > 1 ? 1 : 0
        // One byte is for the bracket that closes the whole.
        guard bytes.count + comma + begin.count + end.count + 1 <= limit else {
            isFull = true
            return
        }
        if comma == 1 { bytes.append(UInt8(ascii: ",")) }
        bytes += begin
        var isFirst = true
        for part in parts where !isFull {
            let room = limit - bytes.count - end.count - 1 - (isFirst ? 0 : 1)
            guard let json = fit(isRedacted ? part.redacted : part, into: room) else { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes += json
        }
        bytes += end
    }

    /// The part in at most `room` bytes, cut if need be; nil where not even a beginning of it fits.
    private mutating func fit(_ part: ContentPart, into room: Int) -> [UInt8]? {
        var part = part
        var json = part.json
        guard json.count > room else { return json }
        isFull = true
        // What is cut off a text takes at least as much off its JSON; more where it had escapes, hence again.
        while json.count > room {
            guard let shorter = part.cut(by: json.count - room) else { return nil }
            part = shorter
            json = part.json
        }
        return json
    }
}

extension ContentPart {
    fileprivate var json: [UInt8] {
        var writer = JSONWriter()
        if case .other(let json) = self {
            writer.json(json)
            return writer.bytes
        }
        writer.beginObject()
        writer.key("type")
        switch self {
        case .text(let text): writer.members("text", "content", text)
        case .reasoning(let text): writer.members("reasoning", "content", text)
        case .toolCall(let id, let name, let arguments):
            writer.string("tool_call")
            writer.member("id", unlessEmpty: id)
            writer.member("name", name)
            if !arguments.isEmpty {
                writer.key("arguments")
                writer.json(arguments)
            }
        case .serverToolCall(let id, let name, let json):
            writer.string("server_tool_call")
            writer.member("id", unlessEmpty: id)
            writer.member("name", name)
            writer.key("server_tool_call")
            writer.json(json)
        case .serverToolResponse(let id, let json):
            writer.string("server_tool_call_response")
            writer.member("id", unlessEmpty: id)
            writer.key("server_tool_call_response")
            writer.json(json)
        case .toolResponse(let id, let response, let isJSON):
            writer.string("tool_call_response")
            writer.member("id", unlessEmpty: id)
            writer.key("response")
            if isJSON { writer.json(response) } else { writer.text(response) }
        case .blob(let modality, let mimeType, let content):
            writer.members("blob", "modality", Array(modality.name.description.utf8))
            writer.member("mime_type", unlessEmpty: mimeType)
            writer.member("content", content)
        case .uri(let modality, let uri):
            writer.members("uri", "modality", Array(modality.name.description.utf8))
            writer.member("uri", uri)
        case .file(let modality, let id):
            writer.members("file", "modality", Array(modality.name.description.utf8))
            writer.member("file_id", id)
        case .other: break
        }
        writer.endObject()
        return writer.bytes
    }

    /// The part with its text shorter by at least `count` bytes, and a mark of that; nil where it has no text that can be cut, or
    /// nothing would be left of it.
    fileprivate func cut(by count: Int) -> ContentPart? {
        switch self {
        case .text(let text): Self.cut(text, by: count).map { .text($0) }
        case .reasoning(let text): Self.cut(text, by: count).map { .reasoning($0) }
        case .toolCall(let id, let name, let arguments):
            Self.cut(arguments, by: count).map { .toolCall(id: id, name: name, arguments: $0) }
        case .toolResponse(let id, let response, _):
            Self.cut(response, by: count).map { .toolResponse(id: id, response: $0, isJSON: false) }
        case .serverToolCall, .serverToolResponse, .blob, .uri, .file, .other: nil
        }
    }

    private static func cut(_ text: [UInt8], by count: Int) -> [UInt8]? {
        let mark: [UInt8] = [0xE2, 0x80, 0xA6]  // …
        var end = text.count - count - mark.count
        guard end > 0 else { return nil }
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return end > 0 ? text[..<end] + mark : nil
    }
}

/// A tool that a request offers.
struct ToolDefinition {
    var type: [UInt8]
    var name: [UInt8]
    var description: [UInt8] = []
    /// JSON Schema.
    var parameters: [UInt8] = []

    fileprivate func write(_ writer: inout JSONWriter, isRedacted: Bool) {
        begin(&writer)
        writer.member("description", unlessEmpty: isRedacted ? Redaction.apply(to: description) : description)
        if !parameters.isEmpty {
            writer.key("parameters")
            writer.json(isRedacted ? Redaction.apply(toJSON: parameters) : parameters)
        }
        writer.endObject()
    }

    fileprivate func writeName(_ writer: inout JSONWriter) {
        begin(&writer)
        writer.endObject()
    }

    private func begin(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", type)
        writer.member("name", name)
    }
}

extension JSONWriter {
    // Sound in all of these: bytes have no padding.

    fileprivate mutating func text(_ text: [UInt8]) { unsafe string(utf8: text.span.bytes) }

    /// As JSON where it is that, else as a text.
    fileprivate mutating func json(_ json: [UInt8]) {
        var reader = JSONReader(unsafe json.span.bytes)
        if (try? reader.finish()) != nil { unsafe raw(json.span.bytes) } else { text(json) }
    }

    fileprivate mutating func member(_ name: StaticString, _ value: [UInt8]) {
        key(name)
        text(value)
    }

    fileprivate mutating func member(_ name: StaticString, unlessEmpty value: [UInt8]) {
        if !value.isEmpty { member(name, value) }
    }

    /// The value of `type`, and the first member after it.
    fileprivate mutating func members(_ type: String, _ name: StaticString, _ value: [UInt8]) {
        string(type)
        member(name, value)
    }
}
