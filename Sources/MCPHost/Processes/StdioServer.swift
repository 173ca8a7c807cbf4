import EventLoop
import HTTP

/// A server's process, spoken to over its standard input and output (MCP, stdio): a message a line. Confined to the host's loop.
///
/// Four tasks serve it: one writes, one reads messages, one reads what it has to say for itself, one waits for its end.
final class StdioServer: Duplex, @unchecked Sendable {
    private let name: String
    private let process: ChildProcess
    private let loop: EventLoop
    private let limits: HostLimits
    private let board: NoticeBoard
    /// Who is told of what comes; nil once it has been told of the end.
    private var arrive: ((Arrival) -> Void)?

    private var outgoing: [[UInt8]] = []
    private var outgoingBytes = 0
    private var writer: Resumption<Void>?
    private var isPaused = false
    private var reader: Resumption<Void>?
    private var outputHasEnded = false
    private var errorsHaveEnded = false
    private var isClosing = false
    /// It was told to end by somebody else than itself.
    private var isAsked = false
    /// The process is over and nothing of it remains.
    private(set) var isOver = false

    /// Starts it.
    init(
        _ name: String, _ command: [String], environment: [String], on loop: EventLoop, limits: HostLimits, board: NoticeBoard,
        arrive: @escaping (Arrival) -> Void
    ) throws(SystemError) {
        self.name = name
        self.loop = loop
        self.limits = limits
        self.board = board
        self.arrive = arrive
        process = try ChildProcess(command, environment: environment, on: loop)
        board.note(.started(server: name, process: process.processID))
        Task(executorPreference: loop) { await self.write() }
        Task(executorPreference: loop) { await self.readMessages() }
        Task(executorPreference: loop) { await self.readErrors() }
        Task(executorPreference: loop) { await self.watch() }
    }

    // MARK: to the server

    func send(_ message: [UInt8], _ fields: [HTTPField]) -> Bool {
        guard !isClosing, !outputHasEnded, process.exit == nil else { return false }
        // One may always wait, however large.
        guard outgoing.isEmpty || outgoingBytes + message.count <= limits.message else { return false }
        outgoing.append(message + [0x0A])
        outgoingBytes += message.count
        wake(&writer)
        return true
    }

    private func write() async {
        let stream = ByteStream(process.input)
        while !isClosing {
            guard !outgoing.isEmpty else {
                await suspend { writer = $0 }
                continue
            }
            let message = outgoing[0]  // stays there until it is written
            // Sound: bytes have no padding. Who no longer reads is of no use any more.
            do { try await stream.write(unsafe message.span.bytes, until: .max) } catch { end() }
            if !isClosing { outgoing.removeFirst() }
            outgoingBytes -= message.count - 1
        }
        outgoing.removeAll()
        stream.close()
    }

    // MARK: from the server

    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        if !isPaused { wake(&reader) }
    }

    private func readMessages() async {
        var lines = LineReader(limit: limits.message)
        let socket = process.output
        var moved = 0
        reading: while true {
            while isPaused { await suspend { reader = $0 } }
            let result = lines.append { socket.readNow(appendingTo: &$0) }
            switch result {
            case .bytes(let count):
                lines.lines { take($0) }
                moved += count
                if moved >= EventLoop.bytesPerTurn {
                    moved = 0
                    await loop.yield()
                }
            case .wouldBlock:
                moved = 0
                guard await socket.waitToRead() == .ready else { break reading }
            case .end, .failed: break reading
            }
        }
        lines.rest { take($0) }
        socket.close()
        outputHasEnded = true
        // Who no longer speaks is of no use any more.
        if process.exit == nil { end() }
    }

    private func take(_ line: LineReader.Line) {
        switch line {
        case .whole(let bytes): arrive?(.message(bytes))
        case .cut(let cut): arrive?(.tooLong(cut))
        }
    }

    private func readErrors() async {
        var lines = LineReader(limit: NoticeBoard.lineLimit)
        let socket = process.errors
        while true {
            let result = lines.append { socket.readNow(appendingTo: &$0) }
            switch result {
            case .bytes: lines.lines { say($0) }
            case .wouldBlock:
                guard await socket.waitToRead() == .ready else { return errorsEnded(&lines) }
            case .end, .failed: return errorsEnded(&lines)
            }
            // A flood is read at its own pace, not at the loop's expense.
            await loop.yield()
        }
    }

    private func errorsEnded(_ lines: inout LineReader) {
        lines.rest { say($0) }
        process.errors.close()
        errorsHaveEnded = true
    }

    private func say(_ line: LineReader.Line) {
        switch line {
        case .whole(let bytes): board.said(bytes, name)
        case .cut(let cut): board.said(cut.start + Array("… (\(cut.length) bytes)".utf8), name)
        }
    }

    // MARK: the end

    func close() {
        isAsked = isAsked || !isClosing
        end()
    }

    private func end() {
        guard !isClosing else { return }
        isClosing = true
        wake(&writer)
        // Whoever is in the middle of a write does not wait for it to be read.
        process.input.interrupt(.shutdown)
        pause(false)
        process.stopWaiting()
    }

    /// Waits for the end. Once it is wanted: the input is closed, some time later it is asked to end, and then it is ended (MCP, stdio:
    /// Shutdown).
    private func watch() async {
        while process.exit == nil, !isClosing { _ = await process.waitForExit(until: .max) }
        var hadToBeEnded = false
        if process.exit == nil {
            let grace = limits.grace.nanoseconds
            await waitForExit(grace)
            hadToBeEnded = process.exit == nil
            process.terminate()
            await waitForExit(grace)
            process.kill()
            while process.exit == nil { await waitForExit(1_000_000_000) }
        }
        // What it has said to the end is heard.
        var patience = 50
        while !outputHasEnded || !errorsHaveEnded, patience > 0 {
            pause(false)
            await loop.sleep(nanoseconds: 10_000_000)
            patience -= 1
        }
        if !outputHasEnded { process.output.interrupt(.shutdown) }
        if !errorsHaveEnded { process.errors.interrupt(.shutdown) }
        isClosing = true
        wake(&writer)
        process.input.interrupt(.shutdown)
        let how = hadToBeEnded && !isAsked ? "ended its standard output and ran on, and was ended." : Self.words(process.exit ?? .status(0))
        board.note(.ended(server: name, how: how, asked: isAsked))
        isOver = true
        let told = arrive
        arrive = nil
        told?(.end(how + Self.advice(process.exit, name)))
    }

    private func waitForExit(_ nanoseconds: UInt64) async {
        let deadline = loop.now + nanoseconds
        while process.exit == nil, loop.now < deadline { _ = await process.waitForExit(until: deadline) }
    }

    private func wake(_ waiting: inout Resumption<Void>?) {
        guard let resumed = waiting else { return }
        waiting = nil
        resumed.resume()
    }

    // MARK: words

    private static func words(_ exit: ChildProcess.Exit) -> String {
        switch exit {
        case .status(let status): "exited with status \(status)."
        case .signal(let signal): "was ended by signal \(signal)."
        }
    }

    private static func advice(_ exit: ChildProcess.Exit?, _ name: String) -> String {
        switch exit {
        case .status(126), .status(127):
            " A program it needs was not found: its environment is what mcp.\(name).env says and nothing else, so it may need PATH: env:PATH there."
        default: " What it wrote to its standard error is in the gateway's log. Try again."
        }
    }

    /// Why a server could not be started, as the end of a sentence that begins with its name.
    static func words(_ error: SystemError, _ name: String, _ program: String) -> String {
        switch error.code {
        case 2: "could not be started: there is no program \(program). Mend mcp.\(name).command."
        case 13: "could not be started: \(program) may not be run by this user. Mend mcp.\(name).command, or the program's permissions."
        default: "could not be started (\(error)). Look at mcp.\(name).command."
        }
    }
}
