"""CPU per event of 500 concurrent streams: 50 events each, 20 ms apart."""

from .intervals import median, summary
from .machine import Invalid, program
from .processor import gate, ratios, rotated, warm_up
from .proxies import Collector, HAProxy, Hopspan, Nginx, Upstream
from .report import figure, progress, with_interval

STREAMS, EVENTS = 500, 50


def streams(report, quick):
    rounds = 3 if quick else 8
    upstream, collector = Upstream(), Collector()
    proxies = [Nginx(upstream, buffering="off"), HAProxy(upstream), Hopspan(upstream, collector)]
    for proxy in proxies:
        warm_up(proxy, True, quick)
        run(proxy)
    results = {proxy.name: [] for proxy in proxies}
    for number in range(rounds):
        for proxy in rotated(proxies, number):
            progress(f"streams: round {number + 1} of {rounds}, {proxy.name}")
            results[proxy.name].append(run(proxy))
    for process in [*(proxy.process for proxy in proxies), upstream.process, collector.process]:
        process.stop()
    rows = []
    for name, runs in results.items():
        cost = summary([run["total_us"] for run in runs])
        delay = [f"{median([run['delay_us'][quantile] for run in runs]):.0f}" for quantile in ("p50", "p99")]
        rows.append([name, with_interval(cost), with_interval(summary(ratios(runs, results["nginx"], "total_us"))), *delay])
        if name == "hopspan":
            loops = ratios(runs, results["nginx"], "loops_us")
            rows.append(["hopspan, loops alone", with_interval(summary([run["loops_us"] for run in runs])), with_interval(summary(loops)), "", ""])
    report.table(f"{STREAMS} streams of {EVENTS} events: CPU per event, delay of an event", ["", "µs", "to nginx", "delay p50, µs", "p99"], rows)
    gate(report, "Streams: CPU per event, whole process to nginx", ratios(results["hopspan"], results["nginx"], "total_us"), 0.95, 0.85)


def run(proxy):
    if proxy.collector:
        proxy.collector.reset()
    total, threads = proxy.process.cpu_ns(), proxy.process.threads()
    result = program("streams", proxy.port, "--streams", STREAMS, "--events", EVENTS)
    if proxy.collector and (hops := proxy.collector.wait_for(STREAMS)["hops"]) != STREAMS:
        raise Invalid(f"{STREAMS} streams went through {proxy.name}, and {hops} of their spans arrived")
    total, now = proxy.process.cpu_ns() - total, proxy.process.threads()
    loops = sum(time - threads.get(name, 0) for name, time in now.items() if name.startswith("loop-"))
    return {"total_us": total / result["events"] / 1000, "loops_us": loops / result["events"] / 1000, "delay_us": result["delay_us"]}
