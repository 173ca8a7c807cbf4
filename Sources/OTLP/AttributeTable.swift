internal import Glibc
internal import Tracing

/// The attributes of the span being encoded, each of the closed list at most once, in any order.
///
/// Most attributes of a span are those of the span before: the same provider, model and address, the same price; and most others
/// (ids, times, counts) are as long as they were. So each attribute has a slot that keeps it as libprotobuf-c encoded it, beside the
/// value it came from. A value that is the same again costs a comparison. One that takes as many bytes is written over the one
/// before: a value is the end of its attribute, and nothing before it depends on more than its length. Only what is of another kind or
/// length is packed anew. Setting an attribute twice replaces the value, in its place: no key is ever there twice.
@safe struct AttributeTable: ~Copyable {
    /// What is kept of an attribute.
    private struct Slot {
        /// A `SpanEntry.ValueType` and above it the bytes of the value; `nothing` where nothing is kept.
        var shape = nothing
        /// Bytes of the attribute.
        var length = 0
        static let nothing = Int.max
    }

    /// Where in the message an attribute stands.
    private struct Place {
        /// 0: not set.
        var start: UInt32 = 0
        var end: UInt32 = 0
        /// There was no room for it.
        static let left = UInt32.max
    }

    /// What is longer is encoded each time.
    private static let valueRoom = 192, encodedRoom = 320

    // Sound: there is a slot, a place and two rooms for each raw value of the closed list.
    private let slots: UnsafeMutablePointer<Slot>
    private let places: UnsafeMutablePointer<Place>
    /// A slot's value and its attribute, one after the other.
    private let rooms: UnsafeMutableRawPointer
    /// Of the closed list.
    private let count = Attribute.allCases.count
    private let messages = AttributeMessages()

    private let lengthLimit: Int
    private let countLimit: Int
    private var entered = 0
    /// What stands before this is final.
    private var sealed: UInt32 = 0
    private(set) var dropped = 0
    /// The attributes, in the order they were first set.
    var message = MessageBuffer()

    init(limits: AttributeLimits) {
        lengthLimit = limits.valueLength ?? .max
        countLimit = limits.count
        unsafe slots = .allocate(capacity: count)
        unsafe places = .allocate(capacity: count)
        unsafe rooms = .allocate(byteCount: count * (Self.valueRoom + Self.encodedRoom), alignment: 8)
        unsafe slots.initialize(repeating: Slot(), count: count)
        unsafe places.initialize(repeating: Place(), count: count)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe places.deallocate()
        unsafe rooms.deallocate()
    }

    mutating func reset() {
        unsafe places.update(repeating: Place(), count: count)
        entered = 0
        sealed = 0
        dropped = 0
        message.removeAll()
    }

    /// What is set from now on does not replace what has been set so far.
    mutating func seal() { sealed = UInt32(message.end) }

    func isSet(_ attribute: Attribute) -> Bool { unsafe places[Int(attribute.rawValue)].start != 0 }

    mutating func set(_ attribute: Attribute, _ value: Int64, _ arena: inout Arena) {
        // Sound, here and below: the bytes are read inside the closure only.
        unsafe withUnsafeBytes(of: value) { set(attribute.rawValue, .int, unsafe $0.bytes, &arena) }
    }

    mutating func set(_ attribute: Attribute, _ value: Double, _ arena: inout Arena) {
        unsafe withUnsafeBytes(of: value) { set(attribute.rawValue, .double, unsafe $0.bytes, &arena) }
    }

    mutating func set(_ attribute: Attribute, _ value: StaticString, _ arena: inout Arena) {
        value.withUTF8Buffer { set(attribute.rawValue, .string, unsafe UnsafeRawBufferPointer($0).bytes, &arena) }
    }

    /// - Parameters:
    ///   - tag: of an entry of a span draft, and `value` as the entry has it. A tag that is no attribute's is passed over.
    ///   - arena: for what a slot has no room for.
    mutating func set(_ tag: UInt8, _ type: SpanEntry.ValueType, _ value: RawSpan, _ arena: inout Arena) {
        let index = Int(tag)
        guard index < count else { return }
        let slot = unsafe slots + index
        let room = unsafe rooms + index &* (Self.valueRoom + Self.encodedRoom)
        // Sound: a slot's shape and length are those of what was written to its rooms.
        if unsafe slot.pointee.shape == Self.shape(type, value), unsafe value.isSame(as: room), entered < countLimit, unsafe places[index].start == 0 {
            return unsafe append(index, room + Self.valueRoom, slot.pointee.length)
        }
        unsafe setAnew(index, type, value, &arena)
    }

    /// What is not the first of the span or not the same as in the span before.
    @unsafe @inline(never) private mutating func setAnew(_ index: Int, _ type: SpanEntry.ValueType, _ value: RawSpan, _ arena: inout Arena) {
        let start = unsafe places[index].start
        // What is set is final, or was left out.
        guard start == 0 || (start >= sealed && start != Place.left) else { return }
        let slot = unsafe slots + index
        let room = unsafe rooms + index * (Self.valueRoom + Self.encodedRoom)
        // Sound: as above.
        if unsafe slot.pointee.shape == Self.shape(type, value),
            unsafe value.isSame(as: room) || overwrite(room, length: slot.pointee.length, type, value)
        {
            return unsafe enter(index, room + Self.valueRoom, slot.pointee.length)
        }
        guard let attribute = Attribute(rawValue: UInt8(index)) else { return }
        unsafe encode(attribute, type, value, &arena)
    }

    @inline(__always) private static func shape(_ type: SpanEntry.ValueType, _ value: RawSpan) -> Int { value.byteCount &<< 8 | Int(type.rawValue) }

    /// Makes a slot's value another one that takes as many bytes in the message.
    /// - Parameters:
    ///   - room: of the slot; holds a value of the same type and length.
    ///   - length: of the slot's attribute.
    /// - Returns: false where it does not, or is to be mended first, or is a list.
    @unsafe private func overwrite(_ room: UnsafeMutableRawPointer, length: Int, _ type: SpanEntry.ValueType, _ value: RawSpan) -> Bool {
        // Sound: as `encode` wrote it, the attribute ends with its value: a text's bytes as they are, eight bytes of a double, a byte of a
        // bool, and seven bits a byte of an integer.
        let end = unsafe room + Self.valueRoom + length
        switch type {
        case .string:
            guard isVerbatim(value) else { return false }
            unsafe value.withUnsafeBytes { unsafe (end - $0.count).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        case .double: unsafe (end - 8).storeBytes(of: SpanEntry.double(value).bitPattern.littleEndian, as: UInt64.self)
        case .bool: unsafe (end - 1).storeBytes(of: SpanEntry.bool(value) ? 1 : 0, as: UInt8.self)
        case .int:
            guard value.byteCount == 8 else { return false }
            let bits = UInt64(bitPattern: SpanEntry.int(value))
            let size = WireFormat.varintSize(bits)
            guard unsafe size == WireFormat.varintSize(room.load(as: UInt64.self)) else { return false }
            for index in 0..<size {
                let more: UInt8 = index < size - 1 ? 0x80 : 0
                unsafe (end - size + index).storeBytes(of: UInt8(truncatingIfNeeded: bits >> UInt64(7 * index)) & 0x7F | more, as: UInt8.self)
            }
        case .strings: return false
        }
        unsafe value.withUnsafeBytes { unsafe room.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return true
    }

    /// Whether a text goes on the wire as it is.
    private func isVerbatim(_ text: RawSpan) -> Bool { text.byteCount <= lengthLimit && UTF8Text.isWellFormed(text) }

    /// Has libprotobuf-c pack the attribute, in its slot if it can be kept.
    @unsafe private mutating func encode(_ attribute: Attribute, _ type: SpanEntry.ValueType, _ value: RawSpan, _ arena: inout Arena) {
        let index = Int(attribute.rawValue)
        let room = unsafe rooms + index * (Self.valueRoom + Self.encodedRoom)
        let size = unsafe messages.prepare(attribute, type, value, lengthLimit: attribute.isKeptWhole ? .max : lengthLimit, &arena)
        guard value.byteCount <= Self.valueRoom, size <= Self.encodedRoom, type != .string || isVerbatim(value) else {
            // Sound: the room is as long as `prepare` said.
            let place = unsafe arena.bytes(max(size, MessageBuffer.shortField))
            return unsafe enter(index, place.baseAddress!, messages.pack(type, into: place.baseAddress!))
        }
        // Sound: both fit their rooms.
        let length = unsafe messages.pack(type, into: room + Self.valueRoom)
        unsafe value.withUnsafeBytes { if let start = $0.baseAddress { unsafe room.copyMemory(from: start, byteCount: $0.count) } }
        unsafe slots[index] = Slot(shape: Self.shape(type, value), length: length)
        unsafe enter(index, room + Self.valueRoom, length)
    }

    /// Puts the attribute into the message, unless that has as many as it may.
    @unsafe private mutating func enter(_ index: Int, _ attribute: UnsafeRawPointer, _ length: Int) {
        guard unsafe places[index].start == 0 else { return unsafe replace(index, attribute, length) }
        guard entered < countLimit else {
            unsafe places[index].start = Place.left
            dropped += 1
            return
        }
        unsafe append(index, attribute, length)
    }

    @unsafe @inline(__always) private mutating func append(_ index: Int, _ attribute: UnsafeRawPointer, _ length: Int) {
        entered &+= 1
        let start = message.end
        unsafe message.append(attribute, length)
        unsafe places[index] = Place(start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: message.end))
    }

    @unsafe private mutating func replace(_ index: Int, _ attribute: UnsafeRawPointer, _ length: Int) {
        let place = unsafe places[index]
        unsafe message.replace(Int(place.start)..<Int(place.end), with: attribute, length)
        let end = place.start + UInt32(length)
        for index in 0..<count where unsafe places[index].start > place.start && places[index].start != Place.left {
            unsafe places[index].start = places[index].start - place.end + end
            unsafe places[index].end = places[index].end - place.end + end
        }
        unsafe places[index].end = end
    }
}

extension Attribute {
    /// What the record says, and how its cost came about: cut, it would say something else than the ledger does.
    fileprivate var isKeptWhole: Bool {
        switch self {
        case .runID, .hopKind, .linkedBy, .timing, .costUSD, .costSource, .costPrice: true
        default: false
        }
    }
}

extension RawSpan {
    /// - Parameter other: as many bytes as this has.
    @unsafe @inline(__always) fileprivate func isSame(as other: UnsafeMutableRawPointer) -> Bool {
        unsafe withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            // Sound: the first and the last of the bytes there are; the two may overlap.
            return switch bytes.count {
            case 4..<8: unsafe start.endsAreSame(other, bytes.count, UInt32.self)
            case 8..<16: unsafe start.endsAreSame(other, bytes.count, UInt64.self)
            case 16...32: unsafe start.endsAreSame(other, bytes.count, SIMD2<UInt64>.self)
            default: unsafe memcmp(start, other, bytes.count) == 0
            }
        }
    }
}

extension UnsafeRawPointer {
    @unsafe @inline(__always) fileprivate func endsAreSame<Word: BitwiseCopyable & Equatable>(
        _ other: UnsafeMutableRawPointer, _ count: Int, _ word: Word.Type
    ) -> Bool {
        let last = count &- MemoryLayout<Word>.size
        return unsafe loadUnaligned(as: word) == other.loadUnaligned(as: word)
            && loadUnaligned(fromByteOffset: last, as: word) == other.loadUnaligned(fromByteOffset: last, as: word)
    }
}
