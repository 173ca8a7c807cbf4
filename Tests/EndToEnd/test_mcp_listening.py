"""Streams that clients of MCP servers listen on, which have no end of their own."""

import socket
import time

import httpx
import pytest

import gateway as program
from collector import STATUS_UNSET, until
from mcp_exchanges import NOTIFICATION, call, http, only_hop, scripted, send, tools
from mcp_scripted import EVENT_STREAM, LAST_CHUNK, RESET, UNTIL_GONE, answer, chunk, event, result, stream, text

LISTEN = text({"jsonrpc": "2.0", "id": "listen-1", "method": "subscriptions/listen", "params": {
    "notifications": {"toolsListChanged": True}, "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}})
ACKNOWLEDGED = {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {"notifications": {"toolsListChanged": True}}}


def listening(tools, trace, how, server="patient"):
    fields = trace.headers | {"mcp-protocol-version": "2026-07-28" if how == "POST" else "2025-11-25"}
    return http.stream(how, f"{tools.url}/mcp/{server}", content=LISTEN if how == "POST" else None, headers=fields)


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_stream_to_listen_on_may_be_silent_for_longer_than_an_answer(tools, scripted, collector, trace, how):
    """The server's idle time-out is 300 ms."""
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), 1.0, chunk(event(NOTIFICATION)), chunk(event(result(id="listen-1"))) if how == "POST" else chunk(b": end\n\n"), LAST_CHUNK)
    with listening(tools, trace, how, "brief") as made:
        came = b"".join(made.iter_raw())
    assert event(NOTIFICATION) in came
    span = only_hop(collector, trace)
    assert span.status == STATUS_UNSET
    assert span.name == ("subscriptions/listen" if how == "POST" else "GET mcp/brief")


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_client_that_stops_listening_has_not_failed(tools, scripted, collector, trace, how):
    """There is no other way to stop."""
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), UNTIL_GONE)
    with listening(tools, trace, how) as made:
        next(made.iter_raw())
    assert scripted.was_left()
    span = only_hop(collector, trace)
    assert (span.status, span.get("error.type")) == (STATUS_UNSET, None)


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_server_that_breaks_the_stream_off_has_failed(tools, scripted, collector, trace, how):
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), RESET)
    with listening(tools, trace, how) as made, pytest.raises(httpx.TransportError):
        list(made.iter_raw())
    assert only_hop(collector, trace)["error.type"] == "stream_cut"


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_stream_to_listen_on_holds_no_run_open_and_is_none(tools, scripted, collector, trace, how):
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), 0.2, LAST_CHUNK)
    with listening(tools, trace, how) as made:
        list(made.iter_raw())
    tools.run(trace.id)
    assert trace.id not in [run["run_id"] for run in tools.api("/api/runs", params={"limit": 1000})["runs"]]


def test_a_call_answered_on_the_stream_that_resumes_it_has_not_failed(tools, scripted, collector, trace):
    """The server hangs up on purpose (2025-11-25), and the client comes back with the last id."""
    primed = b"id: 1-1\nretry: 50\ndata:\n\n"

    def plays(request):
        if request.line.startswith("POST"):
            return [EVENT_STREAM + chunk(primed) + LAST_CHUNK]
        assert request.fields["last-event-id"] == "1-1"
        return [stream(b"id: 1-2\ndata: " + text(result()) + b"\n\n")]

    scripted.plays(plays)
    _, came, cut = send(tools, call(), trace, mcp_session_id="s", mcp_protocol_version="2025-11-25")
    assert came == primed and not cut
    resumed = http.get(f"{tools.url}/mcp/scripted", headers={"accept": "text/event-stream", "mcp-session-id": "s", "last-event-id": "1-1"})
    assert text(result()) in resumed.content
    span = only_hop(collector, trace)
    assert (span.name, span.status) == ("tools/call get_weather", STATUS_UNSET)


def test_a_session_ended_by_its_client_is_a_hop_too(tools, scripted, collector, trace):
    scripted.plays(answer(b""))
    made = http.delete(f"{tools.url}/mcp/scripted", headers=trace.headers | {"mcp-session-id": "s-9"})
    assert made.status_code == 200
    span = only_hop(collector, trace)
    assert (span.name, span.status, span["mcp.session.id"], span.parent) == ("DELETE mcp/scripted", STATUS_UNSET, "s-9", trace.parent)
    assert scripted.requests[0].fields["mcp-session-id"] == "s-9"


def test_a_stream_to_listen_on_does_not_keep_the_gateway_from_its_end(scripted, upstream, tmp_path):
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), UNTIL_GONE)
    made = program.Gateway(tmp_path, program.configuration(upstream.url, gateway=", drain: 3s") + f"mcp: {{ brief: {{ url: '{scripted.url}' }} }}\n")
    with http.stream("GET", f"{made.url}/mcp/brief") as stream:
        listening = stream.iter_raw()
        next(listening)
        began = time.monotonic()
        made.terminate()
        assert made.stop() == 0
        took = time.monotonic() - began
    assert took < 2.5


def test_after_all_of_this_the_gateway_answers_at_once(tools, scripted, collector, trace):
    scripted.plays(answer(result()))
    made, came, _ = send(tools, call(), trace)
    assert came == text(result())
    with socket.create_connection(("127.0.0.1", tools.port), 5) as raw:
        raw.sendall(b"POST /mcp/scripted HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 999\r\n\r\n{")
    assert until(lambda: any(span.get("error.type") == "client_disconnected" and span.name == "POST mcp/scripted" for span in collector.spans))
