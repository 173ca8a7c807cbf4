import Glibc
import Peers
import TLS
import Testing

@Suite struct `A TLS handshake` {
    @Test(arguments: [TLSVersion.tls12, .tls13]) func `agrees on version, cipher and protocol`(version: TLSVersion) throws {
        let ends = try Ends(Contexts.client(versions: version...version), Contexts.server())
        ends.shakeHands()
        for end in [ends.client, ends.server] {
            #expect(end.version == version)
            #expect(end.applicationProtocol == "http/1.1")
            #expect(end.cipherSuite?.hasPrefix("TLS_") == true)
            #expect(!end.isResumed)
        }
        #expect(ends.client.cipherSuite == ends.server.cipherSuite)
        #expect(try ends.client.peerCertificate?.fingerprint == Certificates.shared().fingerprint("server"))
        #expect(ends.server.peerCertificate == nil)
        #expect(try ends.client.handshake() == .done)  // again
        try ends.client.write("ping")
        #expect(try ends.server.readText() == "ping")
        try ends.server.write("pong")
        #expect(try ends.client.readText() == "pong")
    }

    @Test func `prefers TLS 1.3`() throws {
        let ends = try Ends(Contexts.client(), Contexts.server())
        ends.shakeHands()
        #expect(ends.client.version == .tls13)
    }

    @Test(arguments: [
        ("gateway.test", "gateway.test"), ("gateway.test.", "gateway.test"), ("127.0.0.1", nil), ("::1", nil), ("[::1]", nil), ("[::1%lo]", nil),
    ])
    func `asks for the server by its name, not by its address`(name: String, asked: String?) throws {
        let ends = try Ends(Contexts.client(), Contexts.server(), name: name)
        ends.shakeHands()
        #expect(ends.server.requestedServerName == asked)
    }

    @Test(arguments: ["gateway.test", "GATEWAY.Test", "gateway.test.", "one.wild.test", "127.0.0.1", "::1", "0:0::1", "[::1]"])
    func `accepts the names in the certificate`(name: String) throws {
        try Ends(Contexts.client(), Contexts.server(), name: name).shakeHands()
    }

    @Test(arguments: ["other.test", "wild.test", "one.two.wild.test", "sub.gateway.test", "127.0.0.2", "::2", "2130706433"])
    func `refuses every other name`(name: String) throws {
        let ends = try Ends(Contexts.client(), Contexts.server(), name: name).handshake()
        guard case .hostnameMismatch(let reason) = ends.client else {
            Issue.record("\(name): \(String(describing: ends.client))")
            return
        }
        #expect(reason == "hostname mismatch" || reason == "IP address mismatch")
        #expect(ends.server != nil)
    }

    @Test(arguments: ["", "gateway.test\u{0}", "127.0.0.1\u{0}.test", String(repeating: "a", count: 256)])
    func `does not start for what is no name`(name: String) throws {
        #expect(throws: TLSError.hostnameMismatch(reason: "this is no host name")) { try Ends(Contexts.client(), Contexts.server(), name: name) }
    }

    @Test func `does not take the common name for a name`() throws {
        let ends = try Ends(Contexts.client(), Contexts.server("nameless")).handshake()
        #expect(ends.client == .hostnameMismatch(reason: "hostname mismatch"))
    }

    @Test func `refuses an authority that is not trusted`() throws {
        let ends = try Ends(Contexts.client(), Contexts.server("stranger")).handshake()
        #expect(ends.client == .unknownAuthority(reason: "unable to get local issuer certificate"))
        #expect(ends.server == .alert(reason: "unknown CA"))
    }

    @Test func `refuses an expired certificate`() throws {
        let ends = try Ends(Contexts.client(), Contexts.server("expired")).handshake()
        #expect(ends.client == .certificateExpired(reason: "certificate has expired"))
        #expect(ends.server == .alert(reason: "certificate expired"))
    }

    @Test func `refuses a self-signed certificate, unless it is the one that is trusted`() throws {
        let server = try Contexts.server("alone")
        let refused = try Ends(Contexts.client(), server, name: "alone.test").handshake()
        guard case .selfSigned = refused.client else {
            Issue.record("\(String(describing: refused.client))")
            return
        }
        try Ends(Contexts.client(trust: .file(Certificates.shared().path("alone.pem"))), server, name: "alone.test").shakeHands()
        // The authority is not among these.
        let other = try Ends(Contexts.client(trust: .file(Certificates.shared().path("alone.pem"))), Contexts.server()).handshake()
        #expect(other.client == .unknownAuthority(reason: "unable to get local issuer certificate"))
    }

    @Test func `follows the chain that the server sends, to the root or to what is trusted on the way`() throws {
        try Ends(Contexts.client(), Contexts.server("below-chain")).shakeHands()
        let middle = try Contexts.client(trust: .file(Certificates.shared().path("middle.pem")))
        try Ends(middle, Contexts.server("below-chain")).shakeHands()
    }

    @Test func `refuses a peer that shares no version`() throws {
        let ends = try Ends(Contexts.client(versions: .tls12 ... .tls12), Contexts.server(versions: .tls13 ... .tls13)).handshake()
        #expect(ends.client == .alert(reason: "protocol version"))
        #expect(ends.server == .protocolError(reason: "unsupported protocol"))
    }

    @Test func `refuses a peer that shares no application protocol`() throws {
        let ends = try Ends(Contexts.client(alpn: ["h2", "spdy/1"]), Contexts.server()).handshake()
        #expect(ends.client == .alert(reason: "no application protocol"))
        guard case .protocolError = ends.server else {
            Issue.record("\(String(describing: ends.server))")
            return
        }
    }

    @Test func `chooses the server's first protocol, and none when none is offered`() throws {
        let server = try Contexts.server(alpn: ["h2", "http/1.1"])
        let both = try Ends(Contexts.client(alpn: ["http/1.1", "h2"]), server)
        both.shakeHands()
        #expect(both.client.applicationProtocol == "h2")
        let none = try Ends(Contexts.client(alpn: []), server)
        none.shakeHands()
        #expect(none.client.applicationProtocol == nil)
        #expect(none.server.applicationProtocol == nil)
    }

    @Test func `says so when the peer speaks plain HTTP`() throws {
        let (near, far) = try Socket.pair()
        let server = try TLSConnection(Contexts.server(), fileDescriptor: near.descriptor)
        far.send("GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
        #expect(throws: TLSError.protocolError(reason: "a plain HTTP request on a TLS port")) { try server.handshake() }

        let (near2, far2) = try Socket.pair()
        let client = try TLSConnection(Contexts.client(), fileDescriptor: near2.descriptor, serverName: "gateway.test", port: 80)
        #expect(try client.handshake() == .wantRead)
        far2.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        #expect(throws: TLSError.protocolError(reason: "wrong version number; is this a TLS port?")) { try client.handshake() }
    }

    @Test func `fails for good when the peer goes away`() throws {
        let (near, far) = try Socket.pair()
        let client = try TLSConnection(Contexts.client(), fileDescriptor: near.descriptor, serverName: "gateway.test", port: 443)
        #expect(try client.handshake() == .wantRead)
        shutdown(far.descriptor, Int32(SHUT_WR))
        let lost = TLSError.connectionLost(reason: "the peer closed the connection during the handshake")
        #expect(throws: lost) { try client.handshake() }
        #expect(throws: lost) { try client.handshake() }
        #expect(throws: lost) { _ = try client.read() }
        #expect(throws: lost) { try client.write("x") }
        #expect(client.shutdown() == .done)
    }

    @Test func `notices a peer that does not read any more`() throws {
        let (near, far) = try Socket.pair()
        let client = try TLSConnection(Contexts.client(), fileDescriptor: near.descriptor, serverName: "gateway.test", port: 443)
        far.close()
        #expect(throws: TLSError.connectionLost(reason: "Broken pipe")) { try client.handshake() }
    }
}

@Suite struct `A client certificate` {
    @Test(arguments: [TLSVersion.tls12, .tls13]) func `tells the server who its client is`(version: TLSVersion) throws {
        let files = try Certificates.shared()
        let ends = try Ends(Contexts.client(identity: "client", versions: version...version), Contexts.server(clientAuthority: files.authority))
        ends.shakeHands()
        #expect(try ends.server.peerCertificate?.fingerprint == files.fingerprint("client"))
    }

    @Test func `is required where an authority for it is named (TLS 1.3)`() throws {
        let ends = try Ends(Contexts.client(), Contexts.server(clientAuthority: Certificates.shared().authority))
        let handshake = ends.handshake()
        #expect(handshake.server == .certificateMissing(reason: "peer did not return a certificate"))
        // This client was done before the server looked.
        #expect(handshake.client == nil)
        #expect(throws: TLSError.alert(reason: "certificate required")) { _ = try ends.client.read() }
        #expect(throws: TLSError.alert(reason: "certificate required")) { _ = try ends.client.read() }
    }

    @Test func `is required where an authority for it is named (TLS 1.2)`() throws {
        let ends = try Ends(Contexts.client(versions: .tls12 ... .tls12), Contexts.server(clientAuthority: Certificates.shared().authority)).handshake()
        #expect(ends.server == .certificateMissing(reason: "peer did not return a certificate"))
        #expect(ends.client == .alert(reason: "handshake failure"))
    }

    @Test func `from another authority is refused`() throws {
        let ends = try Ends(Contexts.client(identity: "client-stranger"), Contexts.server(clientAuthority: Certificates.shared().authority))
        #expect(ends.handshake().server == .unknownAuthority(reason: "unable to get local issuer certificate"))
        #expect(throws: TLSError.alert(reason: "unknown CA")) { _ = try ends.client.read() }
    }

    @Test func `is not shown to a server that does not ask`() throws {
        let ends = try Ends(Contexts.client(identity: "client"), Contexts.server())
        ends.shakeHands()
        #expect(ends.server.peerCertificate == nil)
    }
}
