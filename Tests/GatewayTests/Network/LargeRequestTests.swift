import EventLoop
@testable import Gateway
import HTTP
import Peers
import Synchronization
import TLS
import Testing

@Suite(.serialized) struct `A large request` {
    private static let size = 32 << 20

    /// A chat whose one message is so long.
    private static func chat(_ size: Int, _ start: String = #""model":"gpt-4o""#, end: String = "") -> [UInt8] {
        Array("{\(start),\"messages\":[{\"role\":\"user\",\"content\":\"".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: size) + Array("\"}]\(end)}".utf8)
    }

    private static func head(_ count: Int) -> String {
        "POST /local/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: \(count)\r\n\r\n"
    }

    /// Holds the thread that reads large requests, until what it returns is signalled.
    private static func hold(_ reader: EventLoop) -> WorkSignal {
        let isHeld = WorkSignal()
        let release = WorkSignal()
        Task(executorPreference: reader) {
            isHeld.signal()
            release.wait()
        }
        isHeld.wait()
        return release
    }

    /// Waits until a request lies before that thread, which somebody holds.
    private static func waitForRequest(_ reader: EventLoop, after jobs: UInt64) async throws {
        for _ in 0..<6_000 where reader.health.foreignJobs.load(ordering: .relaxed) == jobs { try await Task.sleep(nanoseconds: 5_000_000) }
        #expect(reader.health.foreignJobs.load(ordering: .relaxed) == jobs + 1)
    }

    @Test func `is read while others are served`() async throws {
        let server = try PeerServer { peer in
            while let request = try peer.readRequest() {
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\(request.body.count > 1_000 ? "{ }" : "{} ")")
            }
        }
        let gateway = try RunningGateway(.chat(server))
        let reader = gateway.gateway.readers[0]
        let release = Self.hold(reader)
        defer { release.signal() }
        let jobs = reader.health.foreignJobs.load(ordering: .relaxed)
        let body = Self.chat(Self.size - 1_000)
        let large = try Peer.connect(to: gateway.port)
        try large.write(Self.head(body.count))
        try large.write(body)
        try await Self.waitForRequest(reader, after: jobs)

        let other = try Peer.connect(to: gateway.port)
        let short = Self.chat(300)
        for _ in 0..<20 {
            try other.write(Self.head(short.count))
            try other.write(short)
            #expect(try other.readMessage().body == "{} ")
            #expect(try gateway.span().name == "chat gpt-4o")
        }
        #expect(!large.hasSomething())
        release.signal()
        #expect(try large.readMessage().body == "{ }")
        let span = try gateway.span()
        #expect(span.name == "chat gpt-4o")
        #expect(!span.isUnreadable)
        await gateway.stop()
    }

    /// It comes, and goes on, in as many turns as it has shares of one.
    @Test(arguments: [false, true])
    func `is not moved in one turn of the loop`(isTLS: Bool) async throws {
        let body = Self.chat(8 << 20)
        let server = try PeerServer(tls: isTLS ? .testServer() : nil) { peer in
            let request = try peer.readRequest()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\(request?.body == body)".padding(to: 5))
        }
        let gateway = try RunningGateway(.chat(server, isTLS: isTLS))
        let turns = { gateway.gateway.loops[0].health.turns.load(ordering: .relaxed) }
        let before = turns()
        let caller = try Peer.connect(to: gateway.port)
        try caller.write(Self.head(body.count))
        try caller.write(body)
        #expect(try caller.readMessage().body == "true ")
        #expect(turns() - before >= 2 * (body.count / EventLoop.bytesPerTurn - 1))
        await gateway.stop()
    }

    @Test func `whose caller leaves before it is read goes nowhere`() async throws {
        let server = try PeerServer { peer in _ = try peer.readRequest() }
        let gateway = try RunningGateway(.chat(server))
        let reader = gateway.gateway.readers[0]
        let release = Self.hold(reader)
        defer { release.signal() }
        let jobs = reader.health.foreignJobs.load(ordering: .relaxed)
        let body = Self.chat(1 << 20)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write(Self.head(body.count))
        try caller.write(body)
        try await Self.waitForRequest(reader, after: jobs)
        caller.closeSocket()
        // Answered after the loop has heard of the end.
        #expect(try gateway.ask("/nobody").head.hasPrefix("HTTP/1.1 404 "))
        release.signal()
        let span = try gateway.span()
        #expect(span.errorType == "client_disconnected")
        #expect(span.name == "chat gpt-4o")
        #expect(server.accepted == 0)
        await gateway.stop()
    }

    /// What is added stands where it stands in a small one, wherever that is.
    @Test(arguments: [
        (#""model":"m","stream":true"#, "", #""stream_options":{"include_usage":true},"model":"m","stream":true"#, ""),
        (#""model":"m","stream":true"#, #","stream_options":null"#, #""model":"m","stream":true"#, #","stream_options":{"include_usage":true}"#),
        (#""stream":true"#, #","stream_options":{"include_usage":false},"n":1"#, #""stream":true"#, #","stream_options":{"include_usage":true},"n":1"#),
        (#""stream":true,"stream_options":{"x":1}"#, "", #""stream":true,"stream_options":{"include_usage":true,"x":1}"#, ""),
    ])
    func `asks for the usage of its stream`(start: String, end: String, sentStart: String, sentEnd: String) async throws {
        for size in [300, 100_000, 3 << 20] {
            let sent = Self.chat(size, sentStart, end: sentEnd)
            let server = try PeerServer { peer in
                let request = try peer.readRequest()
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\(request?.body == sent)".padding(to: 5))
            }
            var settings = try GatewaySettings.chat(server)
            settings.providers[0].asksForStreamUsage = true
            let gateway = try RunningGateway(settings)
            let caller = try Peer.connect(to: gateway.port)
            let body = Self.chat(size, start, end: end)
            try caller.write(Self.head(body.count))
            try caller.write(body)
            #expect(try caller.readMessage().body == "true ", "\(size)")
            await gateway.stop()
        }
    }
}

extension String {
    /// An answer of `true` or `false` behind its head, as long as the longer one.
    fileprivate func padding(to count: Int) -> String { hasSuffix("true") ? self + String(repeating: " ", count: count - 4) : self }
}
