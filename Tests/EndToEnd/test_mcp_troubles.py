"""MCP servers and clients that misbehave: whoever asks is told, the hop says how it ended, and everything else goes on."""

import gzip
import json
import secrets
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import pytest

import gateway as program
from collector import CLIENT, STATUS_ERROR, STATUS_UNSET, until
from conftest import Trace
from mcp_scripted import CLOSE, EVENT_STREAM, LAST_CHUNK, RESET, UNTIL_GONE, Scripted, answer, chunk, error, event, result, stream, text

HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
MEGABYTES = "x" * (3 << 20)


@pytest.fixture(scope="module")
def scripted():
    made = Scripted()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tools(scripted, upstream, collector, tmp_path_factory):
    """A gateway with the server behind it, impatient; and once more with a credential, and with what callers send."""
    servers = {
        "scripted": "timeout: { first_byte: 1s, idle: 1s }", "keyed": "credential: 'env:KEY', headers: { x-team: a }",
        "open": "pass_authorization: true", "patient": "", "brief": "timeout: { idle: 300ms }",
    }
    mcp = "".join(f"\n  {name}: {{ url: '{scripted.url}', {options} }}" for name, options in servers.items())
    mcp += f"\n  queried: {{ url: '{scripted.url}?key=secret&x=1' }}"
    mcp += "\n  absent: { url: 'http://127.0.0.1:1/mcp' }\n"
    made = program.Gateway(
        tmp_path_factory.mktemp("troubles"), program.configuration(upstream.url, collector, gateway=", max_body: 256KiB") + "mcp:" + mcp, KEY="server-key")
    yield made
    assert made.stop() == 0, made.log


#: One for all: to make a client takes longer than what is asked of it here.
agent = httpx.Client(verify=False, headers=HEADERS, timeout=20, limits=httpx.Limits(max_connections=200))


def call(id: Any = 7, **params):
    return text({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "get_weather", "arguments": {}} | params})


def send(tools, body, trace, server="scripted", **headers):
    """The status, fields and bytes that came, and whether they broke off."""
    fields = trace.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    came = b""
    with agent.stream("POST", f"{tools.url}/mcp/{server}", content=body, headers=fields) as made:
        try:
            for piece in made.iter_raw():
                came += piece
        except httpx.TransportError:
            return made, came, True
    return made, came, False


class Exchange(NamedTuple):
    trace: Trace
    asked: list
    status: int
    came: bytes
    cut: bool
    fields: httpx.Headers


def exchanges(tools, scripted, cases):
    """Each of them after the other: script, body and server by name. Their spans arrive meanwhile."""
    made = {}
    for name, (script, body, server) in cases.items():
        trace = Trace()
        scripted.plays(*script)
        answer, came, cut = send(tools, body, trace, server)
        made[name] = Exchange(trace, scripted.requests, answer.status_code, came, cut, answer.headers)
    return made


def only_hop(collector, trace):
    """The one span of the trace; that it is one is seen once another request has come through."""
    span, = collector.find(trace.id)
    return span


# What a server does, and what is then true: `framed` has what the caller gets of it byte for byte; `error` is the span's `error.type`.

class Case(NamedTuple):
    plays: list
    error: str | None
    framed: bytes | None = None
    status: int = 200
    #: What the caller gets is cut.
    cut: bool = False
    #: A JSON-RPC error of the gateway's own.
    code: int | None = None
    unreadable: list | None = None


def whole(*events, error=None, **more):
    """Events that pass to their end."""
    return Case([stream(*events)], error, b"".join(each if isinstance(each, bytes) else event(each) for each in events), **more)


def json_answer(body, error=None, **more):
    return Case([answer(body)], error, text(body), **more)


NOTIFICATION = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "isError"}}
#: A request of the server's that has the id of ours: each side counts for itself.
SERVER_REQUEST = {"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}}

BROKEN = b'{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"\xff\xfe"}]}}'

SERVERS = {
    "dies before it answers": Case([RESET], "connection_reset", code=-32603),
    "closes in good order and has not answered": Case([CLOSE], "connection_reset", code=-32603),
    "dies in the middle of a JSON answer": Case([answer(result())[:-20], RESET], "stream_cut", text(result())[:-20], cut=True),
    "closes in the middle of an event": Case([EVENT_STREAM + chunk(event(result())[:40]), CLOSE], "stream_cut", event(result())[:40], cut=True),
    "stops in the middle of a stream": Case([EVENT_STREAM + chunk(event(NOTIFICATION)), UNTIL_GONE], "timeout", event(NOTIFICATION), cut=True),
    "answers twice": whole(result(), error(-32000)),
    "answers twice, with an error first": whole(error(-32000), result(), error="-32000"),
    "fails first and thinks better of it": whole(result(isError=True), result(), error="tool_error"),
    "answers an unknown id, then ours": whole(error(-32000, id=8), result(isError=True, id="7"), result()),
    "answers only an unknown id": whole(result(id=8), error="stream_cut"),
    "answers with the id as a string": whole(result(id="7"), error="stream_cut"),
    "answers an unknown id in JSON": json_answer(result(id=8), error="stream_cut"),
    "tells and asks before it answers": whole(NOTIFICATION, SERVER_REQUEST, NOTIFICATION, result()),
    "tells and asks before it fails": whole(NOTIFICATION, SERVER_REQUEST, result(isError=True), error="tool_error"),
    "says much in one event, and at its end that it failed": whole(
        {"jsonrpc": "2.0", "result": {"content": [{"type": "text", "text": MEGABYTES}], "isError": True}, "id": 7}, error="tool_error"),
    "says much in one JSON answer, and at its end that it failed": json_answer(
        {"jsonrpc": "2.0", "result": {"content": [{"type": "text", "text": MEGABYTES}], "isError": True}, "id": 7}, error="tool_error"),
    "quotes a failure in its text": json_answer(result(structuredContent={"isError": True, "error": {"code": 1}}, _meta={"isError": True})),
    "says isError: false": json_answer(result(isError=False)),
    "spells the member with an escape": json_answer(b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"is\\u0045rror":true}}', error="tool_error"),
    "says its error before its id": json_answer(b'{"error":{"message":"","code":-32602},"id":7,"jsonrpc":"2.0"}', error="-32602"),
    "cannot read the request": Case([answer(error(-32700, id=None), "400 Bad Request")], "-32700", text(error(-32700, id=None)), 400),
    "finds header and body to differ": Case([answer(error(-32020), "400 Bad Request")], "-32020", text(error(-32020)), 400),
    "does not know the method": Case([answer(error(-32601), "404 Not Found")], "-32601", text(error(-32601)), 404),
    "wants to know who asks": Case([answer(b"", "401 Unauthorized")], "401", b"", 401),
    "forbids it": Case([answer(b"no", "403 Forbidden", "text/plain")], "403", b"no", 403),
    "has had too much": Case([answer(b"", "429 Too Many Requests", fields="retry-after: 3\r\n")], "429", b"", 429),
    "is broken": Case([answer(b"<html>", "500 Internal Server Error", "text/html")], "500", b"<html>", 500),
    "is away": Case([answer(b"", "503 Service Unavailable", fields="retry-after: 3\r\n")], "503", b"", 503),
    "answers with a page": Case([answer(b"<html>hello</html>", content_type="text/html")], "stream_cut", b"<html>hello</html>", unreadable=["response"]),
    "answers with nothing": Case([answer(b"")], "stream_cut", b""),
    "answers with half a JSON text": Case([answer(text(result())[:-9])], "stream_cut", text(result())[:-9], unreadable=["response"]),
    "is not speaking HTTP": Case([b'{"jsonrpc":"2.0","id":7,"result":{}}\n', CLOSE], "malformed_response", code=-32603),
    "sends lines that end in CR alone": whole(b"data: " + text(result(isError=True)) + b"\r\r", error="tool_error"),
    "sends lines that end in LF alone": whole(b"data: " + text(result(isError=True)) + b"\n\n", error="tool_error"),
    "sends comments, ids and a time to come back in": whole(b": ping\n\nid: 1\nretry: 50\ndata:\n\nid: 2\nevent: message\ndata:" + text(result(isError=True)) + b"\n\n", error="tool_error"),
    "sends events of other names": whole(
        b"event: ping\ndata: now\n\nevent: log\ndata: " + text(error(-32000)) + b"\n\n", result()),
    "breaks one message over lines of data": whole(
        b'data: {"jsonrpc":"2.0","id":7,\ndata: "result":{"content":[],\ndata: "isError":true}}\n\n', error="tool_error"),
    "breaks much over lines of data": whole(
        b'data: {"jsonrpc":"2.0","id":7,\ndata: "result":{"content":[{"type":"text","text":"%b"}],\ndata: "isError":true}}\n\n' % MEGABYTES.encode(), error="tool_error"),
    "sends JSON in chunks": Case(
        [EVENT_STREAM.replace(b"text/event-stream", b"application/json"), *(chunk(part) for part in (text(result(isError=True))[:30], text(result(isError=True))[30:])), LAST_CHUNK],
        "tool_error", text(result(isError=True))),
    "spells its type in capitals": Case(
        [EVENT_STREAM.replace(b"text/event-stream", b"Text/Event-Stream; charset=UTF-8") + chunk(event(NOTIFICATION) + event(result(isError=True))), LAST_CHUNK],
        "tool_error", event(NOTIFICATION) + event(result(isError=True))),
    "names a member twice": json_answer(b'{"jsonrpc":"2.0","id":7,"result":{"isError":false,"isError":true,"content":[]}}', error="tool_error"),
    "says null for isError": json_answer(b'{"jsonrpc":"2.0","id":7,"result":{"isError":null,"content":[]}}'),
    "has an empty result": json_answer(b'{"jsonrpc":"2.0","id":7,"result":{}}'),
    "puts blanks around": json_answer(b' \r\n{ "jsonrpc" : "2.0" , "id" : 7 ,\t"result" : { "isError" : true } } \n', error="tool_error"),
    "sends much after its answer": whole(result(), *[NOTIFICATION] * 50, b": " + b"x" * 200_000 + b"\n\n"),
    "begins with a byte order mark": whole(b"\xef\xbb\xbfdata: " + text(result(isError=True)) + b"\n\n", error="tool_error"),
    "ends without the line that ends an event": whole(b"data: " + text(result(isError=True)) + b"\n", error="stream_cut"),
    "answers byte by byte": Case(
        [EVENT_STREAM, *(chunk(bytes([byte])) for byte in event(result(isError=True))), LAST_CHUNK], "tool_error", event(result(isError=True))),
    "ends its answer by closing": Case(
        [b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + text(result(isError=True)), CLOSE], "tool_error", text(result(isError=True))),
    "lets a call wait for its answer": Case([EVENT_STREAM, 0.3, chunk(b": ping\n\n"), 0.4, chunk(event(result())), LAST_CHUNK], None, b": ping\n\n" + event(result())),
    "waits with the end of the stream": Case([EVENT_STREAM + chunk(event(result())), 0.2, LAST_CHUNK], None, event(result())),
    "does not write UTF-8": Case(
        [answer(BROKEN)], "stream_cut", BROKEN, unreadable=["response"]),
    "only accepts the call": Case([answer(b"", "202 Accepted")], "stream_cut", b"", 202),
    "has nothing to say": Case([b"HTTP/1.1 204 No Content\r\n\r\n"], "stream_cut", b"", 204),
    **{f"sends the caller elsewhere with {status}": Case(
        [f"HTTP/1.1 {status} Moved\r\nlocation: /mcp/\r\ncontent-length: 0\r\n\r\n".encode()], "stream_cut", b"", status) for status in (301, 302, 307, 308)},
    "never ends the stream": Case([EVENT_STREAM + chunk(event(result())), UNTIL_GONE], None, event(result()), cut=True),
}


#: What the gateway does not do yet.
FAULTS = {
    "ends without the line that ends an event": "an event that is not ended is no event (HTML, 9.2.6), and no client takes it",
    "sends events of other names": "only events called message carry messages, and clients pass over all others",
    "breaks much over lines of data": "of an event larger than 64 KiB the lines are not put together",
    "does not write UTF-8": "no client can read it, and the span says that all is well",
    **{does: "the call has no answer, and the span says that all is well" for does in SERVERS if does in ("only accepts the call", "has nothing to say") or "elsewhere" in does},
}


@pytest.fixture(scope="module")
def played(tools, scripted):
    return exchanges(tools, scripted, {does: (case.plays, call(), "scripted") for does, case in SERVERS.items()})


@pytest.mark.parametrize("does", [pytest.param(does, marks=pytest.mark.xfail(strict=True, reason=FAULTS[does])) if does in FAULTS else does for does in SERVERS])
def test_a_server_that(played, collector, does):
    case, (trace, asked, status, came, cut, fields) = SERVERS[does], played[does]
    assert status == case.status and cut == case.cut
    if case.code:
        ours = json.loads(came)
        assert ours["id"] == 7 and ours["error"]["code"] == case.code and ours["error"]["data"]["trace_id"] == trace.id
    else:
        assert came == case.framed
    span = only_hop(collector, trace)
    assert (span.name, span.kind, span.parent) == ("tools/call get_weather", CLIENT, trace.parent)
    assert (span.status, span.get("error.type")) == ((STATUS_ERROR, case.error) if case.error else (STATUS_UNSET, None))
    assert (span["mcp.method.name"], span["gen_ai.tool.name"], span["jsonrpc.request.id"]) == ("tools/call", "get_weather", "7")
    assert span["http.response.status_code"] == case.status
    if case.error is None or case.unreadable:
        assert span.get("hopspan.unreadable") == case.unreadable
    assert fields.get_list("traceresponse") == [f"00-{trace.id}-{span.span_id}-01"] and fields.get_list("x-hopspan-run") == [trace.id]
    if (span.get("error.type") or "").startswith("-"):
        assert span["rpc.response.status_code"] == span["error.type"]
    # What the server was asked is the call, in our name.
    context = f"00-{trace.id}-{span.span_id}-01"
    assert [each.fields["traceparent"] for each in asked] == [context] and asked[0].message["params"]["_meta"] == {"traceparent": context}


@pytest.mark.parametrize("framing", ["JSON", "events", "events as they come"])
def test_a_coded_answer_is_read_and_passes_as_it_is(tools, scripted, collector, trace, framing):
    events = [event(NOTIFICATION), event(result(isError=True))]
    if framing == "events as they come":
        compress = zlib.compressobj(wbits=31)
        parts = [compress.compress(each) + compress.flush(zlib.Z_SYNC_FLUSH) for each in events] + [compress.flush()]
        coded = b"".join(parts)
        scripted.plays(EVENT_STREAM.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"), *(step for part in parts for step in (chunk(part), 0.02)), LAST_CHUNK)
    else:
        coded = gzip.compress(text(result(isError=True)) if framing == "JSON" else b"".join(events))
        scripted.plays(answer(coded, content_type="application/json" if framing == "JSON" else "text/event-stream", fields="content-encoding: gzip\r\n"))
    made, came, _ = send(tools, call(), trace, accept_encoding="gzip, br")
    assert came == coded and made.headers["content-encoding"] == "gzip"
    assert scripted.requests[0].fields["accept-encoding"] == "gzip"
    assert only_hop(collector, trace)["error.type"] == "tool_error"


@pytest.mark.xfail(strict=True, reason="a call on a connection that was used before is sent again when the server dies over it")
@pytest.mark.parametrize("after", [0, 0.3])
def test_a_call_that_may_have_been_done_is_not_done_again(tools, scripted, collector, trace, after):
    """The server has the whole call, on a connection that was used before, and dies over it."""
    scripted.plays(answer(result()))
    # As many connections as there are loops, so that the call takes one that is open.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: agent.post(f"{tools.url}/mcp/scripted", content=call()), range(32)))
    scripted.plays(after, RESET)
    made, came, _ = send(tools, call(), trace)
    assert json.loads(came)["error"]["code"] == -32603
    assert only_hop(collector, trace)["error.type"] == "connection_reset"
    assert len([each for each in scripted.requests if b"get_weather" in each.body]) == 1


def test_a_client_that_leaves_in_the_middle_of_a_call_leaves_the_server_too(tools, scripted, collector, trace):
    scripted.plays(EVENT_STREAM + chunk(event(NOTIFICATION)), UNTIL_GONE)
    with agent.stream("POST", f"{tools.url}/mcp/patient", content=call(), headers=trace.headers) as made:
        next(made.iter_raw())
    assert scripted.was_left()
    span = only_hop(collector, trace)
    assert (span.name, span.status, span["error.type"]) == ("tools/call get_weather", STATUS_ERROR, "client_disconnected")


def test_a_client_that_leaves_before_anything_came_leaves_the_server_too(tools, scripted, collector, trace):
    scripted.plays(UNTIL_GONE)
    with pytest.raises(httpx.ReadTimeout):
        agent.post(f"{tools.url}/mcp/patient", content=call(), headers=trace.headers, timeout=0.3)
    assert scripted.was_left()
    assert only_hop(collector, trace)["error.type"] == "client_disconnected"


def test_a_client_that_leaves_once_it_has_its_answer_has_not_failed(tools, scripted, collector, trace):
    scripted.plays(EVENT_STREAM + chunk(event(result())), UNTIL_GONE)
    with agent.stream("POST", f"{tools.url}/mcp/patient", content=call(), headers=trace.headers) as made:
        assert b"sunny" in next(made.iter_raw())
    assert scripted.was_left()
    assert only_hop(collector, trace).status == STATUS_UNSET


# What a client does.

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
    made = agent.post(f"{tools.url}/mcp/scripted", content=(body[at:at + 700] for at in range(0, len(body), 700)), headers=trace.headers)
    assert made.status_code == 200
    asked = scripted.requests[0]
    assert asked.fields["content-length"] == str(len(asked.body)) and asked.message["params"]["arguments"] == {"text": "ü" * 20_000}
    assert only_hop(collector, trace).status == STATUS_UNSET


def test_a_callers_token_goes_no_further_and_the_servers_own_takes_its_place(tools, scripted, collector):
    def what_came(server):
        scripted.plays(answer(result()))
        agent.post(f"{tools.url}/mcp/{server}", content=call(), headers={"authorization": "Bearer mine", "x-team": "b", "x-other": "c", "x-hopspan-agent": "me"})
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
    made = agent.post(f"{tools.url}/mcp/scripted", content=call(_meta={"traceparent": f"00-{inner}-{parent}-00"}))
    assert made.headers["traceresponse"].endswith("-00")
    assert scripted.requests[0].message["params"]["_meta"]["traceparent"] == scripted.requests[0].fields["traceparent"] == made.headers["traceresponse"]
    assert tools.run(inner)["tools"] == ["get_weather"]
    tools.settled()
    assert not [span for span in collector.spans if span.trace_id == inner]


def test_a_run_named_in_the_messages_baggage_is_that_run(tools, scripted, collector):
    name, inner = secrets.token_hex(4), secrets.token_hex(16)
    scripted.plays(answer(result()))
    meta = {"traceparent": f"00-{inner}-{secrets.token_hex(8)}-01", "baggage": f"run.id={name},gen_ai.agent.name=planner"}
    made = agent.post(f"{tools.url}/mcp/scripted", content=call(_meta=meta))
    assert made.headers["x-hopspan-run"] == name
    run = tools.run(name)
    assert (run["run_id"], run["trace_ids"], run["agent"]) == (name, [inner], "planner")


@pytest.mark.parametrize("when", ["at once", "later"])
def test_an_answer_that_nobody_asked_for_is_nobody_elses(tools, scripted, collector, when):
    """Two HTTP answers to one request, on a connection that could be used again."""
    stray = answer(result(structuredContent="stray"))
    for _ in range(6):
        scripted.plays(*([answer(result()) + stray] if when == "at once" else [answer(result()), 0.02, stray, 0.001]))
        assert agent.post(f"{tools.url}/mcp/patient", content=call()).content == text(result())
        if when == "later":
            time.sleep(0.08)
        scripted.plays(lambda request: [answer(result(id=request.message["id"]))])
        assert agent.post(f"{tools.url}/mcp/patient", content=call(id="mine")).content == text(result(id="mine"))


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
        made = agent.post(f"{tools.url}/mcp/patient", content=call(id=1), headers={"mcp-session-id": "shared", "traceparent": f"00-{trace_id}-{parents[trace_id]}-01"})
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


# Streams to listen on.

LISTEN = text({"jsonrpc": "2.0", "id": "listen-1", "method": "subscriptions/listen", "params": {
    "notifications": {"toolsListChanged": True}, "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}})
ACKNOWLEDGED = {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {"notifications": {"toolsListChanged": True}}}


def listening(tools, trace, how, server="patient"):
    fields = trace.headers | {"mcp-protocol-version": "2026-07-28" if how == "POST" else "2025-11-25"}
    return agent.stream(how, f"{tools.url}/mcp/{server}", content=LISTEN if how == "POST" else None, headers=fields)


@pytest.mark.parametrize("how", ["GET", pytest.param("POST", marks=pytest.mark.xfail(strict=True, reason="subscriptions/listen is held to the idle time-out"))])
def test_a_stream_to_listen_on_may_be_silent_for_longer_than_an_answer(tools, scripted, collector, trace, how):
    """The server's idle time-out is 300 ms."""
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), 1.0, chunk(event(NOTIFICATION)), chunk(event(result(id="listen-1"))) if how == "POST" else chunk(b": end\n\n"), LAST_CHUNK)
    with listening(tools, trace, how, "brief") as made:
        came = b"".join(made.iter_raw())
    assert event(NOTIFICATION) in came
    span = only_hop(collector, trace)
    assert span.status == STATUS_UNSET
    assert span.name == ("subscriptions/listen" if how == "POST" else "GET mcp/brief")


@pytest.mark.xfail(strict=True, reason="a client that stops to listen is an error of its stream")
@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_client_that_stops_listening_has_not_failed(tools, scripted, collector, trace, how):
    """There is no other way to stop."""
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), UNTIL_GONE)
    with listening(tools, trace, how) as made:
        next(made.iter_raw())
    assert scripted.was_left()
    span = only_hop(collector, trace)
    assert (span.status, span.get("error.type")) == (STATUS_UNSET, None)


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_server_that_breaks_the_stream_off_has_failed(tools, scripted, collector, trace, how):
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), RESET)
    with listening(tools, trace, how) as made, pytest.raises(httpx.TransportError):
        list(made.iter_raw())
    assert only_hop(collector, trace)["error.type"] == "stream_cut"


@pytest.mark.parametrize("how", ["GET", "POST"])
def test_a_stream_to_listen_on_holds_no_run_open_and_is_none(tools, scripted, collector, trace, how):
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), 0.2, LAST_CHUNK)
    with listening(tools, trace, how) as made:
        list(made.iter_raw())
    tools.run(trace.id)
    assert trace.id not in [run["run_id"] for run in tools.api("/api/runs", params={"limit": 1000})["runs"]]


@pytest.mark.xfail(strict=True, reason="nobody looks for a call's answer on the stream that resumes it")
def test_a_call_answered_on_the_stream_that_resumes_it_has_not_failed(tools, scripted, collector, trace):
    """The server hangs up on purpose (2025-11-25), and the client comes back with the last id."""
    primed = b"id: 1-1\nretry: 50\ndata:\n\n"

    def plays(request):
        if request.line.startswith("POST"):
            return [EVENT_STREAM + chunk(primed) + LAST_CHUNK]
        assert request.fields["last-event-id"] == "1-1"
        return [stream(b"id: 1-2\ndata: " + text(result()) + b"\n\n")]

    scripted.plays(plays)
    _, came, cut = send(tools, call(), trace, mcp_session_id="s", mcp_protocol_version="2025-11-25")
    assert came == primed and not cut
    resumed = agent.get(f"{tools.url}/mcp/scripted", headers={"accept": "text/event-stream", "mcp-session-id": "s", "last-event-id": "1-1"})
    assert text(result()) in resumed.content
    span = only_hop(collector, trace)
    assert (span.name, span.status) == ("tools/call get_weather", STATUS_UNSET)


def test_a_session_ended_by_its_client_is_a_hop_too(tools, scripted, collector, trace):
    scripted.plays(answer(b""))
    made = agent.delete(f"{tools.url}/mcp/scripted", headers=trace.headers | {"mcp-session-id": "s-9"})
    assert made.status_code == 200
    span = only_hop(collector, trace)
    assert (span.name, span.status, span["mcp.session.id"], span.parent) == ("DELETE mcp/scripted", STATUS_UNSET, "s-9", trace.parent)
    assert scripted.requests[0].fields["mcp-session-id"] == "s-9"


@pytest.mark.xfail(strict=True, reason="the end waits for streams that have none")
def test_a_stream_to_listen_on_does_not_keep_the_gateway_from_its_end(scripted, upstream, tmp_path):
    scripted.plays(EVENT_STREAM + chunk(event(ACKNOWLEDGED)), UNTIL_GONE)
    made = program.Gateway(tmp_path, program.configuration(upstream.url, gateway=", drain: 3s") + f"mcp: {{ brief: {{ url: '{scripted.url}' }} }}\n")
    with agent.stream("GET", f"{made.url}/mcp/brief") as stream:
        listening = stream.iter_raw()
        next(listening)
        began = time.monotonic()
        made.terminate()
        assert made.stop() == 0
        took = time.monotonic() - began
    assert took < 2.5


def test_after_all_of_this_the_gateway_answers_at_once(tools, scripted, collector, trace):
    scripted.plays(answer(result()))
    made, came, _ = send(tools, call(), trace)
    assert came == text(result())
    with socket.create_connection(("127.0.0.1", tools.port), 5) as raw:
        raw.sendall(b"POST /mcp/scripted HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 999\r\n\r\n{")
    assert until(lambda: any(span.get("error.type") == "client_disconnected" and span.name == "POST mcp/scripted" for span in collector.spans))
