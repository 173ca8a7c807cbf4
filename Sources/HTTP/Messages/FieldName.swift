/// The header fields this program acts on; every other one is `other` and passes through.
public enum FieldName: UInt8, Sendable, BitwiseCopyable {
    case other
    // Framing and the connection (RFC 9110 §7.6.1, RFC 9112): never passed on as they are.
    case connection, keepAlive, proxyConnection, proxyAuthenticate, proxyAuthorization, te, trailer, transferEncoding, upgrade
    case contentLength, host, expect
    // Trace context (W3C).
    case traceparent, tracestate, baggage, traceresponse
    // Ours: `x-hopspan-…`.
    case hopspanRun, hopspanAgent, hopspanOther
    // Read on the way.
    case acceptEncoding, contentEncoding, contentType, authorization, apiKey, googAPIKey, origin, retryAfter, date, location
    case accept, cookie, azureAPIKey, anthropicRequestID, requestID, userAgent, geminiServiceTier

    /// Which it is; letter case does not matter.
    init(_ name: RawSpan) {
        self = .other
        switch name.byteCount {
        case 2: if name.equalsIgnoringCase("te") { self = .te }
        case 4:
            if name.equalsIgnoringCase("host") { self = .host } else if name.equalsIgnoringCase("date") { self = .date }
        case 6:
            if name.equalsIgnoringCase("accept") { self = .accept } else if name.equalsIgnoringCase("expect") { self = .expect }
            else if name.equalsIgnoringCase("origin") { self = .origin } else if name.equalsIgnoringCase("cookie") { self = .cookie }
        case 7:
            if name.equalsIgnoringCase("upgrade") { self = .upgrade } else if name.equalsIgnoringCase("trailer") { self = .trailer }
            else if name.equalsIgnoringCase("baggage") { self = .baggage } else if name.equalsIgnoringCase("api-key") { self = .azureAPIKey }
        case 8: if name.equalsIgnoringCase("location") { self = .location }
        case 9: if name.equalsIgnoringCase("x-api-key") { self = .apiKey }
        case 10:
            switch name[byte: 0] | 0x20 {
            case UInt8(ascii: "c"): if name.equalsIgnoringCase("connection") { self = .connection }
            case UInt8(ascii: "k"): if name.equalsIgnoringCase("keep-alive") { self = .keepAlive }
            case UInt8(ascii: "t"): if name.equalsIgnoringCase("tracestate") { self = .tracestate }
            case UInt8(ascii: "u"): if name.equalsIgnoringCase("user-agent") { self = .userAgent }
            case UInt8(ascii: "r"): if name.equalsIgnoringCase("request-id") { self = .anthropicRequestID }
            default: break
            }
        case 11:
            if name.equalsIgnoringCase("traceparent") { self = .traceparent } else if name.equalsIgnoringCase("retry-after") { self = .retryAfter }
        case 12:
            if name.equalsIgnoringCase("content-type") { self = .contentType } else if name.equalsIgnoringCase("x-request-id") { self = .requestID }
        case 13:
            switch name[byte: 0] | 0x20 {
            case UInt8(ascii: "a"): if name.equalsIgnoringCase("authorization") { self = .authorization }
            case UInt8(ascii: "t"): if name.equalsIgnoringCase("traceresponse") { self = .traceresponse }
            default: break
            }
        case 14: if name.equalsIgnoringCase("content-length") { self = .contentLength } else if name.equalsIgnoringCase("x-goog-api-key") { self = .googAPIKey }
        case 15: if name.equalsIgnoringCase("accept-encoding") { self = .acceptEncoding }
        case 16:
            if name.equalsIgnoringCase("content-encoding") { self = .contentEncoding }
            else if name.equalsIgnoringCase("proxy-connection") { self = .proxyConnection }
        case 17: if name.equalsIgnoringCase("transfer-encoding") { self = .transferEncoding }
        case 18: if name.equalsIgnoringCase("proxy-authenticate") { self = .proxyAuthenticate }
        case 19: if name.equalsIgnoringCase("proxy-authorization") { self = .proxyAuthorization }
        case 21: if name.equalsIgnoringCase("x-gemini-service-tier") { self = .geminiServiceTier }
        default: break
        }
        if self == .other, name.byteCount > 10, name[byte: 0] | 0x20 == UInt8(ascii: "x"), name.extracting(first: 10).equalsIgnoringCase("x-hopspan-") {
            let rest = name.extracting(10..<name.byteCount)
            self = rest.equalsIgnoringCase("run") ? .hopspanRun : rest.equalsIgnoringCase("agent") ? .hopspanAgent : .hopspanOther
        }
    }

    /// Fields that belong to one connection and are never passed on (RFC 9110 §7.6.1), and those that framing writes anew.
    public var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te, .trailer, .transferEncoding, .upgrade: true
        default: false
        }
    }
}
