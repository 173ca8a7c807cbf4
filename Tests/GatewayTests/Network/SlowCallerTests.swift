import Gateway
import Peers
import Testing

@Suite struct `A caller that stops in the middle of its body` {
    /// Understood, and passed on as it comes.
    @Test(arguments: ["v1/chat/completions", "v1/files"]) func `is told that it was too slow`(path: String) async throws {
        let server = try PeerServer { peer in _ = try peer.readToEnd() }
        var settings = try GatewaySettings.chat(server)
        settings.callerIdleNanoseconds = 100_000_000
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("POST /local/\(path) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\nbegun")
        let answer = try caller.readMessage()
        #expect(answer.head.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(answer.body.contains(#""408""#) || answer.body.contains(#""status":408"#))
        let span = try gateway.span()
        #expect(span.errorType == "408")
        #expect(span.status == 408)
        await gateway.stop()
    }
}
