"""fastmcp on both sides, and with the official SDK on the other."""

from dataclasses import dataclass

import pytest
from fastmcp import Client as FastClient
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from mcp.client.client import Client

import gateway as program
from collector import STATUS_ERROR, STATUS_UNSET
from mcp_agent import OPENING, Agent, both_eras
from mcp_everything import Everything, Serving

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning", "ignore::DeprecationWarning")


@dataclass
class Order:
    cups: int


def made():
    server = FastMCP("fast")

    @server.tool
    def add(a: int, b: int) -> int:
        return a + b

    @server.tool
    def fail() -> str:
        raise ToolError("no")

    @server.tool
    async def count(to: int, ctx: Context) -> str:
        for number in range(to):
            await ctx.report_progress(number + 1, to)
            await ctx.info(f"number {number}")
        return "counted"

    @server.tool
    async def order(ctx: Context) -> str:
        answer = await ctx.elicit("How many cups?", Order)
        return f"{answer.data.cups} cups" if answer.action == "accept" else answer.action

    @server.resource("data://{name}")
    def data(name: str) -> str:
        return f"data {name}"

    @server.prompt
    def ask(topic: str) -> str:
        return f"What of {topic}?"

    return server


@pytest.fixture(scope="module")
def tools(upstream, collector, tmp_path_factory):
    servers = {"fast": Serving(made().http_app(path="/mcp")), "official": Everything()}
    mcp = ", ".join(f"{name}: {{ url: '{server.url}' }}" for name, server in servers.items())
    gateway = program.Gateway(tmp_path_factory.mktemp("fast"), program.configuration(upstream.url, collector) + f"mcp: {{ {mcp} }}\n")
    yield gateway
    assert gateway.stop() == 0, gateway.log
    for server in servers.values():
        server.stop()


@pytest.fixture
def agent(monkeypatch):
    made = Agent(monkeypatch)
    for side in ("client", "server"):
        monkeypatch.setattr(f"fastmcp.{side}.telemetry.get_tracer", lambda *_: made.tracer)
    return made


@both_eras
def test_tools_resources_and_prompts_of_fastmcp_for_its_own_client(tools, agent, collector, mode):
    async def body(client):
        assert {tool.name for tool in await client.list_tools()} == {"add", "fail", "count", "order"}
        failed = await client.call_tool("fail", raise_on_error=False)
        return (
            (await client.call_tool("add", {"a": 2, "b": 3})).data, failed.is_error, (await client.read_resource("data://x"))[0].text,
            (await client.get_prompt("ask", {"topic": "tea"})).messages[0].content.text)

    assert agent.run(f"{tools.url}/mcp/fast", mode, body, FastClient) == (5, True, "data x", "What of tea?")
    hops = agent.check(collector, OPENING[mode] + ["tools/list", "tools/call fail", "tools/call add", "resources/read", "prompts/get ask"])
    assert (hops["tools/call fail"][0].status, hops["tools/call fail"][0]["error.type"]) == (STATUS_ERROR, "tool_error")
    assert {hop.status for name, found in hops.items() if name != "tools/call fail" for hop in found} == {STATUS_UNSET}


@both_eras
def test_progress_and_log_messages_of_fastmcp(tools, agent, collector, mode):
    progress, log = [], []

    async def on_progress(done, total, message):
        progress.append((done, total))

    async def on_log(message):
        log.append(message.level)

    async def body(client):
        return (await client.call_tool("count", {"to": 3})).data

    assert agent.run(f"{tools.url}/mcp/fast", mode, body, FastClient, progress_handler=on_progress, log_handler=on_log) == "counted"
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert log == ["info"] * 3
    assert agent.check(collector, OPENING[mode] + ["tools/call count"])["tools/call count"][0].status == STATUS_UNSET


def test_a_form_of_fastmcp_is_filled_in(tools, agent, collector):
    async def fill(message, response_type, params, context):
        return response_type(cups=2)

    async def body(client):
        return (await client.call_tool("order")).data

    assert agent.run(f"{tools.url}/mcp/fast", "legacy", body, FastClient, elicitation_handler=fill) == "2 cups"
    agent.check(collector, ["initialize", "tools/call order"])


@both_eras
def test_the_official_client_before_fastmcp(tools, agent, collector, mode):
    async def body(client):
        return (await client.call_tool("add", {"a": 2, "b": 3})).structured_content, (await client.call_tool("fail")).is_error

    assert agent.run(f"{tools.url}/mcp/fast", mode, body, Client) == ({"result": 5}, True)
    hops = agent.check(collector, OPENING[mode] + ["tools/call add", "tools/call fail"])
    assert [hops[name][0].status for name in ("tools/call add", "tools/call fail")] == [STATUS_UNSET, STATUS_ERROR]


@both_eras
def test_fastmcps_client_before_the_official_server(tools, agent, collector, mode):
    async def fill(message, response_type, params, context):
        return {"seats": 4}

    async def body(client):
        return (await client.call_tool("book")).content[0].text

    assert agent.run(f"{tools.url}/mcp/official", mode, body, FastClient, elicitation_handler=fill) == "4 seats"
    agent.check(collector, OPENING[mode] + ["tools/call book"] * (1 if mode == "legacy" else 2))
