"""Memory and order under many connections: slow readers, pipelined requests, idle connections, bodies that are too large."""

import http.client
import json
import resource
import socket
import time

import httpx
import pytest

from collector import until
from load import CHAT


@pytest.fixture(autouse=True, scope="module")
def many_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def request(key="sk-ok", method="POST", path="/openai/v1/chat/completions", body=CHAT, **headers):
    lines = {"host": "127.0.0.1", "authorization": f"Bearer {key}", "content-type": "application/json", "content-length": str(len(body))} | headers
    return f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(f"{name.replace('_', '-')}: {text}\r\n".encode() for name, text in lines.items()) + b"\r\n" + body


def connected(gateway, receive=None):
    made = socket.socket()
    if receive:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    made.settimeout(30)
    made.connect(("127.0.0.1", gateway.port))
    return made


def answer(made):
    read = http.client.HTTPResponse(made)
    read.begin()
    return read.status, dict(read.getheaders()), read.read()


@pytest.mark.parametrize("path", ["/openai/v1/files/large/content", "/openai/v1/chat/completions"])
def test_slow_readers_make_the_upstream_wait_and_not_the_memory_grow(start, own_upstream, path):
    gateway = start()
    # More than the kernel's own buffers can ever take of one answer (tcp_rmem is up to 32 MiB), so that none ends unread.
    readers, size = 100, 100 << 20
    answer(first := socket_with(gateway, request("sk-large-1000", path=path)))
    first.close()
    before = gateway.memory()
    opened = [socket_with(gateway, request(f"sk-large-{size}", path=path), receive=16 << 10) for _ in range(readers)]
    for each in opened:
        assert each.recv(1000), "the answer begins"
    peak = 0
    for _ in range(20):
        time.sleep(0.1)
        peak = max(peak, gateway.memory())
        for each in opened:
            each.recv(4096)
    assert (peak - before) / readers < 256 << 10, f"{(peak - before) // readers >> 10} KiB per slow reader"
    # One that reads on gets all of it, though the others do not.
    whole = 0
    opened[0].settimeout(30)
    while whole < size - 100_000 and (piece := opened[0].recv(1 << 20)):
        whole += len(piece)
    assert whole >= size - 100_000
    for each in opened:
        each.close()
    assert until(lambda: len(own_upstream.left) >= readers - 1, 20), f"{len(own_upstream.left)} of those that left cancelled the upstream: {gateway.settled()}"


def socket_with(gateway, sent, receive=None):
    made = connected(gateway, receive)
    made.sendall(sent)
    return made


def test_pipelined_requests_are_answered_in_order(gateway, collector):
    made = connected(gateway)
    traces = [f"{number:032x}" for number in range(0xABC000, 0xABC010)]
    made.sendall(b"".join(
        request("sk-429" if index % 3 == 1 else "sk-ok", traceparent=f"00-{trace}-00f067aa0ba902b7-01") for index, trace in enumerate(traces)))
    received = OneBuffer(made)
    for index, trace in enumerate(traces):
        status, headers, _ = answer(received)
        assert status == (429 if index % 3 == 1 else 200)
        assert headers["traceresponse"].split("-")[1] == trace
    for trace in traces:
        collector.find(trace)


class OneBuffer:
    """One buffer for all the answers of a connection, which `HTTPResponse` would close with the first."""

    def __init__(self, made):
        self.stream = made.makefile("rb")

    def makefile(self, *_):
        return self

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def close(self):
        pass


def test_a_thousand_idle_connections(start):
    gateway = start()
    answer(first := socket_with(gateway, request()))
    before = gateway.memory()
    opened = []
    for _ in range(1000):
        made = socket_with(gateway, request())
        assert answer(made)[0] == 200
        opened.append(made)
    grown = (gateway.memory() - before) / 1000
    for made in opened[::50] + [first]:
        made.sendall(request())
        assert answer(made)[0] == 200
    assert grown < 24 << 10, f"{grown / 1024:.1f} KiB per idle connection"
    for made in opened:
        made.close()


@pytest.mark.parametrize("head", [
    b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"GET /openai/v1/models HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET /openai/v1/models HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    b"GET /openai/v1/models HTTP/1.1\nHost: a\n\n",
    b"GET /openai/v1/models HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n",
    b"GET /openai/v1/models HTTP/1.1\rX: a\r\nHost: a\r\n\r\n",
    b"GET /openai/v1/models HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    b"GET /openai/v1/models HTTP/1.1\r\n\r\n",
    b"GET /openai/v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET http://elsewhere.example/openai/v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
])
def test_what_could_be_an_attack_is_refused_and_the_connection_closed(gateway, upstream, head):
    before = len(upstream.requests)
    made = connected(gateway)
    made.sendall(head)
    assert answer(made)[0] == 400
    assert made.recv(1) == b""
    assert len(upstream.requests) == before


def test_an_absolute_target_that_agrees_with_host_is_taken(gateway, upstream):
    made = connected(gateway)
    made.sendall(request(method="GET", path="http://localhost:8700/openai/v1/models?limit=2", body=b"", host="LOCALHOST:8700"))
    assert answer(made)[0] == 200
    assert upstream.requests[-1][1] == "/v1/models?limit=2"


def test_a_head_that_is_too_large(gateway):
    made = connected(gateway)
    made.sendall(b"GET /openai/v1/models HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (65 << 10) + b"\r\n\r\n")
    assert answer(made)[0] == 431


def test_a_body_that_is_too_large_is_refused_in_the_callers_dialect(start, own_upstream, own_collector, trace):
    gateway = start(own_collector, gateway=", max_body: 1MiB")
    large = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "a" * (2 << 20)}]}).encode()
    made = httpx.post(f"{gateway.url}/openai/v1/chat/completions", content=large, headers=trace.headers)
    assert made.status_code == 413 and "max_body" in made.json()["error"]["message"]
    assert made.headers["traceresponse"].split("-")[1] == trace.id
    assert httpx.post(f"{gateway.url}/anthropic/v1/messages", content=large).json()["error"]["type"] == "request_too_large"
    assert own_upstream.requests == []
    span, = own_collector.find(trace.id)
    assert span["error.type"] == "413"
    assert httpx.post(f"{gateway.url}/openai/v1/files", content=large, headers={"authorization": "Bearer sk-large-1000"}).status_code == 200, "others stream"


def test_an_expected_continue_and_chunks_pass(gateway, upstream):
    made = connected(gateway)
    made.sendall(request(expect="100-continue")[:-len(CHAT)])
    assert made.recv(4096).startswith(b"HTTP/1.1 100 ")
    made.sendall(CHAT)
    assert answer(made)[0] == 200
    pieces = iter([CHAT[:10], CHAT[10:]])
    assert httpx.post(f"{gateway.url}/openai/v1/chat/completions", content=pieces, headers={"authorization": "Bearer sk-ok"}).status_code == 200
    assert upstream.asked()[1] == CHAT


def test_an_upgrade_is_not_built_yet_and_says_so(gateway):
    made = connected(gateway)
    made.sendall(request(method="GET", path="/openai/v1/realtime", body=b"", connection="upgrade", upgrade="websocket"))
    status, _, body = answer(made)
    assert status == 501 and b"error" in body


@pytest.mark.parametrize("path", ["/mcp", "/mcp/nobody", "/a2a/researcher", "/v1/traces", "/v1/chat/completions", "/nobody/v1/models"])
def test_a_path_that_is_not_built_or_not_known_says_so(gateway, path):
    made = httpx.post(gateway.url + path, content=b"{}")
    assert made.status_code == 404 and len(made.text) > 20
    assert made.headers["traceresponse"] and made.headers["x-hopspan-run"]
