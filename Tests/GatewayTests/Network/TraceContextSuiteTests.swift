import Gateway
import Peers
import Testing
import Tracing

/// The cases of the W3C test suite (w3c/trace-context, folder `test`, state of 2026-06-30, STRICT_LEVEL 2, SPEC_LEVEL 2), by the
/// names it gives them: which headers it sends, and what it wants to see in the calls that follow. Each goes through a gateway, from a
/// caller to an upstream. Where the suite wants several calls of one request, a proxy makes one of each: they are one run, by name.
@Suite struct `The W3C trace context suite` {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Each request with the tracestate expected after it; nil of `trace` is a new trace.
        var requests: [Request]
        var testDescription: String { name }

        init(_ name: String, _ requests: Request...) { (self.name, self.requests) = (name, requests) }
    }

    struct Request: Sendable {
        var headers: [(String, String)]
        var isContinued: Bool
        var tracestate = ""
        var calls = 1
        var flags: TraceFlags?
    }

    private static let base = "00-12345678901234567890123456789012-1234567890123456"
    private static let trace = TraceID(high: 0x1234_5678_9012_3456, low: 0x7890_1234_5678_9012)

    /// Requests whose traceparent has to be refused.
    private static func refused(_ name: String, _ values: String...) -> Case {
        var result = Case(name)
        result.requests = values.map { Request(headers: [("traceparent", $0)], isContinued: false) }
        return result
    }

    private static func continued(_ name: String, _ headers: [[(String, String)]]) -> Case {
        var result = Case(name)
        result.requests = headers.map { Request(headers: $0, isContinued: true) }
        return result
    }

    /// Requests with a good traceparent and these tracestate headers.
    private static func state(_ name: String, _ requests: ([String], String)...) -> Case {
        var result = Case(name)
        result.requests = requests.map { values, expected in
            Request(headers: [("traceparent", base + "-00")] + values.map { ("tracestate", $0) }, isContinued: true, tracestate: expected)
        }
        return result
    }

    private static func bars(_ range: ClosedRange<Int>) -> String {
        range.map { $0 < 10 ? "bar0\($0)=0\($0)" : "bar\($0)=\($0)" }.joined(separator: ",")
    }

    private static let keyCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
    private static let valueCharacters = String(String.UnicodeScalarView((0x20...0x7E as ClosedRange<UInt8>).map { Unicode.Scalar($0) }))
        .filter { $0 != "," && $0 != "=" }
    private static let z256 = String(repeating: "z", count: 256)
    private static let t241 = String(repeating: "t", count: 241)
    private static let v14 = String(repeating: "v", count: 14)

    static let cases: [Case] = [
        // TraceContextTest
        Case("test_both_traceparent_and_tracestate_missing", Request(headers: [], isContinued: false)),
        continued("test_traceparent_included_tracestate_missing", [[("traceparent", base + "-01")]]),
        Case("test_traceparent_duplicated", Request(headers: [
            ("traceparent", "00-12345678901234567890123456789011-1234567890123456-01"), ("traceparent", base + "-01"),
        ], isContinued: false)),
        Case("test_traceparent_header_name",
            Request(headers: [("trace-parent", base + "-01")], isContinued: false),
            Request(headers: [("trace.parent", base + "-01")], isContinued: false)),
        continued("test_traceparent_header_name_valid_casing", [
            [("TraceParent", base + "-01")], [("TrAcEpArEnT", base + "-01")], [("TRACEPARENT", base + "-01")],
        ]),
        refused("test_traceparent_version_0x00", base + "-01.", base + "-01-what-the-future-will-be-like"),
        Case("test_traceparent_version_0xcc",
            Request(headers: [("traceparent", "cc" + base.dropFirst(2) + "-01")], isContinued: true),
            Request(headers: [("traceparent", "cc" + base.dropFirst(2) + "-01-what-the-future-will-be-like")], isContinued: true),
            Request(headers: [("traceparent", "cc" + base.dropFirst(2) + "-01.what-the-future-will-be-like")], isContinued: false)),
        refused("test_traceparent_version_0xff", "ff" + base.dropFirst(2) + "-01"),
        refused("test_traceparent_version_illegal_characters", ".0" + base.dropFirst(2) + "-01", "0." + base.dropFirst(2) + "-01"),
        refused("test_traceparent_version_too_long", "000" + base.dropFirst(2) + "-01", "0000" + base.dropFirst(2) + "-01"),
        refused("test_traceparent_version_too_short", "0" + base.dropFirst(2) + "-01"),
        refused("test_traceparent_trace_id_all_zero", "00-00000000000000000000000000000000-1234567890123456-01"),
        refused("test_traceparent_trace_id_illegal_characters",
            "00-.2345678901234567890123456789012-1234567890123456-01", "00-1234567890123456789012345678901.-1234567890123456-01"),
        refused("test_traceparent_trace_id_too_long", "00-123456789012345678901234567890123-1234567890123456-01"),
        refused("test_traceparent_trace_id_too_short", "00-1234567890123456789012345678901-1234567890123456-01"),
        refused("test_traceparent_parent_id_all_zero", "00-12345678901234567890123456789012-0000000000000000-01"),
        refused("test_traceparent_parent_id_illegal_characters",
            "00-12345678901234567890123456789012-.234567890123456-01", "00-12345678901234567890123456789012-123456789012345.-01"),
        refused("test_traceparent_parent_id_too_long", "00-12345678901234567890123456789012-12345678901234567-01"),
        refused("test_traceparent_parent_id_too_short", "00-12345678901234567890123456789012-123456789012345-01"),
        refused("test_traceparent_trace_flags_illegal_characters", base + "-.0", base + "-0."),
        refused("test_traceparent_trace_flags_too_long", base + "-001"),
        refused("test_traceparent_trace_flags_too_short", base + "-1"),
        continued("test_traceparent_ows_handling", [
            [("traceparent", " " + base + "-01")], [("traceparent", "\t" + base + "-01")], [("traceparent", base + "-01 ")],
            [("traceparent", base + "-01\t")], [("traceparent", "\t " + base + "-01 \t")],
        ]),
        Case("test_tracestate_included_traceparent_missing",
            Request(headers: [("tracestate", "foo=1")], isContinued: false),
            Request(headers: [("tracestate", "foo=1,bar=2")], isContinued: false)),
        state("test_tracestate_included_traceparent_included", (["foo=1,bar=2"], "foo=1,bar=2")),
        Case("test_tracestate_header_name",
            Request(headers: [("traceparent", base + "-00"), ("trace-state", "foo=1")], isContinued: true),
            Request(headers: [("traceparent", base + "-00"), ("trace.state", "foo=1")], isContinued: true)),
        Case("test_tracestate_header_name_valid_casing",
            Request(headers: [("traceparent", base + "-00"), ("TraceState", "foo=1")], isContinued: true, tracestate: "foo=1"),
            Request(headers: [("traceparent", base + "-00"), ("TrAcEsTaTe", "foo=1")], isContinued: true, tracestate: "foo=1"),
            Request(headers: [("traceparent", base + "-00"), ("TRACESTATE", "foo=1")], isContinued: true, tracestate: "foo=1")),
        state("test_tracestate_empty_header", ([""], ""), (["foo=1", ""], "foo=1"), (["", "foo=1"], "foo=1")),
        state("test_tracestate_multiple_headers_different_keys",
            (["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3")),
        state("test_tracestate_duplicated_keys",
            (["foo=1,foo=1"], "foo=1,foo=1"), (["foo=1,foo=2"], "foo=1,foo=2"), (["foo=1", "foo=1"], "foo=1,foo=1"),
            (["foo=1", "foo=2"], "foo=1,foo=2")),
        state("test_tracestate_all_allowed_characters",
            ([keyCharacters + "=" + valueCharacters], keyCharacters + "=" + valueCharacters),
            ([keyCharacters + "@a-z0-9_-*/=" + valueCharacters], keyCharacters + "@a-z0-9_-*/=" + valueCharacters)),
        state("test_tracestate_ows_handling",
            (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"), (["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], "foo=1,bar=2,baz=3"),
            ([" foo=1"], "foo=1"), (["\tfoo=1"], "foo=1"), (["foo=1 "], "foo=1"), (["foo=1\t"], "foo=1"), (["\t foo=1 \t"], "foo=1")),
        state("test_tracestate_key_illegal_characters", (["foo =1"], ""), (["FOO=1"], ""), (["foo.bar=1"], "")),
        state("test_tracestate_key_illegal_vendor_format",
            (["foo@=1,bar=2"], "foo@=1,bar=2"), (["@foo=1,bar=2"], ""), (["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
            (["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2")),
        state("test_tracestate_member_count_limit",
            ([bars(1...10), bars(11...20), bars(21...30), bars(31...32)], bars(1...32)),
            ([bars(1...10), bars(11...20), bars(21...30), bars(31...33)], "")),
        state("test_tracestate_key_length_limit",
            (["foo=1", z256 + "=1"], "foo=1," + z256 + "=1"), (["foo=1", z256 + "z=1"], ""),
            (["foo=1", t241 + "@" + v14 + "=1"], "foo=1," + t241 + "@" + v14 + "=1"),
            (["foo=1", t241 + "t@v=1"], "foo=1," + t241 + "t@v=1"), (["foo=1", "t@v" + v14 + "=1"], "foo=1,t@v" + v14 + "=1")),
        state("test_tracestate_value_illegal_characters", (["foo=bar=baz"], ""), (["foo=,bar=3"], "")),
        // AdvancedTest
        Case("test_multiple_requests_with_valid_traceparent",
            Request(headers: [("traceparent", base + "-01")], isContinued: true, calls: 3)),
        Case("test_multiple_requests_without_traceparent", Request(headers: [], isContinued: false, calls: 3)),
        Case("test_multiple_requests_with_illegal_traceparent",
            Request(headers: [("traceparent", "00-00000000000000000000000000000000-1234567890123456-01")], isContinued: false, calls: 3)),
        // TraceContext2Test
        Case("test_propagates_random_flag",
            Request(headers: [("traceparent", base + "-02")], isContinued: true, flags: .random)),
    ]

    @Test func `has 41 cases`() {
        #expect(Self.cases.count == 41)
        #expect(Set(Self.cases.map(\.name)).count == 41)
    }

    @Test(arguments: cases) func `passes`(_ item: Case) async throws {
        let heads = Mailbox<String>()
        let upstream = try Self.upstream(heads)
        let gateway = try RunningGateway(.provider(upstream, isTLS: false))
        for (number, request) in item.requests.enumerated() {
            var fields = request.headers.map { "\($0): \($1)\r\n" }.joined()
            if request.calls > 1 { fields += "x-hopspan-run: \(item.name)-\(number)\r\n" }
            var sent: [TraceContext] = []
            for _ in 0..<request.calls {
                let answer = try gateway.ask("/local/x", fields)
                #expect(answer.head.hasPrefix("HTTP/1.1 200 "))
                let head = try heads.take()
                let context = try #require(Self.only("traceparent", in: head).flatMap(Self.context))
                #expect(Self.only("traceresponse", in: answer.head).flatMap(Self.context) == context)
                #expect(Self.values("tracestate", in: head).joined(separator: ",") == request.tracestate)
                let span = try gateway.span().record
                #expect(span.traceID == context.traceID && span.spanID == context.spanID && span.flags == context.flags.rawValue)
                #expect((span.parent == 0x1234_5678_9012_3456) == request.isContinued)
                sent.append(context)
            }
            #expect(sent.allSatisfy { ($0.traceID == Self.trace) == request.isContinued })
            #expect(Set(sent.map(\.traceID)).count == 1)
            #expect(Set(sent.map(\.spanID)).count == request.calls)
            #expect(sent.allSatisfy { $0.traceID.isValid && $0.spanID.isValid && $0.spanID != SpanID(0x1234_5678_9012_3456) })
            if let flags = request.flags { #expect(sent[0].flags == flags) }
        }
        await gateway.stop()
        upstream.stop()
    }

    /// The flags stay as received: the random flag says how the id was made, which only its maker knows (Level 2 §3.2.2.5.2), and whether to
    /// sample was the caller's choice.
    @Test(arguments: ["00", "01", "02", "03"]) func `and flags are sent on as they came`(flags: String) async throws {
        let heads = Mailbox<String>()
        let upstream = try Self.upstream(heads)
        let gateway = try RunningGateway(.provider(upstream, isTLS: false))
        _ = try gateway.ask("/local/x", "traceparent: \(Self.base)-\(flags)\r\n")
        let sent = try #require(Self.only("traceparent", in: try heads.take()))
        #expect(sent.hasPrefix("00-12345678901234567890123456789012-") && sent.hasSuffix("-\(flags)"))
        await gateway.stop()
        upstream.stop()
    }

    private static func upstream(_ heads: Mailbox<String>) throws -> PeerServer {
        try PeerServer { peer in
            while true {
                heads.put(try peer.readMessage().head)
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
        }
    }

    private static func values(_ name: String, in head: String) -> [String] {
        head.split(separator: "\r\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == name ? String(parts[1].drop { $0 == " " }) : nil
        }
    }

    private static func only(_ name: String, in head: String) -> String? {
        let values = values(name, in: head)
        return values.count == 1 ? values[0] : nil
    }

    private static func context(_ text: String) -> TraceContext? {
        let bytes = Array(text.utf8)
        return unsafe TraceContext(traceparent: bytes.span.bytes)
    }
}
