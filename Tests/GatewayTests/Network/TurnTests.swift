import EventLoop
import Gateway
import Peers
import Synchronization
import Testing

@Suite struct `A turn of a loop` {
    @Test func `does not belong to one caller that asks without pause`() async throws {
        let server = try PeerServer { _ in }
        let gateway = try RunningGateway(.provider(server))
        let caller = try Peer.connect(to: gateway.port)
        let count = 2_000
        let before = gateway.gateway.loops[0].health.turns.load(ordering: .relaxed)
        try caller.write(String(repeating: "GET /x HTTP/1.1\r\nhost: a\r\n\r\n", count: count) + "GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        let answers = try String(decoding: caller.readToEnd().bytes, as: UTF8.self)
        #expect(answers.ranges(of: "HTTP/1.1 404 ").count == count + 1)
        #expect(gateway.gateway.loops[0].health.turns.load(ordering: .relaxed) - before >= count / 32)
        await gateway.stop()
    }

    /// With Content-Length, and in chunks that fill a read: those the loop passes on by itself.
    @Test(arguments: [false, true])
    func `does not belong to one answer`(isChunked: Bool) async throws {
        let size = 16 << 20
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            // Eight chunks a read.
            let chunk = [UInt8]("7f9\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x7F9 - 1) + [UInt8(ascii: "!")] + [13, 10]
            if isChunked {
                var body: [UInt8] = []
                for _ in 0..<size / 0x7F9 { body += chunk }
                try peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                try peer.write(body + Array("0\r\n\r\n".utf8))
            } else {
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
                try peer.write([UInt8](repeating: 0x20, count: size))
            }
        }
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        let before = gateway.gateway.loops[0].health.turns.load(ordering: .relaxed)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/large HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        let count = try caller.readToEnd().bytes.count
        #expect(count > size - 0x7F9)
        #expect(gateway.gateway.loops[0].health.turns.load(ordering: .relaxed) - before >= size / EventLoop.bytesPerTurn)
        await gateway.stop()
    }
}
