"""Large bodies through the gateway, in both directions: what a loop's longest turn is while they pass."""

import base64
import http.client
import json
import os
import socketserver
import threading
import time

from .machine import Invalid
from .proxies import Collector, Hopspan
from .report import figure, progress
from .threads import Threads

MiB = 1 << 20


class Sink:
    """A provider that reads whatever body comes and answers shortly, or with as much as the field x-answer says. Threads of this process:
    it is not what is measured."""

    scheme = "http"

    def __init__(self):
        class Handler(socketserver.StreamRequestHandler):
            rbufsize = 1 << 20

            def handle(self):
                while line := self.rfile.readline():
                    fields = {}
                    while (field := self.rfile.readline().strip()):
                        name, _, value = field.decode().partition(":")
                        fields[name.lower()] = value.strip()
                    left = int(fields.get("content-length", 0))
                    while left > 0:
                        left -= len(self.rfile.read(min(left, 1 << 20)))
                    if fields.get("transfer-encoding") == "chunked":
                        while size := int(self.rfile.readline(), 16):
                            self.rfile.read(size + 2)
                        self.rfile.readline()
                    self.request.sendall(answer(int(fields.get("x-answer", 0)), fields.get("x-shape", "text")))

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def answer(size, shape):
    content = "x" * size
    if shape == "calls":
        message = {"role": "assistant", "tool_calls": [
            {"id": f"call_{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for number in range(size // 90)]}
    else:
        message = {"role": "assistant", "content": content}
    body = json.dumps({"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                       "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def picture(size):
    """One string: a picture, as a data URL."""
    data = base64.b64encode(os.urandom(size * 3 // 4)).decode()
    return chat([{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + data}}]}])


def turns(size):
    """A long conversation of short turns, every tenth a tool's."""
    one = [{"role": "user", "content": "Which of the twelve steps went wrong, and who read its \"result\"?\n"},
           {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"step\": 12}"}}]},
           {"role": "tool", "tool_call_id": "call_1", "content": "{\"rows\": [1, 2, 3], \"more\": null}"}]
    return chat(one * (size // len(json.dumps(one))))


def dense(size):
    """Small numbers in small lists: as much structure as JSON can have."""
    return chat([{"role": "user", "content": "x"}], {"metadata": [[1, {"a": 2}]] * (size // len("[1,{\"a\":2}],"))})


def chat(messages, extra=None, stream=True):
    """Streamed, so that the gateway adds a field to it."""
    return json.dumps({"model": "gpt-4o", "stream": stream, **(extra or {}), "messages": messages}, separators=(",", ":")).encode()


SHAPES = {"one string": picture, "short turns": turns, "small numbers": dense}


def send(port, body, fields=(), chunked=False):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": "application/json", "authorization": "Bearer sk-x", **dict(fields)}
    if chunked:
        connection.request("POST", "/openai/v1/chat/completions", (body[at:at + 65536] for at in range(0, len(body), 65536)), headers, encode_chunked=True)
    else:
        connection.request("POST", "/openai/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status != 200:
        raise Invalid(f"a body of {len(body)} bytes was answered {answer.status}: {data[:300]}")


def cases(size):
    """Name, body, fields and framing of each kind of exchange with a body of that size."""
    for name, make in SHAPES.items():
        yield f"request, {name}", make(size), {}, False
    yield "request, one string, chunked", picture(size), {}, True
    for shape in ("text", "calls"):
        yield f"answer, {shape}", chat([{"role": "user", "content": "x"}], stream=False), {"x-answer": size, "x-shape": shape}, False


def large_bodies(report, quick):
    sizes = [64 << 10, 2 * MiB, 60 * MiB] if quick else [64 << 10, 128 << 10, MiB, 4 * MiB, 16 * MiB, 32 * MiB, 60 * MiB]
    rows, longest = {}, 0
    for content in ("none", "redacted"):
        sink, collector, threads = Sink(), Collector(), Threads("bodies")
        hopspan = Hopspan(sink, collector, environment=threads.environment, content=content)
        send(hopspan.port, chat([]))
        for size in sizes:
            for name, body, fields, chunked in cases(size):
                progress(f"turns: bodies of {size / MiB:g} MiB, content {content}: {name}")
                threads.forget_longest()
                send(hopspan.port, body, fields, chunked)
                time.sleep(0.1)
                turn = threads.loops(hopspan.process)["longest"] / 1e6
                longest = max(longest, turn)
                rows.setdefault(f"{name}, content {content}", []).append(figure(turn))
        for each in (hopspan.process, collector.process, sink):
            each.stop()
    report.table("Longest turn of a loop while one large body passes, ms of thread time", ["", *(f"{size / MiB:g} MiB" for size in sizes)],
                 [[name, *values] for name, values in rows.items()])
    report.gate(f"Loops: thread time of the longest turn while bodies of up to {sizes[-1] // MiB} MiB pass", longest, 5, unit=" ms")
