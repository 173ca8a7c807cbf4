"""The official clients of Gemini, Bedrock and Cohere through the gateway, under their own paths: answers as without it, and a span
that says what happened and what it cost."""

import boto3
import botocore.exceptions
import cohere
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from cohere.core.api_error import ApiError
from google import genai
from google.genai import errors, types

from collector import CLIENT, STATUS_ERROR, STATUS_UNSET
from stand_in import TEXT, TOOL

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
#: 3.30 fresh, 4.125 written, 0.33 cached, 16.50 out US dollars per million, with 200, 50, 700 and 60 tokens.
CLAUDE_COST = "0.00208725"


@pytest.fixture(scope="session")
def native(upstream, collector, tmp_path_factory):
    """A gateway for providers whose own hosts hold a place."""
    import gateway as program

    names = ["gemini", "vertex", "bedrock", "cohere"]
    providers = "".join(f"\n  {name}: {{ base_url: '{upstream.url}' }}" for name in names)
    made = program.Gateway(tmp_path_factory.mktemp("native"), program.configuration(upstream.url, collector, providers=providers))
    yield made
    assert made.stop() == 0, made.log


# Gemini

#: A client that nobody holds closes, and what it has open with it.
KEPT = []

def gemini(url, key="sk-ok", trace=None):
    made = genai.Client(api_key=key, http_options=types.HttpOptions(
        base_url=url, headers=trace.headers if trace else None, retry_options=types.HttpRetryOptions(attempts=1)))
    KEPT.append(made)
    return made


CONFIG = types.GenerateContentConfig(temperature=0.5, max_output_tokens=100)
TOOLS = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name=TOOL["name"])])])
ASKED = dict(model="gemini-2.5-flash", contents="How is the weather in Paris?")


def plain(answer):
    return answer.model_dump(exclude={"sdk_http_response"})


def is_gemini(span, trace):
    assert span.name == "generate_content gemini-2.5-flash" and span.kind == CLIENT
    assert span.trace_id == trace.id and span.parent == trace.parent
    assert span["gen_ai.operation.name"] == "generate_content"
    assert span["gen_ai.provider.name"] == "gcp.gemini"
    assert span["gen_ai.request.model"] == "gemini-2.5-flash"
    assert span["hopspan.hop.kind"] == "llm"
    assert "sk-ok" not in str(span.attributes)


def is_priced_gemini(span, trace):
    is_gemini(span, trace)
    assert span.status == STATUS_UNSET
    assert span["gen_ai.response.model"] == "gemini-2.5-flash"
    assert span["gen_ai.response.id"] == "resp_1"
    assert span["gen_ai.response.finish_reasons"] == ["stop"]
    assert span["gen_ai.usage.input_tokens"] == 1000
    assert span["gen_ai.usage.cache_read.input_tokens"] == 600
    assert span["gen_ai.usage.output_tokens"] == 100
    assert span["gen_ai.usage.reasoning.output_tokens"] == 40
    # 400 fresh at 0.30, 600 cached at 0.03, 100 out at 2.50 US dollars per million.
    assert span["hopspan.cost.usd"] == "0.000388"
    assert span["hopspan.cost.source"] == "catalogue"


def test_gemini_generates(native, upstream, collector, trace):
    ours = gemini(f"{native.url}/gemini", trace=trace).models.generate_content(**ASKED, config=CONFIG)
    (_, body) = upstream.asked(trace.id)
    assert plain(ours) == plain(gemini(upstream.url).models.generate_content(**ASKED, config=CONFIG))
    assert body == upstream.asked()[1]
    assert ours.text == "".join(TEXT)
    span, = collector.find(trace.id)
    is_priced_gemini(span, trace)
    assert span["gen_ai.request.temperature"] == 0.5
    assert span["gen_ai.request.max_tokens"] == 100
    summary = native.run(trace.id)
    assert (summary["llm_calls"], summary["cost_usd"], summary["unmetered_hops"]) == (1, "0.000388", 0)


def test_gemini_streams(native, upstream, collector, trace):
    def parts(client):
        return [plain(part) for part in client.models.generate_content_stream(**ASKED)]

    assert parts(gemini(f"{native.url}/gemini", trace=trace)) == parts(gemini(upstream.url))
    span, = collector.find(trace.id)
    is_priced_gemini(span, trace)
    assert span["gen_ai.request.stream"] is True
    assert 0 < span["gen_ai.response.time_to_first_chunk"] <= span["hopspan.ttft"]


@pytest.mark.parametrize("stream", [False, True])
def test_gemini_calls_tools(native, collector, trace, stream):
    models = gemini(f"{native.url}/gemini", trace=trace).models
    if stream:
        *_, answer = models.generate_content_stream(**ASKED, config=TOOLS)
    else:
        answer = models.generate_content(**ASKED, config=TOOLS)
    assert answer.function_calls[0].name == TOOL["name"]
    span, = collector.find(trace.id)
    is_priced_gemini(span, trace)
    assert span["hopspan.tool_call.names"] == [TOOL["name"]]


def test_gemini_streams_as_a_list(native, upstream, collector, trace):
    """Without `alt=sse`: no client of theirs asks so, but curl does."""
    import httpx

    def asked(url, headers):
        body = {"contents": [{"parts": [{"text": "hi"}]}]}
        return httpx.post(f"{url}/v1beta/models/gemini-2.5-flash:streamGenerateContent", json=body, headers={"x-goog-api-key": "sk-ok"} | headers).json()

    assert asked(f"{native.url}/gemini", trace.headers) == asked(upstream.url, {})
    span, = collector.find(trace.id)
    is_priced_gemini(span, trace)
    assert 0 < span["gen_ai.response.time_to_first_chunk"] <= span["hopspan.ttft"]


def test_gemini_embeds(native, collector, trace):
    answer = gemini(f"{native.url}/gemini", trace=trace).models.embed_content(model="gemini-embedding-001", contents=["a"])
    assert answer.embeddings[0].values == [0.25, -0.5]
    span, = collector.find(trace.id)
    assert span.name == "embeddings gemini-embedding-001"
    assert span["gen_ai.usage.input_tokens"] == 9
    assert span["hopspan.cost.usd"] == "0.00000135"


def test_gemini_refuses(native, collector, trace):
    with pytest.raises(errors.ClientError) as raised:
        gemini(f"{native.url}/gemini", "sk-429", trace).models.generate_content(**ASKED)
    assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")
    span, = collector.find(trace.id)
    is_gemini(span, trace)
    assert span.status == STATUS_ERROR and span["error.type"] == "429"
    assert "hopspan.cost.usd" not in span.attributes


# Claude on Vertex


@pytest.mark.parametrize("stream", [False, True])
def test_claude_on_vertex(native, collector, trace, stream):
    import anthropic

    client = anthropic.AnthropicVertex(region="us-east5", project_id="p", access_token="sk-ok", base_url=f"{native.url}/vertex/v1", max_retries=0)
    asked = dict(model="claude-sonnet-4-5@20250929", max_tokens=100, messages=[{"role": "user", "content": "hi"}], extra_headers=trace.headers)
    if stream:
        with client.messages.stream(**asked) as events:
            answer = events.get_final_message()
    else:
        answer = client.messages.create(**asked)
    assert answer.content[0].text == "".join(TEXT)
    span, = collector.find(trace.id)
    assert span.name == "chat claude-sonnet-4-5@20250929"
    assert span["gen_ai.provider.name"] == "gcp.vertex_ai"
    assert span["gen_ai.response.model"] == "claude-sonnet-4-5-20250929"
    # 200 fresh at 3.00, 50 written at 3.75, 750 cached at 0.30, 60 out at 15.00 US dollars per million, and a tenth more for the place.
    assert span["hopspan.cost.usd"] == "0.00210375"


# Bedrock


def bedrock(url, trace=None, key="sk-ok"):
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key="secret",
                          config=Config(retries={"total_max_attempts": 1}))
    if trace:
        client.meta.events.register("before-send", lambda request, **_: request.headers.update(trace.headers))
    return client


HI = dict(modelId=CLAUDE, messages=[{"role": "user", "content": [{"text": "hi"}]}], inferenceConfig={"maxTokens": 100})
TOOL_CONFIG = {"tools": [{"toolSpec": {"name": TOOL["name"], "inputSchema": {"json": {"type": "object"}}}}]}
INVOKED = dict(modelId=CLAUDE, body='{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}')


def is_bedrock(span, trace):
    assert span.name == f"chat {CLAUDE}" and span.kind == CLIENT
    assert span.trace_id == trace.id and span.parent == trace.parent
    assert span["gen_ai.provider.name"] == "aws.bedrock"
    assert span["gen_ai.request.model"] == CLAUDE
    assert span["gen_ai.request.max_tokens"] == 100


def is_priced_bedrock(span, trace, reason="end_turn"):
    is_bedrock(span, trace)
    assert span.status == STATUS_UNSET
    assert span["gen_ai.response.id"] == "req_1"
    assert span["gen_ai.response.finish_reasons"] == [reason]
    assert span["gen_ai.usage.input_tokens"] == 950
    assert span["gen_ai.usage.cache_read.input_tokens"] == 700
    assert span["gen_ai.usage.cache_write.input_tokens"] == 50
    assert span["gen_ai.usage.output_tokens"] == 60
    assert span["hopspan.cost.usd"] == CLAUDE_COST
    assert span["hopspan.cost.source"] == "catalogue"


def told(answer):
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "stream", "body")}


@pytest.mark.parametrize("tools", [False, True])
def test_bedrock_converses(native, upstream, collector, trace, tools):
    more = {"toolConfig": TOOL_CONFIG} if tools else {}
    ours = bedrock(f"{native.url}/bedrock", trace).converse(**HI, **more)
    (sent, body) = upstream.asked(trace.id)
    assert told(ours) == told(bedrock(upstream.url).converse(**HI, **more))
    assert body == upstream.asked()[1]
    assert sent["authorization"].startswith("AWS4-HMAC-SHA256 "), "the caller's signature passes"
    span, = collector.find(trace.id)
    is_priced_bedrock(span, trace, "tool_use" if tools else "end_turn")
    if tools:
        assert span["hopspan.tool_call.ids"] == [TOOL["id"]]


@pytest.mark.parametrize("tools", [False, True])
def test_bedrock_converses_in_a_stream(native, upstream, collector, trace, tools):
    more = {"toolConfig": TOOL_CONFIG} if tools else {}

    def events(client):
        return list(client.converse_stream(**HI, **more)["stream"])

    assert events(bedrock(f"{native.url}/bedrock", trace)) == events(bedrock(upstream.url))
    span, = collector.find(trace.id)
    is_priced_bedrock(span, trace, "tool_use" if tools else "end_turn")
    assert span["gen_ai.request.stream"] is True
    assert 0 < span["gen_ai.response.time_to_first_chunk"] <= span["hopspan.ttft"]


def test_bedrock_invokes(native, upstream, collector, trace):
    ours = bedrock(f"{native.url}/bedrock", trace).invoke_model(**INVOKED)
    assert ours["body"].read() == bedrock(upstream.url).invoke_model(**INVOKED)["body"].read()
    span, = collector.find(trace.id)
    is_priced_bedrock(span, trace)
    assert span["gen_ai.response.model"] == "claude-sonnet-4-5-20250929"


def test_bedrock_invokes_in_a_stream(native, upstream, collector, trace):
    def chunks(client):
        return [event["chunk"]["bytes"] for event in client.invoke_model_with_response_stream(**INVOKED)["body"]]

    assert chunks(bedrock(f"{native.url}/bedrock", trace)) == chunks(bedrock(upstream.url))
    span, = collector.find(trace.id)
    is_priced_bedrock(span, trace)


def test_a_signature_made_for_the_provider_is_valid_when_it_gets_there(native, upstream, collector, trace):
    """Signed for the provider's address, sent to the gateway's: it puts the one in place of the other, and changes nothing that is signed."""
    client = bedrock(upstream.url, trace)
    client.meta.events.register("before-send", lambda request, **_: setattr(request, "url", request.url.replace(upstream.url, f"{native.url}/bedrock")))
    client.converse(**HI)
    is_priced_bedrock(collector.find(trace.id)[0], trace)
    path, sent, body = next((path, headers, body) for _, path, headers, body in upstream.requests if trace.id in headers.get("traceparent", ""))
    names = sent["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert "host" in names
    received = AWSRequest("POST", f"http://{sent['host']}{path}", {name: sent[name] for name in names}, body)
    received.context["timestamp"] = sent["x-amz-date"]
    signer = SigV4Auth(Credentials("sk-ok", "secret"), "bedrock", "us-east-1")
    assert sent["authorization"].endswith("Signature=" + signer.signature(signer.string_to_sign(received, signer.canonical_request(received)), received))


def test_bedrock_refuses(native, collector, trace):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        bedrock(f"{native.url}/bedrock", trace, "sk-429").converse(**HI)
    assert raised.value.response["Error"]["Code"] == "ThrottlingException"
    span, = collector.find(trace.id)
    is_bedrock(span, trace)
    assert span.status == STATUS_ERROR and span["error.type"] == "429"


def test_an_exception_inside_a_bedrock_stream_is_the_outcome_though_http_said_200(native, collector, trace):
    with pytest.raises(botocore.exceptions.EventStreamError):
        list(bedrock(f"{native.url}/bedrock", trace, "sk-error-inside").converse_stream(**HI)["stream"])
    span, = collector.find(trace.id)
    is_bedrock(span, trace)
    assert span["http.response.status_code"] == 200
    assert span.status == STATUS_ERROR and span["error.type"] == "throttlingException"


def test_a_bedrock_stream_that_is_cut_is_an_error_without_a_cost(native, collector, trace):
    with pytest.raises(Exception):
        list(bedrock(f"{native.url}/bedrock", trace, "sk-cut").converse_stream(**HI)["stream"])
    span, = collector.find(trace.id)
    is_bedrock(span, trace)
    assert span.status == STATUS_ERROR
    assert "hopspan.cost.usd" not in span.attributes


# Cohere


def co(url, key="sk-ok"):
    return cohere.ClientV2(api_key=key, base_url=url)


SAID = dict(model="command-a-03-2025", messages=[{"role": "user", "content": "hi"}], max_tokens=100)


def is_priced_cohere(span, trace):
    assert span.name == "chat command-a-03-2025"
    assert span.trace_id == trace.id and span.parent == trace.parent
    assert span["gen_ai.provider.name"] == "cohere"
    assert span["gen_ai.response.id"] == "co_1"
    assert span["gen_ai.response.finish_reasons"] == ["COMPLETE"]
    assert span["gen_ai.usage.input_tokens"] == 1000, "the bill, not the tokens"
    assert span["gen_ai.usage.output_tokens"] == 60
    # 2.50 and 10.00 US dollars per million.
    assert span["hopspan.cost.usd"] == "0.0031"


@pytest.mark.parametrize("stream", [False, True])
def test_cohere_chats(native, upstream, collector, trace, stream):
    def ask(client, **more):
        if stream:
            return [event.model_dump() for event in client.chat_stream(**SAID, **more)]
        return client.chat(**SAID, **more).model_dump()

    ours = ask(co(f"{native.url}/cohere"), request_options={"additional_headers": trace.headers})
    assert ours == ask(co(upstream.url))
    span, = collector.find(trace.id)
    is_priced_cohere(span, trace)
    assert ("gen_ai.request.stream" in span.attributes) == stream


def test_cohere_embeds(native, collector, trace):
    co(f"{native.url}/cohere").embed(model="embed-v4.0", texts=["a"], input_type="search_document", embedding_types=["float"],
                                     request_options={"additional_headers": trace.headers})
    span, = collector.find(trace.id)
    assert span.name == "embeddings embed-v4.0"
    assert span["hopspan.cost.usd"] == "0.00000108"


def test_cohere_refuses(native, collector, trace):
    with pytest.raises(ApiError) as raised:
        co(f"{native.url}/cohere", "sk-401").chat(**SAID, request_options={"additional_headers": trace.headers})
    assert raised.value.status_code == 401
    span, = collector.find(trace.id)
    assert span.status == STATUS_ERROR and span["error.type"] == "401"
