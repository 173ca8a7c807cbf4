"""MCP servers that are programs behind the gateway, with the official SDK on both sides."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import mcp_types as types
import pytest
from mcp.client.client import Client

import gateway as program
from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from test_mcp import HERE, PYTHONS, free_port, in_a_trace, tracer  # noqa: F401

PROGRAM = HERE / "mcp_program.py"


class Stream:
    """A server with the two endpoints of MCP 2024-11-05."""

    def __init__(self, python):
        self.port = free_port()
        self.process = subprocess.Popen([python, str(PROGRAM), "sse", str(self.port)], env=program.environment(), stderr=subprocess.DEVNULL)
        assert until(self.answers, 60), "the MCP server did not start"

    def answers(self):
        assert self.process.poll() is None
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/", timeout=5).status_code > 0
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def streams():
    made = {version: Stream(python) for version, python in PYTHONS.items()}
    yield made
    for each in made.values():
        each.process.kill()
        each.process.wait(10)


@pytest.fixture(scope="module")
def tools(upstream, collector, streams, tmp_path_factory):
    """A gateway that runs the servers itself."""
    mcp = "".join(f"\n  program-{version}: {{ command: ['{python}', '{PROGRAM}'], price_per_call: '0.001' }}" for version, python in PYTHONS.items())
    mcp += "\n  absent: { command: [/no/such/program] }"
    for version, each in streams.items():
        mcp += f"\n  stream-{version}: {{ url: 'http://127.0.0.1:{each.port}/sse', transport: sse }}"
        mcp += f"\n  found-{version}: {{ url: 'http://127.0.0.1:{each.port}/sse' }}"
    made = program.Gateway(tmp_path_factory.mktemp("programs"), program.configuration(upstream.url, collector) + "mcp:" + mcp)
    yield made
    children = descendants(made.process.pid)
    assert made.stop() == 0, made.log
    assert not [each for each in children if Path(f"/proc/{each}").exists()], "it left processes behind"


def descendants(process):
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and int((each / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(each.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


@pytest.mark.parametrize("version", ["2", "1"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_all_of_the_protocol_passes_and_every_message_is_a_hop(tools, collector, tracer, version, mode):  # noqa: F811
    heard = []

    async def progress(done, total, message):
        heard.append(done)

    async def agent():
        async with Client(f"{tools.url}/mcp/program-{version}", mode=mode) as client:
            assert {"get_weather", "fails", "slow"} <= {tool.name for tool in (await client.list_tools()).tools}
            assert (await client.call_tool("get_weather", {"city": "Paris"})).content[0].text == "sunny in Paris"
            assert (await client.call_tool("fails", {"city": "x"})).is_error
            assert (await client.call_tool("slow", {"steps": 3}, progress_callback=progress)).content[0].text == "done"
            assert (await client.read_resource("file:///a")).contents[0].text == "A"
            assert (await client.get_prompt("hello", {"name": "x"})).messages[0].content.text == "hello x"

    trace_id = in_a_trace(tracer, agent)
    assert heard == [0, 1, 2]
    calls = until(lambda: len(found := [s for s in collector.spans if s.trace_id == trace_id and s.get("mcp.method.name") == "tools/call"]) >= 3 and found)
    assert calls, [s for s in collector.spans if s.trace_id == trace_id]
    by_name = {span.name: span for span in calls}
    assert set(by_name) == {"tools/call get_weather", "tools/call fails", "tools/call slow"}
    for span in calls:
        assert span.kind == CLIENT and span["hopspan.hop.kind"] == "tool" and span["gen_ai.operation.name"] == "execute_tool"
        assert span["network.transport"] == "pipe"
        assert not {"server.address", "server.port", "url.full", "http.request.method", "http.response.status_code", "network.protocol.name"} & set(span.attributes)
        assert span["hopspan.cost.usd"] == "0.001" and span["hopspan.linked_by"] == "traceparent"
    assert by_name["tools/call get_weather"].status == STATUS_UNSET
    assert by_name["tools/call fails"].status == STATUS_ERROR and by_name["tools/call fails"]["error.type"] == "tool_error"
    if mode == "legacy" or version == "1":
        assert by_name["tools/call slow"]["mcp.session.id"]
    else:
        assert by_name["tools/call slow"]["mcp.protocol.version"] == "2026-07-28" and "mcp.session.id" not in by_name["tools/call slow"].attributes


@pytest.mark.parametrize("version", ["2", "1"])
@pytest.mark.parametrize("way", ["stream", "found"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_server_with_an_event_stream_is_reached_as_any_other(tools, collector, streams, tracer, version, way, mode):  # noqa: F811
    heard = []

    async def progress(done, total, message):
        heard.append(done)

    async def agent():
        async with Client(f"{tools.url}/mcp/{way}-{version}", mode=mode) as client:
            assert (await client.call_tool("get_weather", {"city": "Paris"})).content[0].text == "sunny in Paris"
            assert (await client.call_tool("fails", {"city": "x"})).is_error
            assert (await client.call_tool("slow", {"steps": 3}, progress_callback=progress)).content[0].text == "done"
            assert (await client.read_resource("file:///a")).contents[0].text == "A"

    trace_id = in_a_trace(tracer, agent)
    assert heard == [0, 1, 2]
    calls = until(lambda: len(found := [s for s in collector.spans if s.trace_id == trace_id and s.get("mcp.method.name") == "tools/call"]) >= 3 and found)
    assert calls, [s for s in collector.spans if s.trace_id == trace_id]
    for span in calls:
        assert span["network.transport"] == "tcp" and span["mcp.session.id"]
        assert span["server.port"] == streams[version].port and span["url.full"] == f"http://127.0.0.1:{streams[version].port}/sse"


@pytest.mark.parametrize("server", ["program-2", "program-1", "stream-2", "stream-1"])
def test_a_server_asks_its_client_and_its_user(tools, server):
    asked = []

    async def sample(context, params):
        asked.append(params.messages[0].content.text)
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text="Rome"), model="m", stop_reason="endTurn")

    async def elicit(context, params):
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"day": "Monday"})

    async def agent():
        async with Client(f"{tools.url}/mcp/{server}", mode="legacy", sampling_callback=sample, elicitation_callback=elicit) as client:
            assert (await client.call_tool("thinks", {})).content[0].text == "thought of Rome"
            assert (await client.call_tool("asks", {})).content[0].text == "accept Monday"

    asyncio.run(agent())
    assert asked == ["which city?", "which day?"]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_call_is_cancelled(tools, mode):
    async def agent():
        async with Client(f"{tools.url}/mcp/program-2", mode=mode) as client:
            with anyio.move_on_after(1):
                await client.call_tool("waits", {})
            for _ in range(100):
                if (await client.call_tool("was_cancelled", {})).content[0].text:
                    return True
                await anyio.sleep(0.05)

    assert asyncio.run(agent())


def test_a_session_has_a_process_of_its_own_and_all_without_one_share_one(tools):
    async def processes(mode):
        found = []
        for _ in range(2):
            async with Client(f"{tools.url}/mcp/program-2", mode=mode) as client:
                found.append((await client.call_tool("process", {})).content[0].text)
        return found

    one, other = asyncio.run(processes("legacy"))
    assert one != other
    assert until(lambda: not Path(f"/proc/{one}").exists() and not Path(f"/proc/{other}").exists()), "a session that its client has ended has its process still"
    one, other = asyncio.run(processes("auto"))
    assert one == other


def test_a_server_that_dies_is_told_of_and_its_last_words_are_in_the_log(tools, collector, tracer):  # noqa: F811
    async def agent():
        async with Client(f"{tools.url}/mcp/program-2", mode="auto") as client:
            with pytest.raises(Exception, match="exited with status 4"):
                await client.call_tool("ends", {})
            # Started again.
            assert (await client.call_tool("get_weather", {"city": "Oslo"})).content[0].text == "sunny in Oslo"

    trace_id = in_a_trace(tracer, agent)
    assert until(lambda: [s for s in collector.spans if s.trace_id == trace_id and s.name == "tools/call ends"])
    span, = [s for s in collector.spans if s.trace_id == trace_id and s.name == "tools/call ends"]
    assert span.status == STATUS_ERROR and span["error.type"] == "-32603"
    assert until(lambda: [line for line in tools.log if "about to end" in line and "program-2" in line]), tools.log
    assert until(lambda: [line for line in tools.log if "exited with status 4" in line]), tools.log


def test_a_program_that_is_not_there_is_told_of_in_the_protocols_own_words(tools, collector, trace):
    opening = {"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}
    made = httpx.post(f"{tools.url}/mcp/absent", json=opening, headers={"accept": "application/json, text/event-stream"} | trace.headers)
    assert made.status_code == 200 and made.json()["id"] == "i"
    assert made.json()["error"]["code"] == -32603 and "mcp.absent.command" in made.json()["error"]["message"]
    span, = collector.find(trace.id)
    assert span.status == STATUS_ERROR and span["error.type"] == "-32603"


def test_a_gateway_that_is_killed_leaves_no_server_behind(start, own_collector):
    made = start(own_collector, providers=f"\nmcp:\n  files: {{ command: ['{sys.executable}', '{PROGRAM}'] }}")

    async def agent():
        async with Client(f"{made.url}/mcp/files", mode="auto") as client:
            return (await client.call_tool("process", {})).content[0].text

    process = asyncio.run(agent())
    assert Path(f"/proc/{process}").exists()
    made.process.send_signal(signal.SIGKILL)
    made.process.wait(10)
    assert until(lambda: not Path(f"/proc/{process}").exists(), 20), "its server runs on"


def test_what_has_changed_in_the_configuration_is_ended_and_what_has_not_goes_on(start, own_collector):
    changing = "\nmcp:\n  files: {{ command: ['{0}', '{1}'] }}\n  others: {{ command: ['{0}', '{1}'], env: {{ MODE: '{2}' }} }}"
    made = start(own_collector, providers=changing.format(sys.executable, PROGRAM, "a"))

    async def processes():
        found = []
        for name in ["files", "others"]:
            async with Client(f"{made.url}/mcp/{name}", mode="auto") as client:
                found.append((await client.call_tool("process", {})).content[0].text)
        return found

    before = asyncio.run(processes())
    made.file.write_text(made.file.read_text().replace("MODE: 'a'", "MODE: 'b'"))
    made.process.send_signal(signal.SIGHUP)
    assert until(lambda: [line for line in made.log if "configuration reloaded" in line]), made.log
    assert until(lambda: not Path(f"/proc/{before[1]}").exists()), "the changed one runs on"
    after = asyncio.run(processes())
    assert after[0] == before[0] and after[1] != before[1]
