"""An MCP server made with the official SDK, of either major version, that is a program: `mcp_program.py` speaks over standard input and
output, `mcp_program.py sse PORT` over the two endpoints of MCP 2024-11-05."""

import os
import sys

import anyio
from pydantic import BaseModel

try:
    from mcp.server.mcpserver import Context, MCPServer
except ImportError:
    from mcp.server.fastmcp import Context, FastMCP as MCPServer

try:
    from mcp import types
except ImportError:
    import mcp_types as types

transport, port = (sys.argv[1:] + ["stdio", "0"])[:2] if len(sys.argv) > 1 else ("stdio", "0")
first_major = MCPServer.__name__ == "FastMCP"
server = MCPServer("weather", port=int(port)) if first_major else MCPServer("weather")
cancelled = []


class Answer(BaseModel):
    day: str


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


@server.tool()
async def thinks(ctx: Context) -> str:
    """Asks the client's model."""
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="which city?"))
    made = await ctx.session.create_message([message], max_tokens=10)
    return f"thought of {made.content.text}"


@server.tool()
async def asks(ctx: Context) -> str:
    """Asks the user."""
    made = await ctx.elicit("which day?", Answer)
    return f"{made.action} {made.data.day}"


@server.tool()
async def waits(ctx: Context) -> str:
    """Waits until it is cancelled."""
    try:
        await anyio.sleep(60)
        return "too long"
    except anyio.get_cancelled_exc_class():
        cancelled.append("waits")
        raise


@server.tool()
def was_cancelled() -> str:
    return ",".join(cancelled)


@server.tool()
def process() -> str:
    return str(os.getpid())


@server.tool()
def ends() -> str:
    """Takes the server down in the middle of the call."""
    print("about to end", file=sys.stderr, flush=True)
    os._exit(4)


@server.resource("file:///a")
def a() -> str:
    return "A"


@server.prompt()
def hello(name: str) -> str:
    return f"hello {name}"


if __name__ == "__main__":
    if transport == "sse" and not first_major:
        server.run("sse", port=int(port))
    else:
        server.run(transport)
