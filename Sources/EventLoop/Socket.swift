internal import CLinux
internal import Glibc

/// How a wait ended.
public enum Readiness: Sendable {
    case ready
    case timedOut
    /// Somebody who no longer needs this socket ended the wait; `Socket.interruption` says why.
    case interrupted
}

/// Why a wait was interrupted.
public enum Interruption: UInt8, Sendable {
    /// The caller on whose behalf the socket was used has gone.
    case callerGone
    /// The program is ending.
    case shutdown
}

/// A connected stream socket, or the end of a pipe, non-blocking, confined to one loop and closed with its last reference.
///
/// Registered once, edge-triggered, for everything: the loop remembers what it was told, so reads and writes are tried at once and
/// a task suspends only when the kernel has said no. At most one task may wait for each direction.
@safe public final class Socket {
    public let descriptor: Int32
    public unowned(unsafe) let loop: EventLoop
    private let isPipe: Bool
    var position = -1

    private var reader: Resumption<Readiness>?
    private var writer: Resumption<Readiness>?
    private var readDeadline = UInt64.max
    private var writeDeadline = UInt64.max
    /// The task that waits to write is resumed by what comes, too.
    private var writerListens = false
    @usableFromInline var readable = true
    private var writable = true
    public internal(set) var isClosed = false
    /// The peer has ended its side, or the connection broke. What it sent before may still be unread.
    public private(set) var peerEnded = false
    public internal(set) var interruption: Interruption?
    /// Neither side can send any more: the connection was reset, or both have ended it.
    private var isBroken = false

    /// The socket whose waits are pointless once this one's peer has gone: while an answer is fetched for a caller, the upstream's.
    /// The link goes one way, from a caller to an upstream, and is cut by whoever set it; a weak one would cost every retain of the socket.
    public var onBehalf: Socket?

    /// Called by the loop when the peer has gone, and by whoever ends what waits here (`interrupt`): for a task that serves this socket's
    /// peer and waits for something else meanwhile. It must not close.
    public var onEnd: (() -> Void)?

    /// Called while a task waits to read, each time something may have come, by the loop as it takes its events; returns whether the
    /// task is to be resumed, as it is without being asked in a turn that has lasted long. What needs no task is done here, in the turn that brought it: reading and writing, but neither closing
    /// nor letting go of any socket. It sets the next deadline itself (`keepWaiting`).
    public var onReadable: (() -> Bool)?

    /// Whether bytes that wait unread say nothing but that the peer has ended, as TLS's `close_notify` does. Set by what lies over
    /// this socket; asked while the loop takes its events, so it must not close.
    public var unreadIsEnd: (() -> Bool)?

    /// Takes the descriptor over; it must be a non-blocking stream socket, or what can be waited for as one (eventfd(2), pidfd_open(2)).
    /// - Parameter isPipe: the end of a pipe.
    public init(_ descriptor: Int32, on loop: EventLoop, isPipe: Bool = false) throws(SystemError) {
        self.descriptor = descriptor
        self.isPipe = isPipe
        unsafe self.loop = loop
        do {
            try loop.register(self)
        } catch {
            isClosed = true
            Glibc.close(descriptor)
            throw error
        }
    }

    deinit { close() }

    /// Closes the connection now. Waiting tasks are resumed as interrupted.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        unsafe loop.unregister(self)
        Glibc.close(descriptor)
        interrupt(.callerGone)
    }

    /// Closes so that the peer sees a reset: for connections that broke the protocol or were given up in the middle.
    public func reset() {
        guard !isClosed else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    /// Ends our side only; the peer reads to the end.
    public func shutdownWrite() { _ = Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

    // MARK: now

    /// Reads what there is, without waiting. A short read is remembered as "nothing more", which saves the read that would say so.
    @unsafe public func readNow(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        guard readable else { return .wouldBlock }
        let result = System.result {
            isPipe ? unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) : unsafe linux_receive(descriptor, buffer.baseAddress, buffer.count)
        }
        switch result {
        case .bytes(0): return .end
        // With the end already announced there will be no other event: read on until it is met.
        case .bytes(let count): if count < buffer.count, !peerEnded { readable = false }
        case .wouldBlock: readable = false
        default: break
        }
        return result
    }

    /// Writes what the kernel takes of up to three pieces, in one call, without waiting.
    public func writeNow(_ first: RawSpan, _ second: RawSpan = RawSpan(), _ third: RawSpan = RawSpan()) -> IOResult {
        guard writable else { return .wouldBlock }
        if isPipe { return writePiece(first.byteCount > 0 ? first : second.byteCount > 0 ? second : third) }
        let total = first.byteCount + second.byteCount + third.byteCount
        if first.byteCount == total {
            // Sound: as below.
            return noted(unsafe first.withUnsafeBytes { a in
                System.result { unsafe linux_send(descriptor, a.baseAddress, a.count) }
            }, of: total)
        }
        return noted(unsafe first.withUnsafeBytes { a in
            unsafe second.withUnsafeBytes { b in
                unsafe third.withUnsafeBytes { c in
                    // Sound: the kernel only reads what the three spans lend for the call.
                    var pieces: InlineArray<3, iovec> = [unsafe Self.piece(a), unsafe Self.piece(b), unsafe Self.piece(c)]
                    var span = unsafe pieces.mutableSpan
                    return unsafe span.withUnsafeMutableBufferPointer { vectors in
                        var message = unsafe msghdr()
                        unsafe message.msg_iov = vectors.baseAddress
                        unsafe message.msg_iovlen = c.count > 0 ? 3 : b.count > 0 ? 2 : 1
                        return System.result { unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) }
                    }
                }
            }
        }, of: total)
    }

    /// One piece into a pipe.
    @inline(never)
    private func writePiece(_ piece: RawSpan) -> IOResult {
        // Sound: the kernel only reads what the span lends for the call.
        noted(unsafe piece.withUnsafeBytes { bytes in
            System.result { unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
        }, of: piece.byteCount)
    }

    /// Remembers what a write of `total` bytes came to.
    @inline(__always) private func noted(_ result: IOResult, of total: Int) -> IOResult {
        switch result {
        case .bytes(let count): if count < total { writable = false }
        case .wouldBlock: writable = false
        default: break
        }
        return result
    }

    @inline(__always)
    private static func piece(_ bytes: UnsafeRawBufferPointer) -> iovec {
        unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }

    /// Whether the peer has gone for good: the connection is broken, or it ended its side and has left nothing unread.
    public func peerHasGone() -> Bool {
        guard peerEnded, !isClosed else { return isClosed }
        if isBroken { return true }
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        if count > 0, let unreadIsEnd { return unreadIsEnd() }
        return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
    }

    /// Whether an idle connection is still usable: open, and nothing has come that nobody asked for.
    public func isIdleAndOpen() -> Bool {
        guard !isClosed, !peerEnded else { return false }
        guard readable else { return true }
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        if count < 0 && errno == EAGAIN {
            readable = false
            return true
        }
        return false
    }

    /// Reads what there is, a buffer at most, onto the end of an array, without waiting.
    public func readNow(appendingTo bytes: inout [UInt8]) -> IOResult {
        let pool = unsafe loop.buffers
        let buffer = unsafe pool.take()
        defer { unsafe pool.giveBack(buffer) }
        let result = unsafe readNow(into: buffer)
        // Sound: so many bytes have been read into it.
        if case .bytes(let count) = result { unsafe bytes.append(contentsOf: buffer[..<count]) }
        return result
    }

    // MARK: waiting

    /// Suspends until there may be something to read.
    /// - Parameter deadline: monotonic nanoseconds; `.max` for none.
    @inlinable public func waitToRead(until deadline: UInt64 = .max) async -> Readiness {
        if readable { return .ready }
        if interruption != nil || isClosed { return .interrupted }
        if unsafe deadline <= loop.now { return .timedOut }
        return await suspend { expectInput($0, until: deadline) }
    }

    @usableFromInline func expectInput(_ waiting: Resumption<Readiness>, until deadline: UInt64) {
        precondition(reader == nil, "two tasks read one socket")
        reader = waiting
        readDeadline = deadline
        unsafe loop.expect(deadline)
    }

    /// The task that waits to read goes on waiting, until another deadline.
    public func keepWaiting(until deadline: UInt64) {
        guard reader != nil else { return }
        readDeadline = deadline
        unsafe loop.expect(deadline)
    }

    /// Suspends until something may be written.
    /// - Parameter orRead: or something may have come.
    public func waitToWrite(until deadline: UInt64 = .max, orRead listens: Bool = false) async -> Readiness {
        if writable { return .ready }
        if interruption != nil || isClosed { return .interrupted }
        precondition(writer == nil, "two tasks write one socket")
        if unsafe deadline <= loop.now { return .timedOut }
        writeDeadline = deadline
        writerListens = listens
        unsafe loop.expect(deadline)
        return await suspend { writer = $0 }
    }

    /// Whether a read may find something: the kernel has not said no since it last announced anything.
    @inlinable public var mayBeReadable: Bool { readable }

    /// What TLS learned by itself: the kernel had nothing (more) in this direction.
    public func sawWouldBlock(reading: Bool) {
        if reading { readable = false } else { writable = false }
    }

    /// Ends whatever waits on this socket, now and from now on.
    public func interrupt(_ reason: Interruption) {
        if interruption == nil { interruption = reason }
        resumeReader(.interrupted)
        resumeWriter(.interrupted)
        onEnd?()
    }

    /// Forgets an interruption: an idle pooled connection that was not needed for that caller after all.
    public func clearInterruption() { interruption = nil }

    // MARK: called by the loop

    func ready(_ events: UInt32) {
        if events & (LINUX_EPOLLRDHUP | LINUX_EPOLLHUP | LINUX_EPOLLERR) != 0 { peerEnded = true }
        if events & (LINUX_EPOLLIN | LINUX_EPOLLRDHUP | LINUX_EPOLLHUP | LINUX_EPOLLERR) != 0 {
            readable = true
            if reader != nil, needsTask() { resumeReader(.ready) }
            if writerListens { resumeWriter(.ready) }
        }
        if events & (LINUX_EPOLLOUT | LINUX_EPOLLHUP | LINUX_EPOLLERR) != 0 {
            writable = true
            resumeWriter(.ready)
        }
        if events & (LINUX_EPOLLRDHUP | LINUX_EPOLLHUP | LINUX_EPOLLERR) != 0 {
            if events & (LINUX_EPOLLHUP | LINUX_EPOLLERR) != 0 { isBroken = true }
            if let other = onBehalf, peerHasGone() { other.interrupt(.callerGone) }
            if let onEnd, peerHasGone() { onEnd() }
        }
    }

    /// Something may have come: whether the task that waits to read is to see to it.
    @inline(__always)
    private func needsTask() -> Bool {
        guard let onReadable else { return true }
        return unsafe !loop.mayPass() || onReadable()
    }

    /// Resumes what is overdue; the next deadline, or `.max`.
    func expire(_ now: UInt64) -> UInt64 {
        if readDeadline <= now { resumeReader(.timedOut) }
        if writeDeadline <= now { resumeWriter(.timedOut) }
        return min(readDeadline, writeDeadline)
    }

    @inline(__always)
    private func resumeReader(_ readiness: Readiness) {
        guard let waiting = reader else { return }
        reader = nil
        readDeadline = .max
        waiting.resume(returning: readiness)
    }

    @inline(__always)
    private func resumeWriter(_ readiness: Readiness) {
        guard let waiting = writer else { return }
        writer = nil
        writeDeadline = .max
        writerListens = false
        waiting.resume(returning: readiness)
    }
}

extension Socket {
    /// Small writes leave at once (TCP_NODELAY): an event is passed on when it comes.
    public static func setNoDelay(_ descriptor: Int32) {
        var on: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// A peer that has vanished without a word (a machine that lost its power, a NAT that forgot) shows after two minutes: TCP asks once a
    /// minute of silence has passed, and every 15 s from then on, four times (tcp(7)). What a listener is told holds for the connections it takes.
    static func setKeepAlive(_ descriptor: Int32) {
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let tcp = Int32(IPPROTO_TCP)
        set(tcp, TCP_KEEPIDLE, 60)
        set(tcp, TCP_KEEPINTVL, 15)
        set(tcp, TCP_KEEPCNT, 4)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Connects to one address.
    /// - Parameter caller: whose leaving ends the attempt.
    public static func connect(
        to address: SocketAddress, on loop: EventLoop, until deadline: UInt64, for caller: Socket? = nil
    ) async throws(ConnectError) -> Socket {
        let descriptor = Glibc.socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .failed(errno) }
        setNoDelay(descriptor)
        setKeepAlive(descriptor)
        let socket: Socket
        do { socket = try Socket(descriptor, on: loop) } catch { throw .failed(error.code) }
        let status = unsafe address.withPointer { pointer, length in unsafe Glibc.connect(descriptor, pointer, length) }
        if status == 0 { return socket }
        guard errno == EINPROGRESS || errno == EINTR else { throw .failed(errno) }
        socket.writable = false
        socket.readable = false
        caller?.onBehalf = socket
        defer { caller?.onBehalf = nil }
        switch await socket.waitToWrite(until: deadline) {
        case .timedOut: throw .timedOut
        case .interrupted: throw .interrupted
        case .ready: break
        }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw .failed(code) }
        return socket
    }
}

/// Why a connection did not come about.
public enum ConnectError: Error, Equatable, Sendable {
    case failed(Int32)
    case timedOut
    case interrupted
}
