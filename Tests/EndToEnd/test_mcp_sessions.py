"""Sessions of the revisions that have them, and requests of the one that has none, against the official server."""

import anyio
import httpx
import pytest
from mcp_types import ListRootsResult, ResourceUpdatedNotification, Root

from collector import STATUS_ERROR, STATUS_UNSET, until
from conftest import Trace
from mcp_agent import ASIDE, OPENING, agent, everything, handshake, said, tools, url

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@handshake
def test_a_resource_that_was_subscribed_to_is_told_of_on_the_stream_the_client_listens_on(url, agent, collector, everything, mode):
    heard = []

    async def hear(message):
        if isinstance(message, ResourceUpdatedNotification):
            heard.append(message.params.uri)

    async def body(client):
        await client.subscribe_resource("file:///a")
        assert everything.subscribed == ["file:///a"]
        while not heard:  # until the stream stands
            await client.call_tool("change")
            await anyio.sleep(0.05)
        await client.unsubscribe_resource("file:///a")
        return set(heard), everything.subscribed

    assert agent.run(url, mode, body, message_handler=hear) == ({"file:///a"}, [])
    hops = until(lambda: [s for s in collector.spans if s.trace_id == agent.trace_id and s.name == "resources/unsubscribe"])
    assert hops[0]["mcp.resource.uri"] == "file:///a"
    agent.session(collector, ASIDE)


@handshake
def test_a_server_asks_on_the_stream_the_client_listens_on(url, agent, collector, mode):
    async def roots(context):
        return ListRootsResult(roots=[Root(uri="file:///aside")])

    async def body(client):
        await anyio.sleep(0.2)  # the SDK does not say when its stream stands
        return said(await client.call_tool("ask_aside"))

    assert agent.run(url, mode, body, list_roots_callback=roots) == "file:///aside"
    agent.check(collector, OPENING[mode] + ["tools/call ask_aside"])
    stream = agent.session(collector, ASIDE + ["response"])["GET mcp/everything"]
    assert (stream["http.request.method"], stream["http.response.status_code"]) == ("GET", 200)


@handshake
def test_what_a_session_has_besides_requests_are_hops_that_have_not_failed(url, agent, collector, tools, mode):
    async def body(client):
        return said(await client.call_tool("narrate", {"steps": 1}))

    agent.run(url, mode, body)
    agent.check(collector, OPENING[mode] + ["tools/call narrate"])
    for hop in agent.session(collector, ASIDE).values():
        assert (hop.status, hop.get("error.type")) == (STATUS_UNSET, None), hop
    run = tools.run(agent.trace_id, hops=2)
    assert (run["errors"], run["tool_calls"], run["tools"]) == (0, 1, ["narrate"])


@handshake
def test_a_stream_that_the_server_hangs_up_is_resumed_and_the_call_has_its_answer(url, agent, collector, everything, mode):
    heard = []

    async def on_progress(done, total, message):
        heard.append(done)

    async def body(client):
        return said(await client.call_tool("pause", progress_callback=on_progress))

    assert agent.run(url, mode, body) == "resumed" and heard == [1]
    resumed = [fields for how, fields, _ in everything.asked if how == "GET" and "last-event-id" in fields]
    assert resumed, "the client did not come back"
    call, = agent.check(collector, OPENING[mode] + ["tools/call pause"])["tools/call pause"]
    assert (call.status, call.get("error.type")) == (STATUS_UNSET, None)
    aside = agent.session(collector, ASIDE + ["GET mcp/everything"])
    assert aside["GET mcp/everything"].trace_id != call.trace_id  # the SDK gives its streams no context


def test_a_client_comes_back_to_a_stream_that_it_left_and_nothing_is_missing(tools, everything, collector, trace):
    """By hand: the last id that came, and the same stream goes on from there."""
    with httpx.Client(base_url=tools.url, headers={"accept": "application/json, text/event-stream"}, timeout=20) as client:
        session = opened(client, trace)
        call = {"jsonrpc": "2.0", "id": "left", "method": "tools/call", "params": {"name": "narrate", "arguments": {"steps": 2}, "_meta": {"progressToken": 1}}}
        with client.stream("POST", "/mcp/everything", json=call, headers=session) as first:
            last = next(line[4:] for line in first.iter_lines() if line.startswith("id: "))
        # To be left is no reason to stop, in this era.
        assert until(lambda: any(getattr(message, "id", None) == "left" for _, message in everything.sent.events))
        came = ""
        with client.stream("GET", "/mcp/everything", headers=session | {"last-event-id": last}) as second:
            for line in second.iter_lines():
                came += line
                if '"told"' in line:
                    break
        assert came.count("notifications/progress") == 2
        client.delete("/mcp/everything", headers=session)
    streams = [span for span in collector.find(trace.id, 5) if span.name == "GET mcp/everything"]
    assert [(span["mcp.session.id"], span.parent) for span in streams] == [(session["mcp-session-id"], trace.parent)]


def opened(client, trace, version="2025-11-25"):
    """A session made by hand; the fields that belong to it."""
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "by hand", "version": "1"}}
    made = client.post("/mcp/everything", json={"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}, headers=trace.headers)
    fields = {"mcp-session-id": made.headers["mcp-session-id"], "mcp-protocol-version": version} | trace.headers
    assert client.post("/mcp/everything", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=fields).status_code == 202
    return fields


LIST = {"jsonrpc": "2.0", "id": 9, "method": "tools/list"}


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_a_session_of_every_revision_is_opened_used_and_ended_and_then_is_gone(tools, collector, trace, version):
    with httpx.Client(base_url=tools.url, headers={"accept": "application/json, text/event-stream"}, timeout=20) as client:
        session = opened(client, trace, version)
        assert '"tools"' in client.post("/mcp/everything", json=LIST, headers=session).text
        assert client.delete("/mcp/everything", headers=session).status_code == 200
        gone = client.post("/mcp/everything", json=LIST, headers=session)
        assert gone.status_code == 404 and "error" in gone.json()
    hops = {(span.name, span["http.response.status_code"]): span for span in collector.find(trace.id, 5)}
    assert set(hops) == {("initialize", 200), ("notifications/initialized", 202), ("tools/list", 200), ("DELETE mcp/everything", 200), ("tools/list", 404)}
    for span in hops.values():
        assert span.parent == trace.parent and span["mcp.session.id"] == session["mcp-session-id"]
    assert hops["initialize", 200]["mcp.protocol.version"] == version
    lost = hops["tools/list", 404]
    assert (lost.status, lost["error.type"]) == (STATUS_ERROR, str(gone.json()["error"]["code"]))


def test_a_session_has_one_stream_to_listen_on_and_the_second_is_declined(tools, collector, trace):
    with httpx.Client(base_url=tools.url, headers={"accept": "application/json, text/event-stream"}, timeout=20) as client:
        session = opened(client, trace)
        with client.stream("GET", "/mcp/everything", headers=session) as stream:
            assert stream.status_code == 200
            second = client.get("/mcp/everything", headers=session)
            assert second.status_code == 409
            # Ended by whoever has the session, its stream ends too.
            assert client.delete("/mcp/everything", headers=session).status_code == 200
            assert until(lambda: not list(stream.iter_raw()))
    hops = collector.find(trace.id, 5)
    assert {(span["http.response.status_code"], span.status) for span in hops if span.name == "GET mcp/everything"} == {(200, STATUS_UNSET), (409, STATUS_ERROR)}


def test_two_clients_use_one_session_at_once(tools, collector):
    traces = [Trace(), Trace()]
    with httpx.Client(base_url=tools.url, headers={"accept": "application/json, text/event-stream"}, timeout=20) as one, \
            httpx.Client(base_url=tools.url, headers={"accept": "application/json, text/event-stream"}, timeout=20) as other:
        session = opened(one, traces[0])
        for number, (client, trace) in enumerate([(one, traces[0]), (other, traces[1])] * 3):
            made = client.post("/mcp/everything", json=LIST | {"id": number}, headers=session | trace.headers)
            assert f'"id":{number}' in made.text and '"tools"' in made.text
        one.delete("/mcp/everything", headers=session)
    mine, theirs = collector.find(traces[0].id, 6), collector.find(traces[1].id, 3)
    assert {span["mcp.session.id"] for span in mine + theirs} == {session["mcp-session-id"]}
    assert {span.parent for span in mine} == {traces[0].parent} and {span.parent for span in theirs} == {traces[1].parent}


WITHOUT = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}
MODERN_HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2026-07-28"}


@pytest.mark.parametrize("what, message, fields, status, code", [
    ("the name in the head is another", {"method": "tools/call", "params": WITHOUT | {"name": "crash", "arguments": {}}}, {"mcp-method": "tools/call", "mcp-name": "wait"}, 400, -32020),
    ("the method in the head is another", {"method": "tools/list", "params": WITHOUT}, {"mcp-method": "tools/call"}, 400, -32020),
    ("the revision is of the future", {"method": "tools/list", "params": {"_meta": WITHOUT["_meta"] | {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}}},
     {"mcp-method": "tools/list", "mcp-protocol-version": "2099-01-01"}, 400, -32022),
    ("the method is unknown", {"method": "tools/guess", "params": WITHOUT}, {"mcp-method": "tools/guess"}, 404, -32601),
    ("a capability is missing", {"method": "tools/call", "params": WITHOUT | {"name": "look", "arguments": {}}}, {"mcp-method": "tools/call", "mcp-name": "look"}, 400, -32021),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_request_without_a_session_is_refused_by_the_server_in_the_protocols_own_code(tools, collector, trace, what, message, fields, status, code):
    made = httpx.post(f"{tools.url}/mcp/everything", json={"jsonrpc": "2.0", "id": "é"} | message, headers=MODERN_HEADERS | fields | trace.headers)
    assert (made.status_code, made.json()["error"]["code"]) == (status, code), made.text
    span, = collector.find(trace.id)
    assert (span.status, span["error.type"], span["rpc.response.status_code"]) == (STATUS_ERROR, str(code), str(code))
    assert span["mcp.protocol.version"] == message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] and "mcp.session.id" not in span.attributes


@pytest.mark.parametrize("how", ["GET", "DELETE"])
def test_what_2026_does_not_have_is_declined_and_nothing_has_failed(tools, collector, trace, how):
    made = httpx.request(how, f"{tools.url}/mcp/everything", headers=MODERN_HEADERS | trace.headers)
    assert made.status_code == 405 and made.headers["allow"] == "POST"
    span, = collector.find(trace.id)
    assert (span.name, span.status) == (f"{how} mcp/everything", STATUS_UNSET)
