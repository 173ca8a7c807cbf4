"""All that MCP has passes through the gateway, between the official SDK on both sides, in either era; and each message is a hop of the trace
it belongs to, below the client's span and above the server's."""

import anyio
import pytest
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CreateMessageResult, ElicitCompleteNotification, ElicitResult, ErrorData, ListRootsResult, PromptReference, ResourceTemplateReference,
    Root, TextContent,
)

from collector import STATUS_ERROR, STATUS_UNSET, until
from mcp_agent import ASIDE, OPENING, agent, both_eras, everything, handshake, modern, said, tools, url

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


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


@both_eras
def test_calls_at_the_same_time_each_get_what_is_theirs(url, agent, collector, mode):
    heard = {}

    async def body(client):
        async def one(number):
            async def on_progress(done, total, message):
                heard.setdefault(number, []).append((done, total))

            assert said(await client.call_tool("narrate", {"steps": number}, progress_callback=on_progress)) == "told"

        async with anyio.create_task_group() as group:
            for number in range(1, 21):
                group.start_soon(one, number)

    agent.run(url, mode, body)
    assert heard == {number: [(step, number) for step in range(1, number + 1)] for number in range(1, 21)}
    calls = agent.check(collector, OPENING[mode] + 20 * ["tools/call narrate"])["tools/call narrate"]
    assert len({call.parent for call in calls}) == 20 and {call.status for call in calls} == {STATUS_UNSET}


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
    assert (listen.status, listen.get("error.type")) == (STATUS_UNSET, None)


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
