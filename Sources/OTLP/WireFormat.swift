/// The protobuf wire format, as far as messages are read and framed here (protobuf.dev, "Encoding").
///
/// libprotobuf-c encodes; this reads, and puts a head before bytes that are already encoded. libprotobuf-c's own decoder is not
/// used for what may nest: it follows `AnyValue` within `AnyValue` as deep as the bytes say, on the stack, and 32 KiB of them end
/// the process (measured: version 1.4.1, 8 MiB of stack). It would also copy each text once more on its way to Swift. For framing
/// it has nothing: a batch would have to be decoded to be encoded again.
enum WireFormat {
    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    /// Bytes of a field's head, tag and length, for the field numbers of OTLP; at most.
    static let headSizeLimit = 7

    /// Calls `body` for each field of a message, in the order they stand: number, type, the value of a scalar as bits, and the
    /// bytes of a length-delimited one. Fields of unknown numbers come too; groups, long deprecated, are no messages of ours.
    static func forEachField(
        in message: RawSpan, _ body: (_ number: UInt64, _ type: WireType, _ scalar: UInt64, _ bytes: RawSpan) throws(OTLPError) -> Void
    ) throws(OTLPError) {
        var offset = 0
        while offset < message.byteCount {
            let tag = try varint(in: message, at: &offset)
            guard tag >> 3 > 0, tag >> 3 < 1 << 29, let type = WireType(rawValue: UInt8(tag & 7)) else { throw .malformed }
            switch type {
            case .varint:
                try body(tag >> 3, type, try varint(in: message, at: &offset), RawSpan())
            case .fixed64:
                guard message.byteCount - offset >= 8 else { throw .truncated }
                // Sound: any bytes are an integer, and the loads are checked.
                let value = unsafe message.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
                offset += 8
                try body(tag >> 3, type, UInt64(littleEndian: value), RawSpan())
            case .fixed32:
                guard message.byteCount - offset >= 4 else { throw .truncated }
                let value = unsafe message.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
                offset += 4
                try body(tag >> 3, type, UInt64(UInt32(littleEndian: value)), RawSpan())
            case .lengthDelimited:
                let length = try varint(in: message, at: &offset)
                guard length <= UInt64(message.byteCount - offset) else { throw .truncated }
                let end = offset + Int(length)
                try body(tag >> 3, type, 0, message.extracting(offset..<end))
                offset = end
            }
        }
    }

    private static func varint(in message: RawSpan, at offset: inout Int) throws(OTLPError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) as StrideTo<UInt64> {
            guard offset < message.byteCount else { throw .truncated }
            let byte = unsafe message.unsafeLoad(fromByteOffset: offset, as: UInt8.self)  // sound: as above
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .malformed
    }

    /// Bytes that `appendHead` takes.
    static func headSize(field number: Int, length: Int) -> Int { varintSize(UInt64(number << 3)) + varintSize(UInt64(length)) }

    /// Puts the head of a length-delimited field.
    static func appendHead(field number: Int, length: Int, to message: inout [UInt8]) {
        appendVarint(UInt64(number << 3) | UInt64(WireType.lengthDelimited.rawValue), to: &message)
        appendVarint(UInt64(length), to: &message)
    }

    static func varintSize(_ value: UInt64) -> Int { max(1, (70 - value.leadingZeroBitCount) / 7) }

    private static func appendVarint(_ value: UInt64, to message: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            message.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        message.append(UInt8(truncatingIfNeeded: rest))
    }
}

extension [UInt8] {
    mutating func append(_ bytes: RawSpan) {
        // Sound: the bytes are copied before the closure returns.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
