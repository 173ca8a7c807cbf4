"""An MCP server made with the official SDK, of either major version: `mcp_server.py PORT SPANS`. With OpenTelemetry where that is
installed; its spans are appended to the file SPANS as lines of JSON."""

import json
import sys

import uvicorn

try:
    from mcp.server.mcpserver import Context, MCPServer
except ImportError:
    from mcp.server.fastmcp import Context, FastMCP as MCPServer


def trace_to(path):
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class Lines(SpanExporter):
        def export(self, spans):
            with open(path, "a") as file:
                for span in spans:
                    context = span.get_span_context()
                    file.write(json.dumps({
                        "name": span.name, "trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}",
                        "parent": f"{span.parent.span_id:016x}" if span.parent else None}) + "\n")
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Lines()))
    trace.set_tracer_provider(provider)


server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@server.tool()
def fails(city: str) -> str:
    """Always fails."""
    raise ValueError("no such city")


@server.tool()
async def slow(steps: int, ctx: Context) -> str:
    """Tells how far it is."""
    for step in range(steps):
        await ctx.report_progress(step, steps)
    return "done"


@server.resource("file:///a")
def a() -> str:
    return "A"


@server.prompt()
def hello(name: str) -> str:
    return f"hello {name}"


if __name__ == "__main__":
    if len(sys.argv) > 2:
        trace_to(sys.argv[2])
    uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
