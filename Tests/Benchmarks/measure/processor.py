"""CPU per request: Chat Completions of 1 KiB over 64 keep-alive connections, the proxies in turn."""

from .intervals import median, summary
from .machine import Invalid, get, open_runs, program
from .proxies import Collector, Envoy, HAProxy, Hopspan, Nginx, TLSUpstream, Upstream
from .report import figure, progress, with_interval

CONNECTIONS = 64
# More requests without trace context than this, and every further one closes the oldest run: the state it stays in.
OPEN_RUNS = 100_000


def json(report, quick):
    """Loads (a) and (b): with a traceparent, and without."""
    compare(report, "JSON with traceparent", [Nginx, HAProxy, Envoy, Hopspan], Upstream(), True, quick, gates=(0.95, 0.75))
    compare(report, "JSON without traceparent", [Nginx, HAProxy, Envoy, Hopspan], Upstream(), False, quick, gates=(0.95, 0.75))


def tls(report, quick):
    upstream = TLSUpstream()
    compare(report, "TLS to the upstream", [Nginx, Hopspan], upstream, True, quick, gates=(1.00, 0.85), gates_total=False)


def compare(report, title, kinds, upstream, traced, quick, gates, gates_total=True):
    rounds, milliseconds = (3, 700) if quick else (10, 2000)
    proxies = []
    for kind in kinds:
        proxies.append(kind(upstream, Collector() if kind.traces else None))
    check_same_tls(upstream, proxies)
    for proxy in proxies:
        warm_up(proxy, traced, quick)
    results = {proxy.name: [] for proxy in proxies}
    for number in range(rounds):
        for proxy in rotated(proxies, number):
            progress(f"{title}: round {number + 1} of {rounds}, {proxy.name}")
            results[proxy.name].append(run(proxy, "--milliseconds", milliseconds, *(["--traced"] if traced else [])))
    for proxy in proxies:
        if isinstance(proxy, Hopspan) and not traced:
            check_open_runs(report, title, proxy)
        proxy.stop()
        if proxy.collector:
            proxy.collector.process.stop()
    upstream.process.stop()
    tell(report, title, results, gates, gates_total)


def check_open_runs(report, title, hopspan):
    """Every request was a run of its own, and many more than may be followed: the rest must have been closed."""
    found = open_runs(hopspan)
    if found > OPEN_RUNS:
        raise Invalid(f"{found:,} runs are open; no more than {OPEN_RUNS:,} may be")
    report.note(f"{title}: {found:,} open runs after the rounds; no more than {OPEN_RUNS:,} are followed.")


def rotated(items, number):
    """Another one goes first in every round."""
    at = number % len(items)
    return items[at:] + items[:at]


def warm_up(proxy, traced, quick):
    count = 20_000
    if isinstance(proxy, Hopspan) and not traced:
        count = OPEN_RUNS + 20_000
    run(proxy, "--requests", count if not quick or count > 20_000 else 10_000, *(["--traced"] if traced else []))


def run(proxy, *load):
    """One load on one proxy: µs on the core by thread, per request, until the last span has arrived."""
    if proxy.collector:
        proxy.collector.reset()
    total, threads = proxy.process.cpu_ns(), proxy.process.threads()
    result = program("load", proxy.port, "--connections", CONNECTIONS, *load)
    requests = result["requests"]
    spans = None
    if proxy.collector:
        spans = proxy.collector.wait_for(requests)
        if spans["hops"] != requests:
            raise Invalid(f"{proxy.name} answered {requests} requests, and {spans['hops']} of their spans arrived")
    total, now = proxy.process.cpu_ns() - total, proxy.process.threads()
    proxy.process.check_alive()
    threads = {name: (time - threads.get(name, 0)) / requests / 1000 for name, time in now.items()}
    loops = sum(time for name, time in threads.items() if name.startswith("loop-"))
    return {"requests": requests, "per_second": requests / result["seconds"], "total_us": total / requests / 1000, "loops_us": loops, "threads_us": threads,
            "p50_us": result["latency_us"]["p50"], "spans": spans}


def tell(report, title, results, gates, gates_total):
    nginx = results["nginx"]
    rows = []
    for name, runs in results.items():
        total = summary([run["total_us"] for run in runs])
        ratio = summary(ratios(runs, nginx, "total_us"))
        rows.append([name, with_interval(total), with_interval(ratio) if name != "nginx" else "1", figure(median([run["per_second"] for run in runs]))])
        if name == "hopspan":
            loops = ratios(runs, nginx, "loops_us")
            rows.append(["hopspan, loops alone", with_interval(summary([run["loops_us"] for run in runs])), with_interval(summary(loops)), ""])
            for thread in sorted(runs[0]["threads_us"]):
                spent = median([run["threads_us"].get(thread, 0) for run in runs])
                if spent >= 0.05 and not thread.startswith("loop-"):
                    rows.append([f"hopspan, thread {thread}", figure(spent), "", ""])
    report.table(f"{title}: CPU per request", ["", "µs", "to nginx", "requests/s"], rows)

    runs = results["hopspan"]
    gate(report, f"{title}: loops to nginx", ratios(runs, nginx, "loops_us"), *gates)
    if gates_total:
        gate(report, f"{title}: whole process to nginx", ratios(runs, nginx, "total_us"), 1.25, 1.00)
        if "envoy" in results:
            gate(report, f"{title}: whole process to Envoy", ratios(runs, results["envoy"], "total_us"), 0.25, 0.15)
    spans = [run["spans"] for run in runs]
    hops, others, size = (sum(count[key] for count in spans) for key in ("hops", "others", "span_bytes"))
    arrived = sum(count["spans"] for count in spans)
    report.note(
        f"{title}: {sum(run['requests'] for run in runs):,} requests through Hopspan, {hops:,} hop spans and {others:,} others arrived at the collector"
        f" ({arrived - hops - others:,} twice); a span is {size / max(1, arrived):.0f} bytes, {sum(count['bytes'] for count in spans) / max(1, arrived):.0f} after gzip.")


def ratios(runs, base, key):
    return [run[key] / other["total_us"] for run, other in zip(runs, base)]


def gate(report, what, values, limit, goal):
    found = summary(values)
    report.gate(what, found["median"], limit, goal, found["low"], found["high"])


def check_same_tls(upstream, proxies):
    """All proxies speak the same version and cipher to the upstream."""
    if upstream.scheme != "https":
        return
    spoken = {get(proxy.port, "/openai/v1/models")[1]["x-tls"] for proxy in proxies}
    for proxy in proxies:
        if proxy.collector:
            proxy.collector.wait_for(1)  # before it is counted with others
    if len(spoken) != 1 or None in spoken:
        raise Invalid(f"the proxies speak different TLS to the upstream: {spoken}")
