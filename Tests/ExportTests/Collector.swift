import EventLoop
import Glibc
import HTTP
import Peers
import Synchronization
import TLS
import Tracing

/// A stand-in for a collector on loopback. It takes what a receiver of OTLP/HTTP gets, notes it, and answers what the test says.
final class Collector: Sendable {
    struct Request: Sendable {
        /// From 1, in the order they came.
        let number: Int
        let head: String
        /// The message, decoded where it came as gzip.
        let message: [UInt8]
        /// The ids of its spans, in their order.
        let spans: [UInt64]
        let isCompressed: Bool
    }

    enum Reply: Sendable {
        case status(Int, headers: [String] = [], body: [UInt8] = [])
        /// Anything, and the connection closed.
        case bytes(String)
        /// Nothing until the other side is gone.
        case silence

        static let ok = Reply.status(200)
    }

    private struct State {
        var requests: [Request] = []
        /// Of requests that were answered with 200.
        var taken: [UInt64] = []
        var stopped = false
        var connections: [Int32] = []
    }
    private let state: Shared
    private let server: PeerServer
    private let isTLS: Bool
    private final class Shared: Sendable { let state = Mutex(State()) }

    init(tls: TLSContext? = nil, _ reply: @escaping @Sendable (Request) -> Reply = { _ in .ok }) throws {
        let shared = Shared()
        state = shared
        isTLS = tls != nil
        server = try PeerServer(tls: tls) { connection in
            shared.state.withLock { $0.connections.append(connection.descriptor) }
            defer { shared.state.withLock { $0.connections.removeAll { $0 == connection.descriptor } } }
            while let (head, body) = try connection.readRequest() {
                let isCompressed = head.lowercased().contains("\r\ncontent-encoding: gzip")
                let message = isCompressed ? inflate(body) : body
                let spans = spanIDs(in: message)
                let request = shared.state.withLock { state in
                    let request = Request(number: state.requests.count + 1, head: head, message: message, spans: spans, isCompressed: isCompressed)
                    state.requests.append(request)
                    return request
                }
                switch reply(request) {
                case .status(let status, let headers, let body):
                    if status == 200 { shared.state.withLock { $0.taken += spans } }
                    let lines = headers + (body.isEmpty ? [] : ["content-type: application/x-protobuf"]) + ["content-length: \(body.count)"]
                    try connection.write(Array("HTTP/1.1 \(status) Whatever\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n".utf8) + body)
                case .bytes(let text):
                    try connection.write(text)
                    return
                case .silence:
                    _ = try connection.readToEnd()
                    return
                }
            }
        }
    }

    var port: UInt16 { server.port }
    var origin: Origin { Origin(isTLS: isTLS, host: "127.0.0.1", port: port) }
    var requests: [Request] { state.state.withLock { $0.requests } }
    var taken: [UInt64] { state.state.withLock { $0.taken } }

    /// Nobody listens from now on, and whoever is connected is cut off.
    func stop() {
        server.stop()
        state.state.withLock { state in for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) } }
    }
}

private func inflate(_ body: [UInt8]) -> [UInt8] {
    var inflater = Inflater()
    inflater.reset(.gzip)
    var message: [UInt8] = []
    try! inflater.push(unsafe body.span.bytes) { piece in unsafe piece.withUnsafeBytes { unsafe message.append(contentsOf: $0) } }
    try! inflater.finish()
    return message
}

/// The ids of the spans of an ExportTraceServiceRequest: resource_spans = 1, scope_spans = 2, spans = 2, span_id = 2.
private func spanIDs(in message: [UInt8]) -> [UInt64] {
    fields(1, in: message[...]).flatMap { fields(2, in: $0) }.flatMap { fields(2, in: $0) }.compactMap { span in
        fields(2, in: span).first.map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }
}

/// The length-delimited fields with this number, of a message that is well-formed.
private func fields(_ wanted: UInt64, in message: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var found: [ArraySlice<UInt8>] = []
    var rest = message
    func varint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        return value
    }
    while !rest.isEmpty {
        let tag = varint()
        switch tag & 7 {
        case 0: _ = varint()
        case 1: rest = rest.dropFirst(8)
        case 5: rest = rest.dropFirst(4)
        default:
            let length = Int(varint())
            if tag >> 3 == wanted { found.append(rest.prefix(length)) }
            rest = rest.dropFirst(length)
        }
    }
    return found
}

/// Waits, for as long as it takes, until the condition holds; a test that never gets there is ended by its time limit.
func wait(for condition: () -> Bool) {
    while !condition() { usleep(1_000) }
}
