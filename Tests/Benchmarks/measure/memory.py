"""Resident memory: idle, per idle connection, per running stream, and with readers that hardly read."""

import json
import subprocess
import time

from .machine import BUILT, LOAD_CORE, Invalid, Process, program
from .proxies import Collector, HAProxy, Hopspan, Nginx, Upstream
from .report import figure, progress

IDLE, STREAMS, SLOW = 5000, 1000, 1000


def memory(report, quick):
    rows, found = [], {}
    for kind in (Nginx, Hopspan) if quick else (Nginx, HAProxy, Hopspan):
        found[kind.name] = row = {}
        progress(f"memory: {kind.name}")
        row["idle"] = idle(kind)
        row["connection"] = per_connection(kind)
        row["stream"] = per_stream(kind)
        rows.append([kind.name, f"{row['idle'] / 1e6:.1f}", f"{row['connection'] / 1024:.2f}", f"{row['stream'] / 1024:.2f}"])
    report.table(f"Memory: resident when idle; growth per connection of {IDLE:,} idle ones and per stream of {STREAMS:,} running ones",
                 ["", "idle, MB", "per connection, KiB", "per stream, KiB"], rows)
    ours = found["hopspan"]
    report.gate("Memory: resident when idle", ours["idle"] / 1e6, 24, 14, unit=" MB")
    report.gate("Memory: per idle connection", ours["connection"] / 1024, 6, 4, unit=" KiB")
    report.gate("Memory: per running stream", ours["stream"] / 1024, 8, 4, unit=" KiB")

    rows = []
    for what in ("plain", "json", "stream"):
        progress(f"memory: slow readers, {what}")
        growth = with_slow_readers(what, 4 if quick else 20)
        rows.append([{"plain": "bytes of a path that is not understood", "json": "a completion", "stream": "a stream of events"}[what],
                     f"{growth / 1024:.1f}"])
        report.gate(f"Memory: per slow reader of 100 MB, {what}", growth / 1024, 256, unit=" KiB")
    report.table(f"Memory: growth per reader of {SLOW:,} that take 4 KiB a second of 100 MB, Hopspan", ["", "KiB"], rows)


class Stage:
    """A proxy that has served a little, so that what it keeps for good is there."""

    def __init__(self, kind, *upstream, warm=True):
        self.upstream, self.collector = Upstream(*upstream), Collector()
        self.proxy = kind(self.upstream, self.collector if kind.traces else None, buffering="off")
        if warm:
            result = program("load", self.proxy.port, "--connections", 64, "--requests", 20_000, "--traced")
            if self.proxy.collector:
                self.collector.wait_for(result["requests"])
            time.sleep(1)
        self.resident, self.anonymous = self.proxy.process.memory()

    def grown(self):
        self.proxy.process.check_alive()
        return self.proxy.process.memory()[1] - self.anonymous

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.proxy.process, self.upstream.process, self.collector.process):
            process.stop()


def idle(kind):
    with Stage(kind, warm=False) as stage:
        time.sleep(1)
        return stage.proxy.process.memory()[0]


def per_connection(kind):
    with Stage(kind) as stage:
        with held(stage.proxy, "idle", IDLE):
            if stage.proxy.collector:
                stage.collector.wait_for(stage.collector.counts()["hops"])
            time.sleep(2)
            return stage.grown() / IDLE


def per_stream(kind):
    """What a thousand streams take when a thousand run already, which have filled whatever the load before had left free."""
    with Stage(kind, "--events", 50, "--interval", 150_000) as stage:
        loads, grown = [], []
        for _ in range(2):
            load = Process("streams", [BUILT / "streams", stage.proxy.port, "--streams", STREAMS, "--events", 50, "--ramp", 1000], LOAD_CORE, reads=True)
            loads.append(load)
            time.sleep(2.5)
            grown.append(stage.grown())
        for load in loads:
            result = json.loads(load.popen.communicate(timeout=60)[0])
            load.stop()
            if result["errors"]:
                raise Invalid(f"streams through {kind.name}: {load.tail()}")
        return (grown[1] - grown[0]) / STREAMS


def with_slow_readers(what, seconds):
    with Stage(Hopspan) as stage:
        with held(stage.proxy, "slow", SLOW, "--kind", what):
            samples = []
            for _ in range(seconds):
                time.sleep(1)
                samples.append(stage.grown())
        return max(samples) / SLOW


class held:
    """Connections that stand for as long as the block runs; afterwards all of them must still be alive."""

    def __init__(self, proxy, what, connections, *arguments):
        self.connections = connections
        if what == "sessions":
            command = [BUILT / "sessions", proxy.port, "--sessions", connections]
        else:
            command = [BUILT / "hold", proxy.port, what, "--connections", connections, *arguments]
        self.process = Process(command[0].name, command, LOAD_CORE, reads=True)

    def __enter__(self):
        if not self.process.popen.stdout.readline():
            raise Invalid(f"connections could not be opened: {self.process.tail()}")

    def __exit__(self, error, *_):
        try:
            line = self.process.popen.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            line = b""
        self.process.stop()
        if error:
            return
        alive = json.loads(line or b'{"alive":0}')["alive"]
        if alive != self.connections:
            raise Invalid(f"of {self.connections} connections {alive} lived to the end")
