import Deflate
import Gateway
import HTTP
import LLM
import Peers
import Testing
import Tracing

@Suite struct `An answer packed more tightly than answers are` {
    /// 1 MiB that does not pack, so that the whole is no bomb by its ratio, and `empty` that does; gzip.
    private func packed(empty: Int) -> [UInt8] {
        var dice: UInt64 = 7
        var text = Array(#"{"noise":""#.utf8)
        for _ in 0..<(empty / 100) {
            dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(UInt8(ascii: "a") + UInt8(dice >> 60))
        }
        text += Array(#"","x":["#.utf8) + [UInt8](repeating: 0x20, count: empty) + Array(#"],"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#.utf8)
        var deflater = Deflater()
        unsafe deflater.compress(text.span.bytes)
        return deflater.withOutput { output in (0..<output.byteCount).map { unsafe output.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
    }

    @Test(arguments: [(512 << 10, true), (16 << 20, false)]) func `passes, and is read only as far as the loop has time`(empty: Int, isRead: Bool) async throws {
        let body = packed(empty: empty)
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write(Array("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: \(body.count)\r\n\r\n".utf8) + body)
        }
        var settings = try GatewaySettings.provider(server, isTLS: false)
        settings.providers[0].dialect = .openai
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("POST /local/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
        let answer = try caller.readToEnd().bytes
        #expect(answer.suffix(body.count).elementsEqual(body))
        let span = try gateway.span()
        #expect(span.record.tokens.input == (isRead ? 3 : -1))
        #expect(span.isUnreadable == !isRead)
        caller.close()
        await gateway.stop()
    }
}
