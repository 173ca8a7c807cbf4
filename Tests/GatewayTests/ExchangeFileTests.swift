import Content
import EventLoop
import Foundation
import HTTP
import LLM
import OTLP
import Policy
import Synchronization
import Testing
import Tracing

@testable import Gateway

@Suite struct `An exchange` {
    static let files: [String] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures").path
        return (try! FileManager.default.contentsOfDirectory(atPath: folder)).filter { $0.hasSuffix(".exchange") }.sorted().map { folder + "/" + $0 }
    }()

    @Test(arguments: files)
    func `is answered and traced as its file tells`(path: String) async throws {
        var file = try ExchangeFile(path: path)
        let played = try await Player(file).play()
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            try file.record(["upstream receives": played.upstreamReceived, "client receives": played.clientReceived, "spans": played.spans])
            return
        }
        #expect(played.upstreamReceived == file.section("upstream receives"))
        #expect(played.clientReceived == file.section("client receives"))
        #expect(played.spans == file.section("spans"))
    }
}

/// Plays an exchange file through a real gateway between a scripted client and a scripted upstream.
final class Player: Sendable {
    struct Played {
        var upstreamReceived: String
        var clientReceived: String
        var spans: String
    }

    private let file: ExchangeFile
    private let received = Mutex<[UInt8]>([])

    init(_ file: ExchangeFile) { self.file = file }

    func play() async throws -> Played {
        let (listener, port) = TestSocket.listen()
        var settings = GatewaySettings()
        settings.maxBody = file.settings["max_body"].flatMap(Int.init) ?? settings.maxBody
        settings.drainNanoseconds = 100_000_000
        settings.headTimeoutNanoseconds = file.settings["head_timeout_ms"].flatMap(UInt64.init).map { $0 * 1_000_000 } ?? 60_000_000_000
        settings.forwardsBaggage = file.settings["forward_baggage"] == "true"
        if let content = file.settings["content"] { settings.content = ContentRecording(content == "full" ? .full : .redacted) }
        for name in ["openai", "anthropic", "groq"] + (file.settings["provider"].map { [$0] } ?? []) {
            var provider = ProviderSettings(Provider.named(name)!, calledBy: name)
            provider.origin = Origin(isTLS: false, host: "127.0.0.1", port: file.settings["upstream"] == "down" ? 1 : port)
            if let milliseconds = file.settings["first_byte_ms"].flatMap(UInt64.init) { provider.timeouts.firstByte = milliseconds * 1_000_000 }
            if let milliseconds = file.settings["idle_ms"].flatMap(UInt64.init) { provider.timeouts.idle = milliseconds * 1_000_000 }
            provider.timeouts.connect = 60_000_000_000
            provider.credential = file.settings["credential"]
            provider.pathPrefix = file.settings["path_prefix"] ?? ""
            provider.missingConfiguration = nil
            settings.providers.append(provider)
        }
        var server = MCPServerSettings(
            name: "weather", origin: Origin(isTLS: false, host: "127.0.0.1", port: file.settings["upstream"] == "down" ? 1 : port), target: "/mcp")
        if let milliseconds = file.settings["first_byte_ms"].flatMap(UInt64.init) { server.timeouts.firstByte = milliseconds * 1_000_000 }
        if let milliseconds = file.settings["idle_ms"].flatMap(UInt64.init) { server.timeouts.idle = milliseconds * 1_000_000 }
        server.credential = file.settings["credential"]
        server.passesAuthorization = file.settings["pass_authorization"] == "true"
        server.pricePerCall = file.settings["price_per_call"].flatMap { USD($0) }
        let globs = { (key: String) in (self.file.settings[key] ?? "").split(separator: " ").compactMap { Glob(String($0)) } }
        server.tools = NameFilter(allow: globs("allow"), deny: globs("deny"))
        if let team = file.settings["x-team"] { server.headers = [("x-team", team)] }
        settings.mcpServers = [server]
        var agent = AgentSettings(name: "researcher", origin: server.origin, pathPrefix: file.settings["agent_prefix"] ?? "")
        agent.timeouts = server.timeouts
        agent.credential = server.credential
        agent.passesAuthorization = server.passesAuthorization
        agent.pricePerCall = server.pricePerCall
        agent.headers = server.headers
        agent.skills.deny = file.settings["denied_skills"].map { $0.split(separator: " ").map { Glob(String($0))! } } ?? []
        settings.agents = [agent]
        let queue = SpanQueue {}
        let time = ManualTime(start: 1_700_000_000_000_000_000, step: 0)
        let gateway = try Gateway(
            settings, listen: SocketAddress("127.0.0.1", port: 0)!, queues: [queue], catalogue: .bundled, clock: .manual(time), seed: 7)
        let upstream = Thread.start(named: "upstream") { [self] in serve(listener) }
        let clientReceived = converse(with: gateway.address.port)
        // The span is complete when the exchange is; a caller that left does not see when that is.
        for _ in 0..<6_000 where queue.recorded < UInt64(file.settings["spans"] ?? "1")! { usleep(10_000) }
        await gateway.drain()
        _ = Glibc.shutdown(listener.descriptor, Int32(SHUT_RDWR))
        upstream.join()
        return Played(
            upstreamReceived: text(received.withLock { $0 }, port), clientReceived: text(Self.unchunked(clientReceived), port), spans: try spans(queue, port))
    }

    /// The upstream: for each connection, for each request, the next part of the script.
    private func serve(_ listener: TestSocket) {
        var parts = file.upstream.split(separator: .next, omittingEmptySubsequences: false)[...]
        var kept: [TestSocket] = []
        while !parts.isEmpty, let socket = listener.accept() {
            connection: while let part = parts.first {
                guard readRequest(socket) else { break }
                parts.removeFirst()
                var bytewise = false
                for step in part {
                    switch step {
                    case .send(let bytes): socket.send(bytes, bytewise: bytewise)
                    case .bytewise: bytewise = true
                    case .close: break connection
                    case .reset:
                        socket.reset()
                        break connection
                    case .silence:
                        kept.append(socket)
                        // Until the gateway gives up.
                        _ = socket.read()
                        break connection
                    case .next, .until: break
                    }
                }
            }
        }
    }

    /// Reads one request, by its framing.
    private func readRequest(_ socket: TestSocket) -> Bool {
        var bytes: [UInt8] = []
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = text[..<end.upperBound].lowercased()
                let bodyCount = bytes.count - text[..<end.upperBound].utf8.count
                if head.contains("transfer-encoding: chunked") ? Self.endsChunks(text) : bodyCount >= Self.contentLength(head) { break }
            }
            guard let more = socket.read(), !more.isEmpty else {
                received.withLock { $0 += bytes }
                return false
            }
            bytes += more
        }
        received.withLock { received in
            if !received.isEmpty { received += Array("\n@next\n".utf8) }
            received += bytes
        }
        return true
    }

    /// Whether the last chunk has come, and the trailer section behind it.
    private static func endsChunks(_ text: String) -> Bool {
        text.hasSuffix("0\r\n\r\n") || text.contains("\r\n0\r\n") && text.hasSuffix("\r\n\r\n")
    }

    private static func contentLength(_ head: String) -> Int {
        guard let range = head.range(of: "content-length: ") else { return 0 }
        return Int(head[range.upperBound...].prefix { $0.isNumber }) ?? 0
    }

    private func converse(with port: UInt16) -> [UInt8] {
        let socket = TestSocket.connect(port)
        var bytewise = false
        var answer: [UInt8] = []
        // A client that is to leave does so when it has got so far, or else when the upstream has its request.
        var hasWaited = false
        for step in file.client {
            switch step {
            case .send(let bytes): socket.send(bytes, bytewise: bytewise)
            case .bytewise: bytewise = true
            case .until(let bytes):
                while !Self.contains(answer, bytes), let more = socket.read(), !more.isEmpty { answer += more }
                hasWaited = true
            case .close:
                if !hasWaited { waitForUpstream() }
                return answer
            case .reset:
                if !hasWaited { waitForUpstream() }
                socket.reset()
                return answer
            case .silence: break
            case .next:
                // The next request goes out when the answer to this one has come.
                while let more = socket.read(), !more.isEmpty {
                    answer += more
                    if Self.isWhole(answer) { break }
                }
                answer += Array("\n@next\n".utf8)
            }
        }
        while let more = socket.read(), !more.isEmpty { answer += more }
        return answer
    }

    private func waitForUpstream() {
        for _ in 0..<6_000 where received.withLock({ $0.isEmpty }) { usleep(10_000) }
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool { bytes.indices.contains { bytes[$0...].starts(with: part) } }

    /// Whether the last answer in `bytes` has come to its end, by its framing.
    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n@next\n").last!
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let head = text[..<end.upperBound].lowercased()
        if head.contains("transfer-encoding: chunked") { return endsChunks(text) }
        return text[end.upperBound...].utf8.count >= contentLength(head)
    }

    /// Without the chunked coding, whose pieces depend on how the network cut them; `@cut` where the last chunk is missing, `@trailers`
    /// before trailer fields.
    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        let end = Array("\r\n\r\n".utf8)
        guard let headEnd = bytes.indices.first(where: { bytes[$0...].starts(with: end) }),
            String(decoding: bytes[..<headEnd], as: UTF8.self).lowercased().contains("transfer-encoding: chunked")
        else { return bytes }
        var result = Array(bytes[..<(headEnd + 4)])
        var rest = bytes[(headEnd + 4)...]
        while let lineEnd = rest.firstIndex(of: 13), let size = Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16) {
            if size == 0 {
                let trailers = rest[(lineEnd + 2)...]
                return trailers.starts(with: [13, 10]) ? result + trailers.dropFirst(2) : result + Array("\n@trailers\n".utf8) + trailers
            }
            guard rest.endIndex >= lineEnd + 2 + size else { break }
            result += rest[(lineEnd + 2)..<(lineEnd + 2 + size)]
            rest = rest[min(lineEnd + 4 + size, rest.endIndex)...]
        }
        return result + Array("@cut".utf8)
    }

    /// As it stands in a file: LF for CRLF, the port as PORT, what is no UTF-8 as base64.
    private func text(_ bytes: [UInt8], _ port: UInt16) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { return "@base64 " + Data(bytes).base64EncodedString() }
        return text.replacingOccurrences(of: "\r\n", with: "\n").replacingOccurrences(of: "127.0.0.1:\(port)", with: "127.0.0.1:PORT")
            .split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }.joined(separator: "\n")
    }

    private func spans(_ queue: SpanQueue, _ port: UInt16) throws -> String {
        var encoder = SpanEncoder()
        var messages: [(message: [UInt8], isUnmetered: Bool)] = []
        for chunk in queue.drain() {
            chunk.forEach { record, entries in
                encoder.encode(record, entries) { bytes in messages.append((unsafe bytes.withUnsafeBytes { unsafe Array($0) }, record.isUnmetered)) }
            }
        }
        var lines: [String] = []
        for (message, isUnmetered) in messages {
            let span = try OTLPSpan(decoding: unsafe message.span.bytes)
            lines.append("\(span.name) \(span.isError ? "ERROR \(span.status?.message ?? "")" : "ok")")
            lines.append("  trace \(span.traceID) span \(span.spanID) parent \(span.parentSpanID.map(\.description) ?? "none") flags \(span.flags)\(span.traceState.isEmpty ? "" : " state \(span.traceState)")")
            if isUnmetered { lines.append("  unmetered") }
            for link in span.links { lines.append("  link \(link.traceID) \(link.spanID) flags \(link.flags)\(link.traceState.isEmpty ? "" : " state \(link.traceState)")") }
            for attribute in span.attributes { lines.append("  \(attribute.key) = \(Self.show(attribute.value))") }
        }
        return lines.joined(separator: "\n").replacingOccurrences(of: "127.0.0.1:\(port)", with: "127.0.0.1:PORT")
            .replacingOccurrences(of: "server.port = \(port)", with: "server.port = PORT")
    }

    private static func show(_ value: AnyValue) -> String {
        switch value {
        case .string(let text): text
        case .bool(let flag): "\(flag)"
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .array(let values): "[" + values.map(show).joined(separator: ", ") + "]"
        default: "\(value)"
        }
    }
}
