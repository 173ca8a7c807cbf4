"""Processes pinned to a core, what they cost, and ports that nobody shares."""

import ctypes
import json
import os
import pathlib
import platform
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parents[1]
BUILT = ROOT / ".build/benchmarks"
PROXY_CORE, LOAD_CORE = 0, 1
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None)


class Invalid(Exception):
    """What was measured is not what was to be measured."""


class Process:
    """A program on one core; it and its children are ended with `stop`."""

    running = []

    def __init__(self, name, arguments, core, log=None, environment=None, reads=False):
        self.name = name
        self.log = log or BUILT / "work" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)

        def before():
            os.sched_setaffinity(0, {core})
            _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

        self.popen = subprocess.Popen(
            [str(argument) for argument in arguments], preexec_fn=before, env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE if reads else open(self.log, "ab"), stderr=open(self.log, "ab"))
        self.pid = self.popen.pid
        Process.running.append(self)

    def tree(self):
        """The process and its living descendants."""
        pids = [self.pid]
        for pid in pids:
            for task in _entries(f"/proc/{pid}/task"):
                pids += [int(child) for child in _read(f"/proc/{pid}/task/{task}/children").split()]
        return pids

    def cpu_ns(self):
        """Time on a core of all its threads, those that have ended included."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.tree()) * 1e9

    def threads(self):
        """Time on a core by thread name, of the threads that live: ns."""
        times = {}
        for pid in self.tree():
            for task in _entries(f"/proc/{pid}/task"):
                spent = _read(f"/proc/{pid}/task/{task}/schedstat").split()
                name = _read(f"/proc/{pid}/task/{task}/comm").strip()
                if spent:
                    times[name] = times.get(name, 0) + int(spent[0])
        return times

    def waited_ns(self):
        """Time that its living threads were ready to run and did not, because others had the core: neighbours, or each other."""
        return sum(int(spent[1]) for pid in self.tree() for task in _entries(f"/proc/{pid}/task")
                   if (spent := _read(f"/proc/{pid}/task/{task}/schedstat").split()))

    def thread_ids(self):
        return {int(task): _read(f"/proc/{self.pid}/task/{task}/comm").strip() for task in _entries(f"/proc/{self.pid}/task")}

    def is_traced(self, thread):
        return not re.search(r"^TracerPid:\s+0$", _read(f"/proc/{self.pid}/task/{thread}/status"), re.M)

    def memory(self):
        """Resident and anonymous bytes of the tree."""
        total = {"Rss": 0, "Anonymous": 0}
        for pid in self.tree():
            for name, kilobytes in re.findall(r"^(Rss|Anonymous):\s+(\d+) kB", _read(f"/proc/{pid}/smaps_rollup"), re.M):
                total[name] += int(kilobytes) * 1024
        return total["Rss"], total["Anonymous"]

    def check_alive(self):
        if self.popen.poll() is not None:
            raise Invalid(f"{self.name} ended with {self.popen.returncode}: {self.tail()}")

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def wait_for_port(self, port, seconds=20):
        """Until it listens there; refuses a port that anybody else listens on as well."""
        deadline = time.monotonic() + seconds
        while True:
            self.check_alive()
            inodes = listeners(port)
            if inodes:
                break
            if time.monotonic() > deadline:
                raise Invalid(f"{self.name} does not listen on {port}: {self.tail()}")
            time.sleep(0.005)
        own = set()
        for pid in self.tree():
            for descriptor in _entries(f"/proc/{pid}/fd"):
                try:
                    own.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
                except OSError:
                    pass
        strangers = [inode for inode in inodes if f"socket:[{inode}]" not in own]
        if strangers:
            raise Invalid(f"port {port} of {self.name} is shared with another process")

    def stop(self, how=signal.SIGTERM):
        if self in Process.running:
            Process.running.remove(self)
        if self.popen.poll() is None:
            children = self.tree()[1:] if how == signal.SIGKILL else []
            self.popen.send_signal(how)
            for child in children:
                os.kill(child, signal.SIGKILL)
            try:
                self.popen.wait(15)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        for stream in (self.popen.stdin, self.popen.stdout):
            if stream:
                stream.close()


def stop_all():
    for process in list(Process.running):
        process.stop(signal.SIGKILL)


def listeners(port):
    """Inodes of the sockets that listen on a port."""
    found = []
    for family in ("tcp", "tcp6"):
        for line in _read(f"/proc/net/{family}").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.append(fields[9])
    return found


_next_port = 20000 + os.getpid() % 4000


def free_port():
    """A port that nobody listens on, below the range that the kernel takes ports of clients from."""
    global _next_port
    while True:
        _next_port = _next_port + 1 if _next_port < 31000 else 20000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", _next_port))
            except OSError:
                continue
        if not listeners(_next_port):
            return _next_port


def get(port, path, method="GET", headers=None, body=None):
    """Body and head of an answer of 200."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read(), answer.headers
    except OSError as error:
        raise Invalid(f"{method} {path} on port {port}: {error}") from None


def open_runs(hopspan):
    return json.loads(get(hopspan.api, "/api/health")[0])["store"]["open_runs"]


def spinners():
    """Programs of the lowest kind of priority that keep both cores from going to sleep, as a busy machine's would."""
    def idle(core):
        os.sched_setaffinity(0, {core})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        _libc.prctl(1, signal.SIGKILL)

    return [subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=lambda core=core: idle(core)) for core in (PROXY_CORE, LOAD_CORE)]


def calibrate():
    """Milliseconds of thread time that a fixed piece of work takes now: what the machine is worth at this moment."""
    start = time.thread_time_ns()
    total = 0
    for number in range(1_000_000):
        total ^= number * number
    return (time.thread_time_ns() - start) / 1e6


def describe():
    model = next((line.split(":")[1].strip() for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")), platform.machine())
    return {
        "processor": model, "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def prepare(niceness=0):
    if niceness:
        take_priority(niceness)
    if os.cpu_count() < 2:
        raise Invalid("two cores are needed: one for the proxy, one for everything else")
    os.sched_setaffinity(0, {LOAD_CORE})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def take_priority(niceness):
    """Sets the priority of all that is started. Where the kernel shares cores out by session first (autogroups), a process's own
    priority says little: the session's counts, so we take one of our own."""
    if os.getsid(0) != os.getpid():
        os.execvp("setsid", ["setsid", "--wait", *sys.orig_argv])
    try:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        pathlib.Path("/proc/self/autogroup").write_text(str(niceness))
    except FileNotFoundError:
        pass
    except PermissionError:
        raise Invalid(f"priority {niceness} needs root") from None


def program(name, *arguments):
    """Runs one of our load programs to its end; its line of JSON."""
    process = Process(name, [BUILT / name, *arguments], LOAD_CORE, reads=True)
    output = process.popen.communicate(timeout=300)[0]
    process.stop()
    if process.popen.returncode != 0:
        raise Invalid(f"{name} {' '.join(map(str, arguments))}: {process.tail()}")
    result = json.loads(output)
    if result.get("errors"):
        raise Invalid(f"{name}: {result['errors']} answers were not as they must be: {process.tail()}")
    return result


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _entries(path):
    try:
        return os.listdir(path)
    except OSError:
        return []
