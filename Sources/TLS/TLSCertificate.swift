private import COpenSSL

/// What identifies a peer by its certificate.
public struct TLSCertificate: Sendable, Hashable {
    /// The distinguished name (RFC 2253, UTF-8): `CN=agent,O=Example`.
    public let subject: String
    /// SHA-256 of the certificate (DER), 64 lower-case hexadecimal digits.
    public let fingerprint: String

    /// Only reads `certificate`, an `X509` that is alive for the call; nil for want of memory.
    init?(_ certificate: OpaquePointer) {
        // Sound: a memory BIO of our own, freed below; the name belongs to the certificate.
        guard let text = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(text) }
        guard unsafe X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, hopspan_XN_FLAG_RFC2253_UTF8()) >= 0 else { return nil }
        subject = unsafe String(unsafeUninitializedCapacity: BIO_ctrl_pending(text)) { buffer in
            unsafe max(0, Int(BIO_read(text, buffer.baseAddress, Int32(buffer.count))))
        }

        let digest = unsafe [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            // Sound: writes at most EVP_MAX_MD_SIZE bytes.
            count = unsafe X509_digest(certificate, EVP_sha256(), buffer.baseAddress, &length) == 1 ? Int(length) : 0
        }
        guard digest.count == 32 else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        fingerprint = String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
