import Glibc
import Peers
import TLS
import Testing

/// Against OpenSSL's own client and server, over TCP on loopback.
@Suite struct `OpenSSL's command line` {
    @Test(arguments: [(TLSVersion.tls12, "-tls1_2"), (.tls13, "-tls1_3")])
    func `is served`(version: TLSVersion, option: String) throws {
        let files = try Certificates.shared()
        let listener = try LoopbackListener()
        let client = try OpenSSLProcess([
            "s_client", "-connect", "127.0.0.1:\(listener.port)", "-servername", "gateway.test", "-verify_hostname", "gateway.test", "-CAfile", files.authority,
            "-verify_return_error", "-alpn", "http/1.1", "-cert", files.path("client.pem"), "-key", files.path("client.key"), "-quiet", option,
        ])
        let socket = try listener.accept()
        let server = try TLSConnection(Contexts.server(clientAuthority: files.authority), fileDescriptor: socket.descriptor)
        try handshake(server, socket)
        #expect(server.version == version)
        #expect(server.requestedServerName == "gateway.test")
        #expect(server.applicationProtocol == "http/1.1")
        #expect(try server.peerCertificate?.fingerprint == Certificates.shared().fingerprint("client"))
        client.send("hello from s_client\n")
        var text = ""
        while !text.hasSuffix("\n") {
            let (bytes, said) = try server.read()
            text += String(decoding: bytes, as: UTF8.self)
            if said == .wantRead { try socket.wait(POLLIN) }
            try #require(said != .closed && said != .truncated)
        }
        #expect(text == "hello from s_client\n")
        #expect(try server.write("hello from hopspan\n") == .bytes(19))
        #expect(server.shutdown() == .done)
        #expect(client.finish().output == "hello from hopspan\n")
    }

    @Test(arguments: [(TLSVersion.tls12, "-tls1_2"), (.tls13, "-tls1_3")])
    func `serves`(version: TLSVersion, option: String) throws {
        let files = try Certificates.shared()
        let server = try OpenSSLProcess([
            "s_server", "-accept", "127.0.0.1:0", "-cert", files.path("server.pem"), "-key", files.path("server.key"), "-CAfile", files.authority, "-Verify", "1",
            "-verify_return_error", "-alpn", "http/1.1", "-rev", option,
        ])
        let port = try server.port()
        let context = try Contexts.client(identity: "client")
        for round in 0..<2 {
            let socket = try Socket.connected(to: port)
            let client = try TLSConnection(context, fileDescriptor: socket.descriptor, serverName: "127.0.0.1", port: port)
            try handshake(client, socket)
            #expect(client.version == version)
            #expect(client.applicationProtocol == "http/1.1")
            #expect(client.isResumed == (round == 1))
            #expect(try client.peerCertificate?.fingerprint == Certificates.shared().fingerprint("server"))
            #expect(try client.write("stressed\n") == .bytes(9))
            var text = ""
            while !text.hasSuffix("\n") {
                let (bytes, said) = try client.read()
                text += String(decoding: bytes, as: UTF8.self)
                if said == .wantRead { try socket.wait(POLLIN) }
                try #require(said != .closed && said != .truncated)
            }
            #expect(text == "desserts\n")
            #expect(client.shutdown() == .done)
        }
    }
}

/// Drives one side's handshake with a peer in another process.
func handshake(_ connection: TLSConnection, _ socket: Socket) throws {
    while true {
        switch try connection.handshake() {
        case .done: return
        case .wantRead: try socket.wait(POLLIN)
        case .wantWrite: try socket.wait(POLLOUT)
        }
    }
}
