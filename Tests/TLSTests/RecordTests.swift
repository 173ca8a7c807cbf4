import Glibc
import Peers
import TLS
import Testing

@Suite struct `A TLS connection` {
    private func ends(_ version: TLSVersion = .tls13, bufferBytes: Int32? = nil) throws -> Ends {
        let ends = try Ends(Contexts.client(versions: version...version), Contexts.server(), bufferBytes: bufferBytes)
        ends.shakeHands()
        // The tickets that TLS 1.3 servers send first.
        #expect(try ends.client.read().said == .wantRead)
        return ends
    }

    @Test(arguments: [TLSVersion.tls12, .tls13]) func `carries more than the socket takes at once, from a buffer that moves`(version: TLSVersion) throws {
        let ends = try ends(version, bufferBytes: 8 << 10)
        let sent = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        for (from, to) in [(ends.client, ends.server), (ends.server, ends.client)] {
            var received: [UInt8] = []
            var offset = 0
            var waits = 0
            while received.count < sent.count {
                // A new array each time: other addresses, the same bytes.
                if offset < sent.count {
                    switch try from.write(Array(sent[offset..<min(offset + 100_000, sent.count)])) {
                    case .bytes(let count): offset += count
                    case .wantWrite: waits += 1
                    case let other: Issue.record("\(other)")
                    }
                }
                let (bytes, said) = try to.read(capacity: 5000)
                received += bytes
                if said != .bytes(bytes.count) { #expect(said == .wantRead) }
                try #require(waits < 100_000)
            }
            #expect(received == sent)
            #expect(waits > 0)
            #expect(try to.read().said == .wantRead)
        }
    }

    @Test func `gathers small records into one read, and says what it still holds`() throws {
        let ends = try ends()
        for index in 0..<20 { try ends.server.write("event \(index)\n") }
        let expected = (0..<20).map { "event \($0)\n" }.joined()
        #expect(try ends.client.readText() == expected)
        #expect(!ends.client.hasBufferedInput)

        for index in 0..<20 { try ends.server.write("event \(index)\n") }
        var text = ""
        while text.utf8.count < expected.utf8.count {
            let (bytes, said) = try ends.client.read(capacity: 3)
            #expect(said == .bytes(min(3, expected.utf8.count - text.utf8.count)))
            text += String(decoding: bytes, as: UTF8.self)
            #expect(ends.client.hasBufferedInput == (text.utf8.count < expected.utf8.count))
        }
        #expect(text == expected)
        #expect(try ends.client.read().said == .wantRead)
    }

    @Test func `takes an empty write for nothing`() throws {
        let ends = try ends()
        #expect(try ends.client.write("") == .bytes(0))
        #expect(try ends.server.read().said == .wantRead)
    }

    @Test(arguments: [TLSVersion.tls12, .tls13]) func `is closed when the peer says so, and can answer still`(version: TLSVersion) throws {
        let ends = try ends(version)
        try ends.client.write("last words")
        #expect(ends.client.shutdown() == .done)
        #expect(try ends.server.readText() == "last words")
        #expect(try ends.server.read().said == .closed)
        #expect(try ends.server.read().said == .closed)
        #expect(try ends.server.write("heard") == .bytes(5))
        #expect(ends.server.shutdown() == .done)
        #expect(try ends.client.readText() == "heard")
        #expect(try ends.client.read().said == .closed)
    }

    @Test func `tells the bytes before the close that came with it`() throws {
        let ends = try ends()
        try ends.client.write("one")
        try ends.client.write("two")
        #expect(ends.client.shutdown() == .done)
        ends.clientSocket.close()
        #expect(try ends.server.readText() == "onetwo")
        #expect(try ends.server.read().said == .closed)
    }

    @Test(arguments: [TLSVersion.tls12, .tls13]) func `is truncated when the socket ends without a word`(version: TLSVersion) throws {
        let ends = try ends(version)
        try ends.client.write("half of")
        shutdown(ends.clientSocket.descriptor, Int32(SHUT_WR))
        #expect(try ends.server.readText() == "half of")
        #expect(try ends.server.read().said == .truncated)
        #expect(try ends.server.read().said == .truncated)
        #expect(throws: TLSError.connectionLost(reason: "the peer has closed the connection")) { try ends.server.write("x") }
        #expect(ends.server.shutdown() == .done)
    }

    @Test func `is truncated in the middle of a record`() throws {
        let ends = try ends()
        // What a record would look like whose second half was cut.
        ends.clientSocket.send("\u{17}\u{03}\u{03}\u{00}\u{40}half")
        shutdown(ends.clientSocket.descriptor, Int32(SHUT_WR))
        #expect(try ends.server.read().said == .truncated)
    }

    @Test func `is lost when the peer resets it`() throws {
        let ends = try ends()
        try ends.server.write("never read")
        ends.clientSocket.close()
        #expect(throws: TLSError.connectionLost(reason: "Connection reset by peer")) { _ = try ends.server.read() }
        #expect(throws: TLSError.connectionLost(reason: "Connection reset by peer")) { try ends.server.write("x") }
    }

    @Test func `fails a write to a peer that is gone`() throws {
        let ends = try ends()
        ends.clientSocket.close()
        #expect(throws: TLSError.connectionLost(reason: "Broken pipe")) { try ends.server.write("x") }
    }

    @Test func `refuses a record that was tampered with`() throws {
        let ends = try ends()
        ends.clientSocket.send("\u{17}\u{03}\u{03}\u{00}\u{14}aaaaaaaaaaaaaaaaaaaa")
        #expect(throws: TLSError.protocolError(reason: "decryption failed or bad record mac")) { _ = try ends.server.read() }
        #expect(throws: TLSError.alert(reason: "bad record mac")) { _ = try ends.client.read() }
    }

    @Test func `does not let an error of one connection touch another`() throws {
        let good = try ends()
        let bad = try ends()
        bad.clientSocket.send("\u{17}\u{03}\u{03}\u{00}\u{14}aaaaaaaaaaaaaaaaaaaa")
        #expect(throws: TLSError.self) { _ = try bad.server.read() }
        #expect(try good.server.read().said == .wantRead)
        // Nor one of another user of the library on this thread.
        #expect(throws: TLSError.self) { try TLSContext.client(trust: .file("/does/not/exist")) }
        #expect(throws: TLSError.self) { try TLSContext.client(trust: .file(Certificates.shared().path("text.pem"))) }
        #expect(try good.server.read().said == .wantRead)
        #expect(try good.client.write("fine") == .bytes(4))
        #expect(try good.server.readText() == "fine")
    }

    @Test func `cannot be made to renegotiate`() throws {
        let files = try Certificates.shared()
        let listener = try LoopbackListener()
        let client = try OpenSSLProcess(["s_client", "-connect", "127.0.0.1:\(listener.port)", "-CAfile", files.authority, "-tls1_2"])
        let socket = try listener.accept()
        let server = try TLSConnection(Contexts.server(), fileDescriptor: socket.descriptor)
        try handshake(server, socket)
        client.send("R\n")  // s_client's command to renegotiate
        // The server answers with the alert no_renegotiation, whereupon s_client gives up.
        #expect(throws: TLSError.alert(reason: "handshake failure")) {
            while try server.read().said == .wantRead { try socket.wait(POLLIN) }
        }
        #expect(client.finish().errors.contains("no renegotiation"))
    }
}
