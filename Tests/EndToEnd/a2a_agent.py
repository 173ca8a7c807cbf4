"""An agent that asks another one: `a2a_agent.py URL MODEL SPANS MODE`. In the mode `instrumented` OpenTelemetry's instrumentation of httpx is
on, and its spans are appended to the file SPANS as lines of JSON; in the mode `metadata` its trace travels in the message alone."""

import asyncio
import json
import secrets
import sys

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.helpers import new_text_message
from a2a.types import a2a_pb2 as types
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

url, model, file, mode = sys.argv[1:]


class Lines(SpanExporter):
    def export(self, spans):
        with open(file, "a") as lines:
            for span in spans:
                lines.write(json.dumps({"name": span.name, "kind": span.kind.name, "span_id": f"{span.get_span_context().span_id:016x}"}) + "\n")
        return SpanExportResult.SUCCESS


if mode == "instrumented":
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Lines()))
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()


async def main():
    heard = []

    async def hear(answer):
        heard.append(answer.headers["traceresponse"].split("-")[1])

    with trace.get_tracer("agent").start_as_current_span("agent"):
        async with httpx.AsyncClient(timeout=20, event_hooks={"response": [hear]}) as http:
            card = await A2ACardResolver(http, url).get_agent_card()
            client = ClientFactory(ClientConfig(httpx_client=http)).create(card)
            message = new_text_message(f"model {model}", role=types.Role.ROLE_USER)
            if mode == "metadata":
                message.metadata["traceparent"] = f"00-{secrets.token_hex(16)}-00f067aa0ba902b7-01"
            async for event in client.send_message(types.SendMessageRequest(message=message)):
                pass
    print(json.dumps({"trace_id": heard[-1]}))


asyncio.run(main())
