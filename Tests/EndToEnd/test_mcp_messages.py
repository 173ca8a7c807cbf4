"""What clients send to MCP servers, in good order and in bad: it arrives as it was but for the trace, or is refused in the protocol's words."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from collector import STATUS_ERROR, STATUS_UNSET
from mcp_exchanges import call, exchanges, http, only_hop, scripted, send, tools
from mcp_scripted import answer, result, text

REFUSED = {
    "not UTF-8": (call().replace(b"get_weather", b"\xff\xfe"), 400, -32700, None),
    "no JSON": (b"tools/call", 400, -32700, None),
    "empty": (b"", 400, -32700, None),
    "cut": (call()[:-2], 400, -32700, None),
    "two messages": (call() + call(), 400, -32700, None),
    "a string": (b'"tools/call"', 400, -32600, None),
    "an empty batch": (b"[]", 400, -32600, None),
    "no version": (call().replace(b'"jsonrpc":"2.0",', b""), 400, -32600, None),
    "an id that is a fraction": (call(id=1.5), 400, -32600, None),
    "an id that is null": (call(id=None), 400, -32600, None),
    "an id that is a list": (call(id=[7]), 400, -32600, None),
    "the tool named twice": (call().replace(b'"params":{', b'"params":{"name":"other",'), 400, -32600, 7),
    "parameters in a list": (text({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": []}), 400, -32600, None),
    "larger than gateway.max_body": (call(arguments={"text": "x" * (256 << 10)}), 413, -32600, None),
}


@pytest.fixture(scope="module")
def refused(tools, scripted):
    return exchanges(tools, scripted, {sent: ([answer(result())], body, "scripted") for sent, (body, *_) in REFUSED.items()})


@pytest.mark.parametrize("sent", REFUSED)
def test_a_message_that_is_none_is_refused_in_the_protocols_words_and_goes_no_further(refused, collector, sent):
    (_, status, code, id), (trace, asked, got, came, *_) = REFUSED[sent], refused[sent]
    ours = json.loads(came)
    assert (got, ours["error"]["code"], ours["id"], ours["error"]["data"]) == (status, code, id, {"trace_id": trace.id})
    assert asked == []
    span = only_hop(collector, trace)
    assert (span.status, span["error.type"], span["http.response.status_code"]) == (STATUS_ERROR, str(status), status)
    assert span.parent == trace.parent


@pytest.mark.xfail(strict=True, reason="no batch passes, in whatever revision")
def test_a_batch_passes_where_the_revision_has_batches(tools, scripted, collector, trace):
    """Of all revisions, 2025-03-26 alone."""
    scripted.plays(answer([result(id=1), result(id=2, isError=True)]))
    made, came, _ = send(tools, b"[" + call(id=1) + b"," + call(id=2) + b"]", trace, mcp_protocol_version="2025-03-26")
    assert made.status_code == 200 and json.loads(came) == [result(id=1), result(id=2, isError=True)]
    hops = collector.find(trace.id, 2)
    assert {(span["jsonrpc.request.id"], span.status) for span in hops} == {("1", STATUS_UNSET), ("2", STATUS_ERROR)}


IDS = [0, -1, "7", "", "é\n\"", 2**53 + 1, "x" * 300]


@pytest.fixture(scope="module")
def with_ids(tools, scripted):
    def echo(request):
        return [answer(result(id=request.message["id"]))]

    return exchanges(tools, scripted, {(id, server): ([echo], call(id=id), server) for id in IDS for server in ("scripted", "absent")})


@pytest.mark.parametrize("id", IDS, ids=repr)
@pytest.mark.parametrize("server", ["scripted", "absent"])
def test_an_id_comes_back_as_it_was_sent(with_ids, collector, id, server):
    trace, _, _, came, *_ = with_ids[id, server]
    back = json.loads(came)["id"]
    assert back == id and type(back) is type(id)
    span = only_hop(collector, trace)
    assert span["jsonrpc.request.id"] == str(id)
    assert span.get("error.type") == ("connect_error" if server == "absent" else None)


@pytest.mark.parametrize("depth", [100, 10_000])
def test_arguments_may_be_deep_and_nothing_falls_over(tools, scripted, collector, trace, depth):
    scripted.plays(answer(result()))
    body = call().replace(b'"arguments":{}', b'"arguments":{"a":' + b"[" * depth + b"]" * depth + b"}")
    made, came, _ = send(tools, body, trace)
    if depth == 100:
        assert made.status_code == 200 and scripted.requests[0].body.count(b"[") == depth
    else:
        assert made.status_code == 400 and json.loads(came)["error"]["code"] == -32700
    assert only_hop(collector, trace).status == (STATUS_UNSET if depth == 100 else STATUS_ERROR)


def test_a_message_sent_in_chunks_arrives_as_one(tools, scripted, collector, trace):
    scripted.plays(answer(result()))
    body = call(arguments={"text": "ü" * 20_000})
    made = http.post(f"{tools.url}/mcp/scripted", content=(body[at:at + 700] for at in range(0, len(body), 700)), headers=trace.headers)
    assert made.status_code == 200
    asked = scripted.requests[0]
    assert asked.fields["content-length"] == str(len(asked.body)) and asked.message["params"]["arguments"] == {"text": "ü" * 20_000}
    assert only_hop(collector, trace).status == STATUS_UNSET


def test_a_callers_token_goes_no_further_and_the_servers_own_takes_its_place(tools, scripted, collector):
    def what_came(server):
        scripted.plays(answer(result()))
        http.post(f"{tools.url}/mcp/{server}", content=call(), headers={"authorization": "Bearer mine", "x-team": "b", "x-other": "c", "x-hopspan-agent": "me"})
        fields = scripted.requests[0].fields
        assert fields["x-other"] == "c" and "x-hopspan-agent" not in fields
        return fields.get("authorization"), fields["x-team"]

    assert what_came("scripted") == (None, "b")
    assert what_came("keyed") == ("Bearer server-key", "a")
    assert what_came("open") == ("Bearer mine", "b")


def test_what_a_caller_sends_in_meta_stays_but_for_the_trace(tools, scripted, collector, trace):
    """A valid context in `_meta` wins over the head's, and both are written anew."""
    inner, parent = secrets.token_hex(16), secrets.token_hex(8)
    scripted.plays(answer(result()))
    meta = {"progressToken": "p", "traceparent": f"00-{inner}-{parent}-01", "tracestate": "a=1", "baggage": "k=v", "com.example/x": {"y": [1.0, "é"]}}
    send(tools, call(_meta=meta), trace)
    span, = collector.find(inner)
    assert span.parent == parent and span.trace_state == "a=1"
    asked = scripted.requests[0]
    context = f"00-{inner}-{span.span_id}-01"
    assert asked.message["params"]["_meta"] == meta | {"traceparent": context}
    assert b'"com.example/x":{"y":[1.0,"\xc3\xa9"]}' in asked.body
    assert (asked.fields["traceparent"], asked.fields["tracestate"], asked.fields["baggage"]) == (context, "a=1", "k=v")
    assert not [each for each in collector.spans if each.trace_id == trace.id]


OTHERS = b'"name":"get_weather","arguments":{"a":[1.0,"\\u00e9"]},"x":null'
PLACES = {
    "first": b'{"_meta":{"k":1},' + OTHERS + b"}", "last": b"{" + OTHERS + b',"_meta":{"k":1}}', "empty": b'{"_meta":{},' + OTHERS + b"}",
    "null": b'{ "_meta" : null , ' + OTHERS + b"}", "absent": b"{" + OTHERS + b"}", "with a trace in the middle": b'{"_meta":{"k":1,"traceparent":"","l":2},' + OTHERS + b"}",
}


@pytest.fixture(scope="module")
def with_places(tools, scripted):
    """Small, larger than what is joined to its head, and larger than what is read on the loop."""
    return exchanges(tools, scripted, {(place, size): (
        [answer(result())], b'{"jsonrpc":"2.0", "id":7,"method":"tools/call","params":%b,"pad":"%b"}' % (params, b"x" * size), "scripted")
        for place, params in PLACES.items() for size in (10, 70_000, 200_000)})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [10, 70_000, 200_000])
def test_the_context_is_put_into_a_message_of_any_size_and_the_rest_is_as_it_was(with_places, collector, place, size):
    trace, asked, *_ = with_places[place, size]
    span = only_hop(collector, trace)
    meta = (asked[0].message["params"]).pop("_meta")
    context = f"00-{trace.id}-{span.span_id}-01"
    assert meta.pop("traceparent") == context and asked[0].fields["traceparent"] == context
    assert meta == {"first": {"k": 1}, "last": {"k": 1}, "with a trace in the middle": {"k": 1, "l": 2}}.get(place, {})
    assert asked[0].message["pad"] == "x" * size and OTHERS in asked[0].body
    assert asked[0].fields["content-length"] == str(len(asked[0].body))


def test_a_trace_that_nobody_samples_is_passed_on_kept_and_not_exported(tools, scripted, collector):
    inner, parent = secrets.token_hex(16), secrets.token_hex(8)
    scripted.plays(answer(result()))
    made = http.post(f"{tools.url}/mcp/scripted", content=call(_meta={"traceparent": f"00-{inner}-{parent}-00"}))
    assert made.headers["traceresponse"].endswith("-00")
    assert scripted.requests[0].message["params"]["_meta"]["traceparent"] == scripted.requests[0].fields["traceparent"] == made.headers["traceresponse"]
    assert tools.run(inner)["tools"] == ["get_weather"]
    tools.settled()
    assert not [span for span in collector.spans if span.trace_id == inner]


def test_a_run_named_in_the_messages_baggage_is_that_run(tools, scripted, collector):
    name, inner = secrets.token_hex(4), secrets.token_hex(16)
    scripted.plays(answer(result()))
    meta = {"traceparent": f"00-{inner}-{secrets.token_hex(8)}-01", "baggage": f"run.id={name},gen_ai.agent.name=planner"}
    made = http.post(f"{tools.url}/mcp/scripted", content=call(_meta=meta))
    assert made.headers["x-hopspan-run"] == name
    run = tools.run(name)
    assert (run["run_id"], run["trace_ids"], run["agent"]) == (name, [inner], "planner")


def test_what_stands_in_the_configured_url_goes_to_the_server_and_not_into_the_span(tools, scripted, collector, trace):
    scripted.plays(answer(result()))
    send(tools, call(), trace, "queried")
    assert scripted.requests[0].line == "POST /mcp?key=secret&x=1 HTTP/1.1"
    span = only_hop(collector, trace)
    assert span["url.full"] == scripted.url + "?key=REDACTED&x=REDACTED" and "secret" not in str(span.bytes)


INVALID = ["", "00-0-0-01", "00-" + 32 * "0" + "-" + 16 * "1" + "-01", "ff-" + 32 * "1" + "-" + 16 * "1" + "-01", 7, None, ["00-" + 32 * "1" + "-" + 16 * "1" + "-01"]]


@pytest.fixture(scope="module")
def with_invalid(tools, scripted):
    return exchanges(tools, scripted, {repr(each): (
        [answer(result())], call(_meta={"traceparent": each, "tracestate": "b=2", "baggage": "c=3", "kept": 1}), "scripted") for each in INVALID})


@pytest.mark.parametrize("invalid", [repr(each) for each in INVALID])
def test_a_context_in_meta_that_is_none_leaves_the_word_to_the_head(with_invalid, collector, invalid):
    trace, asked, *_ = with_invalid[invalid]
    span = only_hop(collector, trace)
    assert span.parent == trace.parent and span.trace_state == ""
    # Nor does the rest of it count.
    assert asked[0].message["params"]["_meta"] == {"traceparent": f"00-{trace.id}-{span.span_id}-01", "kept": 1}


def test_many_calls_at_once_on_one_session_each_get_their_own_answer(tools, scripted, collector):
    """Two clients that use one session id are two all the same."""
    scripted.plays(lambda request: [0.01, answer(result(id=request.message["id"], structuredContent={"asked": request.fields["traceparent"]}))])
    parents = {secrets.token_hex(16): secrets.token_hex(8) for _ in range(60)}

    def one(trace_id):
        made = http.post(f"{tools.url}/mcp/patient", content=call(id=1), headers={"mcp-session-id": "shared", "traceparent": f"00-{trace_id}-{parents[trace_id]}-01"})
        return trace_id, made.json()["result"]["structuredContent"]["asked"]

    with ThreadPoolExecutor(6) as pool:
        got = dict(pool.map(one, parents))
    for trace_id, asked in got.items():
        span, = collector.find(trace_id)
        assert asked == f"00-{trace_id}-{span.span_id}-01" and span.parent == parents[trace_id]
        assert span["mcp.session.id"] == "shared" and span.status == STATUS_UNSET


def test_what_is_said_without_an_answer_is_a_hop_that_expects_none(tools, scripted, collector, trace):
    scripted.plays(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
    said = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7, "reason": "enough"}}
    made, _, _ = send(tools, text(said), trace)
    assert made.status_code == 202
    span = only_hop(collector, trace)
    assert (span.name, span.status) == ("notifications/cancelled", STATUS_UNSET) and "jsonrpc.request.id" not in span.attributes


def test_a_notification_that_could_not_be_delivered_says_so_by_its_status(tools, collector, trace):
    """There is no answer to put an error into."""
    made, came, _ = send(tools, b'{"jsonrpc":"2.0","method":"notifications/initialized"}', trace, "absent")
    assert made.status_code == 502 and json.loads(came)["error"]["code"] == -32603
    assert only_hop(collector, trace)["error.type"] == "connect_error"
