import Tracing

func withBytes<Result>(_ bytes: [UInt8], _ body: (RawSpan) throws -> Result) rethrows -> Result {
    try body(unsafe bytes.span.bytes)  // sound: a UInt8 has no padding
}

func array(_ bytes: RawSpan) -> [UInt8] {
    // Sound: copied before the closure returns.
    unsafe bytes.withUnsafeBytes { unsafe Array($0) }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// Hex digits, in as many lines as one likes.
func bytes(hex text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
