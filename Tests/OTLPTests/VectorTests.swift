import COTLP
import OTLP
import Testing
import Tracing

/// Bytes made with the official encoder (opentelemetry-proto 1.11.0).
enum Vector {
    /// One span of kind client, with one attribute of each usual kind and an error.
    static let request = bytes(hex: """
        0acd010a160a140a0c736572766963652e6e616d6512040a02677712b2010a070a02677712013112a6010a104bf92f3577b34da6a3ce929d0e0e
        4736120800f067aa0ba902b72208b7ad6b71692033312a0663686174206d30033900002a36fe9c971741002f928ffe9c97174a1f0a1967656e5f
        61692e75736167652e696e7075745f746f6b656e73120218074a070a0178120210004a070a017912020a004a0e0a0174120921000000000000e0
        3f4a0f0a0173120a2a080a060a0473746f707a081204626f6f6d1802850101030000
        """)
    /// The `Span` within it.
    static let span = Array(request.suffix(0xA6))
}

@Suite struct `The messages of OTLP` {
    @Test func `are what the .proto files say`() {
        // Sound: libprotobuf-c copies what it reads, writes as much as it says, and frees what it made.
        let again = unsafe Vector.request.withUnsafeBufferPointer { buffer -> [UInt8] in
            guard let message = unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
                nil, buffer.count, buffer.baseAddress)
            else { return [] }
            defer { unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked(message, nil) }
            let size = unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__get_packed_size(message)
            return unsafe [UInt8](unsafeUninitializedCapacity: size) { packed, count in
                count = unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__pack(message, packed.baseAddress)
            }
        }
        #expect(hex(again) == hex(Vector.request))
    }

    @Test func `are framed as the official encoder does`() {
        let source = SpanSource(resource: [KeyValue("service.name", .string("gw"))], scopeName: "gw", scopeVersion: "1")
        var frame = TracesFrame(source: source)
        withBytes(Vector.span) { frame.append($0) }
        #expect(hex(frame.withMessage { array($0) }) == hex(Vector.request))
    }

    @Test func `are read`() throws {
        let span = try withBytes(Vector.span) { try OTLPSpan(decoding: $0) }
        #expect(span.traceID.description == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(span.spanID.description == "00f067aa0ba902b7" && span.parentSpanID?.description == "b7ad6b7169203331")
        #expect(span.name == "chat m" && span.kind == 3)
        #expect(span.startTime.nanoseconds == 1_700_000_000_000_000_000 && span.endTime.nanoseconds == 1_700_000_001_500_000_000)
        #expect(span.flags == 0x301)
        #expect(span.attributes == [
            KeyValue("gen_ai.usage.input_tokens", .int(7)), KeyValue("x", .bool(false)), KeyValue("y", .string("")),
            KeyValue("t", .double(0.5)), KeyValue("s", .array([.string("stop")])),
        ])
        #expect(span.status == OTLPSpan.Status(code: 2, message: "boom"))
    }

    @Test func `say full success with no bytes or an empty part`() throws {
        for message in [[], [0x0A, 0x00]] as [[UInt8]] {
            let response = try withBytes(message) { try ExportResponse(decoding: $0) }
            #expect(response.rejectedSpans == 0 && response.errorMessage == "")
        }
    }

    @Test func `say what was rejected and why`() throws {
        let response = try withBytes(bytes(hex: "0a0708031203626164")) { try ExportResponse(decoding: $0) }
        #expect(response.rejectedSpans == 3 && response.errorMessage == "bad")
    }

    @Test func `say when to try again`() throws {
        let body = bytes(hex: """
            080e1204627573791a300a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f12040a020805
            """)
        let status = try #require(withBytes(body) { RPCStatus(decoding: $0) })
        #expect(status.code == 14 && status.message == "busy" && status.retryDelay == .seconds(5))
    }

    @Test func `are not everything that comes in an answer`() {
        #expect(withBytes(Array("<html>502 Bad Gateway</html>".utf8)) { RPCStatus(decoding: $0) } == nil)
        #expect(throws: OTLPError.malformed) { try withBytes(Array("{}".utf8)) { try ExportResponse(decoding: $0) } }
        // A wait of nothing is no hint.
        let body = bytes(hex: "1a2e0a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f12020a00")
        #expect(withBytes(body) { RPCStatus(decoding: $0) } == RPCStatus?.some(.init(code: 0, message: "")))
    }
}

extension RPCStatus {
    fileprivate init(code: Int32, message: String) {
        self = withBytes([]) { RPCStatus(decoding: $0)! }
        self.code = code
        self.message = message
    }
}
