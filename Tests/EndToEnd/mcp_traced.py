"""An agent and an MCP server as their owners would trace them: the official SDK of either major version, OpenTelemetry's SDK, its OTLP exporter, and,
where the MCP SDK makes no spans of its own, OpenTelemetry's instrumentation of HTTP.

    mcp_traced.py serve PORT COLLECTOR       a server
    mcp_traced.py ask URLS COLLECTOR         calls a tool on each server, first without tracing, then each in a trace of its own, whose ids it
                                             prints as JSON
"""

import asyncio
import json
import sys

from opentelemetry import trace

try:
    from mcp.client.client import Client
    from mcp.server.mcpserver import MCPServer

    VERSION = 2
except ImportError:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client
    from mcp.server.fastmcp import FastMCP as MCPServer

    VERSION = 1


def trace_to(collector, service):
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(collector + "/v1/traces"), schedule_delay_millis=50))
    trace.set_tracer_provider(provider)
    if VERSION == 1:
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

        HTTPXClientInstrumentor().instrument()


def made():
    server = MCPServer("weather")
    for agent in ("traced_2", "traced_1", "plain_2", "plain_1"):
        server.tool(name=f"by_{agent}")(lambda city: f"sunny in {city}")
    return server


def serve(port, collector):
    import uvicorn

    app = made().streamable_http_app()
    trace_to(collector, f"server-{VERSION}")
    if VERSION == 1:
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        app = OpenTelemetryMiddleware(app, exclude_spans=["send", "receive"])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="critical")


async def called(tool, url):
    if VERSION == 2:
        async with Client(url) as client:
            return (await client.call_tool(tool, {"city": "Oslo"})).content[0].text
    async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        return (await session.call_tool(tool, {"city": "Oslo"})).content[0].text


async def ask(urls, collector):
    urls = urls.split(",")
    for url in urls:
        assert await called(f"by_plain_{VERSION}", url) == "sunny in Oslo"
    trace_to(collector, f"agent-{VERSION}")
    ids = []
    for url in urls:
        with trace.get_tracer("agent").start_as_current_span("agent") as span:
            assert await called(f"by_traced_{VERSION}", url) == "sunny in Oslo"
            ids.append(f"{span.get_span_context().trace_id:032x}")
    trace.get_tracer_provider().force_flush()
    print(json.dumps(ids))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3])
    else:
        asyncio.run(asyncio.wait_for(ask(*sys.argv[2:]), 100))
