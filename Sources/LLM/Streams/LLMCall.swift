internal import HTTP
internal import JSON

/// One call of a model as it passes through the gateway: reads the request, watches the answer go by, and says at the end what
/// the span is to carry.
///
///     call.readRequest(body, api: api, path: path, injectUsage: provider.takesStreamUsage)
///     …  send `body`, changed by `call.usageInjection`
///     call.beginResponse(status: 200, isEventStream: true, sentAt: sent)
///     call.observe(chunk, now: now) { relay($0) }          // where `holdsBack`; else the chunk itself is relayed
///     call.endResponse(isComplete: true, now: now) { relay($0) }
///     call.describe(into: &draft)
///
/// One per exchange at a time, kept for the next (`reset`): no allocation once its buffers have grown to the usual size. What can
/// not be read never stops the exchange; it is remembered. Not shared between threads.
///
/// The evidence that ties a hop to its run without headers (tool-call ids, message lists) is to be read here as well: the whole
/// request is in `readRequest`, and `observe` sees every event before the bytes of it reach the caller.
public final class LLMCall {
    /// The largest event read whole; of a larger one only an outline is kept.
    private static let eventLimit = 64 << 10

    private(set) var status = 0
    /// How the answer comes.
    enum Form: UInt8 {
        /// In one, whatever its pieces.
        case body
        /// `text/event-stream`.
        case eventStream
        /// `application/vnd.amazon.eventstream`: Bedrock.
        case amazonEventStream
        /// A JSON array, an element at a time: Gemini where nobody asked for events.
        case elements
    }

    var form = Form.body
    public var isEventStream: Bool { form == .eventStream }
    private var sentAt: UInt64 = 0
    /// When the first piece of the answer came, and the first content; 0 is not yet.
    private var firstChunkAt: UInt64 = 0
    private var firstContentAt: UInt64 = 0
    /// The stream's own end, or an error that ends it, has been seen: whoever listens has no reason to wait for more.
    public internal(set) var streamHasSaidAll = false
    /// The change to the request's body by which its stream will report usage; nil where none is called for. Whoever asks for it
    /// must make it: from then on the chunk it brings is hidden.
    public private(set) var usageInjection: BodyEdit?
    private var events = EventStreamReader(limit: LLMCall.eventLimit)
    /// The event that nearly all of a stream look like.
    private var pattern = EventPattern()

    public private(set) var api = API.chatCompletions
    var request = RequestFacts()
    var response = ResponseFacts()

    var requestIsUnreadable = false
    /// Something of the answer is no JSON, or more than is kept: its counters may not be the last.
    public internal(set) var responseIsUnreadable = false
    /// The answer's body is in a coding that is not known, or not in the one it says. The gateway's to say.
    public var codingIsUnreadable = false

    /// The stream ended before the provider had said all; of a body, that it was cut or is no whole JSON.
    public private(set) var streamWasCut = false

    /// What is recorded of the words themselves; to be set between exchanges.
    public var content = ContentRecording.none
    /// Only where content is recorded.
    var recorder: ContentRecorder?

    /// `usage` as it was asked for, until more of the answer is read. Of hundreds of bytes: read in place where it can be.
    private(set) var settledUsage = Usage()
    private var usageIsSettled = false

    var body = ResponseBody()
    /// Only where a native API was called.
    private(set) var native: NativeAnswer?

    public init() {}

    /// Ready for the next exchange.
    public func reset() {
        request.reset()
        response.reset()
        usageInjection = nil
        requestIsUnreadable = false
        codingIsUnreadable = false
        responseIsUnreadable = false
        status = 0
        form = .body
        sentAt = 0
        firstChunkAt = 0
        firstContentAt = 0
        streamHasSaidAll = false
        streamWasCut = false
        usageIsSettled = false
        recorder = nil
        events.reset()
        pattern.reset()
        body.reset()
        native?.reset()
    }

    // MARK: the request

    /// Reads the whole request body.
    /// - Parameters:
    ///   - path: as it goes upstream, without its query; on Azure, and with native APIs, it names the model.
    ///   - injectUsage: the provider takes `stream_options`, and usage is wanted of every stream.
    public func readRequest(_ body: RawSpan, api: API, path: RawSpan, injectUsage: Bool) {
        self.api = api
        // Vectors are no words.
        self.body.stringLimit = content.mode == .none || api == .embeddings ? JSONOutline.stringLimit : ContentBudget.room(limit: content.limit) + 16
        var json = JSONReader(body)
        var injection = UsageInjection()
        do throws(JSONError) {
            switch api {
            case .chatCompletions: try request.readChatCompletions(&json, &injection)
            case .responses: try request.readResponses(&json)
            case .embeddings: try request.readEmbeddings(&json)
            case .messages: try request.readMessages(&json)
            case .generateContent: try request.readGenerateContent(&json)
            case .embedContent: try request.readEmbedContent(&json)
            case .converse: try request.readConverse(&json)
            case .invokeModel: try request.readInvokeModel(&json)
            case .cohereChat: try request.readCohereChat(&json)
            case .cohereEmbed: try request.readCohereEmbed(&json)
            }
            try json.finish()
        } catch {
            requestIsUnreadable = true
        }
        if api.isNative, native == nil { native = NativeAnswer() }
        if content.mode != .none, !api.isNative {
            recorder = ContentRecorder(content)
            recorder!.readRequest(body, api: api)
            response.keepsCallPieces = true
        }
        if api.namesModel(in: path) {
            let region = request.readPath(path, api)
            response.anthropicUsage.region = region
            native?.gemini.region = region
        } else if let deployment = API.deployment(in: path) {
            request.model = request.texts.keep(deployment)
        }
        if injectUsage, api == .chatCompletions, request.stream, !requestIsUnreadable { usageInjection = injection.edit }
    }

    /// The model that was asked for; empty where the request names none.
    public func withRequestModel<Result>(_ body: (RawSpan) -> Result) -> Result { request.texts.with(request.model, body) }

    /// The model that answered, else the one that was asked for: what the call is priced by.
    public func withModel<Result>(_ body: (RawSpan) -> Result) -> Result {
        response.model.isEmpty ? withRequestModel(body) : response.texts.with(response.model, body)
    }

    // MARK: the answer

    /// The answer's head has come.
    /// - Parameters:
    ///   - isEventStream: its content type is `text/event-stream`.
    ///   - sentAt: when the request had gone out, in nanoseconds of the clock that `observe` is given.
    ///   - usage: how the provider counts; told apart only where it is a copy of OpenAI's shape.
    public func beginResponse(status: Int, isEventStream: Bool, sentAt: UInt64, usage: UsageShape = .openai) {
        self.status = status
        form = isEventStream ? .eventStream : api == .generateContent && request.stream && status < 400 ? .elements : .body
        self.sentAt = sentAt
        usageIsSettled = false
        response.openaiUsage.convention = usage.convention
    }

    /// What the caller receives is what `emit` is given, not the chunks themselves: there is an event to hide.
    public var holdsBack: Bool { usageInjection != nil && isEventStream && status < 400 }

    /// What is to be known of the next bytes includes when they came.
    public var wantsTime: Bool { form != .body && (firstChunkAt == 0 || firstContentAt == 0) }

    /// The next decoded bytes of the answer.
    /// - Parameters:
    ///   - now: nanoseconds; 0 will do unless `wantsTime`.
    ///   - emit: where `holdsBack`, called with the bytes that may be relayed now, in order: all whole events but the hidden one.
    ///     What is left of a chunk comes with a later call.
    public func observe(_ chunk: RawSpan, now: UInt64, emit: (RawSpan) -> Void) {
        if passes(chunk, now: now, emit: emit), holdsBack { emit(chunk) }
    }

    /// The same for a caller that can pass the chunk on as it came.
    /// - Returns: whether all of the chunk, and nothing else, may be relayed; `emit` then was not called.
    public func passes(_ chunk: RawSpan, now: UInt64, emit: (RawSpan) -> Void) -> Bool {
        guard chunk.byteCount > 0 else { return true }
        guard form != .body else {
            body.append(chunk)
            return true
        }
        if firstChunkAt == 0 { firstChunkAt = now }
        guard isEventStream else {
            if form == .elements { observeElements(chunk, now: now) } else { observeMessages(chunk, now: now) }
            return true
        }
        // Bytes of the chunk up to `done` are dealt with; from `from` to there they may pass and have not yet.
        var from = 0
        let begin = events.offset &+ UInt64(events.heldByteCount)
        var done = passOverKnown(chunk)
        if done == chunk.byteCount { return true }
        let rest = chunk.extracting(from: done)
        guard holdsBack else {
            events.read(rest) { event in _ = take(event, now: now) }
            return true
        }
        events.read(rest) { event in
            let isHidden = take(event, now: now)
            let end = Int(event.end &- begin)
            if event.offset < begin {
                // Parts of it came earlier: it does not lie in this chunk as a whole.
                if !isHidden { emit(event.raw) }
                from = end
            } else if isHidden {
                let start = Int(event.offset &- begin)
                if start > from { emit(chunk.extracting(from..<start)) }
                from = end
            }
            done = end
        }
        if from == 0, done == chunk.byteCount { return true }
        if done > from { emit(chunk.extracting(from..<done)) }
        return false
    }

    /// Passes over the events at the front of the chunk that look like the last one that was read.
    /// - Returns: how many bytes they are.
    private func passOverKnown(_ chunk: RawSpan) -> Int {
        guard events.isBetweenEvents else { return 0 }
        var at = 0
        while at < chunk.byteCount, let end = pattern.end(in: chunk, from: at) { at = end }
        events.passOver(at)
        return at
    }

    /// The answer has ended.
    /// - Parameters:
    ///   - isComplete: as its framing says; false where the connection broke.
    ///   - emit: as of `observe`; what is still held.
    public func endResponse(isComplete: Bool, now: UInt64, emit: (RawSpan) -> Void) {
        guard form != .body else {
            let isWhole = readBody()
            streamWasCut = !isComplete && !isWhole
            responseIsUnreadable = isComplete && !isWhole && status < 400
            return
        }
        let holdsBack = holdsBack
        events.finish { event in
            let isHidden = take(event, now: now)
            if holdsBack && !isHidden { emit(event.raw) }
        }
        recorder?.finishStream(response)
        streamWasCut = !response.sawEnd && !response.hasError && !(isComplete && (response.isFinished || nativeStreamIsGarbled))
    }

    /// The answer where all of it has come in one piece: it is read where it stands, and has ended.
    /// - Returns: false where it is to be observed all the same: an event stream, one that has begun, a large one.
    public func readWhole(_ answer: RawSpan) -> Bool {
        guard form == .body, body.isEmpty, answer.byteCount > 0, answer.byteCount <= ResponseBody.plainLimit else { return false }
        responseIsUnreadable = !read(answer) && status < 400
        return true
    }

    /// How many bytes of the answer are kept, to be read when they are whole.
    public var heldByteCount: Int { events.heldByteCount + body.count + (native?.messages.heldByteCount ?? 0) }

    /// About how many bytes of content have been recorded.
    public var contentByteCount: Int { recorder?.byteCount ?? 0 }

    /// Does what is long about `describe` where content is recorded, once the answer has ended.
    public func renderContent() { recorder?.render() }

    /// One event of the stream.
    /// - Returns: whether it is the usage that the caller did not ask for.
    private func take(_ event: borrowing EventStreamEvent, now: UInt64) -> Bool {
        switch event.verdict {
        case .piece, .lastPiece:
            body.append(piece: event.raw)
            guard event.verdict == .lastPiece else { return false }
            guard !body.isTooLarge else {
                passOverLargest()
                return false
            }
            _ = body.withBytes { take(data: $0, name: event.name, isWhole: true, now: now) }
            body.reset()
            return false
        case .whole, .unterminated:
            guard event.data.byteCount > 0 else { return false }
            let isWhole = event.verdict == .whole
            guard isWhole, response.sawContent, recorder == nil, pattern.wantsToLearn else {
                return take(data: event.data, name: event.name, isWhole: isWhole, now: now)
            }
            return learn(from: event, now: now)
        }
    }

    /// An event was more than can be kept of one. Whether it was the stream's last is known all the same.
    private func passOverLargest() {
        pattern.forget()
        responseIsUnreadable = true
        if api == .responses { body.withBytes { response.readBeginning(ofResponsesEvent: $0) } }
        body.reset()
    }

    /// Reads an event that may be what the next ones look like.
    private func learn(from event: borrowing EventStreamEvent, now: UInt64) -> Bool {
        let wasUnreadable = responseIsUnreadable
        responseIsUnreadable = false
        defer { if wasUnreadable { responseIsUnreadable = true } }
        let (raw, data, name) = (event.raw, event.data, event.name)
        return unsafe withUnsafeTemporaryAllocation(byteCount: ResponseFacts.byteCount, alignment: 16) { before in
            // Sound: there is the room it wants.
            unsafe response.copy(to: before)
            let isHidden = take(data: data, name: name, isWhole: true, now: now)
            if !isHidden, !responseIsUnreadable, unsafe response.isSame(as: before) {
                pattern.learn(raw, data: data, api: api, idIsKnown: !response.id.isEmpty)
            }
            return isHidden
        }
    }

    /// The data of one event, or what stands for it in other streams, for which it is called once a piece.
    @discardableResult
    func take(data: RawSpan, name: RawSpan, isWhole: Bool, now: UInt64) -> Bool {
        pattern.forget()
        defer { streamHasSaidAll = response.sawEnd || response.hasError }
        if data.byteCount < 16, data.begins(with: "[DONE]") {
            response.sawEnd = true
            return false
        }
        var isUsageOnly = false
        usageIsSettled = false
        response.callPieces.clear()
        do throws(JSONError) {
            var json = JSONReader(data)
            switch api {
            case .chatCompletions: isUsageOnly = try response.readChatCompletion(&json)
            case .responses: try response.readResponsesEvent(&json, name: name)
            case .messages: try response.readMessagesEvent(&json, name: name)
            case .embeddings: try response.readEmbeddings(&json)
            case .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed: try readNativeEvent(&json, name: name)
            }
            try json.finish()
        } catch {
            // A torn last event is the cut, which is told elsewhere.
            if isWhole { responseIsUnreadable = true }
        }
        recorder?.take(data, api: api, response: response)
        if firstContentAt == 0 && response.sawContent { firstContentAt = now }
        return isUsageOnly && usageInjection != nil
    }

    /// Takes what has been collected of a stream as one event.
    func takeBody(now: UInt64) { _ = body.withBytes { take(data: $0, name: RawSpan(), isWhole: true, now: now) } }

    /// Reads the body that has been collected.
    /// - Returns: whether it is one whole JSON text.
    private func readBody() -> Bool { !body.isEmpty && body.withBytes { read($0) } }

    /// Reads a whole body.
    /// - Returns: whether it is one JSON text.
    private func read(_ bytes: RawSpan) -> Bool {
        usageIsSettled = false
        do throws(JSONError) {
            var json = JSONReader(bytes)
            if status >= 400 {
                try response.readErrorBody(&json)
            } else {
                switch api {
                case .chatCompletions: _ = try response.readChatCompletion(&json)
                case .responses:
                    try response.readResponse(&json)
                    response.finishResponse()
                case .embeddings: try response.readEmbeddings(&json)
                case .messages: try response.readMessage(&json)
                case .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed: try readNative(&json)
                }
                try json.finish()
                recorder?.readAnswer(bytes, api: api, response: response)
            }
            return true
        } catch {
            return false
        }
    }

    // MARK: what came out

    /// What the call consumed, as far as the answer said; see `Usage.isKnown`.
    public var usage: Usage {
        settleUsage()
        return settledUsage
    }

    func settleUsage() {
        guard !usageIsSettled else { return }
        if api.isNative { settledUsage = nativeUsage } else { response.settle(&settledUsage, of: api) }
        usageIsSettled = true
    }

    /// The answer says that the call failed, though its status does not.
    public var hasErrorInside: Bool { response.hasError && status < 400 }

    /// Nanoseconds from the request sent to the first piece of a streamed answer; nil without.
    var timeToFirstChunk: UInt64? { form != .body && firstChunkAt > 0 ? firstChunkAt &- sentAt : nil }

    /// Nanoseconds from the request sent to the first content of a streamed answer; nil without.
    public var timeToFirstContent: UInt64? { firstContentAt > 0 ? firstContentAt &- sentAt : nil }
}
