"""bash Tests/Benchmarks/run.sh: the parts in turn, then the table of what must be reached."""

import argparse
import os
import pathlib
import sys
import time

from . import growth, latency, mcp, memory, processor, streams, turns
from .machine import BUILT, Invalid, describe, prepare, stop_all
from .proxies import Envoy, HAProxy, Hopspan, Nginx
from .report import Report, progress

PARTS = {
    "json": processor.json, "tls": processor.tls, "latency": latency.latency, "streams": streams.streams, "memory": memory.memory,
    "mcp": mcp.mcp,
    "growth": growth.growth, "turns": turns.turns,
}


def main():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=list(PARTS), default=[])
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--json", type=pathlib.Path, default=BUILT / "results.json")
    options = parser.parse_args()
    prepare(options.nice)
    about = describe()
    about["versions"] = {kind.name: kind.version() for kind in (Nginx, HAProxy, Envoy, Hopspan)}
    about["quick"] = options.quick
    report = Report(about)
    report.note(f"{about['date']}; {about['processor']}, {about['cores']} cores, Linux {about['kernel']}, load {about['load']:.1f}; "
                + ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ("; quick" if options.quick else ""))
    failed = []
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        start = time.monotonic()
        try:
            part(report, options.quick)
        except Invalid as error:
            failed.append(name)
            report.note(f"{name}: not measured. {error}")
        finally:
            stop_all()
            progress("")
        about.setdefault("seconds", {})[name] = round(time.monotonic() - start, 1)
    about["load_after"] = os.getloadavg()[0]
    report.note("Seconds: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in about["seconds"].items()) + f"; load at the end {about['load_after']:.1f}")
    report.close(options.json)
    return 1 if failed else 0


sys.exit(main())
