// The generated C messages by their names in the protocol. This room is the only one that sees them.
internal import COTLP

typealias PBAnyValue = Opentelemetry__Proto__Common__V1__AnyValue
typealias PBArrayValue = Opentelemetry__Proto__Common__V1__ArrayValue
typealias PBKeyValue = Opentelemetry__Proto__Common__V1__KeyValue
typealias PBKeyValueList = Opentelemetry__Proto__Common__V1__KeyValueList
typealias PBTextSpan = Hopspan__TextSpan
typealias PBTextAttribute = Hopspan__TextAttribute
typealias PBTextValue = Hopspan__TextValue
typealias PBBoolSpan = Hopspan__BoolSpan
typealias PBBoolAttribute = Hopspan__BoolAttribute
typealias PBBoolValue = Hopspan__BoolValue
typealias PBIntSpan = Hopspan__IntSpan
typealias PBIntAttribute = Hopspan__IntAttribute
typealias PBIntValue = Hopspan__IntValue
typealias PBDoubleSpan = Hopspan__DoubleSpan
typealias PBDoubleAttribute = Hopspan__DoubleAttribute
typealias PBDoubleValue = Hopspan__DoubleValue
typealias PBTextsSpan = Hopspan__TextsSpan
typealias PBTextsAttribute = Hopspan__TextsAttribute
typealias PBTextsValue = Hopspan__TextsValue
typealias PBTextArray = Hopspan__TextArray
typealias PBInstrumentationScope = Opentelemetry__Proto__Common__V1__InstrumentationScope
typealias PBResource = Opentelemetry__Proto__Resource__V1__Resource
typealias PBSpan = Opentelemetry__Proto__Trace__V1__Span
typealias PBLink = Opentelemetry__Proto__Trace__V1__Span__Link
typealias PBSpanKind = Opentelemetry__Proto__Trace__V1__Span__SpanKind
typealias PBStatus = Opentelemetry__Proto__Trace__V1__Status
typealias PBExportTraceServiceResponse = Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse
typealias PBRPCStatus = Google__Rpc__Status
typealias PBRetryInfo = Google__Rpc__RetryInfo

extension ProtobufCBinaryData {
    /// Points at bytes that must stay where they are as long as the message is used. libprotobuf-c only reads what it packs,
    /// though the type of `data` does not say so.
    init(_ start: UnsafeRawPointer?, _ length: Int) {
        unsafe self.init(len: length, data: UnsafeMutablePointer(mutating: start?.assumingMemoryBound(to: UInt8.self)))
    }

    init(_ text: StaticString) {
        unsafe self.init(UnsafeRawPointer(text.utf8Start), text.utf8CodeUnitCount)  // sound: a static string lives for ever
    }
}
