"""MCP servers behind the gateway, with the official SDK on both sides."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

import httpx
import httpx2
import mcp.shared._otel
import pytest
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.client import Client
from mcp.shared.auth import OAuthClientMetadata
from mcp.shared.exceptions import MCPError
from opentelemetry.sdk.trace import TracerProvider

import gateway as program
from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from loopback import Handler, Server as Loopback

HERE = Path(__file__).parent
#: With the SDK's last version before the revision of 2026-07-28.
FIRST_MAJOR = os.path.abspath(HERE.parents[1] / ".build/venv-mcp-1/bin/python")
PYTHONS = {"2": sys.executable, "1": FIRST_MAJOR}


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


class Server:
    def __init__(self, folder, python, traced=True):
        self.port, self.file = free_port(), Path(folder) / f"spans-{free_port()}.jsonl"
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self.process = subprocess.Popen([python, str(HERE / "mcp_server.py"), str(self.port)] + ([str(self.file)] if traced else []), env=program.environment())
        assert until(self.answers, 60), "the MCP server did not start"

    def answers(self):
        assert self.process.poll() is None
        try:
            return httpx.get(self.url, timeout=5).status_code > 0
        except httpx.TransportError:
            return False

    @property
    def spans(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def stop(self):
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    made = {version: Server(tmp_path_factory.mktemp("mcp"), python, traced=version == "2") for version, python in PYTHONS.items()}
    yield made
    for each in made.values():
        each.stop()


@pytest.fixture(scope="module")
def tools(servers, upstream, collector, tmp_path_factory):
    """A gateway with the servers behind it."""
    mcp = "".join(f"\n  sdk-{version}: {{ url: '{server.url}', price_per_call: '0.001' }}" for version, server in servers.items())
    for version, server in servers.items():
        mcp += f"\n  guarded-{version}: {{ url: '{server.url}', tools: {{ allow: ['get_*', slow], deny: [slo?] }} }}"
    mcp += f"\n  absent: {{ url: 'http://127.0.0.1:{free_port()}/mcp' }}"
    made = program.Gateway(tmp_path_factory.mktemp("tools"), program.configuration(upstream.url, collector) + "mcp:" + mcp)
    yield made
    assert made.stop() == 0, made.log


@pytest.fixture(autouse=True)
def tracer(monkeypatch):
    """The SDK's client writes its context into every message. For it alone: with a provider of the process's, other clients would, too."""
    made = TracerProvider().get_tracer("agent")
    monkeypatch.setattr(mcp.shared._otel, "_tracer", made)
    return made


def in_a_trace(tracer, body):
    """Runs the agent below a span of its own; the trace's id."""
    async def agent():
        with tracer.start_as_current_span("agent") as span:
            await body()
            return f"{span.get_span_context().trace_id:032x}"
    return asyncio.run(agent())


@pytest.mark.parametrize("version", ["2", "1"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_all_of_the_protocol_passes_and_every_message_is_a_hop(tools, collector, tracer, version, mode):
    heard = []

    async def progress(done, total, message):
        heard.append(done)

    async def agent():
        async with Client(f"{tools.url}/mcp/sdk-{version}", mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["get_weather", "fails", "slow"]
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
        assert span["hopspan.cost.usd"] == "0.001" and span["hopspan.linked_by"] == "traceparent"
    assert by_name["tools/call get_weather"].status == STATUS_UNSET
    assert by_name["tools/call fails"].status == STATUS_ERROR and by_name["tools/call fails"]["error.type"] == "tool_error"
    # A session where there is one: sdk 1 has none but with the handshake.
    if mode == "legacy" or version == "1":
        assert by_name["tools/call slow"]["mcp.session.id"]
    else:
        assert by_name["tools/call slow"]["mcp.protocol.version"] == "2026-07-28" and "mcp.session.id" not in by_name["tools/call slow"].attributes
    run = tools.run(trace_id, hops=3)
    # A client that may speak either way asks first, and the old server says no.
    assert run["errors"] == (2 if (mode, version) == ("auto", "1") else 1)
    assert run["tool_calls"] == 3 and run["cost_usd"] == "0.003"
    assert set(run["tools"]) == {"get_weather", "fails", "slow"}


def test_a_client_of_the_first_major_version_is_served_too(tools, collector):
    for version in PYTHONS:
        made = subprocess.run(
            [FIRST_MAJOR, str(HERE / "mcp_client_1.py"), f"{tools.url}/mcp/sdk-{version}"], env=program.environment(), capture_output=True, text=True, timeout=60)
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout) == {
            "version": "2025-11-25", "tools": ["get_weather", "fails", "slow"], "weather": "sunny in Paris", "fails": True, "slow": "done",
            "resource": "A", "prompt": "hello x", "progress": [0, 1, 2]}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_servers_own_spans_hang_below_ours_and_ours_below_the_agents(tools, servers, collector, tracer, mode):
    async def agent():
        async with Client(f"{tools.url}/mcp/sdk-2", mode=mode) as client:
            await client.call_tool("get_weather", {"city": "Oslo"})

    trace_id = in_a_trace(tracer, agent)
    assert until(lambda: [s for s in servers["2"].spans if s["trace_id"] == trace_id and s["name"] == "tools/call get_weather"])
    theirs = [span for span in servers["2"].spans if span["trace_id"] == trace_id]
    until(lambda: {span["parent"] for span in theirs} <= collector.ids())
    ours = {span.span_id: span for span in collector.spans if span.trace_id == trace_id and span.kind == CLIENT}
    for span in theirs:
        assert span["parent"] in ours, f"{span} is not below one of ours"
    call = next(span for span in theirs if span["name"] == "tools/call get_weather")
    assert ours[call["parent"]].name == "tools/call get_weather"
    # And ours below the client's own span for the message, which is neither ours nor the server's.
    assert ours[call["parent"]].parent and ours[call["parent"]].parent not in ours


def test_a_context_in_the_head_that_is_not_the_messages_becomes_a_link(tools, collector, trace):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "get_weather", "arguments": {"city": "Rome"},
        "_meta": {"traceparent": f"00-{trace.id}-00000000000000aa-01"}}}
    head = {"traceparent": "00-11111111111111111111111111111111-00000000000000bb-01", "tracestate": "foo=1", "accept": "application/json, text/event-stream"}
    httpx.post(f"{tools.url}/mcp/sdk-2", json=call, headers=head)
    span, = collector.find(trace.id)
    assert span.parent == "00000000000000aa"
    assert span.links == [("1" * 32, "00000000000000bb", "foo=1", 0x301)]
    run = tools.api(f"/api/runs/{trace.id}/otlp")
    stored, = [each for part in run["resourceSpans"] for scope in part["scopeSpans"] for each in scope["spans"]]
    assert stored["links"] == [{"traceId": "1" * 32, "spanId": "00000000000000bb", "traceState": "foo=1", "flags": 0x301}]
    # One that is the same says nothing new.
    again = httpx.post(f"{tools.url}/mcp/sdk-2", json=call, headers=head | {"traceparent": f"00-{trace.id}-00000000000000aa-01"})
    assert again.status_code < 500
    assert [each.links for each in collector.find(trace.id, count=2)].count([]) == 1


@pytest.mark.parametrize("version", ["2", "1"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_tools_that_callers_may_not_use_are_neither_listed_nor_called(tools, collector, tracer, version, mode):
    async def agent():
        async with Client(f"{tools.url}/mcp/guarded-{version}", mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["get_weather"]
            assert (await client.call_tool("get_weather", {"city": "Paris"})).content[0].text == "sunny in Paris"
            for name in ["fails", "slow"]:
                with pytest.raises(MCPError, match="Unknown tool"):
                    await client.call_tool(name, {"city": "x"})

    trace_id = in_a_trace(tracer, agent)
    denied = until(lambda: len(found := [s for s in collector.spans if s.trace_id == trace_id and s.get("error.type") == "denied"]) >= 2 and found)
    assert {span.name for span in denied} == {"tools/call fails", "tools/call slow"}
    assert all(span.status == STATUS_ERROR and span["gen_ai.tool.name"] in ("fails", "slow") for span in denied)


def test_a_server_that_is_down_is_told_of_in_the_protocols_own_words(tools, collector, trace):
    call = {"jsonrpc": "2.0", "id": "c1", "method": "tools/call", "params": {"name": "get_weather", "arguments": {}}}
    made = httpx.post(f"{tools.url}/mcp/absent", json=call, headers={"accept": "application/json, text/event-stream"} | trace.headers)
    assert made.status_code == 200 and made.json()["id"] == "c1"
    assert made.json()["error"]["code"] == -32603 and "mcp.absent.url" in made.json()["error"]["message"]
    span, = collector.find(trace.id)
    assert span.status == STATUS_ERROR and span["error.type"] == "connect_error"


def test_an_unknown_server_is_refused_with_what_to_do(tools):
    made = httpx.post(f"{tools.url}/mcp/nobody", json={})
    assert made.status_code == 404 and "mcp:" in made.text


def test_a_session_is_its_callers_alone(tools, collector, trace):
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}
    accept = {"accept": "application/json, text/event-stream"}
    url = f"{tools.url}/mcp/sdk-1"
    with httpx.Client() as client, httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
        opened = client.post(url, json=hello, headers=accept)
        session = opened.headers["mcp-session-id"]
        head = accept | trace.headers | {"mcp-session-id": session, "mcp-protocol-version": "2025-06-18"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert client.post(url, json=ping, headers=head).status_code == 200
        span, = collector.find(trace.id)
        # What the server called it, which nobody but the gateway can say to it.
        own = span["mcp.session.id"]
        assert session.endswith("." + own) and session != own
        for made in [other.post(url, json=ping, headers=head), client.post(url, json=ping, headers=head | {"mcp-session-id": own}),
                     client.post(f"{tools.url}/mcp/sdk-2", json=ping, headers=head)]:
            assert made.status_code == 404 and made.json()["error"]["code"] == -32600
        assert other.delete(url, headers=head).status_code == 404
        assert client.delete(url, headers=head).status_code == 200
        assert client.post(url, json=ping, headers=head).status_code == 404


class Protected(Handler):
    """An MCP server that wants a token, and who gives it."""
    asked = []

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.port}"

    def json(self, body, status=200):
        self.answer(status, "application/json", json.dumps(body).encode())

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/.well-known/oauth-protected-resource/mcp":
            return self.json({"resource": f"{self.base}/mcp", "authorization_servers": [self.base], "scopes_supported": ["tools"]})
        if self.path == "/.well-known/oauth-authorization-server":
            return self.json({
                "issuer": self.base, "authorization_endpoint": f"{self.base}/authorize", "token_endpoint": f"{self.base}/token",
                "registration_endpoint": f"{self.base}/register", "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]})
        self.json({}, 404)

    def do_POST(self):
        body = self.body()
        self.asked.append((self.path, body.decode()))
        if self.path == "/register":
            return self.json({"client_id": "agent", "redirect_uris": ["http://127.0.0.1/done"], "token_endpoint_auth_method": "none"}, 201)
        if self.path == "/token":
            return self.json({"access_token": "good", "token_type": "Bearer", "expires_in": 60})
        if self.headers.get("authorization") == "Bearer good":
            return self.json({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": {"tools": []}})
        self.answer(401, "text/plain", b"", [(
            "WWW-Authenticate", f'Bearer error="invalid_token", resource_metadata="{self.base}/.well-known/oauth-protected-resource/mcp", scope="tools"')])


def test_a_client_finds_its_way_to_a_token_where_tokens_are_the_servers(upstream, collector, tmp_path):
    Protected.asked = []
    server = Loopback(Protected)
    mcp = f"mcp: {{ open: {{ url: 'http://127.0.0.1:{server.port}/mcp', pass_authorization: true }}, closed: {{ url: 'http://127.0.0.1:{server.port}/mcp' }} }}\n"
    made = program.Gateway(tmp_path, program.configuration(upstream.url, collector) + mcp)
    url = f"{made.url}/mcp/open"

    class Storage(dict):
        async def get_tokens(self):
            return self.get("tokens")

        async def set_tokens(self, tokens):
            self["tokens"] = tokens

        async def get_client_info(self):
            return self.get("client")

        async def set_client_info(self, client):
            self["client"] = client

    seen = {}

    async def redirect(to):
        seen.update({name: values[0] for name, values in urllib.parse.parse_qs(urllib.parse.urlsplit(to).query).items()})

    async def callback():
        return AuthorizationCodeResult(code="c-1", state=seen["state"])

    async def agent():
        auth = OAuthClientProvider(
            url, OAuthClientMetadata(redirect_uris=["http://127.0.0.1/done"], client_name="agent"), Storage(), redirect, callback)
        async with httpx2.AsyncClient(auth=auth) as client:
            return await client.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers={"accept": "application/json, text/event-stream"})

    try:
        answer = asyncio.run(agent())
        assert answer.status_code == 200 and answer.json()["result"] == {"tools": []}
        # What the token is asked for is the server as the client knows it: here.
        assert seen["resource"] == url and seen["scope"] == "tools"
        assert urllib.parse.parse_qs(next(body for path, body in (each for each in Protected.asked if isinstance(each, tuple)) if path == "/token"))["resource"] == [url]
        assert "/.well-known/oauth-protected-resource/mcp" in Protected.asked
        # Where they are not, it is told of nothing.
        refused = httpx.post(f"{made.url}/mcp/closed", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers={"authorization": "Bearer good"})
        assert refused.status_code == 401 and "www-authenticate" not in refused.headers
        assert httpx.get(f"{made.url}/.well-known/oauth-protected-resource/mcp/closed").json() == {"resource": f"{made.url}/mcp/closed"}
    finally:
        server.stop()
        assert made.stop() == 0, made.log
