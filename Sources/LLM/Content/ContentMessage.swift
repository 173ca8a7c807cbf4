internal import Content
/// A message as the GenAI conventions record it (OpenTelemetry GenAI, schemas of 2026-08), whatever API it came by.
struct ContentMessage {
    var role: [UInt8]
    var name: [UInt8] = []
    var parts: [ContentPart] = []
    /// Of a reply: the conventions' word; nil of a message that was sent.
    var finishReason: [UInt8]?
}

/// A part of a message. Texts are decoded; an empty id or name was not given.
enum ContentPart {
    enum Modality: UInt8 {
        case image, audio, video, document

        var name: StaticString {
            switch self {
            case .image: "image"
            case .audio: "audio"
            case .video: "video"
            case .document: "document"
            }
        }
    }

    case text([UInt8])
    case reasoning([UInt8])
    /// `arguments`: as the model wrote them, JSON as a rule.
    case toolCall(id: [UInt8], name: [UInt8], arguments: [UInt8])
    /// A tool that the provider runs. `json`: the call as it stands, an object with a `type`.
    case serverToolCall(id: [UInt8], name: [UInt8], json: [UInt8])
    /// What such a tool found.
    case serverToolResponse(id: [UInt8], json: [UInt8])
    /// `response`: a text, or JSON where `isJSON`.
    case toolResponse(id: [UInt8], response: [UInt8], isJSON: Bool)
    /// `content`: base64.
    case blob(Modality, mimeType: [UInt8], content: [UInt8])
    case uri(Modality, uri: [UInt8])
    case file(Modality, id: [UInt8])
    /// A JSON object with a `type` of its own: what is newer than this list.
    case other([UInt8])

    /// The same without what should not be kept.
    var redacted: ContentPart {
        switch self {
        case .text(let text): .text(Redaction.apply(to: text))
        case .reasoning(let text): .reasoning(Redaction.apply(to: text))
        case .toolCall(let id, let name, let arguments): .toolCall(id: id, name: name, arguments: Redaction.apply(toJSON: arguments))
        case .toolResponse(let id, let response, let isJSON):
            .toolResponse(id: id, response: isJSON ? Redaction.apply(toJSON: response) : Redaction.apply(to: response), isJSON: isJSON)
        case .serverToolCall(let id, let name, let json): .serverToolCall(id: id, name: name, json: Redaction.apply(toJSON: json))
        case .serverToolResponse(let id, let json): .serverToolResponse(id: id, json: Redaction.apply(toJSON: json))
        case .blob, .file: self
        case .uri(let modality, let uri): .uri(modality, uri: Redaction.apply(to: uri))
        case .other(let json): .other(Redaction.apply(toJSON: json))
        }
    }
}
