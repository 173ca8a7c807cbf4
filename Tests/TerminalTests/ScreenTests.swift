import Glibc
import Testing

@testable import Terminal

@Suite struct `A screen` {
    @Test func `is a file where the descriptor is no terminal`() {
        var ends: [Int32] = [0, 0]
        unsafe pipe(&ends)
        defer { for end in ends { close(end) } }
        #expect(Screen(descriptor: ends[1], environment: [:]) == .file)
    }

    @Test(arguments: [([:], true), (["NO_COLOR": "1"], false), (["NO_COLOR": ""], true), (["TERM": "dumb"], false)])
    func `has colour on a terminal unless told otherwise`(environment: [String: String], hasColor: Bool) throws {
        let terminal = try PseudoTerminal(columns: 97)
        #expect(Screen(descriptor: terminal.descriptor, environment: environment) == Screen(width: 97, hasColor: hasColor))
    }
}

@Suite struct `A progress line` {
    @Test func `fits the terminal`() {
        #expect(Progress.line("sending", done: 3, total: 8, width: 40) == "sending  ━━━━━━━━──────────────  3 of 8")
        #expect(Progress.line("sending", done: 0, total: 8, width: 12) == "sending  0…")
        for width in 20...120 {
            for done in 0...8 { #expect(TextWidth.columns(Progress.line("sending the run", done: done, total: 8, width: width)) < width) }
        }
    }

    @Test func `says nothing where there is no terminal`() throws {
        var ends: [Int32] = [0, 0]
        unsafe pipe(&ends)
        var progress = Progress("x", total: 2, on: Stream(descriptor: ends[1], environment: [:]))
        progress.update(1)
        progress.clear()
        close(ends[1])
        var byte: UInt8 = 0
        #expect(unsafe read(ends[0], &byte, 1) == 0)
        close(ends[0])
    }
}

@Suite struct `A stream` {
    @Test func `says when its reader has gone`() {
        _ = signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        unsafe pipe(&ends)
        close(ends[0])
        let stream = Stream(descriptor: ends[1], environment: [:])
        #expect(throws: WriteError(code: EPIPE)) { try stream.write("x") }
        #expect(WriteError(code: EPIPE).isBrokenPipe)
        close(ends[1])
    }

    @Test func `says when the disk is full`() {
        let stream = Stream(descriptor: unsafe open("/dev/full", O_WRONLY), environment: [:])
        #expect(throws: WriteError(code: ENOSPC)) { try stream.write("x") }
        close(stream.descriptor)
    }
}

/// A terminal that nobody sits at.
final class PseudoTerminal {
    private let controller: Int32
    let descriptor: Int32

    init(columns: UInt16) throws {
        controller = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var unlock: Int32 = 0
        var number: Int32 = 0
        // TIOCSPTLCK and TIOCGPTN of ioctl_tty(2): macros that Swift does not import.
        try #require(unsafe ioctl(controller, 0x4004_5431, &unlock) == 0 && ioctl(controller, 0x8004_5430, &number) == 0)
        descriptor = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(unsafe ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0)
    }

    deinit {
        close(descriptor)
        close(controller)
    }
}
