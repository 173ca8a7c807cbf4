/// The protobuf wire format, as far as messages are framed without decoding them (protobuf.dev, "Encoding").
enum WireFormat {
    /// Bytes of a field's head, tag and length, for the field numbers of OTLP; at most.
    static let headSizeLimit = 7
}
