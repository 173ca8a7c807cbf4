"""A store with 1,000,000 spans: how long the answers of the api take, the start, and writing. The spans come through the gateway itself."""

import json
import signal
import time
import urllib.parse

from .intervals import median, summary
from .machine import Invalid, calibrate, get, program
from .proxies import Collector, Hopspan, Upstream
from .report import figure, progress, with_interval

SPANS, LONG_RUNS, HOPS = 1_000_000, 500, 10
REPEATS = 10


def growth(report, quick):
    """One request of ten belongs to one of 500 runs that last from the first span to the last (200 hops each); the others to runs of ten."""
    spans = SPANS // 10 if quick else SPANS
    long_runs = spans // 2000
    upstream, collector = Upstream(), Collector()
    hopspan = Hopspan(upstream, collector)
    progress(f"growth: a store of {spans:,} spans")
    fill(hopspan, spans // 10, spans // 10 // 2000)
    empty = writing(hopspan, spans // 20)
    fill(hopspan, spans - spans // 10 - spans // 20, long_runs)
    full = writing(hopspan, spans // 20)

    run = run_of(hopspan, 200)
    rows = [row("calibration loop", [calibrate() for _ in range(REPEATS)])]
    times = {}
    for path in ("/api/runs?limit=50", f"/api/runs/{run}", "/api/runs?limit=50&sort=-cost_usd", "/api/runs?limit=50&model=none-such", "/api/cost?by=model"):
        progress(f"growth: {path}")
        calibration = []
        times[path] = []
        for _ in range(REPEATS):
            calibration.append(calibrate())
            times[path].append(ask(hopspan, path))
        rows.append(row("GET " + path.replace(run, "{run of 200 hops}"), times[path], calibration))
    starts = {"start after an orderly end": signal.SIGTERM, "start after SIGKILL": signal.SIGKILL}
    for name, how in starts.items():
        progress(f"growth: {name}")
        calibration = []
        starts[name] = []
        for _ in range(REPEATS):
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
    report.table(f"{spans:,} spans in the store: milliseconds, medians of {REPEATS}", ["", "ms", "calibration loop beside it"], rows)
    report.table("Writing, all threads of the gateway on one core", ["", "spans/s", "store thread, µs a span"],
                 [[f"with {name} spans", figure(found["rate"]), figure(found["store_us"])]
                  for name, found in ((f"{spans // 10:,}", empty), (f"{spans:,}", full))])
    report.note(f"The store is {size / 1e6:.0f} MB: {size / spans:.0f} bytes a span.")
    if spans == SPANS:
        gate(report, "GET /api/runs?limit=50", times["/api/runs?limit=50"], 20)
        gate(report, "GET /api/runs/{run} of 200 hops", times[f"/api/runs/{run}"], 30)
        gate(report, "start-up", starts["start after an orderly end"], 300)
        report.gate("Growth: writing", full["rate"], 20_000, unit=" spans/s", at_least=True)


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


def fill(hopspan, spans, long_runs):
    load(hopspan, spans, "--hops", HOPS, "--long-runs", max(1, long_runs))


def writing(hopspan, spans):
    """How many spans a second are recorded, written and exported while requests come as fast as they are answered: the store's
    thread shares the core with the loop, so it can do more. The exporter's batching delay is in the time."""
    before = hopspan.process.threads().get("store", 0)
    seconds = load(hopspan, spans)
    return {"rate": spans / seconds, "store_us": (hopspan.process.threads().get("store", 0) - before) / spans / 1000}


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
