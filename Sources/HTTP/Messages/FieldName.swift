/// The header fields this program acts on; every other one is `other` and passes through.
public enum FieldName: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case other
    // Framing and the connection (RFC 9110 §7.6.1, RFC 9112): never passed on as they are.
    case connection, keepAlive, proxyConnection, proxyAuthenticate, proxyAuthorization, te, trailer, transferEncoding, upgrade
    case contentLength, host, expect
    // Trace context (W3C).
    case traceparent, tracestate, baggage, traceresponse
    // Ours: `x-hopspan-…`.
    case hopspanRun, hopspanAgent, hopspanOther
    // Read on the way.
    case acceptEncoding, contentEncoding, contentType, authorization, apiKey, googAPIKey, azureAPIKey, origin

    /// Which it is; letter case does not matter. The name must have no control characters.
    init(_ name: RawSpan) {
        self = .other
        switch name.byteCount {
        case 2: if name.spells("te") { self = .te }
        case 4: if name.spells("host") { self = .host }
        case 6:
            if name.spells("origin") { self = .origin } else if name.spells("expect") { self = .expect }
        case 7:
            if name.spells("upgrade") { self = .upgrade } else if name.spells("trailer") { self = .trailer }
            else if name.spells("baggage") { self = .baggage } else if name.spells("api-key") { self = .azureAPIKey }
        case 9: if name.spells("x-api-key") { self = .apiKey }
        case 10:
            if name.spells("connection") { self = .connection } else if name.spells("tracestate") { self = .tracestate }
            else if name.spells("keep-alive") { self = .keepAlive }
        case 11: if name.spells("traceparent") { self = .traceparent }
        case 12: if name.spells("content-type") { self = .contentType }
        case 13:
            if name.spells("authorization") { self = .authorization } else if name.spells("traceresponse") { self = .traceresponse }
            else if name.spells("x-hopspan-run") { self = .hopspanRun }
        case 14: if name.spells("content-length") { self = .contentLength } else if name.spells("x-goog-api-key") { self = .googAPIKey }
        case 15:
            if name.spells("accept-encoding") { self = .acceptEncoding } else if name.spells("x-hopspan-agent") { self = .hopspanAgent }
        case 16:
            if name.spells("content-encoding") { self = .contentEncoding } else if name.spells("proxy-connection") { self = .proxyConnection }
        case 17: if name.spells("transfer-encoding") { self = .transferEncoding }
        case 18: if name.spells("proxy-authenticate") { self = .proxyAuthenticate }
        case 19: if name.spells("proxy-authorization") { self = .proxyAuthorization }
        default: break
        }
        if self == .other, name.byteCount >= 10, name.extracting(first: 10).spells("x-hopspan-") { self = .hopspanOther }
    }

    /// Fields that belong to one connection and are never passed on (RFC 9110 §7.6.1), and those that framing writes anew.
    @inlinable public var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te, .trailer, .transferEncoding, .upgrade: true
        default: false
        }
    }

    /// A bit for each name.
    @inlinable var bit: UInt64 { 1 &<< UInt64(rawValue) }
}

extension RawSpan {
    /// Whether these bytes, which must be as many, are that name in any case. `name` is in lower case, of letters and hyphens: with bit 5
    /// set, no bytes but those of the same letter, or a carriage return, become the same. The loads of a literal fold to constants.
    @inline(__always)
    fileprivate func spells(_ name: StaticString) -> Bool {
        // Sound: every load lies inside both texts, which are `count` long.
        let count = name.utf8CodeUnitCount
        assert(byteCount == count)
        let known = unsafe UnsafeRawPointer(name.utf8Start)
        if count >= 8 {
            var at = 0
            while at &+ 8 < count {
                guard unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self) | 0x2020_2020_2020_2020
                        == known.loadUnaligned(fromByteOffset: at, as: UInt64.self) else { return false }
                at &+= 8
            }
            return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self) | 0x2020_2020_2020_2020
                == known.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        }
        if count >= 4 {
            return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self) | 0x2020_2020
                == known.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
                && unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self) | 0x2020_2020
                    == known.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        }
        for at in 0..<count {
            guard unsafe unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self) | 0x20 == known.load(fromByteOffset: at, as: UInt8.self) else { return false }
        }
        return true
    }
}
