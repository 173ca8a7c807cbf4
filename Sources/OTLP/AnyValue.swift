/// The value of an attribute (opentelemetry.proto.common.v1.AnyValue).
public enum AnyValue: Sendable, Hashable {
    /// Nothing set, which is legal and means null.
    case empty
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case array([AnyValue])
    case keyValues([KeyValue])
    case bytes([UInt8])

    /// How deep values may stand in values; what the specification advises SDKs to keep.
    public static let depthLimit = 64
}

/// An attribute by its name (opentelemetry.proto.common.v1.KeyValue).
public struct KeyValue: Sendable, Hashable {
    public var key: String
    public var value: AnyValue

    public init(_ key: String, _ value: AnyValue) {
        self.key = key
        self.value = value
    }
}

// MARK: decoding

extension AnyValue {
    /// Where several kinds are set the last counts, as protobuf has it. Fields of other signals are as if absent.
    init(decoding message: RawSpan, depth: Int = 0) throws(OTLPError) {
        guard depth < Self.depthLimit else { throw .tooDeep }
        var value = AnyValue.empty
        try WireFormat.forEachField(in: message) { number, type, scalar, bytes throws(OTLPError) in
            switch (number, type) {
            case (1, .lengthDelimited): value = .string(String(mending: bytes))
            case (2, .varint): value = .bool(scalar != 0)
            case (3, .varint): value = .int(Int64(bitPattern: scalar))
            case (4, .fixed64): value = .double(Double(bitPattern: scalar))
            case (5, .lengthDelimited):
                var values: [AnyValue] = []
                try WireFormat.forEachField(in: bytes) { number, type, _, bytes throws(OTLPError) in
                    if number == 1, type == .lengthDelimited { values.append(try AnyValue(decoding: bytes, depth: depth + 1)) }
                }
                value = .array(values)
            case (6, .lengthDelimited):
                var values: [KeyValue] = []
                try WireFormat.forEachField(in: bytes) { number, type, _, bytes throws(OTLPError) in
                    if number == 1, type == .lengthDelimited { values.append(try KeyValue(decoding: bytes, depth: depth + 1)) }
                }
                value = .keyValues(values)
            case (7, .lengthDelimited): value = .bytes(Array(bytes))
            default: break
            }
        }
        self = value
    }
}

extension KeyValue {
    init(decoding message: RawSpan, depth: Int = 0) throws(OTLPError) {
        var key = ""
        var value = AnyValue.empty
        try WireFormat.forEachField(in: message) { number, type, _, bytes throws(OTLPError) in
            switch (number, type) {
            case (1, .lengthDelimited): key = String(mending: bytes)
            case (2, .lengthDelimited): value = try AnyValue(decoding: bytes, depth: depth)
            default: break
            }
        }
        self.init(key, value)
    }
}

extension String {
    /// UTF-8, with U+FFFD for what is none.
    init(mending bytes: RawSpan) {
        // Sound: copied before the closure returns.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension [UInt8] {
    init(_ bytes: RawSpan) {
        // Sound: copied before the closure returns.
        self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
}
