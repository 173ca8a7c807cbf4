import EventLoop
import Gateway
import HTTP
import Peers
import Testing

/// Looking up takes until the test lets it go on.
private final class SilentNames: Sendable {
    let asked = Mailbox<String>()
    private let mayAnswer = Mailbox<Void>()

    var resolver: Resolver {
        Resolver { [self] name in
            asked.put(name)
            // Longer than a test's own patience: on a loaded machine that alone must not make an answer.
            while (try? mayAnswer.take()) == nil {}
            return .failure(.notFound(-2))
        }
    }

    func answer() { mayAnswer.put(()) }
}

@Suite struct `A name that nobody answers for` {
    private let names = SilentNames()

    private func gateway(_ change: (inout ProviderSettings) -> Void = { _ in }) throws -> RunningGateway {
        var settings = try GatewaySettings.provider(Origin(isTLS: false, host: "silent.test", port: 80))
        // Longer than a loaded machine may take for all of a test.
        settings.providers[0].timeouts.connect = 3_600_000_000_000
        change(&settings.providers[0])
        return try RunningGateway(settings, resolver: names.resolver)
    }

    @Test func `is not waited for when the caller has gone`() async throws {
        let gateway = try gateway()
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        #expect(try names.asked.take() == "silent.test")
        caller.close()
        #expect(try gateway.span().errorType == "client_disconnected")
        names.answer()
        await gateway.stop()
    }

    @Test func `is not waited for at the end`() async throws {
        let gateway = try gateway()
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        _ = try names.asked.take()
        await gateway.stop()
        #expect(try gateway.span().errorType == "shutdown")
        names.answer()
        caller.close()
    }

    @Test func `is waited for as long as a connection is`() async throws {
        let gateway = try gateway { $0.timeouts.connect = 100_000_000 }
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 504 "))
        #expect(try gateway.span().errorType == "timeout")
        names.answer()
        await gateway.stop()
    }
}
