private import Glibc

/// Why a request came to no answer.
public enum HTTPClientError: Error, Equatable, Sendable {
    /// Not an absolute `http` or `https` URL.
    case malformedURL
    /// A header's name or value, the target or the method cannot be sent as HTTP.
    case malformedRequest
    case connect(ConnectFailure)
    /// The request's time was up.
    case timedOut
    /// The connection broke before the answer was there.
    case cut
    /// What came is no HTTP answer, or its body is not what its head says.
    case malformedAnswer
    /// The body exceeds the request's `bodyLimit`.
    case answerTooLarge
    /// The client was closed.
    case closed

    init(_ error: StreamError) {
        self =
            switch error {
            case .reset, .cut: .cut
            case .timedOut: .timedOut
            case .callerGone, .shutdown: .closed
            }
    }

    init(_ error: HTTPError) {
        self =
            switch error {
            case .stream(let error): Self(error)
            case .head, .chunk: .malformedAnswer
            case .bodyTooLarge: .answerTooLarge
            }
    }
}

extension HTTPClientError: CustomStringConvertible {
    /// Words for logs and the terminal; nothing of the request or the answer is in them.
    public var description: String {
        switch self {
        case .malformedURL: "not an http or https URL"
        case .malformedRequest: "the request cannot be sent as HTTP"
        case .connect(let failure): failure.words
        case .timedOut: "timed out"
        case .cut: "the connection broke before the answer was there"
        case .malformedAnswer: "the answer is malformed"
        case .answerTooLarge: "the answer is too large"
        case .closed: "the client was closed"
        }
    }
}

extension ConnectFailure {
    fileprivate var words: String {
        switch self {
        case .name(let reason): "the name has no address: \(reason)"
        case .refused(let code): "no connection: \(Self.words(code))"
        case .timedOut: "no connection: timed out"
        case .tls(let error): "no TLS: \(error)"
        case .proxy(.name(let reason)): "the proxy's name has no address: \(reason)"
        case .proxy(.refused(let code)): "no connection to the proxy: \(Self.words(code))"
        case .proxy(.status(let status)): "the proxy refused with \(status)"
        case .proxy(.malformedAnswer): "the proxy's answer is malformed"
        case .callerGone, .shutdown: "no connection"
        }
    }

    private static func words(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
