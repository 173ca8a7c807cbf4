import Gateway
import Peers
import Testing

@Suite struct `What comes before a message` {
    /// Without end, and as fast as it can be read.
    @Test(arguments: ["HTTP/1.1 103 Early Hints\r\n\r\n", "\r\n"]) func `is not read for ever where an upstream sends it`(what: String) async throws {
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            let much = String(repeating: what, count: (64 << 10) / what.utf8.count)
            while true { try peer.write(much) }
        }
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        // HTTP/1.0 knows no interim answers: the first that comes is the gateway's.
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/a HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n")
        #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 502 "))
        #expect(try gateway.span().errorType == "malformed_response")
        await gateway.stop()
    }

    @Test func `may be as much as anybody has a use for`() async throws {
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write("\r\n" + String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 20) + "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        }
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("\r\n\r\nGET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        for _ in 0..<20 { #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 103 ")) }
        #expect(try caller.readMessage().body == "ok")
        await gateway.stop()
    }

    @Test func `is not read for ever where a caller sends it`() async throws {
        let server = try PeerServer { _ in }
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write(String(repeating: "\r\n", count: 64 << 10))
        try caller.write("GET /unknown HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        #expect(try String(decoding: caller.readToEnd().bytes, as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        await gateway.stop()
    }
}
