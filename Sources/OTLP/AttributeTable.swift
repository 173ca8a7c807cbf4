internal import COTLP
internal import Tracing

/// The attributes of the span being encoded: a slot for each of the closed list, filled in any order.
///
/// For each slot and each kind of value there is a message whose key and whose link to its value never change, so that setting
/// an attribute writes a value and one pointer. Setting it again replaces the value: the last one counts, and no key is ever
/// there twice.
@safe struct AttributeTable: ~Copyable {
    private static let slots = Attribute.allCases.count
    private static let left = UInt8.max

    private let texts = unsafe AttributeSlots<PBTextAttribute, PBTextValue>(count: slots) { attribute, key, value in
        unsafe hopspan__text_attribute__init(attribute)
        unsafe hopspan__text_value__init(value)
        unsafe (attribute.pointee.key, attribute.pointee.value) = (key, value)
    }
    private let bools = unsafe AttributeSlots<PBBoolAttribute, PBBoolValue>(count: slots) { attribute, key, value in
        unsafe hopspan__bool_attribute__init(attribute)
        unsafe hopspan__bool_value__init(value)
        unsafe (attribute.pointee.key, attribute.pointee.value) = (key, value)
    }
    private let ints = unsafe AttributeSlots<PBIntAttribute, PBIntValue>(count: slots) { attribute, key, value in
        unsafe hopspan__int_attribute__init(attribute)
        unsafe hopspan__int_value__init(value)
        unsafe (attribute.pointee.key, attribute.pointee.value) = (key, value)
    }
    private let doubles = unsafe AttributeSlots<PBDoubleAttribute, PBDoubleValue>(count: slots) { attribute, key, value in
        unsafe hopspan__double_attribute__init(attribute)
        unsafe hopspan__double_value__init(value)
        unsafe (attribute.pointee.key, attribute.pointee.value) = (key, value)
    }
    private let lists = unsafe AttributeSlots<PBTextsAttribute, PBTextsValue>(count: slots) { attribute, key, value in
        unsafe hopspan__texts_attribute__init(attribute)
        unsafe hopspan__texts_value__init(value)
        unsafe (attribute.pointee.key, attribute.pointee.value) = (key, value)
    }

    /// `Span.attributes`, in the order they were first set. What is pointed at are the leaner messages of `attribute.proto`:
    /// libprotobuf-c packs every message by the descriptor at its own head, whatever the list's type says.
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<PBKeyValue>?>.allocate(capacity: slots)
    /// Where in `pointers` a slot stands, from 1; 0 while it is empty, `left` where there was no room for it.
    private let positions = UnsafeMutablePointer<UInt8>.allocate(capacity: slots)

    private let lengthLimit: Int
    private let countLimit: Int
    private(set) var count = 0
    private(set) var dropped = 0
    /// At least what the attributes take when packed.
    private(set) var packedSizeLimit = 0
    /// The longest key, and the heads of attribute, key, value and the value's kind.
    private let frameSizeLimit: Int
    /// So many of the first are final.
    private var sealed = 0

    init(limits: AttributeLimits) {
        lengthLimit = limits.valueLength ?? .max
        countLimit = limits.count
        frameSizeLimit = (Attribute.allCases.map(\.name.utf8CodeUnitCount).max() ?? 0) + 4 * WireFormat.headSizeLimit
        unsafe positions.initialize(repeating: 0, count: Self.slots)
        unsafe pointers.initialize(repeating: nil, count: Self.slots)
    }

    deinit {
        unsafe pointers.deallocate()
        unsafe positions.deallocate()
    }

    mutating func reset() {
        unsafe positions.update(repeating: 0, count: Self.slots)
        count = 0
        dropped = 0
        packedSizeLimit = 0
        sealed = 0
    }

    /// What is set from now on does not replace what has been set so far.
    mutating func seal() { sealed = count }

    func isSet(_ attribute: Attribute) -> Bool { unsafe positions[Int(attribute.rawValue)] != 0 }

    mutating func set(_ attribute: Attribute, _ value: Int64) {
        guard let slot = slot(for: attribute) else { return }
        unsafe ints.values[slot].int_value = value
        unsafe enter(slot, ints.attributes + slot, size: 10)
    }

    mutating func set(_ attribute: Attribute, _ value: Double) {
        guard let slot = slot(for: attribute) else { return }
        unsafe doubles.values[slot].double_value = value
        unsafe enter(slot, doubles.attributes + slot, size: 8)
    }

    mutating func set(_ attribute: Attribute, _ value: Bool) {
        guard let slot = slot(for: attribute) else { return }
        unsafe bools.values[slot].bool_value = value ? 1 : 0
        unsafe enter(slot, bools.attributes + slot, size: 1)
    }

    /// - Parameter value: ASCII.
    mutating func set(_ attribute: Attribute, _ value: StaticString) {
        // Sound: a static string's bytes live for ever.
        unsafe setText(attribute, UnsafeRawPointer(value.utf8Start), min(value.utf8CodeUnitCount, lengthLimit))
    }

    /// - Parameter value: must stay where it is until the span is packed.
    @unsafe mutating func set(_ attribute: Attribute, text value: RawSpan, _ arena: inout Arena) {
        let text = unsafe EncodedText(value, lengthLimit: lengthLimit, &arena)
        unsafe setText(attribute, text.start, text.length)
    }

    /// - Parameter value: a `strings` entry of a span draft; must stay where it is until the span is packed.
    @unsafe mutating func set(_ attribute: Attribute, texts value: RawSpan, _ arena: inout Arena) {
        let array = unsafe TextArray(value, lengthLimit: lengthLimit, &arena)
        guard let slot = slot(for: attribute) else { return }
        unsafe lists.values[slot].array_value = array.message
        unsafe enter(slot, lists.attributes + slot, size: array.packedSizeLimit)
    }

    private mutating func setText(_ attribute: Attribute, _ start: UnsafeRawPointer?, _ length: Int) {
        guard let slot = slot(for: attribute) else { return }
        unsafe texts.values[slot].string_value = ProtobufCBinaryData(start, length)
        unsafe enter(slot, texts.attributes + slot, size: length)
    }

    /// Nil where what is set is final, or was left out.
    private func slot(for attribute: Attribute) -> Int? {
        let slot = Int(attribute.rawValue)
        // Sound: there is a slot for each attribute.
        let position = unsafe positions[slot]
        return position == 0 || (position > sealed && position != Self.left) ? slot : nil
    }

    /// Makes the message the slot's attribute, unless the span has as many as it may.
    private mutating func enter<Message>(_ slot: Int, _ message: UnsafeMutablePointer<Message>, size: Int) {
        // Sound: see `pointers`.
        let message = unsafe UnsafeMutableRawPointer(message).assumingMemoryBound(to: PBKeyValue.self)
        let position = unsafe Int(positions[slot])
        if position > 0 {
            unsafe pointers[position - 1] = message
        } else if count < countLimit {
            unsafe pointers[count] = message
            count += 1
            unsafe positions[slot] = UInt8(truncatingIfNeeded: count)
        } else {
            unsafe positions[slot] = Self.left
            dropped += 1
        }
        packedSizeLimit += size + frameSizeLimit
    }
}

/// The messages of one kind of value: an attribute and its value for every slot.
@safe struct AttributeSlots<Message, Value>: ~Copyable {
    let attributes: UnsafeMutablePointer<Message>
    let values: UnsafeMutablePointer<Value>

    /// - Parameter link: initialises both messages of a slot, with this key and joined to each other.
    init(count: Int, _ link: (UnsafeMutablePointer<Message>, ProtobufCBinaryData, UnsafeMutablePointer<Value>) -> Void) {
        unsafe attributes = .allocate(capacity: count)
        unsafe values = .allocate(capacity: count)
        for attribute in Attribute.allCases {
            // Sound: raw values count from 0, so that each slot is initialised once.
            let slot = Int(attribute.rawValue)
            precondition(slot < count)
            unsafe link(attributes + slot, ProtobufCBinaryData(attribute.name), values + slot)
        }
    }

    deinit {
        unsafe attributes.deallocate()
        unsafe values.deallocate()
    }
}
