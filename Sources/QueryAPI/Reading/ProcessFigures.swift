private import Glibc

/// What the system says of this process.
struct ProcessFigures: Sendable {
    /// User and system.
    var cpuNanoseconds: UInt64 = 0
    var residentBytes = 0

    init() {}

    /// Asks the system; not on a loop.
    static func now() -> ProcessFigures {
        var figures = ProcessFigures()
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        figures.cpuNanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        // proc_pid_statm(5): pages, the second number being those resident.
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return figures }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = unsafe read(file, &text, text.count)
        guard count > 0 else { return figures }
        let numbers = text[..<count].split(separator: UInt8(ascii: " "))
        if numbers.count > 1, let pages = Int(String(decoding: numbers[1], as: UTF8.self)) { figures.residentBytes = pages * Int(sysconf(Int32(_SC_PAGESIZE))) }
        return figures
    }
}
