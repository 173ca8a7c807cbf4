internal import JSON

/// Bedrock InvokeModel and InvokeModelWithResponseStream: the request is the model's own. Most are read as what they copy: Anthropic's
/// Messages, whose names Llama, Mistral and others share, with `inferenceConfig` of Amazon's Nova. (Amazon Bedrock user guide, inference
/// parameters, as of 2026-11.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readInvokeModel(_ json: inout JSONReader) throws(JSONError) {
        var messages = json
        try readMessages(&messages)
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("inferenceConfig") {
                try readInferenceConfig(&json)
            } else if key.is("max_gen_len") {
                maxTokens = try json.int64()
            } else if key.is("dimensions") || key.is("embeddingConfig") {
                dimensions = try json.int64() ?? dimensions
            }
        }
    }

    /// Whether a model of that name makes vectors: the path does not tell.
    var invokesEmbedding: Bool {
        let marker: StaticString = "embed"
        for at in 0..<Int(model.count) where texts[model].extracting(from: at).begins(with: marker) { return true }
        return false
    }
}

/// InvokeModel: the answer is the model's own. Whatever it is, Bedrock counts its tokens: in fields of the answer's head, or in a
/// stream's last event.
extension ResponseFacts {
    @_lifetime(json: copy json)
    mutating func readInvokedModel(_ json: inout JSONReader, _ usage: inout BedrockUsage) throws(JSONError) {
        var message = json
        try readMessage(&message)
        try readInvokedMembers(&json, &usage)
    }

    /// What an event's `bytes` hold: an event of the model's own.
    @_lifetime(json: copy json)
    mutating func readInvokedEvent(_ json: inout JSONReader, _ usage: inout BedrockUsage) throws(JSONError) {
        var event = json
        try readMessagesEvent(&event, name: json.bytes.extracting(first: 0))
        sawEnd = false  // Bedrock's own word for it is the count
        try readInvokedMembers(&json, &usage)
    }

    @_lifetime(json: copy json)
    private mutating func readInvokedMembers(_ json: inout JSONReader, _ usage: inout BedrockUsage) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("amazon-bedrock-invocationMetrics") {
                try usage.read(&json)
                sawEnd = true
            } else if key.is("usage") {
                try usage.read(&json)  // Nova's, which is Converse's
            } else if key.is("stopReason") || key.is("stop_reason") || key.is("finish_reason") || key.is("completionReason") {
                if let reason = try json.string() { setFinishReason(reason, choice: 0) }
            } else if key.is("messageStop") || key.is("output") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("stopReason") { setFinishReason(try json.string(), choice: 0) }
                }
            } else if !sawContent,
                key.is("contentBlockDelta") || key.is("generation") || key.is("outputText") || key.is("outputs") || key.is("text") || key.is("choices")
            {
                sawContent = try json.isNonEmptyTextOrList()
            }
        }
    }
}

/// What `InvokeModelWithResponseStream` puts around each event: `{"bytes":"…"}`, in Base64 (RFC 4648 §4). The toolchain without
/// Foundation has no decoder, and OpenSSL is another room's.
enum WrappedEvent {
    /// Replaces `decoded` by what the payload's `bytes` hold; nothing where there are none.
    static func unwrap(_ payload: RawSpan, into decoded: inout [UInt8]) throws(JSONError) {
        decoded.removeAll(keepingCapacity: true)
        var json = JSONReader(payload)
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            guard key.is("bytes"), let text = try json.string() else { continue }
            if text.hasEscapes {
                var plain: [UInt8] = []
                text.append(to: &plain)
                // Sound: bytes have no padding.
                try decode(unsafe plain.span.bytes, into: &decoded)
            } else {
                try decode(text.raw, into: &decoded)
            }
        }
        try json.finish()
    }

    private static func decode(_ text: RawSpan, into decoded: inout [UInt8]) throws(JSONError) {
        var bits: UInt32 = 0
        var count = 0
        for at in 0..<text.byteCount {
            let byte = text.byte(at)
            if byte == UInt8(ascii: "=") { break }
            guard let digit = digit(byte) else { throw .unexpectedByte }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
