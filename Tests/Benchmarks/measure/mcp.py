"""What a tool call costs beside a model call of the same size through the same process, and what an open MCP session holds."""

import time

from .intervals import median, summary
from .machine import Invalid, program, spinners
from .memory import Stage, held
from .processor import gate, rotated, run, warm_up
from .proxies import Collector, Hopspan, Upstream
from .report import figure, progress, with_interval

SESSIONS = 1000
#: Each a body of 400 bytes and an answer of 1 KiB, with a trace of its own; what differs is what has to be read and written.
LLM = "a model call"
KINDS = {
    LLM: ("--traced",),
    "a tool call, context in its head": ("--tool-call", "head"),
    "a tool call, context in its message": ("--tool-call", "meta"),
}
CALLS = [kind for kind in KINDS if kind != LLM]


def mcp(report, quick):
    upstream, collector = Upstream(), Collector()
    hopspan = Hopspan(upstream, collector)
    warm_up(hopspan, True, quick)
    for kind in CALLS:
        run(hopspan, "--requests", 10_000 if quick else 20_000, *KINDS[kind])
    processor(report, quick, hopspan)
    awake = spinners()
    try:
        for rate, connections in ((500, 16), (8000, 32)):
            latency(report, quick, rate, connections, hopspan, upstream, collector)
    finally:
        for spinner in awake:
            spinner.kill()
            spinner.wait()
    for process in (hopspan.process, upstream.process, collector.process):
        process.stop()
    sessions(report)


def processor(report, quick, hopspan):
    """CPU per call, of the whole process and of its loops, to that of a model call in the same round."""
    rounds, milliseconds = (4, 700) if quick else (10, 2000)
    results = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in rotated(list(KINDS), number):
            progress(f"mcp: round {number + 1} of {rounds}, {kind}")
            results[kind].append(run(hopspan, "--milliseconds", milliseconds, *KINDS[kind]))

    def to_model_call(kind, key):
        return [call[key] / model[key] for call, model in zip(results[kind], results[LLM])]

    rows = []
    for kind, runs in results.items():
        cells = []
        for key in ("total_us", "loops_us"):
            cells += [with_interval(summary([each[key] for each in runs])), "1" if kind == LLM else with_interval(summary(to_model_call(kind, key)))]
        rows.append([kind, *cells, figure(median([each["per_second"] for each in runs]))])
    report.table("Tool calls: CPU per request", ["", "µs", "to a model call", "loops, µs", "to a model call", "requests/s"], rows)
    for kind in CALLS:
        gate(report, f"MCP, {kind}: CPU of the whole process to a model call's", to_model_call(kind, "total_us"), 2.0, None)
        gate(report, f"MCP, {kind}: CPU of the loops to a model call's", to_model_call(kind, "loops_us"), 2.0, None)


def latency(report, quick, rate, connections, hopspan, upstream, collector):
    """Added to what the same request takes without a proxy, in the same round; then compared with what a model call is added."""
    rounds, milliseconds = (6, 500) if quick else (12, 2000)
    direct, added = {kind: [] for kind in KINDS}, {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in rotated(list(KINDS), number):
            progress(f"mcp at {rate} requests/s: round {number + 1} of {rounds}, {kind}")
            found = {}
            for port in rotated([upstream.port, hopspan.port], number):
                collector.reset()
                result = program("load", port, "--connections", connections, "--rate", rate, "--milliseconds", milliseconds, *KINDS[kind])
                found[port] = result["latency_us"]["p50"]
                if port == hopspan.port and (hops := collector.wait_for(result["requests"])["hops"]) != result["requests"]:
                    raise Invalid(f"hopspan answered {result['requests']} requests, and {hops} of their spans arrived")
            direct[kind].append(found[upstream.port])
            added[kind].append(found[hopspan.port] - found[upstream.port])
    report.table(f"Tool calls at {rate:,} requests/s: p50, µs", ["", "direct", "added"],
                 [[kind, figure(median(direct[kind])), with_interval(summary(added[kind]))] for kind in KINDS])
    for kind in CALLS:
        over = summary([call - model for call, model in zip(added[kind], added[LLM])])
        report.gate(f"MCP, {kind}, at {rate:,} requests/s: added p50 less a model call's", over["median"], 200, None, over["low"], over["high"], " µs")


def sessions(report):
    """Memory of open sessions, each with the connection it was opened on and one with the stream that it listens on."""
    progress("mcp: sessions")
    with Stage(Hopspan) as stage:
        for kind in CALLS:
            run(stage.proxy, "--requests", 10_000, *KINDS[kind])
        time.sleep(1)
        stage.resident, stage.anonymous = stage.proxy.process.memory()
        stage.collector.reset()
        with held(stage.proxy, "sessions", SESSIONS):
            stage.collector.wait_for(SESSIONS)
            time.sleep(2)
            growth = stage.grown() / SESSIONS
        # Of each session: how it was opened, the call at its end, and its stream once that has ended.
        if (hops := stage.collector.wait_for(3 * SESSIONS)["hops"]) != 3 * SESSIONS:
            raise Invalid(f"of {SESSIONS} sessions {hops} hop spans arrived, and not three of each")
    report.note(f"{SESSIONS:,} open MCP sessions, each with a stream that it listens on: {figure(growth / 1024)} KiB each.")
    report.gate(f"Memory: per open MCP session of {SESSIONS:,}", growth / 1024, 64, None, unit=" KiB")
