"""The official anthropic client through the gateway: answers as without it, and a span that says what happened."""

import asyncio

import anthropic
import pytest

from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from stand_in import TEXT, TOOL

ASKED = dict(model="claude-sonnet-4-6", max_tokens=100, messages=[{"role": "user", "content": "How is the weather in Paris?"}])
TOOLS = [{"name": "get_weather", "description": "The weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
#: claude-sonnet-4-6: 200 fresh at 3.00, 50 written at 3.75, 750 cached at 0.30, 60 out at 15.00 US dollars per million.
COST = "0.0019125"


@pytest.fixture
def client(gateway):
    """Makes a client; nothing but its base URL differs from a direct one."""
    return lambda key="sk-ok", kind=anthropic.Anthropic: kind(base_url=f"{gateway.url}/anthropic", api_key=key, max_retries=0)


@pytest.fixture
def direct(upstream):
    return lambda key="sk-ok": anthropic.Anthropic(base_url=upstream.url, api_key=key, max_retries=0)


def is_hop(span, trace):
    assert span.name == "chat claude-sonnet-4-6"
    assert span.kind == CLIENT
    assert span.trace_id == trace.id and span.parent == trace.parent
    assert span["gen_ai.operation.name"] == "chat"
    assert span["gen_ai.provider.name"] == "anthropic"
    assert span["gen_ai.request.model"] == "claude-sonnet-4-6"
    assert span["gen_ai.request.max_tokens"] == 100
    assert span["hopspan.hop.kind"] == "llm"
    assert "openai.api.type" not in span.attributes


def is_priced(span, trace, reason="end_turn"):
    is_hop(span, trace)
    assert span.status == STATUS_UNSET
    assert span["gen_ai.response.id"] == "msg_1"
    assert span["gen_ai.response.model"] == "claude-sonnet-4-6"
    assert span["gen_ai.response.finish_reasons"] == [reason]
    assert span["gen_ai.usage.input_tokens"] == 1000
    assert span["gen_ai.usage.cache_read.input_tokens"] == 750
    assert span["gen_ai.usage.cache_write.input_tokens"] == 50
    assert span["gen_ai.usage.output_tokens"] == 60
    assert span["hopspan.cost.usd"] == COST
    assert span["hopspan.cost.source"] == "catalogue"


def test_a_message_is_the_direct_one_and_leaves_a_priced_span(client, direct, collector, upstream, trace):
    ours = client().messages.create(**ASKED, extra_headers=trace.headers)
    assert ours.model_dump() == direct().messages.create(**ASKED).model_dump()
    span, = collector.find(trace.id)
    is_priced(span, trace)
    (sent, body), (bare, same_body) = upstream.asked(trace.id), upstream.asked()
    assert body == same_body
    assert sent["traceparent"] == f"00-{trace.id}-{span.span_id}-01", "the upstream's parent is us"
    ours = {"traceparent", "tracestate", "baggage", "accept-encoding", "host", "connection"}
    assert {k: v for k, v in sent.items() if k not in ours} == {k: v for k, v in bare.items() if k not in ours}
    assert "sk-ok" in str(sent), "the caller's own key passes"


def test_a_message_of_an_async_client(client, direct, collector, trace):
    async def ask():
        async with client(kind=anthropic.AsyncAnthropic) as made:
            return await made.messages.create(**ASKED, extra_headers=trace.headers)

    assert asyncio.run(ask()).model_dump() == direct().messages.create(**ASKED).model_dump()
    is_priced(collector.find(trace.id)[0], trace)


def test_a_stream_is_the_direct_one(client, direct, collector, trace):
    def events(made, **more):
        return [event.model_dump() for event in made.messages.create(**ASKED, stream=True, **more)]

    assert events(client(), extra_headers=trace.headers) == events(direct())
    span, = collector.find(trace.id)
    is_priced(span, trace)
    assert span["gen_ai.request.stream"] is True
    assert 0 < span["gen_ai.response.time_to_first_chunk"] <= span["hopspan.ttft"]


def test_a_stream_of_an_async_client(client, collector, trace):
    async def ask():
        async with client(kind=anthropic.AsyncAnthropic) as made, made.messages.stream(**ASKED, extra_headers=trace.headers) as stream:
            return "".join([text async for text in stream.text_stream])

    assert asyncio.run(ask()) == "".join(TEXT)
    is_priced(collector.find(trace.id)[0], trace)


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls(client, direct, collector, trace, stream):
    def ask(made, **more):
        if not stream:
            return made.messages.create(**ASKED, tools=TOOLS, **more)
        with made.messages.stream(**ASKED, tools=TOOLS, **more) as events:
            return events.get_final_message()

    ours, theirs = ask(client(), extra_headers=trace.headers), ask(direct())
    assert ours.model_dump() == theirs.model_dump()
    assert ours.content[1].input == {"city": "Paris", "unit": "celsius"}
    span, = collector.find(trace.id)
    is_priced(span, trace, "tool_use")
    assert span["hopspan.tool_call.ids"] == [TOOL["id"]]
    assert span["hopspan.tool_call.names"] == [TOOL["name"]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("key, error", [
    ("sk-401", anthropic.AuthenticationError), ("sk-429", anthropic.RateLimitError), ("sk-500", anthropic.InternalServerError),
    ("sk-529", anthropic.APIStatusError)])
def test_an_error_is_the_same_exception_as_without_the_gateway(client, direct, collector, trace, key, error, stream):
    def failure(made, **more):
        with pytest.raises(error) as raised:
            made.messages.create(**ASKED, stream=stream, **more)
        return raised.value

    ours, theirs = failure(client(key), extra_headers=trace.headers), failure(direct(key))
    assert type(ours) is type(theirs)
    assert (ours.status_code, ours.body, ours.message) == (theirs.status_code, theirs.body, theirs.message)
    assert ours.response.headers.get("retry-after") == ("7" if key == "sk-429" else None)
    span, = collector.find(trace.id)
    is_hop(span, trace)
    assert span.status == STATUS_ERROR
    assert span["error.type"] == key.removeprefix("sk-")
    assert "hopspan.cost.usd" not in span.attributes


def test_an_error_inside_a_stream_is_the_outcome_though_http_said_200(client, collector, trace):
    with pytest.raises(anthropic.APIStatusError):
        for _ in client("sk-error-inside").messages.create(**ASKED, stream=True, extra_headers=trace.headers):
            pass
    span, = collector.find(trace.id)
    is_hop(span, trace)
    assert span["http.response.status_code"] == 200
    assert span["error.type"] == "overloaded_error"
    assert span.status == STATUS_ERROR


def test_a_caller_that_leaves_in_the_middle_cancels_the_upstream_and_what_was_counted_is_priced(client, collector, upstream, trace):
    before = len(upstream.left)
    with client("sk-slow").messages.create(**ASKED, stream=True, extra_headers=trace.headers) as stream:
        for index, _ in enumerate(stream):
            if index == 5:
                break
    assert until(lambda: len(upstream.left) > before, 5), "the upstream's connection was not closed"
    span, = collector.find(trace.id)
    is_hop(span, trace)
    assert span["error.type"] == "client_disconnected"
    assert span.status == STATUS_ERROR
    assert span["gen_ai.usage.input_tokens"] == 1000
    assert span["hopspan.cost.source"] == "estimated"


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_of_an_async_client_is_the_same_exception(client, direct, collector, trace, stream):
    async def ask():
        async with client("sk-529", kind=anthropic.AsyncAnthropic) as made:
            await made.messages.create(**ASKED, stream=stream, extra_headers=trace.headers)

    with pytest.raises(anthropic.APIStatusError) as ours:
        asyncio.run(ask())
    with pytest.raises(anthropic.APIStatusError) as theirs:
        direct("sk-529").messages.create(**ASKED, stream=stream)
    assert type(ours.value) is type(theirs.value)
    assert (ours.value.status_code, ours.value.body, ours.value.message) == (theirs.value.status_code, theirs.value.body, theirs.value.message)
    span, = collector.find(trace.id)
    is_hop(span, trace)
    assert span["error.type"] == "529" and span.status == STATUS_ERROR


def test_a_task_that_is_cancelled_in_the_middle_cancels_the_upstream(client, collector, upstream, trace):
    before = len(upstream.left)

    async def ask(heard):
        async with client("sk-slow", kind=anthropic.AsyncAnthropic) as made:
            async for _ in await made.messages.create(**ASKED, stream=True, extra_headers=trace.headers):
                heard.append(1)

    async def leave():
        heard = []
        task = asyncio.create_task(ask(heard))
        while len(heard) < 5:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert until(lambda: len(upstream.left) > before, 5), "the upstream's connection was not closed"
    span, = collector.find(trace.id)
    is_hop(span, trace)
    assert span["error.type"] == "client_disconnected" and span["hopspan.cost.source"] == "estimated"


def test_a_refusal_of_our_own_is_an_anthropic_error(collector, trace, gateway):
    client = anthropic.Anthropic(base_url=f"{gateway.url}/absent-too", api_key="sk-ok", max_retries=0)
    with pytest.raises(anthropic.InternalServerError) as raised:
        client.messages.create(**ASKED, extra_headers=trace.headers)
    assert raised.value.status_code == 502
    assert raised.value.body["type"] == "error"
    assert raised.value.body["error"]["type"] == "api_error"
    assert trace.id in raised.value.response.text
    assert "sk-ok" not in raised.value.response.text
    assert collector.find(trace.id)[0]["error.type"] == "connect_error"
