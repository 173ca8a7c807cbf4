"""What a client of the official SDK's first major version (the handshake revisions of MCP) gets: `mcp_client_1.py URL`, as JSON."""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url):
    progress = []

    async def heard(done, total, message):
        progress.append(done)

    async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
        opened = await session.initialize()
        said = {
            "version": opened.protocolVersion,
            "tools": [tool.name for tool in (await session.list_tools()).tools],
            "weather": (await session.call_tool("get_weather", {"city": "Paris"})).content[0].text,
            "fails": (await session.call_tool("fails", {"city": "x"})).isError,
            "slow": (await session.call_tool("slow", {"steps": 3}, progress_callback=heard)).content[0].text,
            "resource": (await session.read_resource("file:///a")).contents[0].text,
            "prompt": (await session.get_prompt("hello", {"name": "x"})).messages[0].content.text,
        }
    print(json.dumps(said | {"progress": progress}))


asyncio.run(main(sys.argv[1]))
