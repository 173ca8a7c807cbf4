/// Why a message was refused. What a client sends wrong is answered with `status`; what an upstream sends wrong is a 502.
public enum HeadError: UInt8, Error, Sendable {
    case malformedStartLine, unsupportedVersion, malformedField, foldedField, bareLineEnd, badCharacter, tooManyFields, tooManyOptions, tooLarge
    case hostMissing, hostMalformed, hostConflict, malformedTarget
    case lengthAndTransferEncoding, malformedLength, differingLengths, unknownTransferCoding
    case switchedProtocol, tooManyInterimAnswers

    public var status: Int {
        switch self {
        case .tooManyFields, .tooManyOptions, .tooLarge: 431
        case .unsupportedVersion: 505
        case .unknownTransferCoding: 501
        default: 400
        }
    }

    /// The same as text.
    public var statusText: StaticString {
        switch status {
        case 431: "431"
        case 505: "505"
        case 501: "501"
        default: "400"
        }
    }

    /// What was wrong, in words a client's author can use.
    public var reason: StaticString {
        switch self {
        case .malformedStartLine: "the first line is not an HTTP/1.1 request line"
        case .unsupportedVersion: "only HTTP/1.1 and HTTP/1.0 are spoken here"
        case .malformedField: "a header line has no name, no colon, or white space before the colon"
        case .foldedField: "a header line continues the one before it (obs-fold)"
        case .bareLineEnd: "a line ends in a bare LF or holds a bare CR"
        case .badCharacter: "a header value holds a control character"
        case .tooManyFields: "the head has more than 100 fields"
        case .tooManyOptions: "Connection names more than 100 options"
        case .tooLarge: "the head is larger than 64 KiB"
        case .hostMissing: "the Host field is missing"
        case .hostMalformed: "the Host field is given twice or is no host"
        case .hostConflict: "the absolute request target and the Host field disagree"
        case .malformedTarget: "the request target is neither a path nor an absolute URL"
        case .lengthAndTransferEncoding: "both Content-Length and Transfer-Encoding are given"
        case .malformedLength: "Content-Length is not a number"
        case .differingLengths: "two Content-Length fields differ"
        case .unknownTransferCoding: "the only transfer coding taken is chunked, once and last"
        case .switchedProtocol: "the answer is in a protocol that nobody asked for"
        case .tooManyInterimAnswers: "more than 20 interim answers come before the one that counts"
        }
    }

    /// What its author can do about it: a sentence.
    public var advice: StaticString {
        switch self {
        case .tooLarge, .tooManyFields, .tooManyOptions: "Send fewer or shorter headers."
        case .unsupportedVersion: "Send HTTP/1.1."
        case .hostMissing, .hostMalformed, .hostConflict: "Send one Host field, with the name and port that are called."
        case .lengthAndTransferEncoding, .malformedLength, .differingLengths, .unknownTransferCoding:
            "Send one Content-Length, or Transfer-Encoding: chunked."
        case .malformedStartLine, .malformedField, .foldedField, .bareLineEnd, .badCharacter, .malformedTarget, .switchedProtocol, .tooManyInterimAnswers:
            "Mend the client, or the proxy on its way here: requests must be as RFC 9112 has them."
        }
    }
}
