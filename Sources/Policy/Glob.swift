/// A pattern for names: `*` stands for any characters or none, `?` for one (a Unicode scalar), everything else for itself, in its own case.
///
/// Matching takes a step a byte of the name, whatever the pattern: all the places where the name may have got to in the pattern are kept
/// as bits of one number (Baeza-Yates and Gonnet, "A New Approach to Text Searching", 1992).
public struct Glob: Sendable {
    /// As it was written.
    public let text: String
    /// For each byte, the places from which it leads to the next.
    private var steps = [UInt128](repeating: 0, count: 256)
    /// The places where any byte may pass: those of a `*`.
    private var stars: UInt128 = 0
    /// The places behind a `?`, where what is left of its character passes.
    private var behindOne: UInt128 = 0
    private var end: UInt128

    /// Bytes of a pattern at most, `*` not counted.
    public static let placesAtMost = 127

    /// - Returns: nil where it is empty, too long, or has characters that other notations give a meaning to (`[ ] { } \`) or that no name
    ///   has: it would not mean what it was written for.
    public init?(_ text: String) {
        self.text = text
        var place: UInt128 = 1
        var places = 0
        for scalar in text.unicodeScalars {
            if scalar == "*" {
                stars |= place
                continue
            }
            guard scalar.value >= 0x20, scalar.value != 0x7F, !"[]{}\\".unicodeScalars.contains(scalar) else { return nil }
            if scalar == "?" {
                for byte in steps.indices where byte & 0xC0 != 0x80 { steps[byte] |= place }
                places += 1
                guard places <= Self.placesAtMost else { return nil }
                place <<= 1
                behindOne |= place
                continue
            }
            for byte in String(scalar).utf8 {
                steps[Int(byte)] |= place
                places += 1
                guard places <= Self.placesAtMost else { return nil }
                place <<= 1
            }
        }
        guard !text.isEmpty else { return nil }
        end = place
    }

    /// Whether the pattern is the name's, all of it; UTF-8.
    public func matches(_ name: RawSpan) -> Bool {
        var places: UInt128 = 1
        for offset in name.byteOffsets {
            // Sound: the offset is one of the span's.
            let byte = unsafe name.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            let staying = byte & 0xC0 == 0x80 ? stars | behindOne : stars
            places = (places & steps[Int(byte)]) << 1 | places & staying
            if places == 0 { return false }
        }
        return places & end != 0
    }
}

extension Glob: Hashable {
    // The rest is made of the text.
    public static func == (one: Glob, other: Glob) -> Bool { one.text == other.text }
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
