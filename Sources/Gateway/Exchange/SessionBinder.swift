import HTTP
import TLS

/// The session ids of MCP servers as callers get them: bound to the caller and the server (MCP 2025-11-25, Security Best Practices,
/// Session Hijacking).
///
///     {code}.{the server's own id}
///
/// The code is an HMAC over the server's name, the caller's scope and the id, in base64 for URLs (RFC 4648 §5). Nothing is kept of a
/// session, so that any loop, and after a restart any process with the same store, knows it again. One per loop.
final class SessionBinder {
    private let authenticator: MessageAuthenticator

    /// An id of the server's that is longer is none.
    static let idLimit = 1024
    private static let codeLength = 43
    /// Where the server's own id begins in one that is bound.
    static let idStart = codeLength + 1

    /// - Parameter salt: the store's own; what is used here has nothing to do with what else it is used for.
    init(salt: (UInt64, UInt64)) {
        let key = MessageAuthenticator(key: [salt.0, salt.1].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } })
            .code { $0.add("hopspan: session ids of MCP servers") }
        authenticator = MessageAuthenticator(key: key.indices.map { key[$0] })
    }

    /// Appends the id that the caller gets.
    /// - Returns: false where the server's is none: 1 to 1024 visible ASCII characters (MCP 2025-11-25, Session Management).
    func bind(_ id: RawSpan, server: RawSpan, caller: RawSpan, into output: OutputBuffer) -> Bool {
        guard Self.isID(id) else { return false }
        append(code(id, server, caller), to: output)
        output.append(byte: UInt8(ascii: "."))
        output.append(id)
        return true
    }

    /// The server's own id in one that a caller sends; nil where it is not this caller's, or not this server's.
    @_lifetime(copy bound)
    func open(_ bound: RawSpan, server: RawSpan, caller: RawSpan, scratch: OutputBuffer) -> RawSpan? {
        guard bound.byteCount > Self.idStart, bound[byte: Self.codeLength] == UInt8(ascii: ".") else { return nil }
        let id = bound.extracting(Self.idStart..<bound.byteCount)
        guard Self.isID(id) else { return nil }
        scratch.removeAll()
        append(code(id, server, caller), to: scratch)
        return MessageAuthenticator.areEqual(scratch.bytes, bound.extracting(0..<Self.codeLength)) ? id : nil
    }

    private func code(_ id: RawSpan, _ server: RawSpan, _ caller: RawSpan) -> [32 of UInt8] {
        authenticator.code { parts in
            parts.add(server)
            parts.add(caller)
            parts.add(id)
        }
    }

    private static func isID(_ id: RawSpan) -> Bool {
        guard 1...idLimit ~= id.byteCount else { return false }
        for offset in 0..<id.byteCount where id[byte: offset] <= 0x20 || id[byte: offset] >= 0x7F { return false }
        return true
    }

    private func append(_ code: [32 of UInt8], to output: OutputBuffer) {
        let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for start in stride(from: 0, to: 32, by: 3) {
            let count = min(3, 32 - start)
            var bits: UInt32 = 0
            for place in 0..<3 { bits = bits << 8 | (place < count ? UInt32(code[start + place]) : 0) }
            for place in 0...count { output.append(byte: digits.bytes[byte: Int(bits >> UInt32(18 - 6 * place) & 63)]) }
        }
    }
}
