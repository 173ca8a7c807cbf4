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

    /// 5 MiB of which each 16 KiB of the packed ones make a little more than a turn may read.
    private func evenlyPacked() -> [UInt8] {
        var dice: UInt64 = 7
        var text = Array(#"{"x":["#.utf8)
        while text.count < 5 << 20 {
            text.append(UInt8(ascii: "\""))
            for _ in 0..<100 {
                dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(UInt8(ascii: "a") + UInt8(dice >> 60))
            }
            text += Array("\",".utf8) + [UInt8](repeating: 0x20, count: 7_000)
        }
        text += Array(#"0],"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#.utf8)
        var deflater = Deflater()
        unsafe deflater.compress(text.span.bytes)
        return deflater.withOutput { output in (0..<output.byteCount).map { unsafe output.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
    }

    /// With Content-Length, and in chunks, which the loop passes on by itself.
    @Test(arguments: [false, true]) func `is read to its end, a turn's part at a time`(isChunked: Bool) async throws {
        let body = evenlyPacked()
        #expect((1 << 20..<2 << 20).contains((5 << 20) / body.count * (16 << 10)))
        // Sixteen chunks a read.
        var framed: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: 0x3F9) {
            let piece = body[start..<min(start + 0x3F9, body.count)]
            framed += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        let bytes = isChunked ? framed + Array("0\r\n\r\n".utf8) : body
        let framing = isChunked ? "transfer-encoding: chunked" : "content-length: \(body.count)"
        let mayGoOn = Mailbox<Void>()
        let waits = Mailbox<Void>()
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\(framing)\r\n\r\n")
            try mayGoOn.take()
            try peer.write(Array(bytes[..<(48 << 10)]))
            waits.put(())
            try peer.write(Array(bytes[(48 << 10)...]))
        }
        let gateway = try RunningGateway(.chat(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("POST /local/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
        #expect(try caller.read(to: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        // Three reads' worth wait for the loop.
        try await gateway.holdingLoop {
            mayGoOn.put(())
            try waits.take()
        }
        #expect(try caller.readToEnd().bytes.count == bytes.count)
        let span = try gateway.span()
        #expect(!span.isUnreadable)
        #expect(span.record.tokens.input == 3)
        caller.close()
        await gateway.stop()
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
