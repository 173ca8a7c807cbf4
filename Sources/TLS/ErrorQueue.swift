private import COpenSSL
private import Glibc

/// OpenSSL's errors of the calling thread, made into ours.
///
/// `SSL_get_error` looks into this queue too: what an earlier call left there must be gone before the next (`clear`).
enum ErrorQueue {
    /// Before every call whose outcome is asked for. Looks first, because clearing costs more than a queue that is nearly always empty.
    static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// One error: the first in the queue is what happened, the later ones what the callers made of it.
    struct Entry {
        let library: Int32
        let code: Int32
        let text: String

        init(_ packed: UInt) {
            // Sound: the strings they return are static.
            library = ERR_GET_LIB(packed)
            code = ERR_GET_REASON(packed)
            if library == ERR_LIB_SYS {
                text = unsafe String(cString: strerror(code))
            } else if let reason = unsafe ERR_reason_error_string(packed) {
                text = unsafe String(cString: reason)
            } else {
                text = "error \(code) of library \(library)"
            }
        }
    }

    /// The first error, which is nil in an empty queue; the queue is empty afterwards.
    static func take() -> Entry? {
        let packed = ERR_get_error()
        guard packed != 0 else { return nil }
        ERR_clear_error()
        return Entry(packed)
    }

    /// For calls that fail for want of memory or by the system's configuration only.
    static func unavailable() -> TLSError {
        .unavailable(reason: take()?.text ?? "no reason given")
    }
}

extension TLSError {
    /// What a fatal error of the protocol is called here. `SSL_R_CERTIFICATE_VERIFY_FAILED` is not for this, but for `init(verifyResult:)`.
    init(_ entry: ErrorQueue.Entry) {
        // "The SSL_R_ codes of alerts that were received are the alert's number plus SSL_AD_REASON_OFFSET" (ssl.h).
        if entry.library == ERR_LIB_SSL, entry.code > SSL_AD_REASON_OFFSET {
            // Sound: a pure function of a number; the string it returns is static.
            let name = unsafe String(cString: SSL_alert_desc_string_long(entry.code - SSL_AD_REASON_OFFSET))
            // OpenSSL 3.0's list of names ends before those of TLS 1.3; its errors know them ("tlsv13 alert certificate required").
            let text = entry.text.split(separator: " alert ", maxSplits: 1).last.map(String.init) ?? entry.text
            self = .alert(reason: name == "unknown" ? text : name)
            return
        }
        switch (entry.library, entry.code) {
        case (ERR_LIB_SSL, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE):
            self = .certificateMissing(reason: entry.text)
        case (ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER):
            self = .protocolError(reason: "\(entry.text); is this a TLS port?")
        case (ERR_LIB_SSL, SSL_R_HTTP_REQUEST):
            self = .protocolError(reason: "a plain HTTP request on a TLS port")
        case (ERR_LIB_SYS, _):
            self = .connectionLost(reason: entry.text)
        default:
            self = .protocolError(reason: entry.text)
        }
    }

    /// `verifyResult` is an `X509_V_ERR_…` other than `X509_V_OK`.
    init(verifyResult: Int) {
        // Sound: a pure function of a number; the string it returns is static.
        let reason = unsafe String(cString: X509_verify_cert_error_string(verifyResult))
        switch Int32(truncatingIfNeeded: verifyResult) {
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .certificateExpired(reason: reason)
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .certificateNotYetValid(reason: reason)
        case X509_V_ERR_CERT_REVOKED: self = .certificateRevoked(reason: reason)
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned(reason: reason)
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownAuthority(reason: reason)
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .hostnameMismatch(reason: reason)
        default: self = .certificateRefused(reason: reason)
        }
    }
}
