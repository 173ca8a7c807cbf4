import Foundation
import Peers
import TLS
import Testing

@Suite struct `A TLS context` {
    private func server(_ certificate: String, _ key: String, clientAuthority: String? = nil) throws -> TLSContext {
        try .server(TLSIdentity(certificateFile: certificate, keyFile: key), clientAuthority: clientAuthority)
    }

    @Test func `names the file that is missing`() throws {
        let files = try Certificates.shared()
        let missing = files.path("missing.pem")
        let error = TLSError.unreadableFile(path: missing, reason: "No such file or directory")
        #expect(throws: error) { try server(missing, files.path("server.key")) }
        #expect(throws: error) { try server(files.path("server.pem"), missing) }
        #expect(throws: error) { try server(files.path("server.pem"), files.path("server.key"), clientAuthority: missing) }
        #expect(throws: error) { try TLSContext.client(trust: .file(missing)) }
        #expect(error.description == "\(missing): No such file or directory")
    }

    @Test func `names the file that holds something else`() throws {
        let files = try Certificates.shared()
        let text = files.path("text.pem")
        func reason(_ make: () throws -> TLSContext) -> String? {
            do {
                _ = try make()
            } catch TLSError.malformedFile(let path, let reason) where path == text {
                return reason
            } catch {
                return "\(error)"
            }
            return nil
        }
        #expect(reason { try server(text, files.path("server.key")) } == "no certificate in PEM form that can be used (no start line)")
        #expect(reason { try server(files.path("server.pem"), text) }?.hasPrefix("no private key in PEM form") == true)
        #expect(reason { try TLSContext.client(trust: .file(text)) } == "no certificate in PEM form (no certificate or crl found)")
        #expect(reason { try server(files.path("server.pem"), files.path("server.key"), clientAuthority: text) }?.hasPrefix("no certificate in PEM form") == true)
    }

    @Test func `does not ask for a passphrase`() throws {
        let files = try Certificates.shared()
        #expect {
            try server(files.path("server.pem"), files.path("encrypted.key"))
        } throws: { error in
            guard case .malformedFile(let path, let reason) = error as? TLSError else { return false }
            return path == files.path("encrypted.key") && reason.hasPrefix("no private key in PEM form without a passphrase")
        }
    }

    @Test func `notices a key of another certificate`() throws {
        let files = try Certificates.shared()
        let error = TLSError.keyMismatch(certificate: files.path("server.pem"), key: files.path("client.key"))
        #expect(throws: error) { try server(files.path("server.pem"), files.path("client.key")) }
        #expect(throws: error) {
            try TLSContext.client(trust: .file(files.authority), identity: TLSIdentity(certificateFile: files.path("server.pem"), keyFile: files.path("client.key")))
        }
        #expect(error.description == "\(files.path("client.key")): this is not the key of the certificate in \(files.path("server.pem"))")
    }

    @Test func `for clients trusts what SSL_CERT_FILE names, as its system`() async {
        await #expect(processExitsWith: .success) {
            let files = try Certificates.shared()
            unsafe setenv("SSL_CERT_FILE", files.authority, 1)
            unsafe setenv("SSL_CERT_DIR", files.path("nowhere"), 1)
            let client = try TLSContext.client(trust: .system)
            let trusted = try Ends(client, Contexts.server()).handshake()
            let stranger = try Ends(client, Contexts.server("stranger")).handshake()
            guard trusted.client == nil, case .unknownAuthority = stranger.client else { exit(1) }
        }
    }

    @Test func `for clients reads the system's store where nothing else is named`() async {
        await #expect(processExitsWith: .success) {
            unsafe unsetenv("SSL_CERT_FILE")
            unsafe unsetenv("SSL_CERT_DIR")
            let client = try TLSContext.client(trust: .system)
            guard case .unknownAuthority = try Ends(client, Contexts.server()).handshake().client else { exit(1) }
        }
    }
}

@Suite struct `A program's client contexts` {
    @Test func `are kept as long as their files look the same`() throws {
        let files = try Certificates.shared()
        let path = files.path("contexts-\(UUID().uuidString).pem")
        try files.read("ca.pem").write(toFile: path, atomically: true, encoding: .utf8)
        let contexts = TLSContexts()
        let first = try contexts.client(trusting: .file(path))
        #expect(try contexts.client(trusting: .file(path)) === first)
        #expect(try contexts.client(trusting: .file(files.authority)) !== first)
        #expect(try contexts.client() === contexts.client())

        try files.read("other.pem").write(toFile: path, atomically: true, encoding: .utf8)
        let second = try contexts.client(trusting: .file(path))
        #expect(second !== first)
        #expect(try contexts.client(trusting: .file(path)) === second)
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: TLSError.unreadableFile(path: path, reason: "No such file or directory")) { try contexts.client(trusting: .file(path)) }
    }
}
