"""Single messages through the gateway to a scripted MCP server, and what came of them."""

from typing import Any, NamedTuple

import httpx
import pytest

import gateway as program
from conftest import Trace
from mcp_scripted import Scripted, text

HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture(scope="module")
def scripted():
    made = Scripted()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tools(scripted, upstream, collector, tmp_path_factory):
    """A gateway with the server behind it, impatient; and once more with a credential, and with what callers send."""
    servers = {
        "scripted": "timeout: { first_byte: 1s, idle: 1s }", "keyed": "credential: 'env:KEY', headers: { x-team: a }",
        "open": "pass_authorization: true", "patient": "", "brief": "timeout: { idle: 300ms }",
    }
    mcp = "".join(f"\n  {name}: {{ url: '{scripted.url}', {options} }}" for name, options in servers.items())
    mcp += f"\n  queried: {{ url: '{scripted.url}?key=secret&x=1' }}"
    mcp += "\n  absent: { url: 'http://127.0.0.1:1/mcp' }\n"
    made = program.Gateway(
        tmp_path_factory.mktemp("troubles"), program.configuration(upstream.url, collector, gateway=", max_body: 256KiB") + "mcp:" + mcp, KEY="server-key")
    yield made
    assert made.stop() == 0, made.log


#: One for all: to make a client takes longer than what is asked of it here.
http = httpx.Client(verify=False, headers=HEADERS, timeout=20, limits=httpx.Limits(max_connections=200))


def call(id: Any = 7, **params):
    return text({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "get_weather", "arguments": {}} | params})


def send(tools, body, trace, server="scripted", **headers):
    """The status, fields and bytes that came, and whether they broke off."""
    fields = trace.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    came = b""
    with http.stream("POST", f"{tools.url}/mcp/{server}", content=body, headers=fields) as made:
        try:
            for piece in made.iter_raw():
                came += piece
        except httpx.TransportError:
            return made, came, True
    return made, came, False


class Exchange(NamedTuple):
    trace: Trace
    asked: list
    status: int
    came: bytes
    cut: bool
    fields: httpx.Headers


def exchanges(tools, scripted, cases):
    """Each of them after the other: script, body and server by name. Their spans arrive meanwhile."""
    made = {}
    for name, (script, body, server) in cases.items():
        trace = Trace()
        scripted.plays(*script)
        answer, came, cut = send(tools, body, trace, server)
        made[name] = Exchange(trace, scripted.requests, answer.status_code, came, cut, answer.headers)
    return made


def only_hop(collector, trace):
    """The one span of the trace; that it is one is seen once another request has come through."""
    span, = collector.find(trace.id)
    return span


NOTIFICATION = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "isError"}}
#: A request of the server's that has the id of ours: each side counts for itself.
