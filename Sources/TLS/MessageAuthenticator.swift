internal import COpenSSL

/// HMAC-SHA256 (RFC 2104, FIPS 180-4) under one key: who has made a text, or bound one to another, knows it again.
///
///     let code = authenticator.code { $0.add(name); $0.add(id) }
///
/// Keeps what the key comes to, so that a code costs no more than its hashes. Not shared between threads.
@safe public final class MessageAuthenticator {
    // Sound: this object's alone, and freed in `deinit` only.
    private let context: OpaquePointer

    public static let codeLength = 32

    /// - Parameter key: secret and random, 16 bytes or more.
    public init(key: [UInt8]) {
        precondition(key.count >= 16)
        guard let context = unsafe hopspan_HMAC_SHA256_new(key, key.count) else { fatalError("OpenSSL has no HMAC-SHA256") }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MAC_CTX_free(context) }

    /// What is authenticated, part by part; each with its length before it, so that no two lists of parts are the same text.
    public struct Parts: ~Copyable {
        fileprivate let authenticator: MessageAuthenticator

        public func add(_ part: RawSpan) { authenticator.add(part) }
        public func add(_ part: StaticString) { unsafe add(UnsafeRawBufferPointer(start: part.utf8Start, count: part.utf8CodeUnitCount).bytes) }
    }

    public func code(_ write: (borrowing Parts) -> Void) -> [32 of UInt8] {
        // Without a key: the one it has.
        guard unsafe EVP_MAC_init(context, nil, 0, nil) == 1 else { fatalError("OpenSSL cannot begin a code") }
        write(Parts(authenticator: self))
        var code = [32 of UInt8](repeating: 0)
        var length = 0
        var span = code.mutableSpan
        // Sound: there is room for as many bytes as it is told.
        let isDone = unsafe span.withUnsafeMutableBufferPointer { unsafe EVP_MAC_final(context, $0.baseAddress, &length, $0.count) }
        guard isDone == 1, length == Self.codeLength else { fatalError("OpenSSL cannot end a code") }
        return code
    }

    private func add(_ part: RawSpan) {
        var length = UInt64(part.byteCount).bigEndian
        unsafe withUnsafeBytes(of: &length) { unsafe update($0) }
        unsafe part.withUnsafeBytes { unsafe update($0) }
    }

    private func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        guard unsafe EVP_MAC_update(context, start.assumingMemoryBound(to: UInt8.self), bytes.count) == 1 else { fatalError("OpenSSL cannot go on with a code") }
    }

    /// Whether two texts are the same, in a time that says nothing of where they differ.
    public static func areEqual(_ one: RawSpan, _ other: RawSpan) -> Bool {
        guard one.byteCount == other.byteCount else { return false }
        guard one.byteCount > 0 else { return true }
        // Sound: both have as many bytes.
        return unsafe one.withUnsafeBytes { one in unsafe other.withUnsafeBytes { unsafe CRYPTO_memcmp(one.baseAddress, $0.baseAddress, one.count) == 0 } }
    }
}
