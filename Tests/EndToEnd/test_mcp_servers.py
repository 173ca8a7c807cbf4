"""MCP servers that misbehave: whoever asked is told, the hop says how it ended, and nobody else notices."""

import gzip
import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import pytest

from collector import CLIENT, STATUS_ERROR, STATUS_UNSET
from mcp_exchanges import NOTIFICATION, call, exchanges, http, only_hop, scripted, send, tools
from mcp_scripted import CLOSE, EVENT_STREAM, LAST_CHUNK, RESET, UNTIL_GONE, answer, chunk, error, event, result, stream, text

MEGABYTES = "x" * (3 << 20)

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
    "breaks much over lines of data": "of an event larger than 64 KiB the lines are not put together",
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


@pytest.mark.parametrize("after", [0, 0.3])
def test_a_call_that_may_have_been_done_is_not_done_again(tools, scripted, collector, trace, after):
    """The server has the whole call, on a connection that was used before, and dies over it."""
    scripted.plays(answer(result()))
    # As many connections as there are loops, so that the call takes one that is open.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: http.post(f"{tools.url}/mcp/scripted", content=call()), range(32)))
    scripted.plays(after, RESET)
    made, came, _ = send(tools, call(), trace)
    assert json.loads(came)["error"]["code"] == -32603
    assert only_hop(collector, trace)["error.type"] == "connection_reset"
    assert len([each for each in scripted.requests if b"get_weather" in each.body]) == 1


def test_a_client_that_leaves_in_the_middle_of_a_call_leaves_the_server_too(tools, scripted, collector, trace):
    scripted.plays(EVENT_STREAM + chunk(event(NOTIFICATION)), UNTIL_GONE)
    with http.stream("POST", f"{tools.url}/mcp/patient", content=call(), headers=trace.headers) as made:
        next(made.iter_raw())
    assert scripted.was_left()
    span = only_hop(collector, trace)
    assert (span.name, span.status, span["error.type"]) == ("tools/call get_weather", STATUS_ERROR, "client_disconnected")


def test_a_client_that_leaves_before_anything_came_leaves_the_server_too(tools, scripted, collector, trace):
    scripted.plays(UNTIL_GONE)
    with pytest.raises(httpx.ReadTimeout):
        http.post(f"{tools.url}/mcp/patient", content=call(), headers=trace.headers, timeout=0.3)
    assert scripted.was_left()
    assert only_hop(collector, trace)["error.type"] == "client_disconnected"


def test_a_client_that_leaves_once_it_has_its_answer_has_not_failed(tools, scripted, collector, trace):
    scripted.plays(EVENT_STREAM + chunk(event(result())), UNTIL_GONE)
    with http.stream("POST", f"{tools.url}/mcp/patient", content=call(), headers=trace.headers) as made:
        assert b"sunny" in next(made.iter_raw())
    assert scripted.was_left()
    assert only_hop(collector, trace).status == STATUS_UNSET


@pytest.mark.parametrize("when", ["at once", "later"])
def test_an_answer_that_nobody_asked_for_is_nobody_elses(tools, scripted, collector, when):
    """Two HTTP answers to one request, on a connection that could be used again."""
    stray = answer(result(structuredContent="stray"))
    for _ in range(6):
        scripted.plays(*([answer(result()) + stray] if when == "at once" else [answer(result()), 0.02, stray, 0.001]))
        assert http.post(f"{tools.url}/mcp/patient", content=call()).content == text(result())
        if when == "later":
            time.sleep(0.08)
        scripted.plays(lambda request: [answer(result(id=request.message["id"]))])
        assert http.post(f"{tools.url}/mcp/patient", content=call(id="mine")).content == text(result(id="mine"))
