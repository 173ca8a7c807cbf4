"""Large bodies through the gateway: what a loop's longest turn is while they pass, and whether others are kept waiting."""

import base64
import http.client
import json
import os
import socket
import socketserver
import threading

from .machine import Invalid
from .proxies import Collector, Hopspan
from .threads import Threads


class Sink:
    """A provider that reads whatever body comes and answers shortly, or with as much text as the field x-answer asks for. In a
    process's own threads: it is not what is measured."""

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
    return json.dumps({"model": "gpt-4o", "stream": stream, **(extra or {}), "messages": messages}, separators=(",", ":")).encode()


SHAPES = {"one string": picture, "short turns": turns, "small numbers": dense}


def send(port, body, fields=(), chunked=False):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
    return len(data)
