import EventLoop
import Glibc
import HTTP
import Peers
import TLS
import Testing

@Suite struct `A byte stream over TLS` {
    /// A stream to the server with the handshake made.
    private static func connect(_ server: PeerServer, _ context: TLSContext, on loop: EventLoop) async throws -> ByteStream {
        let address = try #require(SocketAddress("127.0.0.1", port: server.port))
        let stream = try await ByteStream(Socket.connect(to: address, on: loop, until: loop.inTenSeconds))
        let tls = try TLSConnection(context, fileDescriptor: stream.socket.descriptor, serverName: "gateway.test", port: server.port)
        try await stream.startTLS(tls, until: loop.inTenSeconds)
        return stream
    }

    /// Reads to the end, `step` bytes at a time; each byte must be the next of the pattern.
    private static func readPattern(_ stream: ByteStream, step: Int, on loop: EventLoop) async throws -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 1)
        defer { unsafe buffer.deallocate() }
        var total = 0
        while true {
            switch unsafe stream.readNow(into: buffer) {
            case .bytes(let count):
                for index in 0..<count where unsafe buffer[index] != UInt8((total + index) % 251) { throw PeerFailed("byte \(total + index) is another") }
                total += count
            case .wouldBlock: try await stream.waitToRead(until: loop.inTenSeconds)
            case .end: return total
            case .failed: throw PeerFailed("the stream broke")
            }
        }
    }

    /// Until the kernel has something and the loop has heard of it.
    private static func waitForInput(_ stream: ByteStream, _ loop: EventLoop) async throws {
        var waiting: Int32 = 0
        repeat {
            await loop.sleep(nanoseconds: 1_000_000)
            unsafe ioctl(stream.socket.descriptor, UInt(FIONREAD), &waiting)
        } while waiting == 0
        await loop.sleep(nanoseconds: 1_000_000)
    }

    private static func pattern(_ range: Range<Int>) -> [UInt8] { range.map { UInt8($0 % 251) } }

    @Test func `sends a head and its body as one record`() async throws {
        let records = Mailbox<[Int]>()
        let server = try PeerServer { peer in
            try peer.startTLS(Contexts.server())
            try peer.write("now")
            records.put(try peer.peekRecords(carrying: 1_400))
        }
        try await onLoop { loop in
            let stream = try await Self.connect(server, Contexts.client(), on: loop)
            #expect(try await Self.word(stream, loop) == "now")
            let (head, body) = (Self.pattern(0..<300), Self.pattern(300..<1_400))
            try await stream.write(unsafe head.span.bytes, unsafe body.span.bytes, until: loop.inTenSeconds)
            #expect(try records.take() == [1_400])
            stream.close()
        }
    }

    private static func word(_ stream: ByteStream, _ loop: EventLoop) async throws -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
        defer { unsafe buffer.deallocate() }
        while true {
            switch unsafe stream.readNow(into: buffer) {
            case .bytes(let count): return unsafe String(decoding: buffer[..<count], as: UTF8.self)
            case .wouldBlock: try await stream.waitToRead(until: loop.inTenSeconds)
            case .end, .failed: throw PeerFailed("the stream ended")
            }
        }
    }

    /// Sizes of the three pieces: what fits a record, what fills several, what no socket takes at once.
    @Test(arguments: [[5, 16 << 10, 2], [16 << 10, 0, 1], [20_000, 5, 30_000], [10, 1_500_000, 40_000], [0, 0, 3], [1_500_000, 7, 0]])
    func `sends all of its pieces in order`(sizes: [Int]) async throws {
        let total = sizes.reduce(0, +)
        let received = Mailbox<[UInt8]>()
        let server = try PeerServer { peer in
            try peer.startTLS(Contexts.server())
            if total > 1 << 20 { peer.letFill() }  // the writer meets full buffers before anybody reads
            let (bytes, ending) = try peer.readToEnd()
            #expect(ending == .inOrder)
            received.put(bytes)
        }
        try await onLoop { loop in
            let stream = try await Self.connect(server, Contexts.client(), on: loop)
            var size: Int32 = 128 << 10
            unsafe setsockopt(stream.socket.descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            let first = Self.pattern(0..<sizes[0])
            let second = Self.pattern(sizes[0]..<sizes[0] + sizes[1])
            let third = Self.pattern(sizes[0] + sizes[1]..<total)
            try await stream.write(unsafe first.span.bytes, unsafe second.span.bytes, unsafe third.span.bytes, until: loop.inTenSeconds)
            #expect(stream.isIdleAndOpen())  // which reads the session tickets: closing over them would reset the connection
            await stream.shutdownWrite(until: loop.inTenSeconds)
            stream.close()
        }
        let bytes = try received.take()
        #expect(bytes.count == total)
        let isEqual = bytes == Self.pattern(0..<total)  // a difference is too long to be shown
        #expect(isEqual)
    }

    @Test(arguments: [100, 1_000, 16 << 10, 64 << 10])
    func `reads on while TLS holds something back that no readiness tells of`(step: Int) async throws {
        let server = try PeerServer(tls: Contexts.server()) { try $0.write(Self.pattern(0..<100_000)) }
        try await onLoop { loop in
            let stream = try await Self.connect(server, Contexts.client(), on: loop)
            #expect(try await Self.readPattern(stream, step: step, on: loop) == 100_000)
            #expect(!stream.wasTruncated)
        }
    }

    @Test func `takes session tickets for nothing unasked, and keeps them`() async throws {
        let context = try Contexts.client()
        let isReady = Mailbox<Void>()
        let mayEnd = Mailbox<Void>()
        let server = try PeerServer(tls: Contexts.server()) { peer in
            isReady.put(())  // the tickets have been written
            try mayEnd.take()
            try peer.write("unasked")
            isReady.put(())
            try mayEnd.take()
        }
        try await onLoop { loop in
            let stream = try await Self.connect(server, context, on: loop)
            try isReady.take()
            try await Self.waitForInput(stream, loop)
            #expect(stream.isIdleAndOpen())
            #expect(stream.isIdleAndOpen())
            mayEnd.put(())
            try isReady.take()
            try await Self.waitForInput(stream, loop)
            #expect(!stream.isIdleAndOpen())
            mayEnd.put(())
            stream.close()

            let second = try await Self.connect(server, context, on: loop)
            #expect(second.tls?.isResumed == true)
            mayEnd.put(())
            mayEnd.put(())
            second.close()
        }
    }

    @Test(arguments: [true, false])
    func `is no longer idle and open once its server has ended it`(inOrder: Bool) async throws {
        let hasEnded = Mailbox<Void>()
        let server = try PeerServer(tls: Contexts.server()) { peer in
            if inOrder { peer.close() } else { peer.closeSocket() }
            hasEnded.put(())
        }
        try await onLoop { loop in
            let stream = try await Self.connect(server, Contexts.client(), on: loop)
            try hasEnded.take()
            while !stream.socket.peerEnded { await loop.sleep(nanoseconds: 1_000_000) }
            #expect(!stream.isIdleAndOpen())
        }
    }

    @Test(arguments: [true, false])
    func `tells a whole body from a cut one where only the connection ends it`(inOrder: Bool) async throws {
        let server = try PeerServer(tls: Contexts.server()) { peer in
            try peer.write("whole?")
            if inOrder { peer.close() } else { peer.closeSocket() }
        }
        try await onLoop { loop in
            let connection = try await HTTP1Connection(Self.connect(server, Contexts.client(), on: loop), pool: loop.buffers)
            connection.beginBody(.untilClose)
            var text = ""
            var failure: HTTPError?
            do throws(HTTPError) {
                while case let count = try await connection.nextPiece(until: loop.inTenSeconds), count > 0 {
                    let input = connection.input
                    text += input.bytes.extracting(first: count).string
                    connection.consumePiece()
                }
            } catch { failure = error }
            #expect(text == "whole?")
            #expect(failure == (inOrder ? nil : .stream(.cut)))
        }
    }

    @Test func `says when the peer has gone behind what it had to say`() async throws {
        let hasEnded = Mailbox<Void>()
        let server = try PeerServer(tls: Contexts.server()) { peer in
            peer.close()
            hasEnded.put(())
        }
        try await onLoop { loop in
            let stream = try await Self.connect(server, Contexts.client(), on: loop)
            try hasEnded.take()
            while !stream.socket.peerEnded { await loop.sleep(nanoseconds: 1_000_000) }
            #expect(stream.socket.peerHasGone())
        }
    }

    @Test func `gives a handshake up when its time is over`() async throws {
        let server = try PeerServer { peer in _ = try peer.readToEnd() }
        try await onLoop { loop in
            let address = try #require(SocketAddress("127.0.0.1", port: server.port))
            let stream = try await ByteStream(Socket.connect(to: address, on: loop, until: loop.inTenSeconds))
            let tls = try TLSConnection(Contexts.client(), fileDescriptor: stream.socket.descriptor, serverName: "gateway.test", port: server.port)
            await #expect(throws: HandshakeError.stream(.timedOut)) { try await stream.startTLS(tls, until: loop.now + 50_000_000) }
        }
    }
}
