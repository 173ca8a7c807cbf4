"""The official openai client through the gateway: answers as without it, and a span that says what happened."""

import asyncio

import httpx
import openai
import pytest

from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from stand_in import TEXT, TOOL

MESSAGES = [{"role": "user", "content": "How is the weather in Paris?"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
RESPONSE_TOOLS = [{"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}, "strict": False}]
#: gpt-4o: 200 fresh at 2.50, 1,000 cached at 1.25, 80 out at 10.00 US dollars per million.
CHAT_COST = "0.00255"


@pytest.fixture
def client(gateway):
    """Makes a client; nothing but its base URL differs from a direct one."""
    return lambda key="sk-ok", kind=openai.OpenAI: kind(base_url=f"{gateway.url}/openai/v1", api_key=key, max_retries=0)


@pytest.fixture
def direct(upstream):
    return lambda key="sk-ok": openai.OpenAI(base_url=f"{upstream.url}/v1", api_key=key, max_retries=0)


def is_hop(span, trace, name, operation="chat"):
    """What every model call's span has."""
    assert span.name == name
    assert span.kind == CLIENT
    assert span.trace_id == trace.id and span.parent == trace.parent
    assert span.scope == "hopspan"
    assert span.resource["service.name"] == "hopspan"
    assert span.start < span.end
    assert span["gen_ai.operation.name"] == operation
    assert span["gen_ai.provider.name"] == "openai"
    assert span["http.request.method"] == "POST"
    assert span["server.address"] == "127.0.0.1"
    assert span["hopspan.hop.kind"] == "llm"
    assert span["hopspan.run.id"] == trace.id
    assert span["hopspan.linked_by"] == "traceparent"
    assert span["hopspan.timing"] == "measured"


def is_priced_chat(span, trace):
    is_hop(span, trace, "chat gpt-4o")
    assert span.status == STATUS_UNSET
    assert span["http.response.status_code"] == 200
    assert span["gen_ai.request.model"] == "gpt-4o"
    assert span["gen_ai.response.model"] == "gpt-4o-2024-11-20"
    assert span["gen_ai.response.id"] == "chatcmpl-1"
    assert span["openai.api.type"] == "chat_completions"
    assert span["openai.response.system_fingerprint"] == "fp_1"
    assert span["gen_ai.usage.input_tokens"] == 1200
    assert span["gen_ai.usage.cache_read.input_tokens"] == 1000
    assert span["gen_ai.usage.output_tokens"] == 80
    assert span["gen_ai.usage.reasoning.output_tokens"] == 16
    assert span["hopspan.cost.usd"] == CHAT_COST
    assert span["hopspan.cost.source"] == "catalogue"
    assert span["gen_ai.usage.cost"] == span["llm.cost.total"] == float(CHAT_COST)
    assert "gen_ai.input.messages" not in span.attributes and "gen_ai.output.messages" not in span.attributes
    assert "error.type" not in span.attributes


def test_a_chat_completion_is_the_direct_one_and_leaves_a_priced_span(client, direct, collector, upstream, trace):
    asked = dict(model="gpt-4o", messages=MESSAGES, temperature=0.5, max_tokens=100)
    assert client().chat.completions.create(**asked, extra_headers=trace.headers).model_dump() == direct().chat.completions.create(**asked).model_dump()
    span, = collector.find(trace.id)
    is_priced_chat(span, trace)
    assert span["gen_ai.response.finish_reasons"] == ["stop"]
    assert span["gen_ai.request.temperature"] == 0.5
    assert span["gen_ai.request.max_tokens"] == 100
    assert "gen_ai.request.stream" not in span.attributes
    (sent, body), (bare, same_body) = upstream.asked(trace.id), upstream.asked()
    assert body == same_body
    assert sent["traceparent"] == f"00-{trace.id}-{span.span_id}-01", "the upstream's parent is us"
    ours = {"traceparent", "tracestate", "baggage", "accept-encoding", "host", "connection"}
    assert {k: v for k, v in sent.items() if k not in ours} == {k: v for k, v in bare.items() if k not in ours}
    assert "sk-ok" in str(sent), "the caller's own key passes"


def test_a_chat_completion_of_an_async_client(client, direct, collector, trace):
    async def ask():
        async with client(kind=openai.AsyncOpenAI) as made:
            return await made.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_headers=trace.headers)

    assert asyncio.run(ask()).model_dump() == direct().chat.completions.create(model="gpt-4o", messages=MESSAGES).model_dump()
    is_priced_chat(collector.find(trace.id)[0], trace)


@pytest.mark.parametrize("usage", [None, False, True])
def test_a_chat_stream_is_the_direct_one_and_its_usage_known_all_the_same(client, direct, collector, trace, usage):
    asked = dict(model="gpt-4o", messages=MESSAGES, stream=True)
    if usage is not None:
        asked["stream_options"] = {"include_usage": usage}

    def chunks(stream):
        # A caller who did not ask for usage may be told in each chunk that there is none yet.
        return [chunk.model_dump(exclude_none=True) for chunk in stream]

    ours, theirs = chunks(client().chat.completions.create(**asked, extra_headers=trace.headers)), chunks(direct().chat.completions.create(**asked))
    assert ours == theirs
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in ours if chunk["choices"]) == "".join(TEXT)
    assert ("usage" in ours[-1]) == bool(usage)
    span, = collector.find(trace.id)
    is_priced_chat(span, trace)
    assert span["gen_ai.request.stream"] is True
    assert 0 < span["gen_ai.response.time_to_first_chunk"] <= span["hopspan.ttft"] < (span.end - span.start) / 1e9


def test_a_chat_stream_of_an_async_client(client, collector, trace):
    async def ask():
        async with client(kind=openai.AsyncOpenAI) as made:
            stream = await made.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, extra_headers=trace.headers)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(ask()) == "".join(TEXT)
    is_priced_chat(collector.find(trace.id)[0], trace)


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls(client, direct, collector, trace, stream):
    asked = dict(model="gpt-4o", messages=MESSAGES, tools=TOOLS)

    def ask(made, **more):
        if not stream:
            return made.chat.completions.create(**asked, **more).choices[0].message
        with made.chat.completions.stream(**asked, **more) as events:
            return events.get_final_completion().choices[0].message

    ours, theirs = ask(client(), extra_headers=trace.headers), ask(direct())
    assert ours.model_dump() == theirs.model_dump()
    assert ours.tool_calls[0].function.arguments == TOOL["arguments"]
    span, = collector.find(trace.id)
    is_priced_chat(span, trace)
    assert span["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert span["hopspan.tool_call.ids"] == [TOOL["id"]]
    assert span["hopspan.tool_call.names"] == [TOOL["name"]]


def test_returned_tool_results_are_on_the_span(client, collector, trace):
    call = {"id": TOOL["id"], "type": "function", "function": {"name": TOOL["name"], "arguments": TOOL["arguments"]}}
    messages = MESSAGES + [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": TOOL["id"], "content": "21 degrees"}]
    client().chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, extra_headers=trace.headers)
    assert collector.find(trace.id)[0]["hopspan.tool_result.ids"] == [TOOL["id"]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("tools", [False, True])
def test_a_response(client, direct, collector, trace, stream, tools):
    asked = dict(model="gpt-4o", input="How is the weather?", stream=stream)
    if tools and not stream:
        asked["tools"] = RESPONSE_TOOLS

    def ask(made, **more):
        answer = made.responses.create(**asked, **more)
        return [event.model_dump() for event in answer] if stream else answer.model_dump()

    assert ask(client(), extra_headers=trace.headers) == ask(direct())
    span, = collector.find(trace.id)
    is_hop(span, trace, "chat gpt-4o")
    assert span["openai.api.type"] == "responses"
    assert span["gen_ai.response.id"] == "resp_1"
    assert span["gen_ai.response.finish_reasons"] == ["completed"]
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.cache_read.input_tokens"]) == (300, 100)
    assert (span["gen_ai.usage.output_tokens"], span["gen_ai.usage.reasoning.output_tokens"]) == (50, 20)
    # 200 fresh at 2.50, 100 cached at 1.25, 50 out at 10.00
    assert span["hopspan.cost.usd"] == "0.001125"


def test_embeddings(client, direct, collector, trace):
    asked = dict(model="text-embedding-3-small", input="weather", encoding_format="float")
    assert client().embeddings.create(**asked, extra_headers=trace.headers).model_dump() == direct().embeddings.create(**asked).model_dump()
    span, = collector.find(trace.id)
    is_hop(span, trace, "embeddings text-embedding-3-small", "embeddings")
    assert span["gen_ai.usage.input_tokens"] == 9
    assert span["hopspan.cost.usd"] == "0.00000018"


def test_another_path_passes_as_a_plain_hop(client, direct, collector, trace):
    assert client().models.list(extra_headers=trace.headers).model_dump() == direct().models.list().model_dump()
    span, = collector.find(trace.id)
    assert span.name == "GET openai"
    assert span["hopspan.hop.kind"] == "http"
    assert "hopspan.cost.usd" not in span.attributes


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "key, error", [("sk-401", openai.AuthenticationError), ("sk-429", openai.RateLimitError), ("sk-500", openai.InternalServerError),
                   ("sk-529", openai.InternalServerError)])
def test_an_error_is_the_same_exception_as_without_the_gateway(client, direct, collector, trace, key, error, stream):
    def failure(made, **more):
        with pytest.raises(error) as raised:
            made.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=stream, **more)
        return raised.value

    ours, theirs = failure(client(key), extra_headers=trace.headers), failure(direct(key))
    assert type(ours) is type(theirs)
    assert (ours.status_code, ours.body, ours.message, ours.code, ours.type) == (theirs.status_code, theirs.body, theirs.message, theirs.code, theirs.type)
    assert ours.request_id == "req_stand_in"
    assert ours.response.headers.get("retry-after") == ("7" if key == "sk-429" else None)
    assert ours.response.headers["traceresponse"].split("-")[1] == trace.id
    span, = collector.find(trace.id)
    is_hop(span, trace, "chat gpt-4o")
    assert span.status == STATUS_ERROR
    assert span["error.type"] == key.removeprefix("sk-")
    assert span["http.response.status_code"] == ours.status_code
    assert "hopspan.cost.usd" not in span.attributes


def test_a_caller_that_leaves_in_the_middle_cancels_the_upstream(client, collector, upstream, trace):
    before = len(upstream.left)
    with client("sk-slow").chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, extra_headers=trace.headers) as stream:
        for index, _ in enumerate(stream):
            if index == 5:
                break
    assert until(lambda: len(upstream.left) > before, 5), "the upstream's connection was not closed"
    span, = collector.find(trace.id)
    is_hop(span, trace, "chat gpt-4o")
    assert span["error.type"] == "client_disconnected"
    assert span.status == STATUS_ERROR
    assert "gen_ai.usage.output_tokens" not in span.attributes, "tokens are never guessed"


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_of_an_async_client_is_the_same_exception(client, direct, collector, trace, stream):
    async def ask():
        async with client("sk-429", kind=openai.AsyncOpenAI) as made:
            await made.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=stream, extra_headers=trace.headers)

    with pytest.raises(openai.RateLimitError) as ours:
        asyncio.run(ask())
    with pytest.raises(openai.RateLimitError) as theirs:
        direct("sk-429").chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=stream)
    assert (ours.value.status_code, ours.value.body, ours.value.message) == (theirs.value.status_code, theirs.value.body, theirs.value.message)
    assert ours.value.response.headers["retry-after"] == "7"
    span, = collector.find(trace.id)
    is_hop(span, trace, "chat gpt-4o")
    assert span["error.type"] == "429" and span.status == STATUS_ERROR


def test_a_task_that_is_cancelled_in_the_middle_cancels_the_upstream(client, collector, upstream, trace):
    before = len(upstream.left)

    async def ask(heard):
        async with client("sk-slow", kind=openai.AsyncOpenAI) as made:
            async for _ in await made.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, extra_headers=trace.headers):
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
    assert span["error.type"] == "client_disconnected" and span.status == STATUS_ERROR


def test_a_cut_stream_is_an_error_for_the_caller_and_on_the_span(client, collector, trace):
    with pytest.raises((openai.APIConnectionError, httpx.HTTPError)):
        for _ in client("sk-cut").chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, extra_headers=trace.headers):
            pass
    span, = collector.find(trace.id)
    assert span["http.response.status_code"] == 200
    assert span["error.type"] == "stream_cut"
    assert span.status == STATUS_ERROR


def test_a_refusal_of_our_own_is_an_openai_error(collector, trace, gateway):
    client = openai.OpenAI(base_url=f"{gateway.url}/absent/v1", api_key="sk-ok", max_retries=0)
    with pytest.raises(openai.InternalServerError) as raised:
        client.chat.completions.create(model="some-model", messages=MESSAGES, extra_headers=trace.headers)
    assert raised.value.status_code == 502
    assert raised.value.code == "connect_error"
    assert raised.value.type == "server_error"
    assert raised.value.body["trace_id"] == trace.id
    assert "sk-ok" not in raised.value.response.text
    span, = collector.find(trace.id)
    assert span["gen_ai.provider.name"] == "absent"
    assert span["error.type"] == "connect_error"
