"""A store with 1,000,000 spans: how long the answers of the api take, the start, and writing. The spans come through the gateway itself."""

import json
import random
import resource
import signal
import subprocess
import time
import urllib.parse

from .intervals import median, summary
from .machine import Invalid, calibrate, get, program
from .proxies import Collector, Hopspan, Upstream
from .report import figure, progress, with_interval

SPANS, HOPS, PIECE = 1_000_000, 10, 25_000
REPEATS = 10
QUICK_REPEATS = 5


def growth(report, quick):
    """One request of ten belongs to one of 500 runs that last from the first span to the last (200 hops each); the others to runs of ten."""
    spans = SPANS // 10 if quick else SPANS
    long_runs = spans // 2000
    repeats = QUICK_REPEATS if quick else REPEATS
    upstream, collector = Upstream(), Collector()
    hopspan = Hopspan(upstream, collector)
    progress(f"growth: a store of {spans:,} spans")
    seed = random.getrandbits(62) | 1
    fill(hopspan, 0, spans // 10, long_runs, seed)
    empty = writing(hopspan, spans // 20)
    fill(hopspan, spans // 10, spans, long_runs, seed)
    full = writing(hopspan, spans // 20)

    settle(hopspan)
    run = run_of(hopspan, 200)
    rows = [row("calibration loop", [calibrate() for _ in range(repeats)])]
    times = {}
    for path in ("/api/runs?limit=50", f"/api/runs/{run}", "/api/runs?limit=50&sort=-cost_usd", "/api/runs?limit=50&model=none-such", "/api/cost?by=model"):
        progress(f"growth: {path}")
        calibration = []
        times[path] = []
        for _ in range(repeats):
            calibration.append(calibrate())
            times[path].append(ask(hopspan, path))
        rows.append(row("GET " + path.replace(run, "{run of 200 hops}"), times[path], calibration))
    starts = {"start after an orderly end": signal.SIGTERM, "start after SIGKILL": signal.SIGKILL}
    for name, how in starts.items():
        progress(f"growth: {name}")
        calibration = []
        starts[name] = []
        for _ in range(repeats):
            if how == signal.SIGKILL:
                program("load", hopspan.port, "--connections", 64, "--requests", 2000, "--traced")
                time.sleep(0.3)
            hopspan.process.stop(how)
            calibration.append(calibrate())
            starts[name].append(hopspan.start())
        rows.append(row(name, starts[name], calibration))
    size = sum(file.stat().st_size for file in hopspan.directory.glob("hopspan.db*"))
    for process in (hopspan.process, upstream.process, collector.process):
        process.stop()
    report.table(f"{spans:,} spans in the store: milliseconds, medians of {repeats}", ["", "ms", "calibration loop beside it"], rows)
    report.table("Writing, all threads of the gateway on one core", ["", "spans/s", "store thread, µs a span"],
                 [[f"with {name} spans", figure(found["rate"]), figure(found["store_us"])]
                  for name, found in ((f"{spans // 10:,}", empty), (f"{spans:,}", full))])
    report.note(f"The store is {size / 1e6:.0f} MB: {size / spans:.0f} bytes a span.")
    prices(report, hopspan, repeats)
    if spans == SPANS:
        gate(report, "GET /api/runs?limit=50", times["/api/runs?limit=50"], 20)
        gate(report, "GET /api/runs/{run} of 200 hops", times[f"/api/runs/{run}"], 30)
        for name, found in starts.items():
            gate(report, name, found, 300)
        report.gate("Growth: writing", full["rate"], 20_000, unit=" spans/s", at_least=True)


def prices(report, hopspan, repeats):
    """What it takes to load the price catalogue and look a model up in it: CPU of a command that does, less that of one that does not. It
    lists all models as well, so the catalogue alone takes less."""
    progress("growth: the price catalogue")
    times, calibration = [], []
    for _ in range(repeats):
        calibration.append(calibrate())
        times.append(command(hopspan.binary, "prices", "gpt-4o") - command(hopspan.binary, "--version"))
    report.table("The price catalogue: milliseconds", ["", "ms", "calibration loop beside it"], [row("loaded, and a model found", times, calibration)])
    gate(report, "loading the price catalogue", times, 20)


def command(*arguments):
    """Milliseconds of CPU of a command."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (usage.ru_utime + usage.ru_stime) * 1000

    before = spent()
    subprocess.run(arguments, check=True, capture_output=True)
    return spent() - before


def gate(report, what, values, limit):
    found = summary(values)
    report.gate(f"Growth: {what}", found["median"], limit, None, found["low"], found["high"], " ms")


def row(name, values, calibration=None):
    return [name, with_interval(summary(values)), figure(median(calibration)) if calibration else ""]


def load(hopspan, requests, *arguments):
    """Seconds from the first request until the last span was on disk and exported."""
    hopspan.collector.reset()
    start = time.monotonic()
    program("load", hopspan.port, "--connections", 64, "--requests", requests, "--traced", *arguments)
    hops = hopspan.collector.wait_for(requests, 120)["hops"]
    if hops != requests:
        raise Invalid(f"hopspan answered {requests} requests, and {hops} of their spans arrived")
    return time.monotonic() - start


def fill(hopspan, start, end, long_runs, seed):
    """Spans number `start` to `end`, in pieces: how much the queue takes while a disk stalls is no matter here."""
    for first in range(start, end, PIECE):
        progress(f"growth: {first:,} spans of {end:,}")
        load(hopspan, min(PIECE, end - first), "--hops", HOPS, "--long-runs", long_runs, "--seed", seed, "--first", first)


def writing(hopspan, spans):
    """How many spans a second are on disk while requests come as fast as they are answered: the store's thread shares the core with the
    loop and the exporter, so alone it can do more."""
    hopspan.collector.reset()
    before, stored = hopspan.process.threads().get("store", 0), health(hopspan)["stored"]
    start = time.monotonic()
    program("load", hopspan.port, "--connections", 64, "--requests", spans, "--traced")
    while health(hopspan)["stored"] < stored + spans:
        if time.monotonic() > start + 60:
            raise Invalid(f"of {spans} spans {health(hopspan)['stored'] - stored} were stored; lost: {health(hopspan)['lost']}")
        time.sleep(0.01)
    rate = spans / (time.monotonic() - start)
    hopspan.collector.wait_for(spans)
    settle(hopspan)
    return {"rate": rate, "store_us": (hopspan.process.threads().get("store", 0) - before) / spans / 1000}


def health(hopspan):
    return json.loads(get(hopspan.api, "/api/health")[0])["store"]


def settle(hopspan):
    """Until the gateway has nothing left to do, merging and checkpoints included."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        before = hopspan.process.cpu_ns()
        time.sleep(0.5)
        if hopspan.process.cpu_ns() - before < 5_000_000:
            return


def ask(hopspan, path):
    start = time.monotonic()
    get(hopspan.api, path)
    return (time.monotonic() - start) * 1000


def run_of(hopspan, hops):
    """The id of a run that has as many hops."""
    listed = json.loads(get(hopspan.api, "/api/runs?" + urllib.parse.urlencode({"limit": 50, "sort": "-hops"}))[0])["runs"]
    found = [run["run_id"] for run in listed if abs(run["hops"] - hops) <= hops // 10]
    if not found:
        raise Invalid(f"there is no run of {hops} hops; the largest have {[run['hops'] for run in listed[:5]]}")
    return found[0]
