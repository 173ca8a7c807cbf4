import EventLoop
import Foundation
import JSON
import MCPHost
import Peers

/// A host with one server, `troubles` (Fixtures/server.py), and clients of it that block.
final class HostUnderTest: Sendable {
    let host: MCPHost
    static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/server.py").path

    init(_ arguments: [String] = [], command: [String]? = nil, environment: [String] = ["MODE=ro"], _ change: (inout HostLimits) -> Void = { _ in }) throws {
        var limits = HostLimits()
        limits.grace = .milliseconds(300)
        change(&limits)
        host = MCPHost(limits)
        host.use([HostedServer(name: "troubles", command: command ?? ["python3", Self.script] + arguments, environment: environment)])
    }

    /// A client, of a session where there is one already. Its connection does not outlive long waits.
    func client(_ session: String? = nil) throws -> Client {
        let made = Client(Peer(try host.connect(to: "troubles")))
        made.session = session
        return made
    }

    /// Notices, gathered until one is as wanted.
    func notices(until isWanted: (HostNotice) -> Bool) async throws -> [HostNotice] {
        var all: [HostNotice] = []
        for _ in 0..<3_000 {
            all += host.takeNotices()
            if all.contains(where: isWanted) { return all }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw PeerFailed("no such notice among \(all)")
    }
}

/// A client on a connection of its own: one request after the other.
final class Client {
    let peer: Peer
    var session: String?

    init(_ peer: Peer) { self.peer = peer }

    struct Answer {
        let status: Int
        let head: String
        let messages: [JSONValue]

        /// The last message.
        var last: JSONValue? { messages.last }
        var text: String? { last?["result"]?["content"]?[0]?["text"]?.string }
        var error: (code: Int?, message: String) { (last?["error"]?["code"]?.int, last?["error"]?["message"]?.string ?? "") }
    }

    func send(_ method: String, _ body: String = "", _ fields: String = "") throws {
        let session = session.map { "mcp-session-id: \($0)\r\n" } ?? ""
        try peer.write("\(method) / HTTP/1.1\r\nhost: troubles\r\naccept: application/json, text/event-stream\r\n\(session)\(fields)content-length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    func post(_ body: String, _ fields: String = "") throws -> Answer {
        try send("POST", body, fields)
        return try read()
    }

    func read() throws -> Answer {
        let (head, body) = try peer.readMessage()
        let isStream = head.lowercased().contains("content-type: text/event-stream")
        let texts = isStream ? body.split(separator: "\n\n").map { String($0.drop { $0 != "{" }) } : body.isEmpty ? [] : [body]
        return Answer(
            status: Int(head.split(separator: " ")[1]) ?? 0, head: head.lowercased(),
            messages: try texts.map { try JSONValue($0) })
    }

    /// The handshake.
    func open() throws -> Answer {
        let answer = try post(
            #"{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#)
        session = answer.head.split(separator: "\r\n").first { $0.hasPrefix("mcp-session-id: ") }.map { String($0.dropFirst(16)) }
        if session != nil { _ = try post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#) }
        return answer
    }

    static func call(_ tool: String, _ arguments: String = "{}", id: String = "1", meta: String? = nil) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)\#(meta.map { #","_meta":\#($0)"# } ?? "")}}"#
    }

    func call(_ tool: String, _ arguments: String = "{}", id: String = "1", meta: String? = nil) throws -> Answer {
        try post(Self.call(tool, arguments, id: id, meta: meta))
    }

    /// The number of the server's process.
    func process(meta: String? = nil) throws -> Int {
        guard let process = try JSONValue(call("process", meta: meta).text ?? "null")["pid"]?.int else { throw PeerFailed("no process") }
        return process
    }

    /// What a stateless request carries.
    static func modern(_ more: String = "") -> String {
        #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}\#(more)}"#
    }
}

/// Whether a process is there, be it a zombie.
func isThere(_ process: Int) -> Bool { FileManager.default.fileExists(atPath: "/proc/\(process)") }
