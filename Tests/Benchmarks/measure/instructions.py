"""Instructions and allocations per request on the loops, held against limits.json. Both repeat on a machine that is busy otherwise.

    bash Tests/Benchmarks/instructions.sh [--profile]

Exit status 1 where one is above its limit. --profile also prints where the instructions go.
"""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

from .machine import BUILT, HERE, Invalid, Process, prepare, program, stop_all
from .proxies import Collector, Hopspan, Upstream, fresh_directory
from .report import markdown
from .threads import Threads

CONNECTIONS = 64
LOADS = {"with_traceparent": ["--traced"], "without_traceparent": []}


def main():
    limits = json.loads((HERE / "limits.json").read_text())
    stripped = BUILT / "hopspan-stripped"
    # valgrind 3.19 stops at clang's DWARF 5; the symbols stay.
    subprocess.run(["strip", "-g", "-o", stripped, Hopspan.binary], check=True)
    profiles = {}
    rounds = [measured(stripped, profiles)]
    # How many requests share a turn of the loop differs from run to run, by half a hundredth of the instructions. What stands above its
    # limit is measured twice more, and the median counts.
    if any(value > limits[load][what] for load, values in rounds[0].items() for what, value in values.items()):
        rounds += [measured(stripped, profiles) for _ in range(2)]
    found = {load: {what: statistics.median(each[load][what] for each in rounds) for what in values} for load, values in rounds[0].items()}
    rows, above = [], 0
    for load, values in found.items():
        for what, value in values.items():
            limit = limits[load][what]
            above += value > limit
            rows.append([f"{what} per request, {load.replace('_', ' ')}", f"{value:,.2f}" if value < 100 else f"{value:,.0f}", f"{limit:,}", "above" if value > limit else "within"])
    print(markdown(["on the loops", "measured", "limit", ""], rows))
    if "--profile" in sys.argv:
        for load, profile in profiles.items():
            print(f"\n{load.replace('_', ' ')}: instructions per request by function, with what is inlined into it")
            rooms = {}
            for name, count in profile:
                room = re.search(r"\b(Tracing|JSON|EventLoop|TLS|HTTP|LLM|OTLP|Runs|Store|Export|Gateway)\)?[.:]", name)
                room = room[1] if room else "the Swift runtime and libraries"
                rooms[room] = rooms.get(room, 0) + count
            print("  by room: " + ", ".join(f"{room} {count:,.0f}" for room, count in sorted(rooms.items(), key=lambda item: -item[1])))
            for name, count in profile[:40]:
                print(f"{count:8,.0f}  {name}")
    (BUILT / "instructions.json").write_text(json.dumps({"measured": found, "functions": {load: profile[:100] for load, profile in profiles.items()}}, indent=1))
    print(f"{len(rows) - above} passed, {above} failed")
    return 1 if above else 0


def measured(stripped, profiles):
    found = {name: {} for name in LOADS}
    instructions(stripped, found, profiles)
    allocations(found)
    return found


class Running:
    """Hopspan between its two stand-ins."""

    def __init__(self, **options):
        self.upstream, self.collector = Upstream(), Collector()
        self.hopspan = Hopspan(self.upstream, self.collector, **options)

    def load(self, requests, *load):
        program("load", self.hopspan.port, "--connections", CONNECTIONS, "--requests", requests, *load)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_all()


def instructions(binary, found, profiles, few=300, many=2300):
    """User instructions of the loop threads, per request: what many requests take more than few, so that opening connections,
    timers and the rest of what every load has cancel out."""
    directory = fresh_directory("callgrind")
    prefix = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes", f"--callgrind-out-file={directory}/out", f"--log-file={directory}/log"]
    with Running(prefix=prefix, binary=binary) as running:
        process = running.hopspan.process
        for options in LOADS.values():
            running.load(300, *options)
        loops = loop_threads(process)
        for load, options in LOADS.items():
            costs = []
            for requests in (few, many):
                dump(process)
                done = set(directory.glob("out*"))
                running.load(requests, *options)
                time.sleep(0.3)
                dump(process)
                costs.append(read_profiles(set(directory.glob("out*")) - done, loops))
            each = {name: (cost - costs[0].get(name, 0)) / (many - few) for name, cost in costs[1].items()}
            found[load]["instructions"] = sum(each.values())
            profiles[load] = sorted(demangled(each).items(), key=lambda item: -item[1])
            found[load]["instructions of its price"] = pricing(profiles[load])


def pricing(profile):
    """What a call costs to price once its model has been seen: the look-up, and the sum."""
    spent = [cost for name, cost in profile if re.search(r"\bPrice(Book|Sheet|Catalogue)\b|LLMCall\.cost\(", name)]
    if sum(spent) < 50:
        raise Invalid("the profile shows no function that prices calls: they have other names, or are inlined")
    return sum(spent)


def read_profiles(files, threads):
    costs = {}
    for file in files:
        match = re.search(r"-(\d+)$", file.name)
        if match and int(match[1]) in threads:
            read_profile(file, costs)
    if not costs:
        raise Invalid(f"callgrind dumped nothing of the threads {threads}")
    return costs


def loop_threads(process):
    """valgrind's numbers of the loop threads: its list names each by its Linux thread id."""
    names = process.thread_ids()
    listing = subprocess.run(["vgdb", f"--pid={process.pid}", "v.info", "scheduler"], capture_output=True, text=True, timeout=60)
    listing = listing.stdout + listing.stderr + (BUILT / "work/callgrind/log").read_text()
    threads = {int(number) for number, thread in re.findall(r"Thread (\d+):[^\n]*lwpid (\d+)", listing) if names.get(int(thread), "").startswith("loop-")}
    if not threads:
        raise Invalid(f"valgrind knows no loop thread:\n{listing[-2000:]}")
    return threads


def dump(process):
    subprocess.run(["vgdb", f"--pid={process.pid}", "dump", "now"], check=True, capture_output=True, timeout=60)


def read_profile(file, costs):
    """Adds up a callgrind file's own costs by function (not what its callees cost). Format: valgrind manual, callgrind file format."""
    names = {}
    function, of_callee = "", False
    for line in file.read_text().splitlines():
        if match := re.match(r"fn=\((\d+)\)(?: (.*))?", line):
            function = names.setdefault(match[1], match[2] or match[1])
        elif match := re.match(r"cfn=\((\d+)\)(?: (.*))?", line):
            if match[2]:
                names.setdefault(match[1], match[2])
        elif line.startswith("calls="):
            of_callee = True
        elif re.match(r"[+\-*\d]", line):
            if not of_callee:
                cost = line.split()
                costs[function] = costs.get(function, 0) + int(cost[1]) if len(cost) > 1 else costs.get(function, 0)
            of_callee = False


def demangled(costs):
    names = subprocess.run(["swift", "demangle", "--compact"], input="\n".join(costs), capture_output=True, text=True).stdout.splitlines()
    total = {}
    for name, cost in zip(names if len(names) == len(costs) else costs, costs.values()):
        total[name] = total.get(name, 0) + cost
    return total


def allocations(found, few=2000, many=22_000):
    """Calls of malloc and its kin on the loop threads, per request, once everything that grows has grown."""
    for load, options in LOADS.items():
        threads = Threads("allocations")
        with Running(environment=threads.environment) as running:
            running.load(many, *options)
            calls = [threads.loops(running.hopspan.process)["calls"]]
            for requests in (few, many):
                running.load(requests, *options)
                calls.append(threads.loops(running.hopspan.process)["calls"])
            found[load]["mallocs"] = max(0, (calls[2] - calls[1]) - (calls[1] - calls[0])) / (many - few)


if __name__ == "__main__":
    prepare()
    try:
        sys.exit(main())
    except Invalid as error:
        sys.exit(f"not measured: {error}")
    finally:
        stop_all()
