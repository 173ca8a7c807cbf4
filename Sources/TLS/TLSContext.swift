private import COpenSSL
private import Glibc

/// Protocol versions, with their numbers on the wire.
public enum TLSVersion: UInt16, Sendable, Comparable {
    case tls12 = 0x0303
    case tls13 = 0x0304

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}

/// A certificate with its key, both PEM files; the certificate's file holds the chain to its authority as well, the leaf first.
public struct TLSIdentity: Sendable, Equatable {
    public var certificateFile: String
    public var keyFile: String

    public init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// Whom a client believes.
public enum TLSTrust: Sendable, Hashable {
    /// The system's store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as OpenSSL reads them.
    case system
    /// The certificates in this PEM file and no other; a server's own certificate will do.
    case file(String)
}

/// What connections of one kind share: versions, trust, certificate, and for clients the sessions they can resume.
///
/// Creating one reads files, for the system's store 25 ms and 1.4 MB of memory: do it at start or reload, never on a loop, and share
/// it between all loops. It does not change afterwards; what OpenSSL changes in it (reference counts, tickets) it locks itself.
@safe public final class TLSContext: @unchecked Sendable {
    enum Role { case client, server }

    let role: Role
    /// Sound: owned, freed in `deinit`; an `SSL` holds a reference of its own to it.
    let handle: OpaquePointer
    let sessions = SessionCache()
    /// RFC 7301 §3.1: each name after its length. Outlives `handle`, whose ALPN callback points into it.
    private let protocols: UnsafeMutableBufferPointer<UInt8>

    /// For connections to servers, whose certificate and name are always checked.
    /// - Parameters:
    ///   - alpn: the protocols to offer, preferred first (RFC 7301); empty: no offer.
    ///   - identity: for servers that ask for a client certificate.
    public static func client(
        trust: TLSTrust = .system, alpn: [String] = ["http/1.1"], identity: TLSIdentity? = nil, versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    ) throws(TLSError) -> TLSContext {
        let context = try TLSContext(.client, alpn, versions)
        try context.trust(trust)
        if let identity { try context.use(identity) }
        return context
    }

    /// For connections that a listener accepts.
    /// - Parameters:
    ///   - clientAuthority: a PEM file; clients must then show a certificate from one of these authorities.
    ///   - alpn: the protocols to choose from, preferred first. A client that offers only others is refused (RFC 7301 §3.2); one that
    ///     offers none is served.
    public static func server(
        _ identity: TLSIdentity, clientAuthority: String? = nil, alpn: [String] = ["http/1.1"], versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    ) throws(TLSError) -> TLSContext {
        let context = try TLSContext(.server, alpn, versions)
        try context.use(identity)
        if let clientAuthority { try context.require(clientsOf: clientAuthority) }
        return context
    }

    private init(_ role: Role, _ alpn: [String], _ versions: ClosedRange<TLSVersion>) throws(TLSError) {
        _ = Self.library
        ErrorQueue.clear()
        // Sound: a new object that nobody else sees before this function and its caller have set it up.
        guard let handle = unsafe SSL_CTX_new(role == .client ? TLS_client_method() : TLS_server_method()) else {
            throw ErrorQueue.unavailable()
        }
        self.role = role
        unsafe self.handle = handle
        let wire = alpn.flatMap { name in
            precondition((1...255).contains(name.utf8.count), "an ALPN name has 1 to 255 bytes")
            return [UInt8(name.utf8.count)] + Array(name.utf8)
        }
        unsafe protocols = .allocate(capacity: wire.count)
        _ = unsafe protocols.initialize(from: wire)

        guard unsafe hopspan_SSL_CTX_set_min_proto_version(handle, Int32(versions.lowerBound.rawValue)) == 1,
            unsafe hopspan_SSL_CTX_set_max_proto_version(handle, Int32(versions.upperBound.rawValue)) == 1
        else { throw ErrorQueue.unavailable() }
        // A write may take part of the bytes, the rest may have moved by the next try, and an idle connection keeps no 16 KiB buffers.
        unsafe hopspan_SSL_CTX_set_mode(
            handle, Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) | Int(SSL_MODE_RELEASE_BUFFERS))
        // One system call for a record and what follows it, not one for its head and one for its body.
        unsafe hopspan_SSL_CTX_set_read_ahead(handle, 1)
        // Renegotiation (TLS 1.2) is work that a peer can ask for without end, and nobody needs it.
        _ = unsafe SSL_CTX_set_options(handle, hopspan_SSL_OP_NO_RENEGOTIATION())
        // An operator's encrypted key must fail; OpenSSL would ask for the passphrase on the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(handle) { _, _, _, _ in -1 }
        switch role {
        case .client: try setUpClient()
        case .server: setUpServer()
        }
    }

    deinit {
        unsafe SSL_CTX_free(handle)
        unsafe protocols.deallocate()
    }

    /// OpenSSL's own start. Its clean-up at exit is left out: loops may still be inside a call when another thread ends the process.
    private static let library: Void = {
        _ = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }()

    private func setUpClient() throws(TLSError) {
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
        // What stands in the trust store is trusted, root or not: an operator may name an intermediate, or the server's certificate.
        unsafe X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(handle), UInt(X509_V_FLAG_PARTIAL_CHAIN))
        if unsafe protocols.count > 0 {
            // "SSL_CTX_set_alpn_protos() … return 0 on success": the other way round.
            guard unsafe SSL_CTX_set_alpn_protos(handle, protocols.baseAddress, UInt32(protocols.count)) == 0 else {
                throw ErrorQueue.unavailable()
            }
        }
        unsafe hopspan_SSL_CTX_set_session_cache_mode(handle, Int(SSL_SESS_CACHE_CLIENT) | Int(SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(handle) { ssl, session in
            // Sound: both are alive for the call. 0: OpenSSL keeps its reference, ours is a copy.
            if let ssl = unsafe ssl, let session = unsafe session { unsafe TLSConnection.of(ssl)?.remember(session) }
            return 0
        }
    }

    private func setUpServer() {
        // Sessions live in tickets at the clients; nothing is kept here. The id ties a ticket to this program (SSL_CTX_set_session_id_context:
        // without it, resumption fails where client certificates are asked for).
        unsafe hopspan_SSL_CTX_set_session_cache_mode(handle, Int(SSL_SESS_CACHE_OFF))
        _ = unsafe SSL_CTX_set_session_id_context(handle, "hopspan", 7)
        guard unsafe protocols.count > 0 else { return }
        // Sound: the context outlives every `SSL` that can call back (`TLSConnection` holds it), and `protocols` lives as long.
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe SSL_CTX_set_alpn_select_cb(
            handle,
            { _, chosen, chosenLength, offered, offeredLength, this in
                guard let this = unsafe this else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let context = unsafe Unmanaged<TLSContext>.fromOpaque(this).takeUnretainedValue()
                var name: UnsafeMutablePointer<UInt8>?
                let ours = unsafe context.protocols
                guard
                    unsafe SSL_select_next_proto(&name, chosenLength, ours.baseAddress, UInt32(ours.count), offered, offeredLength)
                        == OPENSSL_NPN_NEGOTIATED
                else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                unsafe chosen?.pointee = UnsafePointer(name)
                return SSL_TLSEXT_ERR_OK
            }, this)
    }
}

// MARK: files

extension TLSContext {
    fileprivate func trust(_ trust: TLSTrust) throws(TLSError) {
        ErrorQueue.clear()
        switch trust {
        case .system:
            guard unsafe SSL_CTX_set_default_verify_paths(handle) == 1 else { throw ErrorQueue.unavailable() }
            // Debian's store is a folder, read file by file as certificates ask for them, in the middle of a handshake. Its bundle,
            // read now, keeps loops off the disk. Where it is not, the folder does.
            guard unsafe getenv("SSL_CERT_FILE") == nil, unsafe getenv("SSL_CERT_DIR") == nil else { return }
            _ = unsafe SSL_CTX_load_verify_file(handle, TLSTrust.systemBundle)
            ErrorQueue.clear()
        case .file(let path):
            try mustOpen(path)
            guard unsafe SSL_CTX_load_verify_file(handle, path) == 1 else { throw malformed(path, "no certificate in PEM form") }
        }
    }

    fileprivate func use(_ identity: TLSIdentity) throws(TLSError) {
        ErrorQueue.clear()
        try mustOpen(identity.certificateFile)
        try mustOpen(identity.keyFile)
        guard unsafe SSL_CTX_use_certificate_chain_file(handle, identity.certificateFile) == 1 else {
            throw malformed(identity.certificateFile, "no certificate in PEM form that can be used")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(handle, identity.keyFile, SSL_FILETYPE_PEM) == 1 else {
            let entry = ErrorQueue.take()
            if let entry, entry.library == ERR_LIB_X509, entry.code == X509_R_KEY_VALUES_MISMATCH || entry.code == X509_R_KEY_TYPE_MISMATCH {
                throw .keyMismatch(certificate: identity.certificateFile, key: identity.keyFile)
            }
            throw malformed(identity.keyFile, "no private key in PEM form without a passphrase", entry)
        }
    }

    fileprivate func require(clientsOf path: String) throws(TLSError) {
        ErrorQueue.clear()
        try mustOpen(path)
        // The list is what the server tells clients it would take; the context owns it from then on.
        guard unsafe SSL_CTX_load_verify_file(handle, path) == 1, let names = unsafe SSL_load_client_CA_file(path) else {
            throw malformed(path, "no certificate in PEM form")
        }
        unsafe SSL_CTX_set_client_CA_list(handle, names)
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    private func mustOpen(_ path: String) throws(TLSError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadableFile(path: path, reason: unsafe String(cString: strerror(errno))) }
        close(descriptor)
    }

    private func malformed(_ path: String, _ reason: String, _ entry: ErrorQueue.Entry? = ErrorQueue.take()) -> TLSError {
        .malformedFile(path: path, reason: entry.map { "\(reason) (\($0.text))" } ?? reason)
    }
}
