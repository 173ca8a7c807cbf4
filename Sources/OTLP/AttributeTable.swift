internal import COTLP
internal import Glibc
internal import Tracing

/// The attributes of the span being encoded: a slot for each of the closed list, filled in any order.
///
/// Most attributes of a span are those of the span before: the same provider, model and address, the same price. So a slot keeps
/// the attribute it last held as libprotobuf-c encoded it, beside the value it came from, and a value that is the same again costs
/// a comparison. Setting an attribute twice replaces the value: the last one counts, and no key is ever there twice.
@safe struct AttributeTable: ~Copyable {
    private struct Slot {
        /// Where in `encoded` it stands, from 1; 0 while it is empty, `left` where there was no room for it.
        var position: UInt8 = 0
        /// Of what is kept: a `SpanEntry.ValueType`, `none` where nothing is; bytes of the value, and of the attribute.
        var type = none
        var valueLength: UInt8 = 0
        var encodedLength: UInt16 = 0
        static let left = UInt8.max
        static let none = UInt8.max
    }

    private static let count = Attribute.allCases.count
    /// What is longer is encoded each time.
    private static let valueRoom = 192, encodedRoom = 320

    // Sound: there is a slot, with its rooms, for each raw value of the closed list, and as many places in `encoded`.
    private let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    /// A slot's value and its attribute, one after the other.
    private let rooms = UnsafeMutableRawPointer.allocate(byteCount: count * (valueRoom + encodedRoom), alignment: 8)
    /// In the order they were first set.
    private let encoded = UnsafeMutablePointer<UnsafeRawBufferPointer>.allocate(capacity: count)
    private let messages = AttributeMessages()

    private let lengthLimit: Int
    private let countLimit: Int
    private var entered = 0
    /// So many of the first are final.
    private var sealed = 0
    private(set) var dropped = 0
    /// What the attributes take.
    private(set) var byteCount = 0

    init(limits: AttributeLimits) {
        lengthLimit = limits.valueLength ?? .max
        countLimit = limits.count
        unsafe slots.initialize(repeating: Slot(), count: Self.count)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe rooms.deallocate()
        unsafe encoded.deallocate()
    }

    mutating func reset() {
        for slot in 0..<Self.count { unsafe slots[slot].position = 0 }
        entered = 0
        sealed = 0
        dropped = 0
        byteCount = 0
    }

    /// What is set from now on does not replace what has been set so far.
    mutating func seal() { sealed = entered }

    func isSet(_ attribute: Attribute) -> Bool { unsafe slots[Int(attribute.rawValue)].position != 0 }

    mutating func set(_ attribute: Attribute, _ value: Int64, _ arena: inout Arena) {
        // Sound, here and below: the bytes are read inside the closure only.
        unsafe withUnsafeBytes(of: value) { set(attribute, .int, unsafe $0.bytes, &arena) }
    }

    mutating func set(_ attribute: Attribute, _ value: Double, _ arena: inout Arena) {
        unsafe withUnsafeBytes(of: value) { set(attribute, .double, unsafe $0.bytes, &arena) }
    }

    mutating func set(_ attribute: Attribute, _ value: StaticString, _ arena: inout Arena) {
        value.withUTF8Buffer { set(attribute, .string, unsafe UnsafeRawBufferPointer($0).bytes, &arena) }
    }

    /// - Parameters:
    ///   - value: as an entry of a span draft has it.
    ///   - arena: for what a slot has no room for; not to be reset before the attributes are written.
    mutating func set(_ attribute: Attribute, _ type: SpanEntry.ValueType, _ value: RawSpan, _ arena: inout Arena) {
        let slot = unsafe slots + Int(attribute.rawValue)
        let position = unsafe slot.pointee.position
        // What is set is final, or was left out.
        guard position == 0 || (position > sealed && position != Slot.left) else { return }
        let valuePlace = unsafe rooms + Int(attribute.rawValue) * (Self.valueRoom + Self.encodedRoom)
        let encodedPlace = unsafe valuePlace + Self.valueRoom
        // Sound: a slot's lengths are those of what was written to its rooms.
        if unsafe slot.pointee.type == type.rawValue, unsafe Int(slot.pointee.valueLength) == value.byteCount, unsafe value.isSame(as: valuePlace) {
            return unsafe enter(slot, UnsafeRawBufferPointer(start: encodedPlace, count: Int(slot.pointee.encodedLength)))
        }
        let size = unsafe messages.prepare(attribute, type, value, lengthLimit: attribute.isKeptWhole ? .max : lengthLimit, &arena)
        guard value.byteCount <= Self.valueRoom, size <= Self.encodedRoom else {
            unsafe slot.pointee.type = Slot.none
            // Sound: the room is as long as `prepare` said.
            let place = unsafe arena.bytes(size)
            let length = unsafe messages.pack(type, into: place.baseAddress!)
            return unsafe enter(slot, UnsafeRawBufferPointer(rebasing: place[..<length]))
        }
        // Sound: both fit their rooms.
        let length = unsafe messages.pack(type, into: encodedPlace)
        unsafe value.withUnsafeBytes { if let start = $0.baseAddress { unsafe valuePlace.copyMemory(from: start, byteCount: $0.count) } }
        unsafe slot.pointee.type = type.rawValue
        unsafe slot.pointee.valueLength = UInt8(value.byteCount)
        unsafe slot.pointee.encodedLength = UInt16(length)
        unsafe enter(slot, UnsafeRawBufferPointer(start: encodedPlace, count: length))
    }

    /// Makes the bytes the slot's attribute, unless the span has as many as it may.
    private mutating func enter(_ slot: UnsafeMutablePointer<Slot>, _ attribute: UnsafeRawBufferPointer) {
        let position = unsafe Int(slot.pointee.position)
        if position > 0 {
            byteCount += unsafe attribute.count - encoded[position - 1].count
            unsafe encoded[position - 1] = attribute
        } else if entered < countLimit {
            byteCount += attribute.count
            unsafe encoded[entered] = attribute
            entered += 1
            unsafe slot.pointee.position = UInt8(truncatingIfNeeded: entered)
        } else {
            unsafe slot.pointee.position = Slot.left
            dropped += 1
        }
    }

    /// - Parameter place: has room for `byteCount` bytes.
    @unsafe func write(to place: UnsafeMutableRawPointer) {
        var place = unsafe place
        for index in 0..<entered {
            let attribute = unsafe encoded[index]
            // Sound: what a slot or the arena holds stays until the next span, and is never empty.
            unsafe place.copyMemory(from: attribute.baseAddress!, byteCount: attribute.count)
            unsafe place += attribute.count
        }
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
    @unsafe fileprivate func isSame(as other: UnsafeMutableRawPointer) -> Bool {
        // Sound: the loads stay within the eight bytes there are; memcmp reads no further either.
        if byteCount == 8 { return unsafe unsafeLoadUnaligned(as: UInt64.self) == other.loadUnaligned(as: UInt64.self) }
        return unsafe withUnsafeBytes { unsafe $0.isEmpty || memcmp($0.baseAddress!, other, $0.count) == 0 }
    }
}
