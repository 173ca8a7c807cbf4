/// A content coding that can be undone here (RFC 9110 §8.4.1.2 and §8.4.1.3).
public enum ContentCoding: UInt8, Sendable {
    /// RFC 1952; `x-gzip` is the same.
    case gzip
    /// RFC 1950, the zlib format; servers also send bare RFC 1951 under this name.
    case deflate
}

/// What a message's `Content-Encoding` says about its body (RFC 9110 §8.4).
public enum ContentEncoding: Sendable, Equatable {
    case identity
    case coded(ContentCoding)
    /// A coding that is not known here, or several on top of each other: the body passes, and cannot be read on its way.
    case unreadable

    /// Takes one more field line, in the order they came. A message without the field is `identity`.
    public mutating func add(_ fieldValue: RawSpan) {
        CodingList.forEach(in: fieldValue) { name, _ in
            switch name {
            case .identity: break  // "SHOULD NOT be included", and says nothing where it is
            case .gzip: self = self == .identity ? .coded(.gzip) : .unreadable
            case .deflate: self = self == .identity ? .coded(.deflate) : .unreadable
            case .any, .other: self = .unreadable
            }
        }
    }
}

/// Why a coded body could not be read, or a body not be coded.
public enum ContentCodingError: Error, Sendable, Equatable {
    /// Not the format its coding names, or its check sum is wrong.
    case malformed
    /// It ends before its last member does.
    case truncated
    /// It holds more than the limit, or grows by more than the ratio: a decompression bomb.
    case tooLarge
    /// zlib could not allocate its state.
    case outOfMemory
}

extension ContentCodingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "the coded body is malformed"
        case .truncated: "the coded body ends too early"
        case .tooLarge: "the coded body decodes to more than is allowed"
        case .outOfMemory: "no memory for the content coding"
        }
    }
}
