import HTTP

private struct Seen: Equatable {
    var kind: AmazonEventStreamMessage.Kind
    var name: [UInt8]
    var payload: [UInt8]
}

/// Amazon event streams: the messages are the same wherever the chunks are cut. The first byte says how long the chunks are; the
/// sums of whatever could be a message are put right first, or nothing but refusals would be tried.
func fuzzAmazonEvents(_ input: [UInt8]) {
    guard let first = input.first else { return }
    for stream in [Array(input.dropFirst()), mended(Array(input.dropFirst()))] {
        let whole = read(stream, piece: max(1, stream.count), limit: 1 << 16)
        always(read(stream, piece: 1, limit: 1 << 16) == whole, "bytewise the messages are the same")
        always(read(stream, piece: Int(first % 61) + 1, limit: 1 << 16) == whole, "in chunks the messages are the same")
        // Small limit: only that it is kept.
        _ = read(stream, piece: Int(first % 61) + 1, limit: Int(first))
    }
}

private func read(_ stream: [UInt8], piece size: Int, limit: Int) -> [Seen] {
    var reader = AmazonEventStreamReader(limit: limit)
    var seen: [Seen] = []
    var start = 0
    while start < stream.count {
        let end = min(start + size, stream.count)
        unsafe reader.read(stream.span.bytes.extracting(start..<end)) { seen.append(Seen(kind: $0.kind, name: $0.name.array, payload: $0.payload.array)) }
        always(reader.heldByteCount <= max(limit, 12), "no more is held than the limit")
        start = end
    }
    return seen
}

/// The same bytes with lengths that fit and sums that are right, message by message.
private func mended(_ stream: [UInt8]) -> [UInt8] {
    var stream = stream
    var at = 0
    while stream.count - at >= 16 {
        // The lengths' lowest bytes are believed.
        let total = min(16 + Int(stream[at + 3]) + Int(stream[at + 2] & 3) << 8, stream.count - at)
        let headers = min(Int(stream[at + 7]), total - 16)
        put(UInt32(total), at, &stream)
        put(UInt32(headers), at + 4, &stream)
        put(sum(stream[at..<at + 8]), at + 8, &stream)
        put(sum(stream[at..<at + total - 4]), at + total - 4, &stream)
        at += total
    }
    return stream
}

private func put(_ word: UInt32, _ at: Int, _ bytes: inout [UInt8]) {
    for place in 0..<4 { bytes[at + place] = UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * place)) }
}

private func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return ~sum
}
