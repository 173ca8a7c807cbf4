/// Why TLS could not be set up, agreed on, or go on. Each case carries OpenSSL's words for it; none carries bytes of a user's.
public enum TLSError: Error, Sendable, Equatable {
    // Creating a context: the operator's to mend.

    /// A certificate, key or authority file cannot be opened.
    case unreadableFile(path: String, reason: String)
    /// It was opened and does not hold what it should, or holds what the system's policy refuses (a key too short).
    case malformedFile(path: String, reason: String)
    /// The key is another certificate's.
    case keyMismatch(certificate: String, key: String)

    // The peer's certificate.

    case certificateExpired(reason: String)
    case certificateNotYetValid(reason: String)
    case certificateRevoked(reason: String)
    /// It vouches for itself and is not among the trusted ones.
    case selfSigned(reason: String)
    /// Nothing that is trusted vouches for it.
    case unknownAuthority(reason: String)
    /// It is valid, for another name or address.
    case hostnameMismatch(reason: String)
    /// Anything else that is wrong with it: purpose, signature, constraints.
    case certificateRefused(reason: String)
    /// The listener wants a client certificate and none came.
    case certificateMissing(reason: String)

    // The peer, or the line to it.

    /// The peer gave up, with this alert (RFC 8446 §6.2).
    case alert(reason: String)
    /// No TLS, another version, no cipher in common, a broken record.
    case protocolError(reason: String)
    /// Reset, or closed during the handshake.
    case connectionLost(reason: String)

    /// OpenSSL could not do its own part: memory, configuration.
    case unavailable(reason: String)

    public var reason: String {
        switch self {
        case .unreadableFile(_, let reason), .malformedFile(_, let reason),
            .certificateExpired(let reason), .certificateNotYetValid(let reason), .certificateRevoked(let reason),
            .selfSigned(let reason), .unknownAuthority(let reason), .hostnameMismatch(let reason),
            .certificateRefused(let reason), .certificateMissing(let reason), .alert(let reason), .protocolError(let reason),
            .connectionLost(let reason), .unavailable(let reason):
            reason
        case .keyMismatch: "the key does not belong to the certificate"
        }
    }
}

extension TLSError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadableFile(let path, let reason), .malformedFile(let path, let reason): "\(path): \(reason)"
        case .keyMismatch(let certificate, let key): "\(key): this is not the key of the certificate in \(certificate)"
        case .certificateExpired(let reason): "the peer's certificate has expired (\(reason))"
        case .certificateNotYetValid(let reason): "the peer's certificate is not valid yet (\(reason))"
        case .certificateRevoked(let reason): "the peer's certificate is revoked (\(reason))"
        case .selfSigned(let reason): "the peer's certificate is self-signed and not trusted (\(reason))"
        case .unknownAuthority(let reason): "the peer's certificate is from an authority that is not trusted (\(reason))"
        case .hostnameMismatch(let reason): "the peer's certificate is for another host (\(reason))"
        case .certificateRefused(let reason): "the peer's certificate is refused (\(reason))"
        case .certificateMissing(let reason): "the peer sent no certificate (\(reason))"
        case .alert(let reason): "the peer refused: \(reason)"
        case .protocolError(let reason): "TLS failed: \(reason)"
        case .connectionLost(let reason): "the connection was lost: \(reason)"
        case .unavailable(let reason): "TLS is not available: \(reason)"
        }
    }
}
