"""An A2A agent made with the official SDK, of either major version: `a2a_server.py PORT SPANS`. It speaks JSON-RPC at / and HTTP+JSON
below /rest, and does what its message's first word says. OpenTelemetry's instrumentation of ASGI and httpx is on; spans are appended to
the file SPANS as lines of JSON."""

import asyncio
import json
import sys

import httpx
import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryPushNotificationConfigStore, InMemoryTaskStore, TaskUpdater
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

try:
    from a2a.helpers import new_task_from_user_message as new_task
    from a2a.types import a2a_pb2 as types
    from google.protobuf.json_format import MessageToDict
    from starlette.applications import Starlette

    FIRST_MAJOR = True
except ImportError:
    from a2a import types
    from a2a.utils import new_task

    FIRST_MAJOR = False

port, file = int(sys.argv[1]), sys.argv[2]
base = f"http://127.0.0.1:{port}"


class Lines(SpanExporter):
    def export(self, spans):
        with open(file, "a") as lines:
            for span in spans:
                context = span.get_span_context()
                lines.write(json.dumps({
                    "name": span.name, "kind": span.kind.name, "trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}",
                    "parent": f"{span.parent.span_id:016x}" if span.parent else None, "metadata": span.attributes.get("metadata")}) + "\n")
        return SpanExportResult.SUCCESS


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(Lines()))
trace.set_tracer_provider(provider)
HTTPXClientInstrumentor().instrument()
tracer = trace.get_tracer("researcher")


def text(words):
    return types.Part(text=words) if FIRST_MAJOR else types.Part(root=types.TextPart(text=words))


class Agent(AgentExecutor):
    async def execute(self, context, queue):
        metadata = MessageToDict(context.message.metadata) if FIRST_MAJOR else context.message.metadata or {}
        with tracer.start_as_current_span("execute", attributes={"metadata": metadata.get("traceparent", "")}):
            await self.work(context, queue, *context.get_user_input().split())

    async def work(self, context, queue, verb, *objects):
        if verb == "say":
            updater = TaskUpdater(queue, "", context.context_id)
            message = updater.new_agent_message([text("hello")])
            message.task_id = "" if FIRST_MAJOR else None
            return await queue.enqueue_event(message)
        task = context.current_task or new_task(context.message)
        if not context.current_task:
            await queue.enqueue_event(task)
        updater = TaskUpdater(queue, task.id, task.context_id)
        await updater.start_work()
        if verb == "wait":
            for number in range(600):
                await updater.add_artifact([text(str(number))], artifact_id="steps", append=number > 0)
                await asyncio.sleep(0.05)
        if verb == "model":
            async with httpx.AsyncClient() as client:
                body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
                (await client.post(objects[0], json=body, headers={"authorization": "Bearer sk-ok"})).raise_for_status()
        await updater.add_artifact([text("done")])
        ends = {"fail": updater.failed, "reject": updater.reject, "input": updater.requires_input, "auth": updater.requires_auth}
        await ends.get(verb, updater.complete)()

    async def cancel(self, context, queue):
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


skill = {"id": "research", "name": "Research", "description": "Finds out.", "tags": ["r"]}
hidden = skill | {"id": "delete_all", "name": "Delete"}
named = {"name": "Researcher", "description": "Finds out.", "version": "7.1", "default_input_modes": ["text/plain"], "default_output_modes": ["text/plain"]}


def first_major(extended):
    """The card as of 1.0, which the SDK serves in 0.3's shape as well."""
    def interface(path, binding, version):
        return types.AgentInterface(url=base + path, protocol_binding=binding, protocol_version=version)
    return types.AgentCard(
        **named, skills=[types.AgentSkill(**skill), types.AgentSkill(**hidden)] + ([types.AgentSkill(**skill | {"id": "secret"})] if extended else []),
        capabilities=types.AgentCapabilities(streaming=True, push_notifications=True, extended_agent_card=True),
        supported_interfaces=[
            types.AgentInterface(url=f"127.0.0.1:{port + 1}", protocol_binding="GRPC", protocol_version="1.0"),
            interface("/", "JSONRPC", "1.0"), interface("/rest", "HTTP+JSON", "1.0"),
            interface("/", "JSONRPC", "0.3"), interface("/rest", "HTTP+JSON", "0.3")],
        signatures=[types.AgentCardSignature(protected="eyJ9", signature="x")])


def zeroth_major(extended):
    return types.AgentCard(
        **named, url=base + "/", preferred_transport="JSONRPC", supports_authenticated_extended_card=True,
        skills=[types.AgentSkill(**skill), types.AgentSkill(**hidden)] + ([types.AgentSkill(**skill | {"id": "secret"})] if extended else []),
        capabilities=types.AgentCapabilities(streaming=True, push_notifications=True),
        additional_interfaces=[
            types.AgentInterface(url=f"127.0.0.1:{port + 1}", transport="GRPC"), types.AgentInterface(url=base + "/", transport="JSONRPC"),
            types.AgentInterface(url=base + "/rest", transport="HTTP+JSON")],
        signatures=[types.AgentCardSignature(protected="eyJ9", signature="x")])


stores = {"task_store": InMemoryTaskStore(), "push_config_store": InMemoryPushNotificationConfigStore()}
if FIRST_MAJOR:
    from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes

    card = first_major(False)
    handler = DefaultRequestHandler(agent_executor=Agent(), agent_card=card, extended_agent_card=first_major(True), **stores)
    app = Starlette(routes=create_agent_card_routes(card, cache_control="public, max-age=60")
                    + create_jsonrpc_routes(handler, "/", enable_v0_3_compat=True)
                    + create_rest_routes(handler, enable_v0_3_compat=True, path_prefix="/rest"))
else:
    from a2a.server.apps import A2AFastAPIApplication, A2ARESTFastAPIApplication

    handler = DefaultRequestHandler(agent_executor=Agent(), **stores)
    cards = {"agent_card": zeroth_major(False), "extended_agent_card": zeroth_major(True)}
    app = A2ARESTFastAPIApplication(http_handler=handler, **cards).build(rpc_url="/rest")
    A2AFastAPIApplication(http_handler=handler, **cards).add_routes_to_app(app, rpc_url="/")

if __name__ == "__main__":
    uvicorn.run(OpenTelemetryMiddleware(app, exclude_spans=["receive", "send"]), host="127.0.0.1", port=port, log_level="warning")
