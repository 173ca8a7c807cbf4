import Foundation
import Glibc

/// Plain blocking sockets for tests: what is on the wire and nothing else.
final class TestSocket: @unchecked Sendable {
    let descriptor: Int32
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var time = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }
    deinit { close(descriptor) }

    static func listen() -> (socket: TestSocket, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe bind(descriptor, $0, length)
                _ = Glibc.listen(descriptor, 16)
                _ = unsafe getsockname(descriptor, $0, &length)
            }
        }
        return (TestSocket(descriptor), UInt16(bigEndian: address.sin_port))
    }

    static func connect(_ port: UInt16) -> TestSocket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        let status = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        precondition(status == 0, "no connection to port \(port)")
        return TestSocket(descriptor)
    }

    func accept() -> TestSocket? {
        let accepted = unsafe Glibc.accept(descriptor, nil, nil)
        return accepted >= 0 ? TestSocket(accepted) : nil
    }

    func send(_ bytes: [UInt8], bytewise: Bool = false) {
        if bytewise {
            for byte in bytes {
                var byte = byte
                _ = unsafe Glibc.send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL))
                usleep(150)
            }
        } else {
            var sent = 0
            while sent < bytes.count {
                let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
                if count <= 0 { return }
                sent += count
            }
        }
    }

    /// Some bytes; empty at the end of the stream, nil when it broke.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer[..<count])
    }

    func shutdownWrite() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}
