internal import JSON

/// Errors in bodies and events, in all the shapes that providers give them.
///
///     {"error":{"message":…,"type":…,"code":…}}        OpenAI; `code` may be a number or null
///     {"type":"error","error":{"type":…,"message":…}}  Anthropic
///     {"object":"error","message":…,"type":…,"code":…} Mistral, vLLM
///     {"error":"…"}   [{"error":{…}}]   {"detail":"…"}   {"detail":[{"msg":…}]}   {"statusCode":401,"message":…}
extension ResponseFacts {
    /// The value of an `error` member. `null`, `false`, `""` and `{}` are none.
    @_lifetime(json: copy json)
    mutating func readError(_ json: inout JSONReader) throws(JSONError) {
        if let text = try json.string() {
            guard !text.isEmpty else { return }
            hasError = true
            errorMessage = texts.keep(text)
        } else if try json.enterArray() {
            while try json.nextElement() { try readError(&json) }
        } else if try json.enterObject() {
            while let key = try json.nextMember() {
                hasError = true
                if key.is("error") { try readError(&json) } else { try readErrorMember(key, &json) }
            }
        }
    }

    /// A member of an error object, or of a body that is one.
    @_lifetime(json: copy json)
    mutating func readErrorMember(_ key: borrowing JSONString, _ json: inout JSONReader) throws(JSONError) {
        if key.is("message") || key.is("msg") || key.is("Message") {
            errorMessage = try json.text(into: &texts, or: errorMessage)
        } else if key.is("type") {
            errorType = try json.text(into: &texts, or: errorType)
        } else if key.is("code") || key.is("status") {
            if let text = try json.string() {
                errorCode = texts.keep(text)
            } else if errorCode.isEmpty, let number = try json.number() {  // Gemini has both: its `status` is the word
                errorCode = texts.keep(number.text)
            }
        } else if key.is("detail") || key.is("details") {
            if let text = try json.string() {
                if errorMessage.isEmpty { errorMessage = texts.keep(text) }
            } else if key.is("detail"), try json.peek() != .null {
                try readError(&json)
            }
        }
    }

    /// The body of an answer with a status of 400 or above: whatever in it explains the status.
    @_lifetime(json: copy json)
    mutating func readErrorBody(_ json: inout JSONReader) throws(JSONError) {
        try readError(&json)
        try json.finish()
    }

    /// A flat error event.
    mutating func setError(code: Text, message: JSONString?) {
        hasError = true
        if errorCode.isEmpty { errorCode = code }
        if errorMessage.isEmpty, let message { errorMessage = texts.keep(message) }
    }

    /// The provider's word for the kind of error, of at most 64 visible ASCII characters; `_OTHER` where it has none
    /// (OpenTelemetry, `error.type`).
    func withErrorKind<Result>(_ body: (RawSpan) -> Result) -> Result {
        for text in [errorType, errorCode] {
            let word = texts[text]
            guard word.byteCount > 0, word.byteCount <= 64, !word.equals("error") else { continue }
            var isVisible = true
            for at in 0..<word.byteCount where word.byte(at) <= 0x20 || word.byte(at) >= 0x7F { isVisible = false }
            if isVisible { return body(word) }
        }
        let other: StaticString = "_OTHER"
        // Sound: a static string's bytes live for ever.
        return body(unsafe UnsafeRawBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount).bytes)
    }
}
