/// A message whose end is written first: the fields that are many are appended, then the others are put in front.
///
/// Used again for the next message; memory that one huge message has grown is kept, as the arena's is.
@safe struct MessageBuffer: ~Copyable {
    // Sound: this struct's alone; freed in `deinit` or to be replaced.
    private var memory: UnsafeMutableRawBufferPointer
    private var start = frontRoom
    private(set) var end = frontRoom

    /// Copied with a few moves, where a call would cost more than the copy.
    private typealias Short = SIMD64<UInt8>
    static let shortField = MemoryLayout<Short>.size
    /// What most messages have in front.
    private static let frontRoom = 256

    init(capacity: Int = 4096) {
        unsafe memory = .allocate(byteCount: Self.frontRoom + capacity, alignment: 8)
    }

    deinit { unsafe memory.deallocate() }

    mutating func removeAll() {
        start = Self.frontRoom
        end = Self.frontRoom
    }

    /// The message so far; valid until it is written to.
    var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: what lies between was written, and the memory lives as long as `self`.
            let written = unsafe UnsafeRawBufferPointer(rebasing: memory[start..<end])
            return unsafe _overrideLifetime(written.bytes, borrowing: self)
        }
    }

    /// Appends a short field; of a longer one what is beyond as well.
    /// - Parameter field: `shortField` bytes are there, however few are its own.
    @inline(__always) @unsafe mutating func append(_ field: UnsafeRawPointer, _ count: Int) {
        makeRoom(max(count, Self.shortField))
        // Sound: there is room for it, and for what is copied with a field that is shorter, to be written over by the next.
        let place = unsafe memory.baseAddress.unsafelyUnwrapped + end
        unsafe place.storeBytes(of: field.loadUnaligned(as: Short.self), as: Short.self)
        if count > Self.shortField {
            unsafe (place + Self.shortField).copyMemory(from: field + Self.shortField, byteCount: count &- Self.shortField)
        }
        end &+= count
    }

    /// Puts another field where one stands; what follows it moves.
    /// - Parameter range: by the values `end` had before and after the field was appended.
    @unsafe mutating func replace(_ range: Range<Int>, with field: UnsafeRawPointer, _ count: Int) {
        makeRoom(count)
        // Sound: as above, and the range lies within what was written; `copyMemory` allows for overlap.
        let place = unsafe memory.baseAddress.unsafelyUnwrapped + range.lowerBound
        unsafe (place + count).copyMemory(from: place + range.count, byteCount: end - range.upperBound)
        unsafe place.copyMemory(from: field, byteCount: count)
        end += count - range.count
    }

    /// Once for a message, last of all.
    @unsafe mutating func putInFront(_ fields: UnsafeRawBufferPointer) {
        if fields.count > start {
            makeRoom(fields.count)
            // Sound: as above.
            let place = unsafe memory.baseAddress.unsafelyUnwrapped + start
            unsafe (place + fields.count).copyMemory(from: place, byteCount: end - start)
            end += fields.count
            start += fields.count
        }
        start -= fields.count
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: fields)
    }

    /// Room for as many bytes behind the last.
    @inline(__always) private mutating func makeRoom(_ count: Int) {
        if unsafe memory.count &- end < count { grow(by: count) }
    }

    @inline(never) private mutating func grow(by count: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(memory.count * 2, end + count), alignment: 8)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<end]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }
}
