import EventLoop
import Glibc

/// A blocking client that sends what it is told, well-formed or not. Gives up after a minute of silence.
final class RawClient {
    private let descriptor: Int32
    private var received: [UInt8] = []

    init(to port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let descriptor = descriptor
        let failed = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard failed == 0 else { throw SystemError("connect", errno) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Ends our side; what the server still sends can be read.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// What comes until the server ends the connection; nil where it is reset.
    func readToEnd() -> String? {
        while true {
            switch readSome() {
            case 0: return takeAll()
            case ..<0: return nil
            default: break
            }
        }
    }

    /// What comes, up to and with `mark`.
    func read(upTo mark: String) -> String {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if let range = text.firstRange(of: mark) {
                let taken = String(text[..<range.upperBound])
                received.removeFirst(taken.utf8.count)
                return taken
            }
            guard readSome() > 0 else { return takeAll() + "<end>" }
        }
    }

    private func readSome() -> Int {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
        defer { unsafe room.deallocate() }
        let count = unsafe recv(descriptor, room.baseAddress, room.count, 0)
        if count > 0 { unsafe received.append(contentsOf: room.prefix(count)) }
        return count
    }

    private func takeAll() -> String {
        defer { received.removeAll() }
        return String(decoding: received, as: UTF8.self)
    }
}
