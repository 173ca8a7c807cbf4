"""All that MCP has passes through the gateway, between the official SDK on both sides, in either era; and each message is a hop of the trace
it belongs to, below the client's span and above the server's."""

import asyncio
import time

import anyio
import httpx
import pytest
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CreateMessageResult, ElicitCompleteNotification, ElicitResult, ErrorData, ListRootsResult, PromptReference, ResourceTemplateReference,
    ResourceUpdatedNotification, Root, TextContent,
)
from opentelemetry.trace import SpanKind

import gateway as program
from collector import STATUS_ERROR, STATUS_UNSET, until
from mcp_everything import Agent, Everything

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
#: What opens a connection, as hops: a client that is to find out which era the server is of asks it.
OPENING = {"legacy": ["initialize"], "auto": ["server/discover"]}
#: What a session has besides requests.
ASIDE = ["notifications/initialized", "GET mcp/everything", "DELETE mcp/everything"]
both_eras = pytest.mark.parametrize("mode", ["legacy", "auto"])
handshake = pytest.mark.parametrize("mode", ["legacy"])
modern = pytest.mark.parametrize("mode", ["auto"])


@pytest.fixture(scope="module")
def everything():
    made = Everything()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tools(everything, upstream, collector, tmp_path_factory):
    made = program.Gateway(
        tmp_path_factory.mktemp("protocol"), program.configuration(upstream.url, collector) + f"mcp: {{ everything: {{ url: '{everything.url}' }} }}\n")
    yield made
    assert made.stop() == 0, made.log


@pytest.fixture
def url(tools):
    return f"{tools.url}/mcp/everything"


@pytest.fixture
def agent(monkeypatch):
    return Agent(monkeypatch)


def said(result):
    return result.content[0].text


@both_eras
def test_lists_resources_prompts_and_completions_pass(url, agent, collector, mode):
    async def body(client):
        assert (await client.list_resources()).resources[0].uri == "file:///a"
        assert "note://{name}" in [each.uri_template for each in (await client.list_resource_templates()).resource_templates]
        assert (await client.read_resource("note://x")).contents[0].text == "note x"
        assert "hello" in [each.name for each in (await client.list_prompts()).prompts]
        assert (await client.get_prompt("hello", {"name": "x"})).messages[0].content.text == "hello x"
        prompt = await client.complete(PromptReference(type="ref/prompt", name="hello"), {"name": "name", "value": "A"})
        template = await client.complete(ResourceTemplateReference(type="ref/resource", uri="note://{name}"), {"name": "name", "value": "B"})
        return prompt.completion.values, template.completion.values, client.instructions

    assert agent.run(url, mode, body) == (["Ada", "Ama"], ["Bda", "Bma"], "Ask.")
    hops = agent.check(collector, OPENING[mode] + [
        "resources/list", "resources/templates/list", "resources/read", "prompts/list", "prompts/get hello", "completion/complete", "completion/complete"])
    assert hops["resources/read"][0]["mcp.resource.uri"] == "note://x"
    assert hops["prompts/get hello"][0]["gen_ai.prompt.name"] == "hello"
    for found in hops.values():
        for hop in found:
            assert hop.status == STATUS_UNSET and hop["hopspan.hop.kind"] == "tool" and "gen_ai.operation.name" not in hop.attributes


@both_eras
@pytest.mark.parametrize("what, asked, names", [
    ("a tool that is not there", lambda client: client.call_tool("nothing"), "tools/call nothing"),
    ("a resource that is not there", lambda client: client.read_resource("file:///none"), "resources/read"),
    ("a prompt that is not there", lambda client: client.get_prompt("none"), "prompts/get none"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_server_refuses_is_an_error_with_the_protocols_code(url, agent, collector, mode, what, asked, names):
    async def body(client):
        try:
            return "tool error" if (await asked(client)).is_error else "nothing wrong"
        except MCPError as error:
            return error.error.code

    outcome = agent.run(url, mode, body)
    hop, = agent.check(collector, OPENING[mode] + [names])[names]
    assert outcome != "nothing wrong" and hop.status == STATUS_ERROR
    assert hop["error.type"] == ("tool_error" if outcome == "tool error" else str(outcome))


@both_eras
def test_a_form_is_asked_for_and_filled_in(url, agent, collector, everything, mode):
    async def fill(context, params):
        assert params.message == "How many?" and params.requested_schema["properties"]["seats"]["type"] == "integer"
        return ElicitResult(action="accept", content={"seats": 3})

    async def body(client):
        return said(await client.call_tool("book"))

    assert agent.run(url, mode, body, elicitation_callback=fill) == "3 seats"
    if mode == "legacy":
        agent.check(collector, OPENING[mode] + ["tools/call book"])
        answer = agent.session(collector, ASIDE + ["response"])["response"]
        assert answer.status == STATUS_UNSET and answer["http.response.status_code"] == 202
    else:
        # Multi round-trip: the call ends with a question, and comes again with the answer and another id.
        first, second = agent.check(collector, OPENING[mode] + 2 * ["tools/call book"])["tools/call book"]
        assert first.status == second.status == STATUS_UNSET and first["jsonrpc.request.id"] != second["jsonrpc.request.id"]
        (_, plain), (_, answered) = everything.asked_for("tools/call", agent.trace_id)
        assert "inputResponses" not in plain["params"] and "inputResponses" in answered["params"]


@both_eras
@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_form_that_nobody_fills_in_is_no_error(url, agent, collector, mode, action):
    async def fill(context, params):
        return ElicitResult(action=action)

    async def body(client):
        return said(await client.call_tool("book"))

    assert agent.run(url, mode, body, elicitation_callback=fill) == action
    calls = agent.check(collector, OPENING[mode] + ["tools/call book"] * (1 if mode == "legacy" else 2))["tools/call book"]
    assert {call.status for call in calls} == {STATUS_UNSET}


@modern
def test_a_prompt_and_a_resource_may_ask_before_they_answer(url, agent, collector, mode):
    async def fill(context, params):
        return ElicitResult(action="accept", content={"name": "Ada"})

    async def body(client):
        return (await client.get_prompt("guided")).messages[0].content.text, (await client.read_resource("asked://tea")).contents[0].text

    assert agent.run(url, mode, body, elicitation_callback=fill) == ("hello Ada", "tea for Ada")
    hops = agent.check(collector, OPENING[mode] + 2 * ["prompts/get guided"] + 2 * ["resources/read"])
    assert {hop["mcp.resource.uri"] for hop in hops["resources/read"]} == {"asked://tea"}
    assert {hop.status for found in hops.values() for hop in found} == {STATUS_UNSET}


@both_eras
def test_a_user_is_sent_to_a_page(url, agent, collector, everything, mode):
    heard = []

    async def visit(context, params):
        assert (params.mode, params.url) == ("url", "https://example.com/sign")
        return ElicitResult(action="accept")

    async def hear(message):
        heard.append(message)

    async def body(client):
        return said(await client.call_tool("sign"))

    # The state that a server of 2026 gives away comes back to it as it was.
    assert agent.run(url, mode, body, elicitation_callback=visit, message_handler=hear) == ("accept" if mode == "legacy" else "accept état/=")
    agent.check(collector, OPENING[mode] + ["tools/call sign"] * (1 if mode == "legacy" else 2))
    if mode == "legacy":
        assert [each.params.elicitation_id for each in heard if isinstance(each, ElicitCompleteNotification)] == ["e-1"]


@both_eras
def test_a_server_asks_the_clients_model(url, agent, collector, mode):
    async def sample(context, params):
        assert params.messages[0].content.text == "Which?" and params.max_tokens == 7
        return CreateMessageResult(role="assistant", content=TextContent(type="text", text="that"), model="m")

    async def body(client):
        return said(await client.call_tool("choose"))

    assert agent.run(url, mode, body, sampling_callback=sample) == "m: that"
    agent.check(collector, OPENING[mode] + ["tools/call choose"] * (1 if mode == "legacy" else 2))


@both_eras
def test_a_server_asks_for_the_clients_roots(url, agent, collector, mode):
    async def roots(context):
        return ListRootsResult(roots=[Root(uri="file:///home"), Root(uri="file:///srv")])

    async def body(client):
        return said(await client.call_tool("look"))

    assert agent.run(url, mode, body, list_roots_callback=roots) == "file:///home, file:///srv"
    agent.check(collector, OPENING[mode] + ["tools/call look"] * (1 if mode == "legacy" else 2))


@handshake
def test_a_client_that_refuses_what_it_is_asked_fails_the_call_and_not_its_own_message(url, agent, collector, mode):
    async def sample(context, params):
        return ErrorData(code=-1, message="not today")

    async def body(client):
        with pytest.raises(MCPError) as error:
            await client.call_tool("choose")
        return error.value.error.code

    assert agent.run(url, mode, body, sampling_callback=sample) == -1
    call, = agent.check(collector, OPENING[mode] + ["tools/call choose"])["tools/call choose"]
    assert (call.status, call["error.type"]) == (STATUS_ERROR, "-1")
    refusal = agent.session(collector, ASIDE + ["response"])["response"]
    assert refusal.status == STATUS_UNSET


@both_eras
def test_progress_and_log_messages_come_in_order_while_the_call_runs(url, agent, collector, mode):
    progress, log = [], []

    async def on_progress(done, total, message):
        progress.append((done, total, message))

    async def on_log(params):
        log.append((params.level, params.logger, params.data))

    async def body(client):
        if mode == "legacy":
            await client.set_logging_level("info")
        return said(await client.call_tool("narrate", {"steps": 3}, progress_callback=on_progress))

    assert agent.run(url, mode, body, logging_callback=on_log, log_level="info") == "told"
    assert progress == [(1, 3, "step 0"), (2, 3, "step 1"), (3, 3, "step 2")]
    assert log == [("info", "narrator", {"step": step}) for step in range(3)]
    hops = agent.check(collector, OPENING[mode] + ["tools/call narrate"] + (["logging/setLevel"] if mode == "legacy" else []))
    assert hops["tools/call narrate"][0].status == STATUS_UNSET


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
    for name, hop in agent.session(collector, ASIDE).items():
        # Its stream ends by the server, which has been told of the session's end, or by the client, which leaves then: who is first is chance.
        assert (hop.status, hop.get("error.type")) == (STATUS_UNSET, None) or name.startswith("GET") and hop["error.type"] == "client_disconnected", hop
    run = tools.run(agent.trace_id, hops=2)
    assert (run["errors"], run["tool_calls"], run["tools"]) == (0, 1, ["narrate"])


@modern
def test_a_client_listens_for_what_it_asked_for(url, agent, collector, mode):
    async def body(client):
        heard = []
        async with client.listen(tools_list_changed=True, resource_subscriptions=["file:///a"]) as subscription:
            await client.call_tool("change")
            with anyio.fail_after(5):
                async for event in subscription:
                    heard.append(event)
                    if len(heard) == 2:
                        break
        return set(heard), subscription.honored.tools_list_changed

    assert agent.run(url, mode, body) == ({ToolsListChanged(), ResourceUpdated("file:///a")}, True)
    listen, = agent.check(collector, OPENING[mode] + ["tools/call change", "subscriptions/listen"])["subscriptions/listen"]
    assert listen["mcp.protocol.version"] == "2026-07-28" and listen["jsonrpc.request.id"].startswith("listen-")


@both_eras
def test_a_call_is_cancelled_as_its_era_does_it(url, agent, collector, everything, mode):
    """With a message, before 2026; by leaving, since."""
    began, cancelled = everything.waiting, everything.cancelled

    async def body(client):
        with anyio.move_on_after(10) as scope:
            async def stop_when_it_runs():
                while everything.waiting == began:
                    await anyio.sleep(0.01)
                scope.cancel()

            async with anyio.create_task_group() as group:
                group.start_soon(stop_when_it_runs)
                await client.call_tool("wait")
        # The connection goes on.
        return said(await client.call_tool("narrate", {"steps": 1}))

    assert agent.run(url, mode, body) == "told"
    assert until(lambda: everything.cancelled == cancelled + 1), "the server did not hear of it"
    call, = agent.check(collector, OPENING[mode] + ["tools/call wait", "tools/call narrate"])["tools/call wait"]
    # The SDK's server answers what was cancelled, with a code of its own.
    assert (call.status, call["error.type"]) == (STATUS_ERROR, "client_disconnected" if mode == "auto" else "-32800")
    if mode == "legacy":
        told = agent.session(collector, ASIDE + ["notifications/cancelled"])["notifications/cancelled"]
        assert told.status == STATUS_UNSET and told["http.response.status_code"] == 202


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
    from conftest import Trace

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
