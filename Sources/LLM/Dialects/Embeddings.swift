internal import JSON

/// OpenAI Embeddings: the request. (OpenAI API reference, embeddings/create.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readEmbeddings(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("model") {
                model = try json.text(into: &texts)
            } else if key.is("dimensions") {
                dimensions = try json.int64()
            } else if key.is("encoding_format") {
                encodingFormat = try json.text(into: &texts)
            }
        }
    }
}

/// Embeddings: the answer.
extension ResponseFacts {
    @_lifetime(json: copy json)
    mutating func readEmbeddings(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if try readCommonMember(key, &json) {
                continue
            } else if key.is("usage") {
                try openaiUsage.read(&json)
            }
        }
    }
}
