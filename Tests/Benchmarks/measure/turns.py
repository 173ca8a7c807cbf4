"""What a loop never does: take long over a turn, or wait for a disk. Watched while the store writes, while the exporter is stuck, and
while large bodies pass."""

import re
import subprocess
import time

from .bodies import large_bodies
from .machine import BUILT, Invalid, program
from .proxies import Collector, Hopspan, Upstream
from .report import figure, progress
from .threads import Threads


def turns(report, quick):
    milliseconds = 1500 if quick else 15_000
    rows = []
    for what, options in (("the store writes, the exporter exports", ()), ("the exporter is stuck", ("--stuck",))):
        progress(f"turns: {what}")
        upstream, collector = Upstream(), Collector(*options)
        threads = Threads("turns")
        hopspan = Hopspan(upstream, collector, environment=threads.environment)
        load = ("--connections", 64, "--traced", "--milliseconds")
        program("load", hopspan.port, *load, 500)
        threads.forget_longest()
        before = threads.loops(hopspan.process)
        log = WriteAheadLog(hopspan.directory / "hopspan.db-wal")
        loads = 0
        # A checkpoint copies the log into the database; with it behind, the log is written from its beginning again. One must have run.
        while loads == 0 or log.restarts == 0:
            program("load", hopspan.port, *load, milliseconds)
            log.look()
            loads += 1
            if loads == 12:
                raise Invalid(f"no checkpoint ran in {loads} loads of {milliseconds} ms")
        time.sleep(0.5)
        after = threads.loops(hopspan.process)
        calls = system_calls(hopspan, load)
        for process in (hopspan.process, upstream.process, collector.process):
            process.stop()
        report.note(f"Loops: while {what}, {log.restarts} checkpoints or more ran during the load.")
        files = {name: number for name, number in calls.items() if name.endswith("(file)")}
        rows.append([what, f"{after['turns'] - before['turns']:,}", figure(after["longest"] / 1e6), after["long_turns"] - before["long_turns"],
                     ", ".join(f"{name} {number:,}" for name, number in sorted(calls.items(), key=lambda item: -item[1]))])
        report.gate(f"Loops: thread time of the longest turn while {what}", after["longest"] / 1e6, 5, unit=" ms")
        report.gate(f"Loops: system calls on files while {what}", sum(files.values()), 0)
    large_bodies(report, quick)
    passed_on(report)
    report.table("The loops' turns (thread time) and system calls", ["while", "turns", "longest, ms", "over 1 ms", "system calls in a sample"], rows)


class WriteAheadLog:
    """How often SQLite has begun its log anew: each time with another salt in its header (bytes 16 to 23, sqlite.org/fileformat2.html#walformat)."""

    def __init__(self, path):
        self.path, self.restarts = path, 0
        self.salt = self._salt()

    def _salt(self):
        with open(self.path, "rb") as file:
            return file.read(32)[16:24]

    def look(self):
        salt = self._salt()
        if salt != self.salt:
            # The first half is a number that grows by one each time.
            first = lambda salt: int.from_bytes(salt[:4], "big")
            self.restarts += max(1, (first(salt) - first(self.salt)) % (1 << 32)) if salt else 1
            self.salt = salt


# Calls that take no descriptor and touch no disk, or that are about memory and threads.
HARMLESS = {"futex", "madvise", "brk", "sched_yield", "gettid", "getpid", "getrandom", "clock_gettime", "mprotect", "munmap", "rt_sigprocmask",
            "restart_syscall", "mremap", "tgkill", "timerfd_settime", "exit", "rseq", "set_robust_list", "sched_getaffinity"}


def trace(hopspan, arguments, load):
    """The system calls of the loop threads during a load, a line each."""
    path = BUILT / "work" / "loops.strace"
    loops = [str(thread) for thread, name in hopspan.process.thread_ids().items() if name.startswith("loop-")]
    tracer = subprocess.Popen(["strace", "-y", "-qq", "-s", "0", "-o", path, *arguments, *(part for thread in loops for part in ("-p", thread))],
                              stderr=subprocess.PIPE, text=True)
    while not all(hopspan.process.is_traced(thread) for thread in loops):
        if tracer.poll() is not None:
            raise Invalid(f"strace: {tracer.stderr.read().strip()}")
        time.sleep(0.01)
    program(*load)
    time.sleep(0.2)
    tracer.terminate()
    tracer.wait()
    lines = path.read_text(errors="replace").splitlines()
    if not lines:
        raise Invalid("strace saw no system call of a loop")
    return lines


def system_calls(hopspan, load):
    """Calls of the loop threads during a short load, by name and what they are made on."""
    calls = {}
    for line in trace(hopspan, [], ("load", hopspan.port, *load, 2000)):
        match = re.match(r"(?:\d+ +)?(\w+)\((?:(\d+)<([^>]*)>?)?", line)
        if not match:
            continue
        name, _, target = match.groups()
        if target is None:
            opens_file = name not in HARMLESS and not ("mmap" in name and "MAP_ANONYMOUS" in line) and ("open" in name or "/" in line.split(")")[0])
            kind = " (file)" if opens_file else ""
        else:
            kind = "" if re.match(r"(socket|anon_inode|TCP|UDP|pipe|eventpoll|eventfd)", target) else " (file)"
        calls[name + kind] = calls.get(name + kind, 0) + 1
    return calls


def passed_on(report, streams=20, events=50):
    """Whether each event of a stream is written in the turn that read it: in a turn of the loop, what is read is written."""
    upstream, collector = Upstream("--events", events), Collector()
    hopspan = Hopspan(upstream, collector)
    program("load", hopspan.port, "--connections", 64, "--requests", 2000, "--traced")
    lines = trace(hopspan, ["-e", "trace=network,epoll_wait,epoll_pwait,read,write,readv,writev"],
                  ("streams", hopspan.port, "--streams", streams, "--events", events))
    for process in (hopspan.process, upstream.process, collector.process):
        process.stop()
    at_once = late = reads = writes = 0
    opens = False
    for line in [*lines, "epoll_wait("]:
        if re.match(r"(?:\d+ +)?epoll_p?wait\(", line):
            if not opens:
                at_once += min(reads, writes)
                late += max(0, reads - writes)
            reads = writes = 0
            opens = False
        elif re.search(r"(recv\w*|readv?)\(\d+<(socket|TCP).*= [1-9]\d*$", line):
            reads += 1
        elif re.search(r"(send\w*|writev?)\(\d+<(socket|TCP).*= [1-9]\d*$", line):
            writes += 1
        elif re.search(r"(accept4?|connect)\(", line):
            opens = True  # requests, whose bytes wait for a connection
    if at_once + late < streams * events * 0.9:
        raise Invalid(f"of {streams * events} events strace saw {at_once + late}")
    report.note(f"Of {at_once + late:,} pieces that the loop read from {streams} streams, {at_once:,} were written in the turn that read them.")
    report.gate("Streams: pieces that were not written in the turn that read them", late, 0)
