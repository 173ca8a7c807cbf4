import EventLoop

/// Takes a streamed answer piece by piece; each piece has left for the kernel when `write` returns. Confined to the server's loop.
public final class HTTPResponseWriter {
    private let connection: HTTP1Connection
    private let isChunked: Bool
    private let idleNanoseconds: UInt64
    private let sizeLine = OutputBuffer(capacity: 32)

    /// Bytes that have as long as `HTTPServer.Limits.idle` to be taken.
    private static let pieceSize = 256 << 10

    init(_ connection: HTTP1Connection, isChunked: Bool, idleNanoseconds: UInt64) {
        self.connection = connection
        self.isChunked = isChunked
        self.idleNanoseconds = idleNanoseconds
    }

    public func write(_ text: String) async throws(StreamError) { try await write(Array(text.utf8)) }

    public func write(_ bytes: [UInt8]) async throws(StreamError) { try await write(bytes, from: 0) }

    /// A head, and a body whose length it has told, in one system call where the kernel takes them.
    func write(_ head: OutputBuffer, _ bytes: [UInt8]) async throws(StreamError) {
        let stream = connection.stream
        let first = min(bytes.count, Self.pieceSize)
        let piece = unsafe bytes.span.bytes.extracting(0..<first)  // sound: a UInt8 has no padding
        try await stream.write(head.bytes, piece, until: unsafe stream.socket.loop.now + idleNanoseconds)
        try await write(bytes, from: first)
    }

    private func write(_ bytes: [UInt8], from start: Int) async throws(StreamError) {
        var offset = start
        while offset < bytes.count {
            let end = min(offset + Self.pieceSize, bytes.count)
            let piece = unsafe bytes.span.bytes.extracting(offset..<end)  // sound: a UInt8 has no padding
            try await write(piece: piece)
            offset = end
        }
    }

    private func write(piece: RawSpan) async throws(StreamError) {
        try checkOpen()
        let stream = connection.stream
        let deadline = unsafe stream.socket.loop.now + idleNanoseconds
        guard isChunked else {
            try await stream.write(piece, until: deadline)
            return
        }
        let line = sizeLine
        line.removeAll()
        line.append(hex: piece.byteCount)
        line.append("\r\n")
        try await stream.write(line.bytes, piece, ("\r\n" as StaticString).bytes, until: deadline)
    }

    func finish() async throws(StreamError) {
        try checkOpen()
        guard isChunked else { return }
        let stream = connection.stream
        try await stream.write(("0\r\n\r\n" as StaticString).bytes, until: unsafe stream.socket.loop.now + idleNanoseconds)
    }

    private func checkOpen() throws(StreamError) {
        guard let interruption = connection.stream.socket.interruption else { return }
        throw interruption == .shutdown ? .shutdown : .callerGone
    }
}
