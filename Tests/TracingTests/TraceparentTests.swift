import Testing
import Tracing

@Suite struct `A traceparent` {
    static let caller = "00-12345678901234567890123456789012-1234567890123456-01"
    static let traceID = TraceID(high: 0x1234_5678_9012_3456, low: 0x7890_1234_5678_9012)

    @Test func `names trace, parent and flags`() throws {
        let context = try #require(TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        #expect(context.traceID == TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736))
        #expect(context.spanID == SpanID(0x00f0_67aa_0ba9_02b7))
        #expect(context.flags == .sampled)
    }

    @Test(arguments: [
        ("00", []), ("01", .sampled), ("02", .random), ("03", [.sampled, .random]),
        ("fd", .sampled), ("fe", .random), ("fc", []), ("ff", [.sampled, .random]),
    ] as [(String, TraceFlags)])
    func `keeps the flag bits that are defined and no others`(flags: String, expected: TraceFlags) {
        #expect(TraceContext(traceparent: "00-12345678901234567890123456789012-1234567890123456-\(flags)")?.flags == expected)
        #expect(TraceContext(traceparent: "42-12345678901234567890123456789012-1234567890123456-\(flags)")?.flags == expected)
    }

    @Test(arguments: [
        "\(caller)", " \(caller)", "\t\(caller)", "\(caller) ", "\(caller)\t", "\t \(caller) \t",
        "01\(caller.dropFirst(2))", "cc\(caller.dropFirst(2))", "fe\(caller.dropFirst(2))",
        "cc\(caller.dropFirst(2))-", "cc\(caller.dropFirst(2))-x", "cc\(caller.dropFirst(2))-what-the-future-will-be-like",
    ])
    func `continues the caller's trace`(value: String) throws {
        let context = try #require(TraceContext(traceparent: value))
        #expect(context.traceID == Self.traceID)
        #expect(context.spanID == SpanID(0x1234_5678_9012_3456))
        #expect(context.description == Self.caller)
    }

    @Test(arguments: [
        "", " ", "-", "00", "00-", "00---",
        // version
        "ff\(caller.dropFirst(2))", "FF\(caller.dropFirst(2))", "0A\(caller.dropFirst(2))", ".0\(caller.dropFirst(2))",
        "0.\(caller.dropFirst(2))", "0\(caller)", "00\(caller)", "\(caller.dropFirst())", "000\(caller.dropFirst(3))",
        // what follows the flags
        "\(caller).", "\(caller)-", "\(caller)-more", "\(caller)1", "cc\(caller.dropFirst(2)).x", "cc\(caller.dropFirst(2))1",
        "\(caller),\(caller)", "\(caller), \(caller)", "cc\(caller.dropFirst(2))-x,\(caller)", "\(caller.dropLast())", "\(caller.dropLast(2))",
        // trace id
        "00-00000000000000000000000000000000-1234567890123456-01", "00-.2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901.-1234567890123456-01", "00-123456789012345678901234567890123-1234567890123456-01",
        "00-1234567890123456789012345678901-1234567890123456-01", "00-1234567890ABCDEF7890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901g-1234567890123456-01", "00-`2345678901234567890123456789012-1234567890123456-01",
        // parent id
        "00-12345678901234567890123456789012-0000000000000000-01", "00-12345678901234567890123456789012-.234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345.-01", "00-12345678901234567890123456789012-12345678901234567-01",
        "00-12345678901234567890123456789012-123456789012345-01", "00-12345678901234567890123456789012-123456789012345A-01",
        // flags
        "00-12345678901234567890123456789012-1234567890123456-.0", "00-12345678901234567890123456789012-1234567890123456-0.",
        "00-12345678901234567890123456789012-1234567890123456-001", "00-12345678901234567890123456789012-1234567890123456-1",
        "00-12345678901234567890123456789012-1234567890123456-0A",
        // separators, and bytes that no header should hold
        "00_12345678901234567890123456789012-1234567890123456-01", "00-12345678901234567890123456789012_1234567890123456-01",
        "00-12345678901234567890123456789012-1234567890123456_01", "00-12345678901234567890 23456789012-1234567890123456-01",
        "00-1234567890123456789012345678901é-1234567890123456-01", "00-12345678901234567890123456789012-1234567890123456-01\n",
    ])
    func `starts a new trace when it is anything else`(value: String) {
        #expect(TraceContext(traceparent: value) == nil)
    }

    @Test func `is refused when any one of its characters is replaced by one that is no lower-case hex digit`() {
        let original = Array(Self.caller.utf8)
        for position in original.indices {
            for byte in UInt8.min...UInt8.max where !(0x30...0x39 ~= byte || 0x61...0x66 ~= byte) {
                if byte == original[position] { continue }
                // White space at either end is not part of the value: what is left is too short, and refused as well.
                var mutant = original
                mutant[position] = byte
                #expect(withBytes(mutant) { TraceContext(traceparent: $0) } == nil, "\(position): \(byte)")
            }
        }
    }

    @Test func `is refused when it is cut anywhere`() {
        for length in 0..<55 {
            #expect(TraceContext(traceparent: String(Self.caller.prefix(length))) == nil)
        }
    }

    @Test func `comes out as it went in`() {
        var ids = IDGenerator(seed: (1, 2, 3, 4))
        for flags in 0..<4 as Range<UInt8> {
            for _ in 0..<200 {
                let context = TraceContext(traceID: ids.traceID(), spanID: ids.spanID(), flags: TraceFlags(rawValue: flags))
                #expect(TraceContext(traceparent: context.description) == context)
            }
        }
    }

    @Test func `is written as 55 bytes of version 00`() {
        let context = TraceContext(
            traceID: TraceID(high: 0x0123_4567_89ab_cdef, low: 1), spanID: SpanID(0xfedc_ba98_7654_3210), flags: [.sampled, .random])
        let value = context.traceparent
        let expected = Array("00-0123456789abcdef0000000000000001-fedcba9876543210-03".utf8)
        #expect(value.indices.map { value[$0] } == expected)
        var buffer = [UInt8](repeating: 0x2A, count: 60)
        var span = buffer.mutableSpan
        var bytes = unsafe span.mutableBytes  // sound: whatever is stored, a byte is a UInt8
        context.writeTraceparent(into: &bytes)
        #expect(buffer == expected + [0x2A, 0x2A, 0x2A, 0x2A, 0x2A])
    }
}

@Suite struct `The random flag` {
    @Test func `is set when we start a trace`() {
        var ids = IDGenerator(seed: (1, 2, 3, 4))
        let context = TraceContext.start(with: &ids)
        #expect(context.flags == [.sampled, .random])
        #expect(context.traceID.isValid && context.spanID.isValid)
    }
}

@Suite struct `An id` {
    @Test func `is read from and written as lower-case hex`() {
        #expect(TraceID(hex: "4bf92f3577b34da6a3ce929d0e0e4736")?.description == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(SpanID(hex: "00f067aa0ba902b7")?.description == "00f067aa0ba902b7")
        #expect(SpanID(hex: "00f067aa0ba902b7") == SpanID(0x00f0_67aa_0ba9_02b7))
        #expect(TraceID(high: 0, low: 0).description == String(repeating: "0", count: 32))
    }

    @Test func `reads every hex digit at every place`() {
        for place in 0..<16 {
            for (value, digit) in "0123456789abcdef".enumerated() {
                var text = Array(repeating: Character("0"), count: 16)
                text[place] = digit
                let id = SpanID(UInt64(value) << UInt64(4 * (15 - place)))
                #expect(SpanID(hex: String(text)) == id)
                #expect(id.description == String(text))
            }
        }
    }

    @Test(arguments: ["", "4bf9", "4BF92F3577B34DA6A3CE929D0E0E4736", "4bf92f3577b34da6a3ce929d0e0e473", "4bf92f3577b34da6a3ce929d0e0e473x"])
    func `is nil when the text is anything else`(text: String) {
        #expect(TraceID(hex: text) == nil)
        #expect(SpanID(hex: String(text.prefix(16))) == nil || text.count >= 31)
    }
}
