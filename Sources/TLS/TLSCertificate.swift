private import COpenSSL

/// What identifies a peer by its certificate.
public struct TLSCertificate: Sendable, Hashable {
    /// SHA-256 of the certificate (DER), 64 lower-case hexadecimal digits.
    public let fingerprint: String

    /// Only reads `certificate`, an `X509` that is alive for the call; nil where it cannot be digested.
    init?(_ certificate: OpaquePointer) {
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
