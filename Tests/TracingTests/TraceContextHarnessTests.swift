import Testing
import Tracing

/// The cases of the W3C test suite (w3c/trace-context, folder `test`, state of 2026-06-30, STRICT_LEVEL 2, SPEC_LEVEL 2), by the
/// names it gives them: which headers it sends, and what it wants to see in the calls that follow. Here they go through the
/// propagation alone; the suite itself runs against the gateway.
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

    @Test(arguments: cases) func `passes`(_ item: Case) throws {
        var ids = IDGenerator(seed: (1, 2, 3, 4))
        var context = PropagatedContext()
        for request in item.requests {
            context.reset()
            for (name, value) in request.headers {
                guard let field = withBytes(name, { PropagationField($0) }) else { continue }
                withBytes(value) { context.append(field, $0) }
            }
            let first = context.parent?.continued(by: ids.spanID()) ?? .start(with: &ids)
            let calls = [first] + (1..<request.calls).map { _ in first.continued(by: ids.spanID()) }

            #expect((first.traceID == Self.trace) == request.isContinued)
            #expect(Set(calls.map(\.traceID)).count == 1)
            #expect(Set(calls.map(\.spanID)).count == request.calls)
            #expect(calls.allSatisfy { $0.traceID.isValid && $0.spanID.isValid && $0.spanID != SpanID(0x1234_5678_9012_3456) })
            #expect(text(context.traceState) == request.tracestate)
            if let flags = request.flags { #expect(first.flags == flags) }
        }
    }
}

@Suite struct `A propagated context` {
    @Test func `says whether a traceparent could not be used`() {
        var context = PropagatedContext()
        #expect(context.parent == nil && !context.isInvalid)
        withBytes("nonsense") { context.append(.traceparent, $0) }
        #expect(context.parent == nil && context.isInvalid)
        context.reset()
        #expect(!context.isInvalid)
        withBytes(`A traceparent`.caller) { context.append(.traceparent, $0) }
        #expect(context.parent != nil && !context.isInvalid)
        withBytes(`A traceparent`.caller) { context.append(.traceparent, $0) }
        #expect(context.parent == nil && context.isInvalid)
    }

    @Test func `keeps the tracestate whichever of the two comes first`() {
        var context = PropagatedContext()
        withBytes("foo=1") { context.append(.tracestate, $0) }
        #expect(text(context.traceState) == "")
        withBytes(`A traceparent`.caller) { context.append(.traceparent, $0) }
        #expect(text(context.traceState) == "foo=1")
    }

    @Test func `keeps the baggage without a traceparent too`() {
        var context = PropagatedContext()
        withBytes("run.id=a%20b") { context.append(.baggage, $0) }
        #expect(context.withBaggageValue(of: "run.id") { text($0) } == "a b")
        #expect(text(context.baggage.text) == "run.id=a%20b")
        context.reset()
        #expect(context.baggage.isEmpty)
    }

    @Test(arguments: [
        ("traceparent", PropagationField.traceparent), ("TRACESTATE", .tracestate), ("BagGage", .baggage),
        ("traceparen", nil), ("traceparents", nil), ("trace-state", nil), ("baggages", nil), ("", nil), ("TRACE\u{13}TATE", nil),
    ] as [(String, PropagationField?)])
    func `knows its fields by name`(name: String, field: PropagationField?) {
        #expect(withBytes(name) { PropagationField($0) } == field)
        if let field { #expect(field.name.description == name.lowercased()) }
    }
}
