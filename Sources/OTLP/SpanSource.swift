internal import COTLP

/// Who made spans: the resource and the scope that stand above them in every OTLP batch.
public struct SpanSource: Sendable, Hashable {
    /// `service.name` and the like; exempt from limits.
    public var resource: [KeyValue]
    public var scopeName: String
    public var scopeVersion: String
    /// The semantic conventions that the attributes follow; empty where none is claimed.
    public var schemaURL: String

    public init(resource: [KeyValue], scopeName: String, scopeVersion: String, schemaURL: String = "") {
        self.resource = resource
        self.scopeName = scopeName
        self.scopeVersion = scopeVersion
        self.schemaURL = schemaURL
    }

    /// The `Resource` message.
    func encodedResource() -> [UInt8] {
        var arena = Arena()
        var message = unsafe PBResource()
        unsafe opentelemetry__proto__resource__v1__resource__init(&message)
        unsafe message.n_attributes = resource.count
        unsafe message.attributes = arena.messages(for: resource)
        // Sound: packed into as many bytes as it says it takes, while the arena lives.
        let size = unsafe opentelemetry__proto__resource__v1__resource__get_packed_size(&message)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = unsafe opentelemetry__proto__resource__v1__resource__pack(&message, buffer.baseAddress)
        }
        arena.reset()
        return bytes
    }

    /// The `InstrumentationScope` message.
    func encodedScope() -> [UInt8] {
        var arena = Arena()
        var message = unsafe PBInstrumentationScope()
        unsafe opentelemetry__proto__common__v1__instrumentation_scope__init(&message)
        unsafe message.name = arena.text(scopeName)
        unsafe message.version = arena.text(scopeVersion)
        // Sound: as above.
        let size = unsafe opentelemetry__proto__common__v1__instrumentation_scope__get_packed_size(&message)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = unsafe opentelemetry__proto__common__v1__instrumentation_scope__pack(&message, buffer.baseAddress)
        }
        arena.reset()
        return bytes
    }
}

// MARK: values as messages

extension Arena {
    /// The C messages of attributes, valid as long as the arena is not reset.
    mutating func messages(for keyValues: [KeyValue]) -> UnsafeMutablePointer<UnsafeMutablePointer<PBKeyValue>?> {
        let messages = unsafe room(for: keyValues.count, of: PBKeyValue.self)
        let pointers = unsafe room(for: keyValues.count, of: UnsafeMutablePointer<PBKeyValue>?.self)
        for (index, keyValue) in keyValues.enumerated() {
            // Sound: there is room for as many, here and below.
            unsafe opentelemetry__proto__common__v1__key_value__init(messages + index)
            unsafe messages[index].key = text(keyValue.key)
            unsafe messages[index].value = message(for: keyValue.value)
            unsafe (pointers + index).initialize(to: messages + index)
        }
        return unsafe pointers
    }

    private mutating func message(for value: AnyValue) -> UnsafeMutablePointer<PBAnyValue> {
        let message = unsafe room(for: 1, of: PBAnyValue.self)
        unsafe opentelemetry__proto__common__v1__any_value__init(message)
        switch value {
        case .empty: break
        case .string(let value):
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE
            unsafe message.pointee.string_value = text(value)
        case .bool(let value):
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE
            unsafe message.pointee.bool_value = value ? 1 : 0
        case .int(let value):
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE
            unsafe message.pointee.int_value = value
        case .double(let value):
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE
            unsafe message.pointee.double_value = value
        case .array(let values):
            let array = unsafe room(for: 1, of: PBArrayValue.self)
            unsafe opentelemetry__proto__common__v1__array_value__init(array)
            let pointers = unsafe room(for: values.count, of: UnsafeMutablePointer<PBAnyValue>?.self)
            for (index, value) in values.enumerated() { unsafe (pointers + index).initialize(to: self.message(for: value)) }
            unsafe array.pointee.n_values = values.count
            unsafe array.pointee.values = pointers
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE
            unsafe message.pointee.array_value = array
        case .keyValues(let values):
            let list = unsafe room(for: 1, of: PBKeyValueList.self)
            unsafe opentelemetry__proto__common__v1__key_value_list__init(list)
            unsafe list.pointee.n_values = values.count
            unsafe list.pointee.values = messages(for: values)
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_KVLIST_VALUE
            unsafe message.pointee.kvlist_value = list
        case .bytes(let bytes):
            let copy = unsafe copy(bytes)
            unsafe message.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BYTES_VALUE
            unsafe message.pointee.bytes_value = ProtobufCBinaryData(copy.baseAddress, copy.count)
        }
        return unsafe message
    }

    mutating func text(_ text: String) -> ProtobufCBinaryData {
        let copy = unsafe copy(Array(text.utf8))
        return unsafe ProtobufCBinaryData(copy.baseAddress, copy.count)
    }
}
