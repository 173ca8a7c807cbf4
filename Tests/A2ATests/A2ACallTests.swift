import A2A
import HTTP
import JSONRPC
import Testing
import Tracing

/// How a call went: what its span carries, as text, and what the gateway asks of it.
private struct Played {
    var values: [String: String] = [:]
    var wasCut = false
    var isUnanswered = false
    var hasSaidAll = false
    var isAnswered = false
    var isWaiting = false

    subscript(name: String) -> String? { values[name] }
}

private func play(_ request: String, path: String? = nil, version: String = "", _ answer: String?, isEventStream: Bool = false, status: Int = 200, cut: Int? = nil) throws -> Played {
    let call = A2ACall()
    call.agent = Array("researcher".utf8)
    let (body, version) = (Array(request.utf8), Array(version.utf8))
    if let path {
        let path = Array(path.utf8)
        _ = try call.readRequest(
            A2APath(request.isEmpty ? .get : .post, unsafe path.span.bytes)!, unsafe path.span.bytes, unsafe body.span.bytes, version: unsafe version.span.bytes)
    } else {
        _ = try call.readMessage(unsafe body.span.bytes, version: unsafe version.span.bytes)
    }
    if let answer {
        call.beginResponse(status: status, isEventStream: isEventStream)
        let bytes = Array(answer.utf8)
        var at = 0
        while at < bytes.count {
            let piece = Array(bytes[at..<min(at + (cut ?? bytes.count), bytes.count)])
            call.observe(unsafe piece.span.bytes)
            at += piece.count
        }
        call.endResponse()
    }
    var played = Played()
    (played.wasCut, played.isUnanswered, played.hasSaidAll) = (call.streamWasCut, call.isUnanswered, call.hasSaidAll)
    (played.isAnswered, played.isWaiting) = (call.isAnswered, call.isWaiting)
    var draft = SpanDraft()
    call.describe(into: &draft)
    draft.withEntries { entries in
        SpanEntry.forEach(in: entries) { tag, type, value in
            let text = unsafe value.withUnsafeBytes { String(decoding: unsafe Array($0), as: UTF8.self) }
            switch tag {
            case SpanEntry.Tag.name.rawValue: played.values["name"] = text
            case SpanEntry.Tag.statusMessage.rawValue: played.values["status"] = text
            default: played.values["\(Attribute(rawValue: tag)!.name)"] = type == .string ? text : "…"
            }
        }
    }
    if draft.record.isError { played.values["error"] = "yes" }
    return played
}

private let old = #"{"jsonrpc":"2.0","id":7,"method":"message/send","params":{"message":{"kind":"message","messageId":"m1","role":"user","parts":[]}}}"#
private let new = #"{"jsonrpc":"2.0","id":"q","method":"SendMessage","params":{"tenant":"acme","message":{"messageId":"m1","contextId":"c0","role":"ROLE_USER","parts":[]}}}"#
private let oldStream = old.replacing("send", with: "stream")
private let newStream = new.replacing("SendMessage", with: "SendStreamingMessage")

/// The two shapes of a task.
private func oldTask(_ state: String) -> String { #"{"kind":"task","id":"t1","contextId":"c1","status":{"state":"\#(state)","message":{"kind":"message","messageId":"x","taskId":"no"}}}"# }
private func newTask(_ state: String) -> String { #"{"id":"t1","contextId":"c1","status":{"state":"TASK_STATE_\#(state)","timestamp":"2026-01-01T00:00:00Z"},"artifacts":[{"artifactId":"a"}]}"# }

@Suite struct `A send's span` {
    @Test func `bears the agent's name, and says which task came of it, in 0.3`() throws {
        #expect(
            try play(old, #"{"jsonrpc":"2.0","id":7,"result":\#(oldTask("completed"))}"#).values == [
                "name": "invoke_agent researcher", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher",
                "a2a.method.name": "SendMessage", "a2a.protocol.version": "0.3", "a2a.message.id": "m1", "a2a.task.id": "t1", "gen_ai.conversation.id": "c1",
                "a2a.task.state": "TASK_STATE_COMPLETED", "jsonrpc.request.id": "7",
            ])
    }

    @Test func `does so in 1.0`() throws {
        #expect(
            try play(new, version: "1.0", #"{"jsonrpc":"2.0","id":"q","result":{"task":\#(newTask("WORKING"))}}"#).values == [
                "name": "invoke_agent researcher", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher",
                "a2a.method.name": "SendMessage", "a2a.protocol.version": "1.0", "a2a.message.id": "m1", "a2a.task.id": "t1", "gen_ai.conversation.id": "c1",
                "a2a.task.state": "TASK_STATE_WORKING", "a2a.tenant": "acme", "jsonrpc.request.id": "q",
            ])
    }

    @Test func `does so over HTTP+JSON, where a message answers`() throws {
        let body = #"{"message":{"messageId":"m1","taskId":"t0","referenceTaskIds":["a","b"]}}"#
        #expect(
            try play(body, path: "/acme/message:send", #"{"message":{"messageId":"m2","contextId":"c1","role":"ROLE_AGENT","parts":[{"text":"hi"}]}}"#).values == [
                "name": "invoke_agent researcher", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher",
                "a2a.method.name": "SendMessage", "a2a.protocol.version": "1.0", "a2a.message.id": "m1", "a2a.task.id": "t0", "gen_ai.conversation.id": "c1",
                "a2a.tenant": "acme", "a2a.message.reference_task_ids": "…",
            ])
        // Of 0.3, whose JSON is that of its protobuf.
        let played = try play(body, path: "/v1/message:send", #"{"task":{"id":"t1","contextId":"c1","status":{"state":"TASK_STATE_CANCELLED"}}}"#)
        #expect(played["a2a.task.state"] == "TASK_STATE_CANCELED")
        #expect(played["a2a.protocol.version"] == "0.3")
        #expect(played["error"] == nil)
    }

    @Test(arguments: [("failed", "failed"), ("rejected", "rejected"), ("auth-required", "auth_required"), ("canceled", nil), ("input-required", nil), ("completed", nil), ("working", nil)] as [(String, String?)])
    func `is an error by the task's state, in every shape of it`(state: String, type: String?) throws {
        let upper = state.uppercased().replacing("-", with: "_")
        for played in [
            try play(old, #"{"jsonrpc":"2.0","id":7,"result":\#(oldTask(state))}"#),
            try play(new, #"{"jsonrpc":"2.0","id":"q","result":{"task":\#(newTask(upper))}}"#),
            try play(#"{"message":{}}"#, path: "/message:send", #"{"task":\#(newTask(upper))}"#),
            try play(newStream, #"data: {"jsonrpc":"2.0","id":"q","result":{"statusUpdate":{"taskId":"t1","contextId":"c1","status":{"state":"TASK_STATE_\#(upper)"}}}}"# + "\n\n", isEventStream: true),
            try play(oldStream, #"data: {"jsonrpc":"2.0","id":7,"result":{"kind":"status-update","taskId":"t1","contextId":"c1","status":{"state":"\#(state)"},"final":false}}"# + "\n\n", isEventStream: true),
        ] {
            #expect(played["error.type"] == type)
            #expect(played["error"] == (type == nil ? nil : "yes"))
            #expect(played["a2a.task.state"] == "TASK_STATE_\(upper)")
            #expect(played["a2a.task.id"] == "t1")
        }
    }

    @Test(arguments: ["failed", "rejected", "auth-required", "working"]) func `is none of a request that only asks about the task`(state: String) throws {
        let upper = state.uppercased().replacing("-", with: "_")
        for played in [
            try play("", path: "/tasks/t1", newTask(upper)),
            try play(#"{"jsonrpc":"2.0","id":7,"method":"tasks/get","params":{"id":"t1"}}"#, #"{"jsonrpc":"2.0","id":7,"result":\#(oldTask(state))}"#),
        ] {
            #expect(played["error"] == nil && played["error.type"] == nil)
            #expect(played["a2a.task.state"] == "TASK_STATE_\(upper)")
        }
    }

    @Test func `takes a state that is given as a number`() throws {
        #expect(try play(new, #"{"jsonrpc":"2.0","id":"q","result":{"task":{"id":"t1","status":{"state":4}}}}"#)["error.type"] == "failed")
        for none in [99, 260, -252] {
            #expect(try play(new, #"{"jsonrpc":"2.0","id":"q","result":{"task":{"id":"t1","status":{"state":\#(none)}}}}"#)["a2a.task.state"] == nil)
        }
    }

    @Test func `is an error by one of JSON-RPC, with code and reason, and its words without secrets`() throws {
        let secret = "sk-" + "abcDEF0123456789xyz"
        let answer = #"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"no task, key \#(secret)","data":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"TASK_NOT_FOUND"}]}}"#
        let played = try play(old, answer)
        #expect(played["error.type"] == "-32001")
        #expect(played["rpc.response.status_code"] == "-32001")
        #expect(played["status"] == "TASK_NOT_FOUND: no task, key [secret]")
    }

    @Test func `leaves an error over HTTP to its status, and tells its reason`() throws {
        let played = try play(
            #"{"message":{}}"#, path: "/message:send",
            #"{"error":{"code":404,"status":"NOT_FOUND","message":"no such task","details":[{"reason":"TASK_NOT_FOUND","domain":"a2a-protocol.org"}]}}"#, status: 404)
        #expect(played["error.type"] == nil)
        #expect(played["status"] == "TASK_NOT_FOUND: no such task")
    }

    @Test func `is an error by one over HTTP that came with success`() throws {
        let played = try play(#"{"message":{}}"#, path: "/message:send", #"{"error":{"code":500,"message":"x"}}"#)
        #expect(played["error"] == "yes" && played["error.type"] == "500" && played["status"] == "x")
    }

    @Test(arguments: ["", "{", "no JSON", #"{"jsonrpc":"2.0","id":8,"result":{"kind":"task","id":"t","status":{"state":"failed"}}}"#, #"{"jsonrpc":"2.0","id":"7","result":{}}"#])
    func `takes nobody else's answer for its own`(answer: String) throws {
        let played = try play(old, answer)
        #expect(played["error"] == nil)
        #expect(played.isUnanswered)
        #expect(try play(old, #"{"jsonrpc":"2.0","id":7,"result":{}}"#).isUnanswered == false)
    }

    @Test(arguments: ["", "{", "<html>", "[]", #""x""#]) func `is unanswered over HTTP by what is no answer`(answer: String) throws {
        #expect(try play(#"{"message":{}}"#, path: "/message:send", answer).isUnanswered)
        #expect(try play("", path: "/tasks/t1", answer).isUnanswered == false)
    }

    @Test func `knows its outcome behind megabytes of artifacts`() throws {
        let big = String(repeating: "x", count: 3 << 20)
        let task = #"{"artifacts":[{"artifactId":"a","parts":[{"kind":"text","text":"\#(big)"}]}],"kind":"task","id":"t1","contextId":"c1","status":{"state":"failed"}}"#
        #expect(try play(old, #"{"jsonrpc":"2.0","id":7,"result":\#(task)}"#, cut: 60_000)["error.type"] == "failed")
        #expect(try play(oldStream, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\(task)}\n\n", isEventStream: true, cut: 60_000)["error.type"] == "failed")
    }
}

@Suite struct `An answer that is too large to be read` {
    /// Thousands of members, of which no outline can leave any out.
    private static let artifact = "{" + (0..<90_000).map { #""member-\#($0)":\#($0)"# }.joined(separator: ",") + "}"

    @Test func `tells what it said before`() throws {
        let played = try play(#"{"message":{}}"#, path: "/message:send", #"{"task":{"id":"t1","status":{"state":"TASK_STATE_FAILED"},"artifacts":[\#(Self.artifact)]}}"#)
        #expect(played["error.type"] == "failed" && played["a2a.task.id"] == "t1" && played["hopspan.unreadable"] != nil && !played.isUnanswered)
    }

    @Test func `was not cut for all that is known`() throws {
        let task = #"{"kind":"task","id":"t1","artifacts":[\#(Self.artifact)],"status":{"state":"completed"}}"#
        for (request, isEventStream, prefix) in [(old, false, ""), (oldStream, true, "data: ")] {
            let played = try play(request, prefix + #"{"jsonrpc":"2.0","id":7,"result":\#(task)}"# + "\n\n", isEventStream: isEventStream, cut: 60_000)
            #expect(!played.isUnanswered && !played.wasCut && played["hopspan.unreadable"] != nil)
        }
    }
}

@Suite struct `A stream of events` {
    private static func events(_ results: [String], id: String?) -> String {
        results.map { result in id.map { #"data: {"jsonrpc":"2.0","id":\#($0),"result":\#(result)}"# } ?? "data: \(result)" }.map { $0 + "\n\n" }.joined()
    }

    private static let old = [
        oldTask("submitted"), #"{"kind":"status-update","taskId":"t1","contextId":"c1","status":{"state":"working"},"final":false}"#,
        #"{"kind":"artifact-update","taskId":"t1","contextId":"c1","artifact":{"artifactId":"a","parts":[{"kind":"text","text":"failed"}]}}"#,
    ]
    private static let new = [
        #"{"task":\#(newTask("SUBMITTED"))}"#, #"{"statusUpdate":{"taskId":"t1","contextId":"c1","status":{"state":"TASK_STATE_WORKING"}}}"#,
        #"{"artifactUpdate":{"taskId":"t1","contextId":"c1","artifact":{"artifactId":"a","parts":[{"text":"x"}]}}}"#,
    ]

    @Test(arguments: [1, 2, 3, 7, 1_000]) func `is over with the task, however it is cut`(cut: Int) throws {
        for (request, path, events) in [
            (oldStream, nil, Self.events(Self.old + [#"{"kind":"status-update","taskId":"t1","contextId":"c1","status":{"state":"completed"},"final":true}"#], id: "7")),
            (newStream, nil, Self.events(Self.new + [#"{"statusUpdate":{"taskId":"t1","contextId":"c1","status":{"state":"TASK_STATE_COMPLETED"}}}"#], id: #""q""#)),
            (#"{"message":{}}"#, "/message:stream", Self.events(Self.new + [#"{"status_update":{"task_id":"t1","context_id":"c1","status":{"state":"TASK_STATE_COMPLETED"}}}"#], id: nil)),
            ("", "/v1/tasks/t1:subscribe", Self.events(Self.new + [#"{"task":\#(newTask("COMPLETED"))}"#], id: nil)),
        ] as [(String, String?, String)] {
            let played = try play(request, path: path, ": keep-alive\n\n" + events, isEventStream: true, cut: cut)
            #expect(played["a2a.task.state"] == "TASK_STATE_COMPLETED")
            #expect(played["a2a.task.id"] == "t1")
            #expect(played["gen_ai.conversation.id"] == "c1")
            #expect(played["error"] == nil && played["hopspan.unreadable"] == nil)
            #expect(!played.wasCut && played.hasSaidAll && played.isAnswered && !played.isWaiting)
        }
    }

    @Test func `is cut where the task goes on`() throws {
        for (request, path, events) in [
            (oldStream, nil, Self.events(Self.old, id: "7")), (newStream, nil, Self.events(Self.new, id: #""q""#)), (newStream, nil, ""),
            (#"{"message":{}}"#, "/message:stream", Self.events(Self.new, id: nil)), ("", "/tasks/t1:subscribe", Self.events(Self.new, id: nil)),
        ] as [(String, String?, String)] {
            let played = try play(request, path: path, events, isEventStream: true)
            #expect(played.wasCut && !played.hasSaidAll && !played.isAnswered)
        }
    }

    @Test func `counts its last event without the empty line behind it, small and large`() throws {
        for size in [10, 100_000] {
            let text = String(repeating: "x", count: size)
            let event = #"{"kind":"status-update","taskId":"t1","text":"\#(text)","status":{"state":"completed"},"final":true}"#
            for end in ["", "\n"] {
                let played = try play(oldStream, String(Self.events([event], id: "7").dropLast(2)) + end, isEventStream: true, cut: 7_000)
                #expect(!played.wasCut && played["a2a.task.state"] == "TASK_STATE_COMPLETED")
            }
        }
    }

    @Test func `is not cut where nobody waits for it`() throws {
        let played = try play(oldStream.replacing(#""id":7,"#, with: ""), "", isEventStream: true)
        #expect(!played.wasCut && !played.isUnanswered)
    }

    @Test(arguments: ["input-required", "auth-required"]) func `may end where the task waits, and may go on`(state: String) throws {
        let waiting = #"{"kind":"status-update","taskId":"t1","contextId":"c1","status":{"state":"\#(state)"},"final":false}"#
        let played = try play(oldStream, Self.events(Self.old + [waiting], id: "7"), isEventStream: true)
        #expect(!played.wasCut && played.hasSaidAll && !played.isAnswered && played.isWaiting)
        let gone = try play(oldStream, Self.events(Self.old + [waiting, Self.old[1]], id: "7"), isEventStream: true)
        #expect(gone.wasCut && !gone.hasSaidAll && !gone.isWaiting && gone["error"] == nil)
        let unknown = try play(oldStream, Self.events(Self.old + [waiting, Self.old[1].replacing("working", with: "thinking")], id: "7"), isEventStream: true)
        #expect(unknown.wasCut && !unknown.isWaiting && unknown["a2a.task.state"] == nil)
    }

    @Test func `is over with a message, and with an error`() throws {
        let message = try play(newStream, Self.events([#"{"message":{"messageId":"m2","parts":[]}}"#], id: #""q""#), isEventStream: true)
        #expect(!message.wasCut && message.isAnswered && message["error"] == nil)
        let old = try play(oldStream, Self.events([#"{"kind":"message","messageId":"m2","role":"agent","parts":[]}"#], id: "7"), isEventStream: true)
        #expect(!old.wasCut && old.isAnswered)
        let error = try play(newStream, "data: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"error\":{\"code\":-32603,\"message\":\"x\"}}\n\n", isEventStream: true)
        #expect(!error.wasCut && error.isAnswered && error["error.type"] == "-32603")
        let rest = try play(#"{"message":{}}"#, path: "/message:stream", "data: {\"error\":{\"code\":500,\"message\":\"x\"}}\n\n", isEventStream: true)
        #expect(!rest.wasCut && rest.isAnswered && rest["error.type"] == "500")
    }
}

@Suite struct `Another operation's span` {
    @Test(arguments: [
        (#""tasks/get","params":{"id":"t1"}"#, "GetTask", "t1"), (#""GetTask","params":{"id":"t1"}"#, "GetTask", "t1"),
        (#""tasks/resubscribe","params":{"id":"t1"}"#, "SubscribeToTask", "t1"), (#""CancelTask","params":{"id":"t1"}"#, "CancelTask", "t1"),
        (#""tasks/pushNotificationConfig/set","params":{"taskId":"t1","pushNotificationConfig":{"id":"c","url":"http://x"}}"#, "CreateTaskPushNotificationConfig", "t1"),
        (#""tasks/pushNotificationConfig/delete","params":{"id":"t1","pushNotificationConfigId":"c"}"#, "DeleteTaskPushNotificationConfig", "t1"),
        (#""CreateTaskPushNotificationConfig","params":{"id":"c","taskId":"t1","url":"http://x"}"#, "CreateTaskPushNotificationConfig", "t1"),
        (#""DeleteTaskPushNotificationConfig","params":{"id":"c"}"#, "DeleteTaskPushNotificationConfig", nil),
        (#""ListTasks","params":{"contextId":"c1"}"#, "ListTasks", nil), (#""GetExtendedAgentCard""#, "GetExtendedAgentCard", nil),
        (#""vendor/thing","params":{"id":"t1"}"#, "vendor/thing", nil),
    ] as [(String, String, String?)]) func `is named by what was asked`(rest: String, name: String, task: String?) throws {
        let played = try play(#"{"jsonrpc":"2.0","id":1,"method":"# + rest + "}", #"{"jsonrpc":"2.0","id":1,"result":{"id":"c","taskId":"t1","url":"http://x"}}"#)
        #expect(played["name"] == name)
        #expect(played["a2a.method.name"] == name)
        #expect(played["a2a.task.id"] == task)
        #expect(played["gen_ai.operation.name"] == nil)
        #expect(!played.wasCut && !played.isUnanswered)
    }

    @Test(arguments: [("1.0", "1.0"), ("1.0.1", "1.0"), ("0.3", "0.3"), ("12.34.5", "12.34"), ("", "1.0"), ("x", "1.0"), ("1.0-beta", "1.0"), (".", "1.0"), ("2.", "1.0"), (".5", "1.0"), ("2", "1.0"), ("2..1", "1.0")])
    func `says the version that the request names`(given: String, shown: String) throws {
        #expect(try play(#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"t"}}"#, version: given, nil)["a2a.protocol.version"] == shown)
    }
}
