/// A W3C trace id: 16 bytes, never all zero when valid (W3C Trace Context Level 2 §3.2.2.3).
@frozen public struct TraceID: Sendable, Hashable {
    /// The first eight bytes, big-endian.
    public var high: UInt64
    /// The last eight bytes, big-endian; the ones Level 2 wants random.
    public var low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable public var isValid: Bool { high | low != 0 }
}

/// A W3C parent id, OpenTelemetry's span id: 8 bytes, never all zero when valid.
@frozen public struct SpanID: Sendable, Hashable {
    /// The eight bytes, big-endian.
    public var value: UInt64

    @inlinable public init(_ value: UInt64) { self.value = value }

    @inlinable public var isValid: Bool { value != 0 }
}

/// The trace-flags octet (W3C Trace Context Level 2 §3.2.2.5). Only the bits it defines are ever set.
@frozen public struct TraceFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let sampled = TraceFlags(rawValue: 0x01)
    /// The right-most seven bytes of the trace id are random.
    public static let random = TraceFlags(rawValue: 0x02)
}

/// Makes trace and span ids. One per loop: not shared between threads. Seeded by whoever creates it (from the system's
/// randomness in the program, from a constant in tests, so that golden files are exact).
public struct IDGenerator: Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// - Parameter seed: four words of randomness; all zero is corrected, because xoshiro256** cannot leave that state.
    public init(seed: (UInt64, UInt64, UInt64, UInt64)) {
        state = seed
        if seed.0 | seed.1 | seed.2 | seed.3 == 0 { state.0 = 0x9E37_79B9_7F4A_7C15 }
    }

    /// xoshiro256** (Blackman and Vigna, 2018).
    private mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = (state.3 << 45) | (state.3 >> 19)
        return result
    }

    public mutating func traceID() -> TraceID {
        while true {
            let id = TraceID(high: next(), low: next())
            if id.isValid { return id }
        }
    }

    public mutating func spanID() -> SpanID {
        while true {
            let id = SpanID(next())
            if id.isValid { return id }
        }
    }
}
