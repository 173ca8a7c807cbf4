internal import COTLP
internal import Tracing

/// The messages of `attribute.proto`, one for each kind of value, each linked to its parts once: to be given a key and a value, and
/// packed.
@safe struct AttributeMessages: ~Copyable {
    private let text = unsafe AttributeMessage<PBTextSpan, PBTextAttribute, PBTextValue> { span, attribute, value in
        unsafe hopspan__text_span__init(span)
        unsafe hopspan__text_attribute__init(attribute)
        unsafe hopspan__text_value__init(value)
        unsafe (span.pointee.attribute, attribute.pointee.value) = (attribute, value)
    }
    private let bool = unsafe AttributeMessage<PBBoolSpan, PBBoolAttribute, PBBoolValue> { span, attribute, value in
        unsafe hopspan__bool_span__init(span)
        unsafe hopspan__bool_attribute__init(attribute)
        unsafe hopspan__bool_value__init(value)
        unsafe (span.pointee.attribute, attribute.pointee.value) = (attribute, value)
    }
    private let int = unsafe AttributeMessage<PBIntSpan, PBIntAttribute, PBIntValue> { span, attribute, value in
        unsafe hopspan__int_span__init(span)
        unsafe hopspan__int_attribute__init(attribute)
        unsafe hopspan__int_value__init(value)
        unsafe (span.pointee.attribute, attribute.pointee.value) = (attribute, value)
    }
    private let double = unsafe AttributeMessage<PBDoubleSpan, PBDoubleAttribute, PBDoubleValue> { span, attribute, value in
        unsafe hopspan__double_span__init(span)
        unsafe hopspan__double_attribute__init(attribute)
        unsafe hopspan__double_value__init(value)
        unsafe (span.pointee.attribute, attribute.pointee.value) = (attribute, value)
    }
    private let texts = unsafe AttributeMessage<PBTextsSpan, PBTextsAttribute, PBTextsValue> { span, attribute, value in
        unsafe hopspan__texts_span__init(span)
        unsafe hopspan__texts_attribute__init(attribute)
        unsafe hopspan__texts_value__init(value)
        unsafe (span.pointee.attribute, attribute.pointee.value) = (attribute, value)
    }

    /// Sets the message of this type.
    /// - Parameters:
    ///   - value: as an entry of a span draft has it; must stay where it is until the message is packed.
    ///   - lengthLimit: code points of a text.
    /// - Returns: bytes that the message takes at most.
    @unsafe func prepare(_ attribute: Attribute, _ type: SpanEntry.ValueType, _ value: RawSpan, lengthLimit: Int, _ arena: inout Arena) -> Int {
        let key = unsafe ProtobufCBinaryData(attribute.name)
        let size: Int
        switch type {
        case .string:
            let value = unsafe EncodedText(value, lengthLimit: lengthLimit, &arena)
            unsafe text.attribute.pointee.key = key
            unsafe text.value.pointee.string_value = value.binary
            size = unsafe value.length
        case .bool:
            unsafe bool.attribute.pointee.key = key
            unsafe bool.value.pointee.bool_value = SpanEntry.bool(value) ? 1 : 0
            size = 1
        case .int:
            unsafe int.attribute.pointee.key = key
            unsafe int.value.pointee.int_value = SpanEntry.int(value)
            size = 10
        case .double:
            unsafe double.attribute.pointee.key = key
            unsafe double.value.pointee.double_value = SpanEntry.double(value)
            size = 8
        case .strings:
            let array = unsafe TextArray(value, lengthLimit: lengthLimit, &arena)
            unsafe texts.attribute.pointee.key = key
            unsafe texts.value.pointee.array_value = array.message
            size = unsafe array.packedSizeLimit
        }
        // Heads of attribute, key, value and the value's kind.
        return attribute.name.utf8CodeUnitCount + size + 4 * WireFormat.headSizeLimit
    }

    /// Packs the message of this type.
    /// - Parameter place: has room for as much as `prepare` said.
    /// - Returns: its bytes.
    @unsafe func pack(_ type: SpanEntry.ValueType, into place: UnsafeMutableRawPointer) -> Int {
        let out = unsafe place.assumingMemoryBound(to: UInt8.self)
        return switch type {
        case .string: unsafe hopspan__text_span__pack(text.span, out)
        case .bool: unsafe hopspan__bool_span__pack(bool.span, out)
        case .int: unsafe hopspan__int_span__pack(int.span, out)
        case .double: unsafe hopspan__double_span__pack(double.span, out)
        case .strings: unsafe hopspan__texts_span__pack(texts.span, out)
        }
    }
}

/// A span of one attribute, its attribute, and the attribute's value.
@safe struct AttributeMessage<Span, Attribute, Value>: ~Copyable {
    // Sound: initialised by `link`, freed in `deinit` only.
    let span = UnsafeMutablePointer<Span>.allocate(capacity: 1)
    let attribute = UnsafeMutablePointer<Attribute>.allocate(capacity: 1)
    let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    /// - Parameter link: initialises the three and joins them to each other.
    init(_ link: (UnsafeMutablePointer<Span>, UnsafeMutablePointer<Attribute>, UnsafeMutablePointer<Value>) -> Void) {
        unsafe link(span, attribute, value)
    }

    deinit {
        unsafe span.deallocate()
        unsafe attribute.deallocate()
        unsafe value.deallocate()
    }
}
