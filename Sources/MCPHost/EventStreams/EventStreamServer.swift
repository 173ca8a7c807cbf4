import EventLoop
import HTTP

/// A server with the two endpoints of MCP 2024-11-05: what it says comes on an event stream, and says first where messages are posted to.
/// Confined to the host's loop.
final class EventStreamServer: Duplex, @unchecked Sendable {
    private let name: String
    private let endpoint: RemoteEndpoint
    private let client: HTTPClient
    private let loop: EventLoop
    private let limits: HostLimits
    private var arrive: ((Arrival) -> Void)?
    private var events: EventStreamReader
    private var cut = LineReader.Cut()
    /// Where messages go, once that is known.
    private var target: String?

    private var outgoing: [(message: [UInt8], fields: [HTTPField])] = []
    private var outgoingBytes = 0
    private var writer: Resumption<Void>?
    private var isClosing = false
    private var isPaused = false
    /// Bytes that came although nobody took them.
    private var unread = 0
    /// Why it has ended, where that is known better than by the stream's end.
    private var trouble: String?
    private(set) var isOver = false

    /// Opens the stream.
    /// - Parameter fields: of the request that asks for it.
    init(
        _ name: String, _ endpoint: RemoteEndpoint, fields: [HTTPField], on loop: EventLoop, resolver: Resolver, limits: HostLimits,
        arrive: @escaping (Arrival) -> Void
    ) {
        self.name = name
        self.endpoint = endpoint
        self.loop = loop
        self.limits = limits
        self.arrive = arrive
        events = EventStreamReader(limit: limits.message)
        client = HTTPClient(on: loop, resolver: resolver, tls: endpoint.tls, proxy: { _ in endpoint.proxy })
        Task(executorPreference: loop) { await self.listen(fields) }
        Task(executorPreference: loop) { await self.post() }
        Task(executorPreference: loop) { await self.limitOpening() }
    }

    // MARK: to the server

    func send(_ message: [UInt8], _ fields: [HTTPField]) -> Bool {
        guard !isClosing else { return false }
        guard outgoing.isEmpty || outgoingBytes + message.count <= limits.message else { return false }
        outgoing.append((message, fields))
        outgoingBytes += message.count
        wake()
        return true
    }

    private func post() async {
        while !isClosing {
            guard let target, let next = outgoing.first else {
                await suspend { writer = $0 }
                continue
            }
            if let why = await refusal(of: next.message, next.fields, target) { arrive?(.undelivered(next.message, why)) }
            guard !isClosing else { break }
            outgoing.removeFirst()
            outgoingBytes -= next.message.count
        }
        outgoing.removeAll()
    }

    /// Posts a message.
    /// - Returns: why it was not taken; nil where it was.
    private func refusal(of message: [UInt8], _ fields: [HTTPField], _ target: String) async -> String? {
        var request = HTTPClientRequest(.post, endpoint.origin, target: target, headers: ["content-type": "application/json"], body: message)
        for field in fields { request.headers.append(field.name, field.value) }
        request.timeout = limits.delivery
        do {
            let answer = try await client.send(request)
            return (200..<300).contains(answer.status) ? nil : "did not take the message (\(answer.status)). Try again."
        } catch { return "could not be sent the message: \(error). Try again." }
    }

    // MARK: from the server

    private func listen(_ fields: [HTTPField]) async {
        var request = HTTPClientRequest(.get, endpoint.origin, target: endpoint.target, headers: ["accept": "text/event-stream"])
        for field in fields { request.headers.append(field.name, field.value) }
        request.timeout = limits.delivery
        var why = "ended its event stream. Try again."
        do {
            try await client.stream(request) { head in self.take(head) } onPiece: { piece in self.take(piece) }
        } catch {
            if case .connect = error { why = "could not be reached: \(error). Check mcp.\(name).url." } else { why = "broke its event stream off: \(error). Try again." }
        }
        events.finish { take($0) }
        isClosing = true
        wake()
        await client.close()
        isOver = true
        let told = arrive
        arrive = nil
        told?(.end(trouble ?? why))
    }

    private func take(_ head: HTTPClientResponse) {
        let type = head.headers["content-type"]?.lowercased() ?? ""
        if head.status != 200 || !type.hasPrefix("text/event-stream") {
            trouble = "has no event stream at mcp.\(name).url (\(head.status)): it speaks neither Streamable HTTP there nor HTTP with SSE. Check the URL."
            isClosing = true
        }
    }

    /// - Returns: whether to go on.
    private func take(_ piece: RawSpan) -> Bool {
        guard !isClosing else { return false }
        if isPaused {
            unread += piece.byteCount
            if unread > limits.message { trouble = trouble ?? "said more than its client read, and was left." }
        }
        events.read(piece) { take($0) }
        return trouble == nil && !isClosing
    }

    private func take(_ event: borrowing EventStreamEvent) {
        switch event.verdict {
        case .whole:
            let data = unsafe event.data.withUnsafeBytes { unsafe Array($0) }  // sound: copied inside the closure
            guard !data.isEmpty else { return }
            if event.name.isEmpty || event.name.is("message") { arrive?(.message(data)) } else if event.name.is("endpoint") { takeTarget(data) }
        case .unterminated: break
        case .piece: cut.take(unsafe event.raw.withUnsafeBytes { unsafe Array($0) }[...])
        case .lastPiece:
            cut.take(unsafe event.raw.withUnsafeBytes { unsafe Array($0) }[...])
            cut.start = Array(cut.start.drop { $0 != UInt8(ascii: "{") })
            while let last = cut.end.last, last == 0x0A || last == 0x0D { cut.end.removeLast() }
            arrive?(.tooLong(cut))
            cut = LineReader.Cut()
        }
    }

    /// Where messages go: a URI, whole or from here, and on this origin: what the gateway sends is for it alone.
    private func takeTarget(_ reference: [UInt8]) {
        let reference = String(decoding: reference, as: UTF8.self)
        if let found = EndpointReference(reference).target(from: endpoint.origin, endpoint.target) {
            target = target ?? found
            wake()
        } else {
            trouble = "names an endpoint for messages on another origin, which is not followed. Mend the server."
            isClosing = true
        }
    }

    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        if !isPaused { unread = 0 }
    }

    // MARK: the end

    private func limitOpening() async {
        await loop.sleep(nanoseconds: limits.delivery.nanoseconds)
        guard target == nil, !isClosing else { return }
        trouble = "did not say on its event stream where messages go. Check that mcp.\(name).url leads to an MCP server."
        close()
    }

    func close() {
        isClosing = true
        wake()
        Task(executorPreference: loop) { await self.client.close() }
    }

    private func wake() {
        guard let resumed = writer else { return }
        writer = nil
        resumed.resume()
    }
}

extension RawSpan {
    fileprivate func `is`(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        // Sound: copied inside the closure.
        return unsafe withUnsafeBytes { unsafe Array($0) } == Array("\(text)".utf8)
    }
}
