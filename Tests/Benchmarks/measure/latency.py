"""Latency that a proxy adds at a fixed rate, against nginx and against no proxy at all, in the same round."""

from .intervals import median, summary
from .machine import Invalid, program, spinners
from .processor import rotated, warm_up
from .proxies import Collector, Hopspan, Nginx, Upstream
from .report import figure, progress, with_interval


def latency(report, quick):
    upstream, collector = Upstream(), Collector()
    proxies = [Nginx(upstream), Hopspan(upstream, collector)]
    for proxy in proxies:
        warm_up(proxy, True, quick)
    awake = spinners()
    try:
        for rate, connections in ((500, 16), (8000, 32)):
            measure(report, quick, rate, connections, proxies, upstream, collector)
    finally:
        for spinner in awake:
            spinner.kill()
            spinner.wait()
    for process in [*(proxy.process for proxy in proxies), upstream.process, collector.process]:
        process.stop()


def measure(report, quick, rate, connections, proxies, upstream, collector):
    rounds, milliseconds = (6, 500) if quick else (12, 2000)
    added = {proxy.name: {"p50": [], "p90": []} for proxy in proxies}
    direct = {"p50": [], "p90": []}
    waits = {proxy.name: [] for proxy in proxies}
    for number in range(rounds):
        found = {}
        for name, port in rotated([("direct", upstream.port), *((proxy.name, proxy.port) for proxy in proxies)], number):
            progress(f"latency at {rate} requests/s: round {number + 1} of {rounds}, {name}")
            collector.reset()
            before = {proxy.name: proxy.process.waited_ns() for proxy in proxies}
            result = program("load", port, "--connections", connections, "--rate", rate, "--milliseconds", milliseconds, "--traced")
            found[name] = result["latency_us"]
            for proxy in proxies:
                if proxy.name == name:
                    waits[name].append((proxy.process.waited_ns() - before[name]) / result["requests"] / 1000)
            if name == "hopspan" and (hops := collector.wait_for(result["requests"])["hops"]) != result["requests"]:
                raise Invalid(f"hopspan answered {result['requests']} requests, and {hops} of their spans arrived")
        for quantile, values in direct.items():
            values.append(found["direct"][quantile])
            for name, series in added.items():
                series[quantile].append(found[name][quantile] - found["direct"][quantile])
    rows = [["direct", figure(median(direct["p50"])), "", figure(median(direct["p90"])), "", ""]]
    for name, series in added.items():
        rows.append([name, figure(median(direct["p50"]) + median(series["p50"])), with_interval(summary(series["p50"])),
                     figure(median(direct["p90"]) + median(series["p90"])), with_interval(summary(series["p90"])), figure(median(waits[name]))])
    report.table(f"Latency at {rate:,} requests/s: µs", ["", "p50", "added", "p90", "added", "waited for the core, per request"], rows)

    # Added p50 is at most 1.10 of nginx's: the difference to that bound, pair by pair, must not lie above nothing as a whole.
    theirs, ours = added["nginx"]["p50"], added["hopspan"]["p50"]
    over = summary([our - 1.10 * their for our, their in zip(ours, theirs)])
    report.note(f"At {rate:,} requests/s the added p50 is {figure(median(ours) / median(theirs))} of nginx's (ratio of medians); paired, ours less 1.10 of nginx's is "
                f"{with_interval(over)} µs in {rounds} rounds.")
    report.gate(f"Latency at {rate:,} requests/s: added p50 less 1.10 of nginx's", over["median"], 0, None, over["low"], over["high"], " µs")
