private import COpenSSL
private import Glibc

/// TLS over one connected, non-blocking socket, either side of it.
///
/// It waits for nothing: each call does what the socket lets it do and says what to wait for. It belongs to one loop; no two threads
/// may call it at a time. It neither owns nor closes the descriptor: make no call after closing that; the object may go before or
/// after. After `init` only errors allocate in Swift; OpenSSL 3.0 allocates twice for a record read and four times for one written,
/// and gives it all back, its 17 KiB buffers included.
///
/// A write to a socket whose peer is gone raises SIGPIPE, because OpenSSL calls write(2): **the program must ignore SIGPIPE**.
@safe public final class TLSConnection {
    public enum Handshake: Sendable, Equatable {
        case done, wantRead, wantWrite
    }

    public enum Transfer: Sendable, Equatable {
        /// So many bytes were read or written, at least one; none only where none were asked for.
        case bytes(Int)
        /// Nothing could be done before the socket is readable, in a write as well (TLS 1.3 key update).
        case wantRead
        /// Nothing could be done before the socket is writable, in a read as well.
        case wantWrite
        /// The peer said that it has sent everything (`close_notify`); it may still read.
        case closed
        /// The socket ended without the peer saying so: what came may be all, or may have been cut by somebody on the way
        /// (RFC 8446 §6.1). A message that carries its length is complete when it is complete; one that ends with the connection is not.
        case truncated
    }

    /// Why no further call is made. Kept, because OpenSSL's own answer after an error is another one.
    private enum End {
        case closed, truncated
        case failed(TLSError)
    }

    private let context: TLSContext
    // Sound: owned, freed in `deinit`. Its application data points back here, unretained, and is read in callbacks during our calls only.
    private let handle: OpaquePointer
    /// The key of the session cache; nil in a server.
    private let server: String?
    private var isEstablished = false
    private var end: End?

    /// A client's end.
    /// - Parameters:
    ///   - serverName: a host name (in A-labels), sent as SNI and looked for in the certificate's `subjectAltName` (its common name does
    ///     not count, RFC 9525 §6.3), or an IPv4 or IPv6 address, with or without brackets, which is looked for and not sent.
    ///   - port: tells sessions of one host's servers apart.
    public init(_ context: TLSContext, fileDescriptor: Int32, serverName: String, port: UInt16) throws(TLSError) {
        precondition(context.role == .client)
        let name = Self.bare(serverName)
        self.context = context
        server = "\(name):\(port)"
        unsafe handle = try Self.make(context, fileDescriptor)
        try expect(name)
        unsafe context.sessions.resume(handle, with: "\(name):\(port)")
        unsafe SSL_set_ex_data(handle, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_set_connect_state(handle)
    }

    /// A server's end of an accepted connection.
    public init(_ context: TLSContext, fileDescriptor: Int32) throws(TLSError) {
        precondition(context.role == .server)
        self.context = context
        server = nil
        unsafe handle = try Self.make(context, fileDescriptor)
        unsafe SSL_set_accept_state(handle)
    }

    deinit { unsafe SSL_free(handle) }

    // MARK: the calls

    /// Goes on with the handshake. Once `done`, a TLS 1.3 client may still hear in its first `read` that its certificate was refused.
    public func handshake() throws(TLSError) -> Handshake {
        if isEstablished { return .done }
        if case .failed(let error) = end { throw error }
        ErrorQueue.clear()
        // Sound: `handle` is ours and alive, as in every call below.
        let result = unsafe SSL_do_handshake(handle)
        if result == 1 {
            isEstablished = true
            return .done
        }
        switch outcome(of: result) {
        case .wantRead: return .wantRead
        case .wantWrite: return .wantWrite
        case .ended(let how):
            let error: TLSError =
                switch how {
                case .failed(let error): error
                case .closed, .truncated: .connectionLost(reason: "the peer closed the connection during the handshake")
                }
            end = .failed(error)
            if let server { context.sessions.forget(server) }
            throw error
        }
    }

    /// Reads what is there into `buffer`, until it is full or no whole record is left in OpenSSL's own buffer. Done with the handshake.
    ///
    /// With edge-triggered readiness read on until `wantRead`, or remember that there may be more: `hasBufferedInput` is what no
    /// readiness event will tell of.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> Transfer {
        if let end { return try result(end) }
        var total = 0
        while total < buffer.count {
            ErrorQueue.clear()
            var count = 0
            // Sound: writes at most the bytes that are left in `buffer`.
            let result = unsafe SSL_read_ex(handle, buffer.baseAddress?.advanced(by: total), buffer.count - total, &count)
            guard result == 1 else { return try transfer(outcome(of: result), after: total) }
            total += count
            guard unsafe SSL_has_pending(handle) == 1 else { break }
        }
        return .bytes(total)
    }

    /// Encrypts and writes as much of `bytes` as the socket takes. After `wantRead` or `wantWrite`, and after fewer bytes than were
    /// given, the next write must begin with those that were not taken and be no shorter; they may have moved, and more may follow.
    public func write(_ bytes: RawSpan) throws(TLSError) -> Transfer {
        switch end {
        case .failed(let error): throw error
        case .truncated: throw .connectionLost(reason: "the peer has closed the connection")
        case .closed, nil: break
        }
        return unsafe try bytes.withUnsafeBytes { (bytes) throws(TLSError) -> Transfer in
            var total = 0
            while total < bytes.count {
                ErrorQueue.clear()
                var count = 0
                // Sound: reads at most the bytes that are left, now; OpenSSL remembers the address and never reads there again
                // (ACCEPT_MOVING_WRITE_BUFFER). One call takes one record of at most 16 KiB (ENABLE_PARTIAL_WRITE).
                let result = unsafe SSL_write_ex(handle, bytes.baseAddress?.advanced(by: total), bytes.count - total, &count)
                guard result == 1 else { return try transfer(outcome(of: result), after: total) }
                total += count
            }
            return .bytes(total)
        }
    }

    /// Tells the peer that everything was sent (`close_notify`), and does not wait for the peer to say the same. `done` also where
    /// there is nothing more to tell, or nobody to tell it to. Reading may go on.
    public func shutdown() -> Handshake {
        guard isEstablished else { return .done }
        if case .failed = end { return .done }
        if case .truncated = end { return .done }
        ErrorQueue.clear()
        let result = unsafe SSL_shutdown(handle)
        // 0: sent, the peer's has not come. 1: both have been exchanged.
        guard result < 0 else { return .done }
        switch outcome(of: result) {
        case .wantRead: return .wantRead
        case .wantWrite: return .wantWrite
        case .ended: return .done
        }
    }

    /// Whether bytes that have left the socket wait here, or an end that was met behind them.
    public var hasBufferedInput: Bool { unsafe end != nil || SSL_has_pending(handle) == 1 }

    /// Whether the peer has ended its side, in order or not, and left nothing to read. Looks and takes nothing away.
    public func peerHasEnded() -> Bool {
        guard isEstablished, end == nil else { return end != nil }
        ErrorQueue.clear()
        var byte: UInt8 = 0
        var count = 0
        // Sound: writes at most the one byte.
        let result = unsafe SSL_peek_ex(handle, &byte, 1, &count)
        guard result != 1, case .ended(let how) = outcome(of: result) else { return false }
        end = how
        return true
    }

    /// Whether the socket ended without `close_notify`: what `read` then says is `truncated`.
    public var isTruncated: Bool {
        if case .truncated = end { true } else { false }
    }

    /// What broke it for good, if anything has.
    public var failure: TLSError? {
        if case .failed(let error) = end { error } else { nil }
    }

    // MARK: what was agreed on; after the handshake

    /// The protocol both sides chose (RFC 7301), nil where they did not speak of it.
    public var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        // Sound: points into the connection's own memory, copied before the next call.
        unsafe SSL_get0_alpn_selected(handle, &name, &count)
        guard let name = unsafe name, count > 0 else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    public var version: TLSVersion? { TLSVersion(rawValue: UInt16(truncatingIfNeeded: unsafe SSL_version(handle))) }

    /// The cipher suite's name as in the RFCs, e.g. `TLS_AES_256_GCM_SHA384`.
    public var cipherSuite: String? {
        guard let cipher = unsafe SSL_get_current_cipher(handle), let name = unsafe SSL_CIPHER_standard_name(cipher) else { return nil }
        return unsafe String(cString: name)
    }

    /// Whether the handshake was the short one of a session known before.
    public var isResumed: Bool { unsafe SSL_session_reused(handle) == 1 }

    /// The name that the client asked for (SNI, RFC 6066 §3), which is the client's claim and nothing more.
    public var requestedServerName: String? {
        guard let name = unsafe SSL_get_servername(handle, TLSEXT_NAMETYPE_host_name) else { return nil }
        return unsafe String(cString: name)
    }

    /// The peer's certificate: always there in a client, in a server where the context asks for it. Reads it anew in each call.
    public var peerCertificate: TLSCertificate? {
        // Sound: `get1` gives a reference of our own, which the initialiser only reads.
        guard let certificate = unsafe SSL_get1_peer_certificate(handle) else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe TLSCertificate(certificate)
    }

    // MARK: the machinery

    private static func make(_ context: TLSContext, _ fileDescriptor: Int32) throws(TLSError) -> OpaquePointer {
        ErrorQueue.clear()
        // Sound: a new object that holds a reference to the context's handle.
        guard let handle = unsafe SSL_new(context.handle) else { throw ErrorQueue.unavailable() }
        guard unsafe SSL_set_fd(handle, fileDescriptor) == 1 else {
            unsafe SSL_free(handle)
            throw ErrorQueue.unavailable()
        }
        return unsafe handle
    }

    /// Without an IPv6 literal's brackets and zone, and without a host name's final dot, none of which certificates have.
    private static func bare(_ serverName: String) -> String {
        var name = Substring(serverName)
        if name.first == "[", name.last == "]" { name = name.dropFirst().dropLast() }
        if let zone = name.firstIndex(of: "%") { name = name[..<zone] }
        if name.last == ".", name.count > 1 { name = name.dropLast() }
        return String(name)
    }

    private func expect(_ name: String) throws(TLSError) {
        // An empty name would mean no check at all, and C would see a name end at a zero byte.
        guard !name.isEmpty, !name.utf8.contains(0) else { throw .hostnameMismatch(reason: "this is no host name") }
        let parameters = unsafe SSL_get0_param(handle)
        // Sound: OpenSSL copies what it is given. An address is what inet_pton says is one.
        var address = in6_addr()
        if unsafe inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1 {
            guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 else { throw ErrorQueue.unavailable() }
            return
        }
        unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        guard unsafe X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1, unsafe hopspan_SSL_set_tlsext_host_name(handle, name) == 1 else {
            ErrorQueue.clear()
            throw .hostnameMismatch(reason: "this is no host name")  // longer than SNI can carry
        }
    }

    /// The connection whose callback runs.
    static func of(_ ssl: OpaquePointer) -> TLSConnection? {
        guard let this = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSConnection>.fromOpaque(this).takeUnretainedValue()
    }

    func remember(_ session: OpaquePointer) {
        if let server { unsafe context.sessions.store(session, for: server) }
    }

    private enum Outcome {
        case wantRead, wantWrite
        case ended(End)
    }

    /// What a call that did not succeed means. Called at once after it, on its thread.
    private func outcome(of result: Int32) -> Outcome {
        let code = errno
        switch unsafe SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ: return .wantRead
        case SSL_ERROR_WANT_WRITE: return .wantWrite
        case SSL_ERROR_ZERO_RETURN: return .ended(.closed)
        case SSL_ERROR_SYSCALL:
            return .ended(code == 0 ? .truncated : .failed(.connectionLost(reason: unsafe String(cString: strerror(code)))))
        case SSL_ERROR_SSL:
            guard let entry = ErrorQueue.take() else { return .ended(.failed(.protocolError(reason: "no reason given"))) }
            if entry.library == ERR_LIB_SSL, entry.code == SSL_R_UNEXPECTED_EOF_WHILE_READING { return .ended(.truncated) }
            if entry.library == ERR_LIB_SSL, entry.code == SSL_R_CERTIFICATE_VERIFY_FAILED {
                return .ended(.failed(TLSError(verifyResult: unsafe SSL_get_verify_result(handle))))
            }
            return .ended(.failed(TLSError(entry)))
        case let other: return .ended(.failed(.protocolError(reason: "SSL_get_error \(other)")))
        }
    }

    /// Bytes that were moved before are told first; an end is kept for the next call.
    private func transfer(_ outcome: Outcome, after total: Int) throws(TLSError) -> Transfer {
        if case .ended(let how) = outcome { end = how }
        if total > 0 { return .bytes(total) }
        switch outcome {
        case .wantRead: return .wantRead
        case .wantWrite: return .wantWrite
        case .ended(let how): return try result(how)
        }
    }

    private func result(_ end: End) throws(TLSError) -> Transfer {
        switch end {
        case .closed: return .closed
        case .truncated: return .truncated
        case .failed(let error): throw error
        }
    }
}
