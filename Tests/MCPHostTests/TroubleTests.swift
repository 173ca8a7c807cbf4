import Foundation
import JSON
import MCPHost
import Peers
import Testing

/// What goes wrong in a server that is a program, one after the other.
@Suite struct `A server's trouble` {
    struct Case: Sendable, CustomTestStringConvertible {
        let tool: String
        var arguments = "{}"
        /// Of the error's words.
        let words: String
        var ends = true
        var testDescription: String { tool }
    }

    static let failing = [
        Case(tool: "dies", arguments: #"{"status":3}"#, words: "troubles exited with status 3."),
        Case(tool: "dies", arguments: #"{"status":127}"#, words: "PATH: env:PATH"),
        Case(tool: "killed", words: "troubles was ended by signal 9."),
        Case(tool: "mute", words: "ended its standard output and ran on"),
        Case(tool: "long", arguments: #"{"bytes":200000}"#, words: "gateway.max_body (65536)", ends: false),
        Case(tool: "long_id_last", arguments: #"{"bytes":200000}"#, words: "gateway.max_body (65536)", ends: false),
        Case(tool: "not_utf8", words: "no UTF-8", ends: false),
        Case(tool: "error_without_id", words: "cannot read that", ends: false),
    ]

    @Test(arguments: failing) func `is told to whoever waits, in an error that says what to do`(given: Case) async throws {
        let it = try HostUnderTest { $0.message = 64 << 10 }
        let client = try it.client()
        _ = try client.open()
        let process = try client.process()
        // Another one waits as well: where the process ends, for ever if it were not told.
        let other = try it.client(client.session)
        if given.ends {
            try other.send("POST", Client.call("hangs", id: "77"))
            for _ in 0..<3 { _ = try client.call("echo") }
        }
        let answer = try client.call(given.tool, given.arguments, id: #""mine""#)
        #expect(answer.status == 200 && answer.last?["id"]?.string == "mine")
        #expect(answer.error.message.contains(given.words), "\(answer.error.message)")
        if given.ends {
            #expect(answer.error.code == -32603)
            _ = try await it.notices { if case .ended(_, _, false) = $0 { true } else { false } }
            #expect(!isThere(process))
            #expect(try it.client(client.session).call("echo").status == 404)
        } else {
            #expect(try client.process() == process)
        }
        await it.host.stop()
    }

    @Test func `of answers that nobody wants is counted, and harms nobody`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        #expect(try client.call("twice").text == "first")
        #expect(try client.call("unknown").text == "known")
        #expect(try client.call("echo").text != nil)
        let notices = it.host.takeNotices()
        #expect(notices.contains(.trouble(server: "troubles", .unknownAnswer, count: 3)), "\(notices)")
        await it.host.stop()
    }

    @Test func `of lines that are no messages is passed over`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let answer = try client.call("junk", id: #""\u006a""#)
        #expect(answer.last?["result"] != nil && answer.last?["id"]?.string == "j")
        let notices = it.host.takeNotices()
        #expect(notices.contains(.trouble(server: "troubles", .junk, count: 4)), "\(notices)")
        await it.host.stop()
    }

    @Test func `is logged as it says it, and not without end`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        _ = try client.call("talks", #"{"count":2}"#)
        let notices = try await it.notices { $0 == .said(server: "troubles", line: "line 1") }
        #expect(notices.contains(.said(server: "troubles", line: "line 0")))
        _ = try it.client(client.session).call("talks", #"{"count":1000}"#)
        var said = 0
        var leftOut = 0
        for _ in 0..<3_000 where said + leftOut < 1000 {
            for notice in it.host.takeNotices() {
                if case .said = notice { said += 1 }
                if case .leftOut(_, let lines) = notice { leftOut += lines }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(said >= 100 && said + leftOut == 1000)
        await it.host.stop()
    }

    @Test func `before its first word is told as well`() async throws {
        let it = try HostUnderTest(["--dies-at-once"])
        let client = try it.client()
        #expect(try client.open().error.message.contains("exited with status 7"))
        // At once the second time, then not before some time has passed.
        #expect(try client.open().error.message.contains("exited with status 7"))
        #expect(try client.open().error.message.contains("is started no sooner than"))
        await it.host.stop()
    }

    @Test(arguments: [("/no/such/program", "there is no program"), ("no-such-program-anywhere", "there is no program"), ("/etc/passwd", "may not be run")])
    func `is that there is no such program`(program: String, words: String) async throws {
        let it = try HostUnderTest(command: [program])
        let client = try it.client()
        let answer = try client.open()
        #expect(answer.status == 200 && answer.error.code == -32603 && client.session == nil)
        #expect(answer.error.message.contains(words) && answer.error.message.contains("mcp.troubles.command"), "\(answer.error.message)")
        #expect(it.host.takeNotices().contains { if case .notStarted = $0 { true } else { false } })
        await it.host.stop()
    }

    @Test func `ends with what it has started`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let process = try client.process()
        let left = try #require(Int(client.call("child").text ?? ""))
        #expect(isThere(left))
        _ = try client.call("dies")
        #expect(!isThere(process))
        // Whoever takes the status of an orphan takes its time.
        for _ in 0..<500 where isRunning(left) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!isRunning(left))
        await it.host.stop()
    }

    @Test func `that it does not end when its input does, nor when it is asked to, does not keep it`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let process = try client.process()
        _ = try client.call("stubborn")
        await it.host.stop()
        #expect(!isThere(process))
        #expect(it.host.takeNotices().contains(.ended(server: "troubles", how: "was ended by signal 9.", asked: true)))
    }

    @Test func `of not reading what it is sent is told, and takes no more memory`() async throws {
        let it = try HostUnderTest { $0.message = 256 << 10 }
        let client = try it.client()
        _ = try client.open()
        _ = try client.call("deaf")
        let large = #"{"jsonrpc":"2.0","method":"x","params":{"x":"\#(String(repeating: "x", count: 200 << 10))"}}"#
        // The pipe takes some, and one waits.
        var status = 202
        for _ in 0..<20 where status == 202 { status = try client.post(large).status }
        #expect(status == 502)
        let refused = try client.post(large.replacing(#""method""#, with: #""id":1,"method""#))
        #expect(refused.status == 200 && refused.error.message.contains("does not read"))
        await it.host.stop()
    }

    @Test func `of saying much is heard at the pace of whoever listens`() async throws {
        let it = try HostUnderTest { $0.waiting = 64 << 10 }
        let client = try it.client()
        _ = try client.open()
        try client.send("POST", Client.call("floods", #"{"count":3000}"#))
        _ = try client.peer.read(to: "\r\n\r\n")
        client.peer.letFill()
        for _ in 0..<3_000 { _ = try client.peer.read(to: "\n\n") }
        #expect(try client.peer.read(to: "\n\n").contains("done"))
        await it.host.stop()
    }

    private func isRunning(_ process: Int) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return !status.contains(") Z ")
    }
}
