import Runs

/// Says of a hash that a segment certainly lacks it, or may have it (about 0.5 % of those it lacks): a blocked Bloom filter, one
/// cache line a question (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007; the bits by
/// multiplication as in Apache Parquet's split-block filter). Twelve bits an entry.
struct IDFilter {
    private var words: ContiguousArray<UInt64>
    private static let wordsPerBlock = 8
    private static let factors: InlineArray<8, UInt32> = [
        0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
    ]

    init(entries: Int) {
        let blocks = max(1, (entries * 12 + 511) / 512)
        words = ContiguousArray(repeating: 0, count: blocks * Self.wordsPerBlock)
    }

    /// From its stored bytes; nil where they cannot be a filter.
    init?(stored bytes: RawSpan) {
        guard bytes.byteCount > 0, bytes.byteCount % (Self.wordsPerBlock * 8) == 0 else { return nil }
        words = unsafe ContiguousArray(unsafeUninitializedCapacity: bytes.byteCount / 8) { words, count in
            // Sound: the sizes are equal, and any bytes are a word.
            unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(words).copyMemory(from: $0) }
            count = bytes.byteCount / 8
        }
    }

    mutating func insert(_ hash: UInt64) {
        let block = block(of: hash)
        let low = UInt32(truncatingIfNeeded: hash)
        for word in 0..<Self.wordsPerBlock {
            words[block + word] |= 1 << UInt64((low &* Self.factors[word]) >> 26)
        }
    }

    func mayContain(_ hash: UInt64) -> Bool {
        let block = block(of: hash)
        let low = UInt32(truncatingIfNeeded: hash)
        for word in 0..<Self.wordsPerBlock where words[block + word] & (1 << UInt64((low &* Self.factors[word]) >> 26)) == 0 {
            return false
        }
        return true
    }

    func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        // Sound: words have no padding.
        try body(unsafe words.span.bytes)
    }

    private func block(of hash: UInt64) -> Int {
        let blocks = UInt64(words.count / Self.wordsPerBlock)
        return Int(((hash >> 32) &* blocks) >> 32) * Self.wordsPerBlock
    }
}
