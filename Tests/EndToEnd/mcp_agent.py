"""An agent that traces what it asks of an MCP server, and what the trace must then look like."""

import asyncio

import mcp.shared._otel
import pytest
from mcp.client.client import Client
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import gateway as program
from collector import until
from mcp_everything import Everything

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


class Agent:
    """Has a span of its own around all that it asks. Below it are those of the SDK: the client's, and the servers' of this process."""

    def __init__(self, monkeypatch):
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("agent")
        # For the SDK alone: with a provider of the process's, other clients would trace, too.
        monkeypatch.setattr(mcp.shared._otel, "_tracer", self.tracer)
        self.trace_id = None

    def run(self, url, mode, body, client=Client, **callbacks):
        """What `body` makes of a client."""
        async def main():
            with self.tracer.start_as_current_span("agent") as span:
                self.trace_id = f"{span.get_span_context().trace_id:032x}"
                async with client(url, mode=mode, **callbacks) as connected:
                    return await body(connected)

        return asyncio.run(asyncio.wait_for(main(), 25))

    def spans(self, kind):
        return [span for span in self.exporter.get_finished_spans() if span.kind == kind and f"{span.context.trace_id:032x}" == self.trace_id]

    def check(self, collector, names):
        """That the gateway's hops in the agent's trace are these, each below the client's span for its message, and each server's span below one
        of them."""
        def hops():
            # The SDK's client lists the tools on its own, where it has not yet, to know what a result should look like.
            return [s for s in collector.spans if s.trace_id == self.trace_id and (s.name != "tools/list" or s.name in names)]

        found = until(lambda: len(hops()) >= len(names) and hops())
        assert found and sorted(hop.name for hop in found) == sorted(names), f"{[hop.name for hop in hops()]} of {hops()}"
        callers = {(span.attributes["mcp.method.name"], span.attributes.get("jsonrpc.request.id")): span for span in self.spans(SpanKind.CLIENT)}
        for hop in found:
            caller = callers[hop["mcp.method.name"], hop["jsonrpc.request.id"]]
            assert hop.parent == f"{caller.context.span_id:016x}", f"{hop} is not below the client's span"
        served = {f"{span.parent.span_id:016x}": span for span in self.spans(SpanKind.SERVER)}
        until(lambda: served.keys() <= collector.ids())
        ours = {span.span_id: span for span in collector.spans if span.trace_id == self.trace_id}
        for parent, span in served.items():
            assert parent in ours and ours[parent]["mcp.method.name"] == span.attributes["mcp.method.name"], f"the server's {span.name} is not below our hop"
        for hop in found:
            assert hop["mcp.method.name"] != "tools/call" or hop.span_id in served, f"the server has no span below {hop}"
        by_name = {}
        for hop in found:
            by_name.setdefault(hop.name, []).append(hop)
        return by_name

    def session(self, collector, names):
        """The hops outside the trace that belong to its session: what carries no context, because the SDK writes it into requests alone."""
        opened, = [s for s in collector.spans if s.trace_id == self.trace_id and s.name == "initialize"]

        def others():
            return [s for s in collector.spans if s.get("mcp.session.id") == opened["mcp.session.id"] and s.trace_id != self.trace_id]

        found = until(lambda: len(others()) >= len(names) and others())
        assert found and sorted(hop.name for hop in found) == sorted(names), others()
        return {hop.name: hop for hop in found}


def said(result):
    return result.content[0].text
