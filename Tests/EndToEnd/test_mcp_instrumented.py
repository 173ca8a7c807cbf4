"""Agents and MCP servers that trace themselves, with official parts: one trace, exact parents, whoever of the two is traced and whichever channel
brings the context (`_meta` with the SDK of the second major version, HTTP with the first)."""

import json
import socket
import subprocess
from itertools import product
from pathlib import Path

import pytest

import gateway as program
import mcp_traced
from collector import CLIENT, Collector, until
from mcp_everything import Serving
from test_mcp import PYTHONS, free_port

SCRIPT = str(Path(__file__).parent / "mcp_traced.py")
AGENTS = ["traced-2", "traced-1", "plain-2", "plain-1"]
SERVERS = ["traced-2", "traced-1", "plain-2"]
SERVER = 2


@pytest.fixture(scope="module")
def collector():
    """One of their own for all three."""
    made = Collector()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def calls(upstream, collector, tmp_path_factory):
    """Every agent calls every server once: trace ids by agent and server, and the servers' ports."""
    otlp = f"http://127.0.0.1:{collector.port}"
    plain = Serving(mcp_traced.made().streamable_http_app())
    ports = {"traced-2": free_port(), "traced-1": free_port(), "plain-2": plain.port}

    def started(version, *arguments, **more):
        return subprocess.Popen([PYTHONS[version], SCRIPT, *map(str, arguments), otlp], env=program.environment(), text=True, **more)

    servers = [started(version, "serve", ports[f"traced-{version}"]) for version in PYTHONS]
    mcp = ", ".join(f"{name}: {{ url: 'http://127.0.0.1:{port}/mcp' }}" for name, port in ports.items())
    made = program.Gateway(tmp_path_factory.mktemp("instrumented"), program.configuration(upstream.url, collector) + f"mcp: {{ {mcp} }}\n")

    def answer():
        try:
            for port in ports.values():
                socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False

    try:
        assert until(answer, 120), "the MCP servers did not start"
        urls = ",".join(f"{made.url}/mcp/{name}" for name in SERVERS)
        agents = {version: started(version, "ask", urls, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for version in PYTHONS}
        ids = {}
        for version, agent in agents.items():
            out, errors = agent.communicate(timeout=120)
            assert agent.returncode == 0, errors
            ids |= {(f"traced-{version}", server): id for server, id in zip(SERVERS, json.loads(out))}
        made.settled()
        yield ids, ports
    finally:
        for server in servers:
            server.kill()
            server.wait(10)
        plain.stop()
        assert made.stop() == 0, made.log


def ours(collector, ports, agent, server):
    """The one hop that is the call."""
    def found():
        return [s for s in collector.spans if s.name == f"tools/call by_{agent.replace('-', '_')}" and s.scope == "hopspan" and s["server.port"] == ports[server]]

    hop, = until(found)
    assert hop.kind == CLIENT
    return hop


@pytest.mark.parametrize("agent, server", list(product([a for a in AGENTS if a.startswith("traced")], SERVERS)))
def test_the_call_is_below_the_agents_span_for_it_in_the_agents_trace(calls, collector, agent, server):
    ids, ports = calls
    trace_id = ids[agent, server]
    assert ours(collector, ports, agent, server).trace_id == trace_id
    theirs = {span.span_id: span for span in collector.spans if span.trace_id == trace_id and span.resource.get("service.name") == agent.replace("traced", "agent")}
    root, = [span for span in theirs.values() if not span.parent]
    assert root.name == "agent"
    hops = [span for span in collector.spans if span.trace_id == trace_id and span.scope == "hopspan" and span.kind == CLIENT]
    assert len(hops) >= 2, hops
    for hop in hops:
        caller = theirs[hop.parent]
        if agent == "traced-2":
            assert (caller.kind, caller["mcp.method.name"], caller["jsonrpc.request.id"]) == (CLIENT, hop["mcp.method.name"], hop["jsonrpc.request.id"])
        else:
            assert caller.kind == CLIENT and caller.name == hop["http.request.method"]
    if agent == "traced-1":
        # Everything a client of this version sends carries the context, the stream it listens on included.
        assert {"initialize", "notifications/initialized"} < {hop.name for hop in hops}


@pytest.mark.parametrize("agent, server", list(product(AGENTS, [s for s in SERVERS if s.startswith("traced")])))
def test_the_servers_span_is_below_ours_in_the_same_trace(calls, collector, agent, server):
    _, ports = calls
    hop = ours(collector, ports, agent, server)

    def found():
        return [s for s in collector.spans if s.resource.get("service.name") == server.replace("traced", "server") and s.kind == SERVER and s.parent == hop.span_id]

    theirs, = until(found) or [None]
    assert theirs and theirs.trace_id == hop.trace_id
    if server == "traced-2":
        assert theirs.name == hop.name and theirs["jsonrpc.request.id"] == hop["jsonrpc.request.id"]


@pytest.mark.parametrize("server", [s for s in SERVERS if s.startswith("traced")])
def test_no_servers_span_hangs_below_an_agents(calls, collector, server):
    """Past the gateway."""
    agents = {s.span_id for s in collector.spans if s.resource.get("service.name", "").startswith("agent-")}
    hops = {s.span_id for s in collector.spans if s.scope == "hopspan"}
    theirs = [s for s in collector.spans if s.resource.get("service.name") == server.replace("traced", "server") and s.kind == SERVER]
    assert theirs and agents
    for span in theirs:
        assert span.parent in hops and span.parent not in agents, span


@pytest.mark.parametrize("agent", [a for a in AGENTS if a.startswith("plain")])
@pytest.mark.parametrize("server", SERVERS)
def test_an_agent_without_a_trace_gets_one_of_ours(calls, collector, agent, server):
    _, ports = calls
    hop = ours(collector, ports, agent, server)
    assert hop["hopspan.linked_by"] == "new" and hop.parent
    assert hop.parent not in {s.span_id for s in collector.spans if s.resource.get("service.name", "").startswith(("agent-", "server-"))}
