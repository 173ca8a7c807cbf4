internal import HTTP
internal import JSON
public import JSONRPC

/// OAuth 2.0 Protected Resource Metadata (RFC 9728) of a server, as it is behind a gateway: of the gateway's own URL.
public enum ProtectedResource {
    /// Where the metadata of a resource is found, before the resource's own path (RFC 9728 §3.1).
    public static let wellKnown: StaticString = "/.well-known/oauth-protected-resource"

    /// Metadata that names the resource and nothing else: there is nobody to get a token from.
    public static func own(_ resource: RawSpan) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("resource")
        json.string(utf8: resource)
        json.endObject()
        return json.bytes
    }

    /// The change that makes a server's metadata the gateway's: `resource` is another, and `signed_metadata`, which would say the old one
    /// (§2.2), is left out. All other members stay as they are.
    /// - Returns: nil where it is no JSON object.
    public static func edit(_ text: RawSpan, resource: RawSpan) -> MessageEdit? {
        var json = JSONWriter()
        json.beginObject()
        json.key("resource")
        json.string(utf8: resource)
        do throws(JSONError) {
            var reader = JSONReader(text)
            guard try reader.enterObject() else { return nil }
            while let key = try reader.nextMember() {
                let value = try reader.rawValue()
                if key.is("resource") || key.is("signed_metadata") { continue }
                json.raw(text.extracting(key.start - 1..<value.upperBound))
            }
            try reader.finish()
        } catch { return nil }
        json.endObject()
        return MessageEdit(range: 0..<text.byteCount, bytes: json.bytes)
    }

    /// Gives the value of a `WWW-Authenticate` field with `url` in place of where it says the metadata is (§5.1); everything else of it
    /// (scheme, `error`, `scope`, other challenges) as it is.
    ///
    ///     Bearer error="invalid_token", resource_metadata="https://…", scope="files:read"
    ///
    /// - Parameter emit: called with one piece after the other.
    public static func rewrite(challenge value: RawSpan, metadata url: RawSpan, _ emit: (RawSpan) -> Void) {
        let name: StaticString = "resource_metadata"
        var done = 0
        var at = 0
        while at < value.byteCount {
            let start = at
            // A quoted string, else a token, else one byte of what is between them (RFC 9110 §5.6).
            if value[byte: at] == UInt8(ascii: "\"") {
                at = value.endOfQuoted(at)
                continue
            }
            while at < value.byteCount, value.isTokenByte(at) { at += 1 }
            guard at > start else {
                at += 1
                continue
            }
            guard value.extracting(start..<at).equalsIgnoringCase(name.bytes) else { continue }
            var next = value.skippingBlanks(at)
            guard next < value.byteCount, value[byte: next] == UInt8(ascii: "=") else { continue }
            next = value.skippingBlanks(next + 1)
            emit(value.extracting(done..<next))
            emit(("\"" as StaticString).bytes)
            emit(url)
            emit(("\"" as StaticString).bytes)
            if next < value.byteCount, value[byte: next] == UInt8(ascii: "\"") {
                at = value.endOfQuoted(next)
            } else {
                at = next
                while at < value.byteCount, value[byte: at] != UInt8(ascii: ","), value[byte: at] != 0x20, value[byte: at] != 0x09 { at += 1 }
            }
            done = at
        }
        emit(value.extracting(done..<value.byteCount))
    }
}

extension RawSpan {
    fileprivate func isTokenByte(_ at: Int) -> Bool {
        switch self[byte: at] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"): true
        default: false
        }
    }

    /// Behind the quoted string that begins at `at` (RFC 9110 §5.6.4); the end where it has none.
    fileprivate func endOfQuoted(_ at: Int) -> Int {
        var at = at + 1
        while at < byteCount {
            switch self[byte: at] {
            case UInt8(ascii: "\\"): at += 2
            case UInt8(ascii: "\""): return at + 1
            default: at += 1
            }
        }
        return byteCount
    }

    fileprivate func skippingBlanks(_ at: Int) -> Int {
        var at = at
        while at < byteCount, self[byte: at] == 0x20 || self[byte: at] == 0x09 { at += 1 }
        return at
    }
}
