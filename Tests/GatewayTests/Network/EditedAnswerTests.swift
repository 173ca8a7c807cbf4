import Foundation
import Gateway
import HTTP
import Peers
import Policy
import Testing

@Suite struct `An answer that is edited` {
    /// What a client gets of `body`, an answer to `tools/list` of which `delete_*` is taken out, and the span's error.
    private func answer(_ type: String, _ body: [UInt8], isChunked: Bool = false) async throws -> (answer: String, error: String?) {
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            if isChunked {
                try peer.write("HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ntransfer-encoding: chunked\r\n\r\n")
                for start in stride(from: 0, to: body.count, by: 50_000) {
                    let piece = body[start..<min(start + 50_000, body.count)]
                    try peer.write(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10])
                }
                try peer.write("0\r\n\r\n")
            } else {
                try peer.write(Array("HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ncontent-length: \(body.count)\r\n\r\n".utf8) + body)
            }
        }
        var settings = try GatewaySettings.provider(server, isTLS: false)
        var tools = MCPServerSettings(name: "tools", origin: Origin(isTLS: false, host: "127.0.0.1", port: server.port), target: "/mcp")
        tools.tools = NameFilter(deny: [Glob("delete_*")!])
        settings.mcpServers = [tools]
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        let ask = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
        try caller.write("POST /mcp/tools HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: \(ask.utf8.count)\r\n\r\n\(ask)")
        let answer = try String(decoding: caller.readToEnd().bytes, as: UTF8.self)
        let error = try gateway.span().errorType
        await gateway.stop()
        return (answer, error)
    }

    /// A list of tools of about so many bytes, every other one of which goes.
    private func list(_ size: Int) -> String {
        let text = String(repeating: "x", count: 1_000)
        let pair = #"{"name":"delete_all","description":"\#(text)"},{"name":"get_one","description":"\#(text)"}"#
        return #"{"jsonrpc":"2.0","id":1,"result":{"tools":["# + Array(repeating: pair, count: size / pair.utf8.count).joined(separator: ",") + #"]}}"#
    }

    @Test(arguments: [10_000, 1_000_000], [false, true])
    func `is whole, however large and however it comes`(size: Int, isChunked: Bool) async throws {
        let list = list(size)
        let (answer, error) = try await answer("application/json", Array(list.utf8), isChunked: isChunked)
        let count = list.ranges(of: "get_one").count
        #expect(error == nil)
        #expect(answer.ranges(of: "get_one").count == count && !answer.contains("delete_all"))
        let end = try #require(answer.ranges(of: "\r\n\r\n").first)
        #expect(answer[..<end.lowerBound].contains("content-length: \(answer[end.upperBound...].utf8.count)\r\n"))
    }

    @Test(arguments: [10_000, 1_000_000], [false, true])
    func `is whole as an event of a stream, too`(size: Int, isChunked: Bool) async throws {
        let list = list(size)
        let stream = ": hi\n\nid: 1\ndata: \(list)\n\n: bye\n\n"
        let (answer, error) = try await answer("text/event-stream", Array(stream.utf8), isChunked: isChunked)
        #expect(error == nil)
        #expect(answer.ranges(of: "\"get_one\"").count >= list.ranges(of: "get_one").count - 10 && !answer.contains("delete_all"))
        #expect(answer.contains(": bye") && answer.hasSuffix("0\r\n\r\n"))
    }

    @Test(arguments: [false, true])
    func `does not pass where it is more than is read`(isChunked: Bool) async throws {
        let (answer, error) = try await answer("application/json", Array(list(17 << 20).utf8), isChunked: isChunked)
        #expect(error == "malformed_response")
        #expect(answer.contains("-32603") && !answer.contains("get_one"))
    }

    @Test(arguments: [false, true])
    func `is cut at an event that is more than is read`(isChunked: Bool) async throws {
        let stream = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\ndata: \(list(17 << 20))\n\n"
        let (answer, error) = try await answer("text/event-stream", Array(stream.utf8), isChunked: isChunked)
        #expect(error == "malformed_response")
        #expect(answer.contains("notifications/message") && !answer.contains("_one") && !answer.hasSuffix("0\r\n\r\n"))
    }
}
