/// Why bytes are no OTLP message. Says nothing of what they hold.
public enum OTLPError: Error, Sendable, Hashable {
    /// The message ends in the middle of a field.
    case truncated
    /// No protobuf: a tag, a length or an id that cannot be.
    case malformed
    /// Values within values beyond the limit (`AnyValue.depthLimit`).
    case tooDeep
}
