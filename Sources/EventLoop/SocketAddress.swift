public import Glibc

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    /// A literal address: `127.0.0.1`, `::1`, `[::1]`. Nil for anything else.
    public init?(_ address: String, port: UInt16) {
        var text = address
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var four = sockaddr_in()
        var six = sockaddr_in6()
        if unsafe inet_pton(AF_INET, text, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            unsafe withUnsafeBytes(of: four) { unsafe self.fill($0) }
        } else if unsafe inet_pton(AF_INET6, text, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            unsafe withUnsafeBytes(of: six) { unsafe self.fill($0) }
        } else {
            return nil
        }
    }

    /// An abstract Unix socket's, of 100 bytes at most (unix(7)). It has no host and no port.
    init(abstract name: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = [0] + name.utf8
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        unsafe withUnsafeBytes(of: address) { unsafe fill(UnsafeRawBufferPointer(rebasing: $0.prefix(MemoryLayout<sa_family_t>.size + path.count))) }
    }

    /// What the kernel or the resolver gave.
    @unsafe public init(_ pointer: UnsafePointer<sockaddr>, _ length: socklen_t) {
        unsafe fill(UnsafeRawBufferPointer(start: pointer, count: Int(length)))
    }

    /// The address a bound or connected socket has on our side.
    public init(localOf descriptor: Int32) {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe withMutablePointer { unsafe getsockname(descriptor, $0, $1) }
    }

    /// The other side's address of a connected socket.
    public init(peerOf descriptor: Int32) {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe withMutablePointer { unsafe getpeername(descriptor, $0, $1) }
    }

    private mutating func fill(_ bytes: UnsafeRawBufferPointer) {
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix($0.count))) }
        length = socklen_t(bytes.count)
    }

    public var family: Int32 { Int32(storage.ss_family) }

    public var port: UInt16 {
        get { unsafe withUnsafeBytes(of: storage) { unsafe UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) } }
        set { unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: newValue.bigEndian, toByteOffset: 2, as: UInt16.self) } }
    }

    /// The address without the port: `127.0.0.1`, `::1`.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        unsafe withUnsafeBytes(of: storage) { bytes in
            let offset = family == AF_INET6 ? 8 : 4
            _ = unsafe inet_ntop(family, bytes.baseAddress! + offset, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// 127.0.0.0/8, ::1, or an IPv4 loopback mapped into IPv6.
    public var isLoopback: Bool {
        unsafe withUnsafeBytes(of: storage) { bytes in
            if family == AF_INET { return unsafe bytes[4] == 127 }
            if family != AF_INET6 { return false }
            let address = unsafe bytes[8..<24]
            if unsafe address.dropLast().allSatisfy({ $0 == 0 }) { return unsafe address.last == 1 }
            return unsafe address.prefix(10).allSatisfy({ $0 == 0 }) && address[18] == 0xFF && address[19] == 0xFF && address[20] == 127
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    private mutating func withMutablePointer<Result>(_ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result) -> Result {
        unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &length) }
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:8700`, `[::1]:8700`.
    public var description: String { family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
