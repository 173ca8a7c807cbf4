private import Foundation
internal import Glibc
public import TLS

/// Why a test's other end could not do its part.
public struct PeerFailed: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// A TCP connection as a test holds it: straight-line calls that block, for half a minute at most, with or without TLS. One thread.
@safe public final class Peer: @unchecked Sendable {
    public enum Ending: Sendable, Equatable {
        /// `close_notify`, or without TLS the socket's end.
        case inOrder
        /// The socket's end without `close_notify`.
        case truncated
        case broken
    }

    public let descriptor: Int32
    public private(set) var tls: TLSConnection?
    /// Read and not yet asked for.
    private var input: [UInt8] = []
    private var ending: Ending?
    private var isOpen = true

    public init(_ descriptor: Int32) {
        signal(SIGPIPE, SIG_IGN)
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var on: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { if isOpen { Glibc.close(descriptor) } }

    /// A connection to a port of 127.0.0.1.
    public static func connect(to port: UInt16) throws -> Peer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(port)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            throw PeerFailed("no connection to 127.0.0.1:\(port)")
        }
        return Peer(descriptor)
    }

    /// As the server.
    public func startTLS(_ context: TLSContext) throws {
        try shakeHands(TLSConnection(context, fileDescriptor: descriptor))
    }

    /// As the client.
    public func startTLS(_ context: TLSContext, to serverName: String, port: UInt16 = 443) throws {
        try shakeHands(TLSConnection(context, fileDescriptor: descriptor, serverName: serverName, port: port))
    }

    private func shakeHands(_ connection: TLSConnection) throws {
        while true {
            switch try connection.handshake() {
            case .done:
                tls = connection
                return
            case .wantRead: try wait(POLLIN)
            case .wantWrite: try wait(POLLOUT)
            }
        }
    }

    public func wait(_ events: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        guard unsafe poll(&entry, 1, 30_000) == 1 else { throw PeerFailed("nothing comes") }
    }

    // MARK: reading

    /// Some more of what comes; nil at the end.
    private func fill() throws -> Void? {
        if ending != nil { return nil }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            // Sound: the array is lent for the call.
            let count = unsafe buffer.withUnsafeMutableBytes { buffer -> Int? in
                guard let tls else {
                    let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
                    if count >= 0 || errno != EAGAIN { return count }
                    return nil
                }
                do {
                    switch unsafe try tls.read(into: buffer) {
                    case .bytes(let count): return count
                    case .wantRead, .wantWrite: return nil
                    case .closed: return 0
                    case .truncated: return -2
                    }
                } catch { return -1 }
            }
            switch count {
            case nil: try wait(POLLIN)
            case 0: ending = .inOrder
            case -2: ending = .truncated
            case let count? where count < 0: ending = .broken
            case let count?: input += buffer[..<count]
            }
            if ending != nil { return nil }
            if count != nil { return () }
        }
    }

    /// Everything up to and with `mark`.
    public func read(to mark: String) throws -> String {
        let mark = Array(mark.utf8)
        while true {
            if let found = input.firstRange(of: mark) { return take(found.upperBound) }
            guard try fill() != nil else { throw PeerFailed("the end came before \(String(decoding: mark, as: UTF8.self).debugDescription)") }
        }
    }

    public func read(_ count: Int) throws -> String {
        while input.count < count { guard try fill() != nil else { throw PeerFailed("the end came after \(input.count) of \(count) bytes") } }
        return take(count)
    }

    /// What still comes, and how it ended.
    public func readToEnd() throws -> (bytes: [UInt8], ending: Ending) {
        while try fill() != nil {}
        defer { input.removeAll() }
        return (input, ending!)
    }

    /// Makes the way here narrow, and waits until whoever writes has filled it.
    public func letFill() {
        var size: Int32 = 256 << 10
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var before: Int32 = -1
        while true {
            var waiting: Int32 = 0
            unsafe ioctl(descriptor, UInt(FIONREAD), &waiting)
            if waiting > 0, waiting == before { return }
            before = waiting
            usleep(20_000)
        }
    }

    /// How many bytes each TLS 1.3 record with application data carries that waits in the socket, once they carry `count` in all.
    public func peekRecords(carrying count: Int) throws -> [Int] {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        for _ in 0..<3_000 {
            try wait(POLLIN)
            let available = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_PEEK))
            var records: [Int] = []
            var offset = 0
            while offset + 5 <= available {
                let length = Int(buffer[offset + 3]) << 8 | Int(buffer[offset + 4])
                // RFC 8446 §5.2: the contents, a byte of type, sixteen of tag.
                if buffer[offset] == 0x17, offset + 5 + length <= available { records.append(length - 17) }
                offset += 5 + length
            }
            if records.reduce(0, +) >= count { return records }
            usleep(10_000)
        }
        throw PeerFailed("no records with \(count) bytes come")
    }

    private func take(_ count: Int) -> String {
        defer { input.removeFirst(count) }
        return String(decoding: input[..<count], as: UTF8.self)
    }

    /// A head and, where it gives its length or is chunked, the body behind it.
    public func readMessage() throws -> (head: String, body: String) {
        let head = try read(to: "\r\n\r\n")
        func value(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }.map { String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces) }
        }
        if let length = value("content-length").flatMap({ Int($0) }) { return (head, try read(length)) }
        var body = ""
        guard value("transfer-encoding") == "chunked" else { return (head, body) }
        while true {
            let line = try read(to: "\r\n")  // whose end is one Character
            guard let size = Int(line.dropLast(), radix: 16) else { throw PeerFailed("\(line.debugDescription) begins no chunk") }
            body += try read(size)
            _ = try read(to: "\r\n")
            if size == 0 { return (head, body) }
        }
    }

    /// A request's head, without its last empty line, and its body by Content-Length; nil at the connection's end.
    public func readRequest() throws -> (head: String, body: [UInt8])? {
        if input.isEmpty, try fill() == nil { return nil }
        let head = try read(to: "\r\n\r\n").dropLast(2)  // CRLF is one Character
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
        while input.count < length { guard try fill() != nil else { throw PeerFailed("the end came after \(input.count) of \(length) bytes") } }
        defer { input.removeFirst(length) }
        return (String(head), Array(input.prefix(length)))
    }

    /// Whether the other side has sent something that is not read yet, or has ended. For a connection without TLS.
    public func hasSomething() -> Bool {
        var byte: UInt8 = 0
        return unsafe !input.isEmpty || recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0
    }

    // MARK: writing

    public func write(_ text: String) throws { try write(Array(text.utf8)) }

    public func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(1 << 20))
            let count: Int
            if let tls {
                // Sound: a byte has no padding.
                switch try tls.write(unsafe piece.span.bytes) {
                case .bytes(let written): count = written
                case .wantRead: count = 0; try wait(POLLIN)
                case .wantWrite: count = 0; try wait(POLLOUT)
                case .closed, .truncated: throw PeerFailed("nobody reads")
                }
            } else {
                let written = unsafe send(descriptor, piece, piece.count, Int32(MSG_NOSIGNAL))
                guard written >= 0 || errno == EAGAIN else { throw PeerFailed("nobody reads") }
                if written < 0 { try wait(POLLOUT) }
                count = max(0, written)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Passes bytes on, both ways, until either has ended. For connections without TLS.
    public func pass(to other: Peer) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var entries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: other.descriptor, events: Int16(POLLIN), revents: 0)]
            guard unsafe poll(&entries, 2, 30_000) > 0 else { return }
            for (entry, target) in zip(entries, [other, self]) where entry.revents != 0 {
                let count = unsafe recv(entry.fd, &buffer, buffer.count, 0)
                guard count > 0, (try? target.write(Array(buffer[..<count]))) != nil else { return other.close() }
            }
        }
    }

    // MARK: the end

    /// `close_notify` where there is TLS, then the socket's end.
    public func close() {
        // The number of a closed socket may be another one's by now.
        if isOpen { _ = tls?.shutdown() }
        closeSocket()
    }

    /// The socket's end alone: with TLS, a cut.
    public func closeSocket() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }
}
