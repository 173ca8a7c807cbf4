"""Tasks (MCP 2025-11-25) with the official SDK's first major version: `mcp_tasks_1.py serve PORT`, or `mcp_tasks_1.py URL TRACEPARENT`, which
prints what its client got as JSON."""

import asyncio
import json
import sys

import anyio
import uvicorn
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import TASK_OPTIONAL, CallToolResult, ElicitResult, TextContent, Tool, ToolExecution
from starlette.applications import Starlette
from starlette.routing import Mount

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def text(said, **more):
    return CallToolResult(content=[TextContent(type="text", text=said)], **more)


async def works(task):
    await task.update_status("half of it")
    await anyio.sleep(0.05)
    return text("done")


async def asks(task):
    answer = await task.elicit("Who?", SCHEMA)
    return text(f"hello {answer.content['name']}")


async def fails(task):
    return text("no", isError=True)


async def lasts(task):
    await anyio.sleep(20)
    return text("late")


TOOLS = {each.__name__: each for each in (works, asks, fails, lasts)}


def serve(port):
    server = Server("tasks")
    server.experimental.enable_tasks()

    @server.list_tools()
    async def tools():
        return [Tool(name=name, inputSchema={"type": "object"}, execution=ToolExecution(taskSupport=TASK_OPTIONAL)) for name in TOOLS]

    @server.call_tool()
    async def call(name, arguments):
        return await server.request_context.experimental.run_task(TOOLS[name])

    manager = StreamableHTTPSessionManager(app=server)
    app = Starlette(routes=[Mount("/", app=manager.handle_request)], lifespan=lambda _: manager.run())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical")


async def ask(url, traceparent):
    said = {}

    async def answer(context, params):
        return ElicitResult(action="accept", content={"name": "Ada"})

    async with streamablehttp_client(url, headers={"traceparent": traceparent}) as (read, write, _), ClientSession(read, write, elicitation_callback=answer) as session:
        await session.initialize()
        tasks = session.experimental

        async def made(tool):
            task = (await tasks.call_tool_as_task(tool)).task
            said[tool] = {"id": task.taskId, "began": task.status}
            return task.taskId

        id = await made("works")
        said["works"]["seen"] = [status.status async for status in tasks.poll_task(id)][-1]
        said["works"]["result"] = (await tasks.get_task_result(id, CallToolResult)).content[0].text
        id = await made("asks")
        said["asks"]["result"] = (await tasks.get_task_result(id, CallToolResult)).content[0].text
        id = await made("fails")
        said["fails"]["result"] = (await tasks.get_task_result(id, CallToolResult)).isError
        id = await made("lasts")
        said["lasts"]["cancelled"] = (await tasks.cancel_task(id)).status
        said["tasks"] = len((await tasks.list_tasks()).tasks)
        try:
            await tasks.get_task("nobody's")
        except Exception as error:
            said["unknown"] = error.error.code
    print(json.dumps(said))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        asyncio.run(asyncio.wait_for(ask(*sys.argv[1:]), 25))
