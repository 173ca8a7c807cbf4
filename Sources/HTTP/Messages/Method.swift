/// A request method (RFC 9110 §9). Methods are case-sensitive; what is none of these is `other` and passes as it is.
public enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, patch, connect, trace, other

    init(_ bytes: RawSpan) {
        self =
            switch bytes.byteCount {
            case 3: bytes.equals("GET") ? .get : bytes.equals("PUT") ? .put : .other
            case 4: bytes.equals("POST") ? .post : bytes.equals("HEAD") ? .head : .other
            case 5: bytes.equals("PATCH") ? .patch : bytes.equals("TRACE") ? .trace : .other
            case 6: bytes.equals("DELETE") ? .delete : .other
            case 7: bytes.equals("OPTIONS") ? .options : bytes.equals("CONNECT") ? .connect : .other
            default: .other
            }
    }

    /// The method as it is sent, and as `http.request.method` wants it; `_OTHER` where it is none of the known.
    public var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other: "_OTHER"
        }
    }
}
