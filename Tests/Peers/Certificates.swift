import Foundation
private import Glibc
public import TLS

/// Authorities, servers' and clients' certificates, made once by openssl(1) in a folder that goes with the process.
public struct Certificates: Sendable {
    /// The one authority that the tests trust, unless they say otherwise.
    public var authority: String { path("ca.pem") }
    public var otherAuthority: String { path("other.pem") }
    public func path(_ name: String) -> String { "\(folder)/\(name)" }

    private let folder: String

    private static let made = Result { try Certificates() }
    public static func shared() throws -> Certificates { try made.get() }

    private init() throws {
        // What a socket's other end being gone would do to the tests' process, as to any that writes through OpenSSL.
        signal(SIGPIPE, SIG_IGN)
        folder = Self.processFolder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: Certificates.processFolder) }

        try authority("ca", "/CN=Test authority")
        try authority("other", "/CN=Other authority")
        let names = "subjectAltName=DNS:gateway.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1"
        try leaf("server", "/CN=gateway.test", names)
        try leaf("expired", "/CN=gateway.test", names, days: -1)
        try leaf("nameless", "/CN=gateway.test")
        try leaf("stranger", "/CN=gateway.test", names, by: "other")
        try leaf("client", "/O=Büro/CN=agent", "extendedKeyUsage=clientAuth")
        try leaf("client-other", "/CN=another agent", "extendedKeyUsage=clientAuth")
        try leaf("client-stranger", "/CN=agent", by: "other")
        try openssl(["req", "-x509"] + newKey("alone") + ["-out", path("alone.pem"), "-subj", "/CN=alone.test", "-addext", "subjectAltName=DNS:alone.test"])
        // A server whose authority was itself made by the test authority; it sends both.
        try leaf("middle", "/CN=Middle authority", "basicConstraints=critical,CA:TRUE")
        try leaf("below", "/CN=gateway.test", names, by: "middle")
        try (read("below.pem") + read("middle.pem")).write(toFile: path("below-chain.pem"), atomically: true, encoding: .utf8)
        try openssl(["ec", "-in", path("server.key"), "-aes128", "-passout", "pass:secret", "-out", path("encrypted.key")])
        try "this is no certificate\n".write(toFile: path("text.pem"), atomically: true, encoding: .utf8)
    }

    private static var processFolder: String { FileManager.default.temporaryDirectory.appending(path: "hopspan-tls-\(getpid())").path }

    public func read(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    private func newKey(_ name: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path("\(name).key"), "-utf8"]
    }

    private func authority(_ name: String, _ subject: String) throws {
        try openssl(["req", "-x509"] + newKey(name) + ["-out", path("\(name).pem"), "-subj", subject, "-days", "30"])
    }

    private func leaf(_ name: String, _ subject: String, _ extensions: String? = nil, by authority: String = "ca", days: Int = 30) throws {
        let added = extensions.map { ["-addext", $0] } ?? []
        try openssl(["req", "-new"] + newKey(name) + ["-out", path("\(name).csr"), "-subj", subject] + added)
        try openssl([
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"), "-CAkey", path("\(authority).key"), "-CAcreateserial",
            "-copy_extensions", "copy", "-days", String(days), "-out", path("\(name).pem"),
        ])
    }

    /// SHA-256 of a certificate, as openssl(1) has it, in lower-case digits alone.
    public func fingerprint(_ name: String) throws -> String {
        let printed = try openssl(["x509", "-in", path("\(name).pem"), "-noout", "-fingerprint", "-sha256"])
        return String(printed.split(separator: "=").last ?? "").replacing(":", with: "").lowercased().filter { !$0.isWhitespace }
    }

    /// Runs openssl(1) to its end; its standard output.
    @discardableResult public func openssl(_ arguments: [String]) throws -> String {
        let (output, errors, succeeded) = try OpenSSLProcess(arguments).finish()
        guard succeeded else { throw OpenSSLFailed(description: "openssl \(arguments.joined(separator: " ")): \(errors)") }
        return output
    }

    public struct OpenSSLFailed: Error, CustomStringConvertible { public var description: String }
}

extension Certificates {
    public func identity(_ name: String) -> TLSIdentity {
        TLSIdentity(certificateFile: path("\(name).pem"), keyFile: path("\(name == "below-chain" ? "below" : name).key"))
    }
}
