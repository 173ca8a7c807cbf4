"""An MCP server with all that the official SDK has, for clients of both eras, in this process."""

import json
import threading
from typing import Annotated

import anyio
import uvicorn
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, ListRoots, Resolve, Sample
from mcp.server.streamable_http import EventMessage, EventStore
from mcp_types import (
    Completion, CreateMessageResult, ElicitRequest, ElicitRequestFormParams, ElicitRequestURLParams, EmptyResult, InputRequiredResult, ListRootsResult, SamplingMessage,
    SetLevelRequestParams, SubscribeRequestParams, TextContent, UnsubscribeRequestParams,
)
from pydantic import BaseModel

from collector import until


class Events(EventStore):
    """All that was sent, to be sent again."""

    def __init__(self):
        self.events = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id, send_callback):
        stream_id = self.events[int(last_event_id) - 1][0]
        for number, (stream, message) in enumerate(self.events[int(last_event_id):], int(last_event_id) + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


class Booking(BaseModel):
    seats: int


def ask_for_seats() -> Elicit[Booking]:
    return Elicit("How many?", Booking)


def ask_a_model() -> Sample:
    return Sample([SamplingMessage(role="user", content=TextContent(type="text", text="Which?"))], max_tokens=7)


def ask_for_roots() -> ListRoots:
    return ListRoots()


#: What a request of 2026 may be answered with, to come again with the answer.
ASK_FOR_A_NAME = InputRequiredResult(input_requests={"name": ElicitRequest(params=ElicitRequestFormParams(
    message="Who?", requested_schema={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}))})


class Serving:
    """An ASGI application at work in a thread of its own; what it was asked is in `asked`."""

    def __init__(self, app):
        self.app = app
        self.asked = []
        self.server = uvicorn.Server(uvicorn.Config(self.watched, host="127.0.0.1", port=0, interface="asgi3", log_level="critical", timeout_graceful_shutdown=1))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        assert until(lambda: self.server.started), "the MCP server did not start"
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def stop(self):
        self.server.force_exit = self.server.should_exit = True
        self.thread.join(10)

    async def watched(self, scope, receive, send):
        """Keeps what came: method, fields, message."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        fields = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = b""
        while (part := await receive()).get("more_body"):
            body += part["body"]
        body += part.get("body", b"")
        self.asked.append((scope["method"], fields, json.loads(body) if body else None))
        parts = [{"type": "http.request", "body": body, "more_body": False}]
        return await self.app(scope, lambda: _given(parts) if parts else receive(), send)

    def asked_for(self, method, trace_id):
        """What came of a method in a trace: fields and message."""
        return [(fields, message) for _, fields, message in self.asked if message and message.get("method") == method and trace_id in fields.get("traceparent", "")]


class Everything(Serving):
    def __init__(self):
        self.subscribed = []
        #: Of the tool `wait`: how often it began, and how often it was cancelled.
        self.waiting = self.cancelled = 0
        self.sent = Events()
        super().__init__(self.made().streamable_http_app(event_store=self.sent, retry_interval=50))

    def made(self):
        server = MCPServer("everything", instructions="Ask.")

        @server.tool()
        async def book(answer: Annotated[ElicitationResult[Booking], Resolve(ask_for_seats)]) -> str:
            return f"{answer.data.seats} seats" if isinstance(answer, AcceptedElicitation) else answer.action

        @server.tool()
        async def choose(answer: Annotated[CreateMessageResult, Resolve(ask_a_model)]) -> str:
            return f"{answer.model}: {answer.content.text}"

        @server.tool()
        async def look(answer: Annotated[ListRootsResult, Resolve(ask_for_roots)]) -> str:
            return ", ".join(str(root.uri) for root in answer.roots)

        @server.tool()
        async def sign(ctx: Context) -> str | InputRequiredResult:
            """Sends the user to a page."""
            page = "https://example.com/sign"
            if ctx.protocol_version != "2026-07-28":
                signed = await ctx.elicit_url("Sign", page, "e-1")
                await ctx.session.send_notification(elicited("e-1"))
                return signed.action
            if ctx.input_responses is None:
                return InputRequiredResult(input_requests={"sign": ElicitRequest(params=ElicitRequestURLParams(message="Sign", url=page))}, request_state="état/=")
            return f"{ctx.input_responses['sign'].action} {ctx.request_state}"

        @server.tool()
        async def narrate(steps: int, ctx: Context) -> str:
            for step in range(steps):
                await ctx.report_progress(step + 1, steps, f"step {step}")
                await ctx.info({"step": step}, logger_name="narrator")
            return "told"

        @server.tool()
        async def wait(ctx: Context) -> str:
            self.waiting += 1
            await ctx.report_progress(1)
            try:
                await anyio.sleep(20)
            except anyio.get_cancelled_exc_class():
                self.cancelled += 1
                raise
            return "waited"

        @server.tool()
        async def change(ctx: Context) -> str:
            """Tells whoever listens that something changed."""
            if ctx.protocol_version == "2026-07-28":
                await ctx.notify_resource_updated("file:///a")
                await ctx.notify_tools_changed()
            else:
                await ctx.session.send_resource_updated("file:///a")
            return "changed"

        @server.tool()
        async def ask_aside(ctx: Context) -> str:
            """Asks on the stream that the client listens on, not on the call's."""
            return str((await ctx.session.list_roots()).roots[0].uri)

        @server.tool()
        async def pause(ctx: Context) -> str:
            """Hangs up, and has its answer for whoever comes back."""
            await ctx.report_progress(1)
            await ctx.close_sse_stream()
            await anyio.sleep(0.15)
            return "resumed"

        @server.tool()
        async def crash() -> str:
            raise RuntimeError("boom")

        @server.resource("file:///a")
        def a() -> str:
            return "A"

        @server.resource("note://{name}")
        def note(name: str) -> str:
            return f"note {name}"

        @server.prompt()
        def hello(name: str) -> str:
            return f"hello {name}"

        @server.prompt()
        async def guided(ctx: Context) -> str | InputRequiredResult:
            return f"hello {ctx.input_responses['name'].content['name']}" if ctx.input_responses else ASK_FOR_A_NAME

        @server.resource("asked://{what}")
        async def asked(what: str, ctx: Context) -> str | InputRequiredResult:
            return f"{what} for {ctx.input_responses['name'].content['name']}" if ctx.input_responses else ASK_FOR_A_NAME

        @server.completion()
        async def complete(ref, argument, context):
            return Completion(values=[argument.value + "da", argument.value + "ma"], total=2, has_more=False)

        async def subscribe(ctx, params):
            self.subscribed.append(str(params.uri))
            return EmptyResult()

        async def unsubscribe(ctx, params):
            self.subscribed.remove(str(params.uri))
            return EmptyResult()

        async def set_level(ctx, params):
            return EmptyResult()

        server._lowlevel_server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
        server._lowlevel_server.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
        server._lowlevel_server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribe)
        return server


async def _given(parts):
    return parts.pop(0)


def elicited(id):
    from mcp_types import ElicitCompleteNotification, ElicitCompleteNotificationParams

    return ElicitCompleteNotification(params=ElicitCompleteNotificationParams(elicitation_id=id))
