private import Glibc

/// Finds the line ends of a piece of an event stream: LF, CR, or CRLF (WHATWG HTML §9.2.5 "Parsing an event stream").
///
/// The next LF and the next CR are each remembered until passed, so every byte is looked at twice by `memchr` at most, and a
/// stream without CR costs one look more per chunk.
@unsafe struct LineEnds {
    private let base: UnsafePointer<UInt8>
    let count: Int
    private var nextLF = -1
    private var nextCR = -1

    /// - Parameter bytes: must outlive this value; not empty.
    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe base = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        unsafe count = bytes.count
    }

    subscript(index: Int) -> UInt8 { unsafe base[index] }

    /// The index of the first CR or LF at or after `from`; `count` where there is none. `from` never goes back.
    mutating func next(from: Int) -> Int {
        if unsafe nextLF < from { unsafe nextLF = find(0x0A, from: from) }
        if unsafe nextCR < from { unsafe nextCR = find(0x0D, from: from) }
        return unsafe min(nextLF, nextCR)
    }

    private func find(_ byte: Int32, from: Int) -> Int {
        // Sound: `from <= count`, and `memchr` stays inside the bytes it is given.
        guard let found = unsafe memchr(base + from, byte, count - from) else { return unsafe count }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}
