"""What the threads of a program do, seen by the library that programs/threads.c makes."""

import struct

from .machine import BUILT, Invalid

ROW = struct.Struct("=6Q")


class Threads:
    """Given to a proxy as its environment; `loops` are the rows of its loop threads, added up (their longest turn: the longest)."""

    def __init__(self, name):
        self.file = BUILT / "work" / f"{name}.threads"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.unlink(missing_ok=True)
        self.environment = {"LD_PRELOAD": str(BUILT / "threads.so"), "THREADS": str(self.file)}

    def loops(self, process):
        names = process.thread_ids()
        total = {"calls": 0, "bytes": 0, "turns": 0, "longest": 0, "long_turns": 0}
        found = False
        for thread, calls, size, turns, longest, long_turns in ROW.iter_unpack(self.file.read_bytes()):
            if names.get(thread, "").startswith("loop-"):
                found = True
                total["calls"] += calls
                total["bytes"] += size
                total["turns"] += turns
                total["longest"] = max(total["longest"], longest)
                total["long_turns"] += long_turns
        if not found:
            raise Invalid(f"no loop thread has a row in {self.file}")
        return total

    def forget_longest(self):
        with open(self.file, "r+b") as file:
            for at in range(0, len(self.file.read_bytes()), ROW.size):
                file.seek(at + 32)
                file.write(bytes(8))
