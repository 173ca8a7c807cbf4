import EventLoop
import Glibc
import Synchronization

/// A server of plain bytes on loopback: each connection is served by a closure on a thread of its own, with blocking calls.
final class RawServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Atomic<Int>(0)

    /// - Parameter serve: gets the connection and its number, from 1. The connection is closed when it returns.
    init(_ serve: @escaping @Sendable (RawConnection, Int) -> Void) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        listener = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        unsafe withUnsafeBytes(of: &address) { bytes in
            _ = unsafe bind(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        port = SocketAddress(localOf: descriptor).port
        listen(descriptor, 64)
        Thread.detach(named: "raw-server") { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else {
                    // Here and not in `stop`: the number must not be another's while this thread waits on it.
                    close(descriptor)
                    return
                }
                let number = accepted.add(1, ordering: .relaxed).newValue
                Thread.detach(named: "raw") {
                    serve(RawConnection(descriptor: connection), number)
                    close(connection)
                }
            }
        }
    }

    var connections: Int { accepted.load(ordering: .relaxed) }

    /// Nobody listens from now on.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}

struct RawConnection: Sendable {
    let descriptor: Int32

    /// Head and body (by Content-Length) of the next request; nil when the client is gone.
    func readRequest() -> (head: String, body: [UInt8])? {
        var bytes: [UInt8] = []
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                let lines = head.lowercased().split(separator: "\r\n")
                let length = lines.first { $0.hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
                if bytes.count - end.upperBound >= length { return (head, Array(bytes[end.upperBound...].prefix(length))) }
            }
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
        }
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Waits for the client to close.
    func waitForEnd() {
        var byte: UInt8 = 0
        while unsafe recv(descriptor, &byte, 1, 0) > 0 {}
    }
}
