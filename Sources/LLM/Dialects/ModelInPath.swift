private import Tracing

// The native APIs of Gemini, Bedrock and Vertex name call and model in the path:
//
//     /v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse                                           Gemini, AI Studio
//     /v1/projects/p/locations/eu/publishers/google/models/gemini-2.5-pro:generateContent                   Gemini, Vertex
//     /v1/projects/p/locations/eu/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict         Messages on Vertex
//     /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream                                 Bedrock
extension API {
    /// The API of a path without a query that is none of those that many providers share.
    static func native(_ dialect: Provider.Dialect, _ path: RawSpan) -> API? {
        if let call = Call(path) {
            if call.verb.equals("generateContent") || call.verb.equals("streamGenerateContent") { return .generateContent }
            if call.verb.equals("embedContent") || call.verb.equals("batchEmbedContents") { return .embedContent }
            guard call.verb.equals("rawPredict") || call.verb.equals("streamRawPredict") else { return nil }
            return call.parent.ends(with: "/publishers/anthropic/models/") && !call.model.equals("count-tokens") ? .messages : nil
        }
        if let call = Call(bedrock: path) {
            if call.verb.equals("converse") || call.verb.equals("converse-stream") { return .converse }
            return call.verb.equals("invoke") || call.verb.equals("invoke-with-response-stream") ? .invokeModel : nil
        }
        guard dialect == .other else { return nil }
        return path.ends(with: "/v2/chat") ? .cohereChat : path.ends(with: "/v2/embed") ? .cohereEmbed : nil
    }

    /// Whether a path of this API may name a model. Only then is it worth looking.
    func namesModel(in path: RawSpan) -> Bool {
        switch self {
        case .generateContent, .embedContent, .converse, .invokeModel: true
        // Both verbs end so, and `/v1/messages` does not.
        case .messages: path.ends(with: "awPredict")
        case .chatCompletions, .responses, .embeddings, .cohereChat, .cohereEmbed: false
        }
    }

    /// What a path says of a call.
    struct Call: ~Escapable {
        /// Up to the model.
        let parent: RawSpan
        /// As it stands in the path, percent-encoded.
        let model: RawSpan
        let verb: RawSpan

        /// `…/{model}:{verb}`; nil where the last segment has no colon, as it is or encoded.
        @_lifetime(copy path)
        init?(_ path: RawSpan) {
            let start = (path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
            let segment = path.extracting(from: start)
            if let colon = segment.lastIndex(of: UInt8(ascii: ":")) {
                self.init(path.extracting(first: start), segment.extracting(first: colon), segment.extracting(from: colon + 1))
            } else if let percent = segment.lastIndex(of: UInt8(ascii: "%")), segment.extracting(from: percent).begins(with: "%3A") {
                self.init(path.extracting(first: start), segment.extracting(first: percent), segment.extracting(from: percent + 3))
            } else {
                return nil
            }
        }

        /// `…/model/{model}/{verb}`. An ARN has slashes, which not everybody encodes.
        @_lifetime(copy path)
        init?(bedrock path: RawSpan) {
            let marker: StaticString = "/model/"
            guard let end = path.lastIndex(of: UInt8(ascii: "/")) else { return nil }
            var at = 0
            while at + marker.utf8CodeUnitCount < end {
                if path.extracting(from: at).begins(with: marker) {
                    let start = at + marker.utf8CodeUnitCount
                    self.init(path.extracting(first: start), path.extracting(start..<end), path.extracting(from: end + 1))
                    return
                }
                at += 1
            }
            return nil
        }

        @_lifetime(copy parent, copy model, copy verb)
        private init(_ parent: RawSpan, _ model: RawSpan, _ verb: RawSpan) {
            self.parent = parent
            self.model = model
            self.verb = verb
        }
    }
}

extension RequestFacts {
    /// Takes from the path what it says: the model, and whether a stream is asked for.
    /// - Parameter path: without its query.
    /// - Returns: where the call is processed, as far as the path says (Vertex).
    mutating func readPath(_ path: RawSpan, _ api: API) -> ProcessingRegion {
        let isBedrock = api == .converse || api == .invokeModel
        guard let call = isBedrock ? API.Call(bedrock: path) : API.Call(path) else { return .global }
        var name: [UInt8] = []
        PercentEncoding.decode(call.model, into: &name)
        // Sound: bytes have no padding.
        model = texts.keep(unsafe name.span.bytes)
        stream = call.verb.begins(with: "stream") || call.verb.ends(with: "-stream")
        return isBedrock ? .global : .init(locationIn: call.parent)
    }
}

extension ProcessingRegion {
    /// `/locations/{location}/` of a Vertex path: `global`, the multi-regions `us` and `eu`, or a region.
    init(locationIn path: RawSpan) {
        self = .global
        let marker: StaticString = "/locations/"
        var at = 0
        while at + marker.utf8CodeUnitCount < path.byteCount {
            if path.extracting(from: at).begins(with: marker) {
                let rest = path.extracting(from: at + marker.utf8CodeUnitCount)
                let location = rest.extracting(first: rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.byteCount)
                self = location.equals("global") ? .global : location.begins(with: "us") ? .us : location.begins(with: "eu") ? .eu : .other
                return
            }
            at += 1
        }
    }
}

extension RawSpan {
    fileprivate func lastIndex(of byte: UInt8) -> Int? {
        var at = byteCount
        while at > 0 {
            at -= 1
            if self.byte(at) == byte { return at }
        }
        return nil
    }
}
