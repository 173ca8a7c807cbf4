internal import COTLP

/// What a collector answers to a batch that it took, wholly or in part (OTLP 1.11, "Partial Success").
public struct ExportResponse: Sendable, Hashable {
    /// Spans it refused for good; they are not to be sent again.
    public var rejectedSpans: Int64 = 0
    /// Why, or, with nothing rejected, a warning.
    public var errorMessage = ""

    public init() {}

    /// Reads an `ExportTraceServiceResponse`; no bytes at all are full success.
    public init(decoding message: RawSpan) throws(OTLPError) {
        self.init()
        guard let parts = Self.parts(of: message) else { throw .malformed }
        (rejectedSpans, errorMessage) = parts
    }

    private static func parts(of message: RawSpan) -> (Int64, String)? {
        // Sound: the message is freed by the allocator that made it (nil: malloc), after the text was copied. The type does not
        // nest, so that no bytes make the decoder deep.
        unsafe message.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard
                let response = unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_response__unpack(
                    nil, bytes.count, start)
            else { return nil }
            defer { unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_response__free_unpacked(response, nil) }
            guard let partial = unsafe response.pointee.partial_success else { return (0, "") }
            return unsafe (partial.pointee.rejected_spans, String(mending: partial.pointee.error_message))
        }
    }
}

/// What a collector says when it refuses a batch (google.rpc.Status). For the log: what to do follows from the HTTP status.
public struct RPCStatus: Sendable, Hashable {
    public var code: Int32 = 0
    public var message = ""
    /// From `RetryInfo`, where there is one and it asks for a wait at all.
    public var retryDelay: Duration?

    /// Reads the body of a 4xx or 5xx answer of type `application/x-protobuf`; nil for what is none: proxies answer in HTML.
    public init?(decoding body: RawSpan) {
        // Sound: as in `ExportResponse`.
        let status: (Int32, String, Duration?)? = unsafe body.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let status = unsafe google__rpc__status__unpack(nil, bytes.count, start) else { return nil }
            defer { unsafe google__rpc__status__free_unpacked(status, nil) }
            var delay: Duration?
            for index in 0..<(unsafe status.pointee.n_details) {
                guard let detail = unsafe status.pointee.details[index] else { continue }
                if unsafe String(mending: detail.pointee.type_url) == "type.googleapis.com/google.rpc.RetryInfo" {
                    delay = unsafe Self.delay(in: detail.pointee.value)
                }
            }
            return unsafe (status.pointee.code, String(mending: status.pointee.message), delay)
        }
        guard let status else { return nil }
        (code, message, retryDelay) = status
    }

    private static func delay(in retryInfo: ProtobufCBinaryData) -> Duration? {
        guard let info = unsafe google__rpc__retry_info__unpack(nil, retryInfo.len, retryInfo.data) else { return nil }
        defer { unsafe google__rpc__retry_info__free_unpacked(info, nil) }
        guard let delay = unsafe info.pointee.retry_delay else { return nil }
        // google.protobuf.Duration: at most 10,000 years, and nanoseconds below a second.
        guard unsafe 0...315_576_000_000 ~= delay.pointee.seconds, unsafe 0...999_999_999 ~= delay.pointee.nanos else { return nil }
        let duration = unsafe Duration.seconds(delay.pointee.seconds) + .nanoseconds(Int64(delay.pointee.nanos))
        return duration == .zero ? nil : duration
    }
}

extension String {
    fileprivate init(mending binary: ProtobufCBinaryData) {
        // Sound: copied at once.
        self = unsafe String(decoding: UnsafeBufferPointer(start: binary.data, count: binary.len), as: UTF8.self)
    }
}
