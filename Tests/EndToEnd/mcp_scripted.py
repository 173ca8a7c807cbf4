"""An MCP server that says on the wire, byte by byte, what a test has written down for it."""

import json
import socket
import socketserver
import struct
import threading
import time

from collector import until

#: Besides bytes to send and seconds to wait, what a script has: the connection ends in good order, or is reset; or nothing comes until the
#: other side has gone.
CLOSE, RESET, UNTIL_GONE = "close", "reset", "until gone"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
EVENT_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def text(message):
    return message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def event(message):
    return b"event: message\r\ndata: " + text(message) + b"\r\n\r\n"


def stream(*messages):
    """An event stream to its end; bytes are written as they are."""
    return EVENT_STREAM + b"".join(chunk(each if isinstance(each, bytes) else event(each)) for each in messages) + LAST_CHUNK


def answer(body=b"", status="200 OK", content_type="application/json", fields=""):
    body = text(body)
    return f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n{fields}\r\n".encode() + body


def result(id=7, **more):
    return {"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": "sunny"}]} | more}


def error(code, id=7):
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "no"}}


class Request:
    def __init__(self, connection, line, fields, body):
        self.connection, self.line, self.fields, self.body = connection, line, fields, body
        try:
            self.message = json.loads(body)
        except ValueError:
            self.message = None


class Scripted:
    """Plays `script` to whatever is asked, on each connection again and again. What was asked is in `requests`, which connections their
    other side left in `left`."""

    def __init__(self):
        self.script = [answer(result())]
        self.requests, self.left = [], []
        scripted = self

        class Connection(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                self.request.settimeout(20)
                try:
                    while (request := self.read()) and self.play(request):
                        pass
                except OSError:
                    scripted.left.append(id(self))

            def read(self):
                if not (line := self.rfile.readline()):
                    return None
                fields = {}
                while field := self.rfile.readline().strip():
                    name, _, value = field.decode().partition(":")
                    fields[name.lower()] = value.strip()
                request = Request(id(self), line.decode().strip(), fields, self.rfile.read(int(fields.get("content-length", 0))))
                scripted.requests.append(request)
                return request

            def play(self, request):
                script = scripted.script
                for step in script(request) if callable(script) else script:
                    if isinstance(step, bytes):
                        self.request.sendall(step)
                    elif step == CLOSE:
                        self.request.shutdown(socket.SHUT_RDWR)
                        return False
                    elif step == RESET:
                        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.request.close()
                        return False
                    elif step == UNTIL_GONE:
                        if not self.request.recv(1):
                            scripted.left.append(id(self))
                        return False
                    else:
                        time.sleep(step)
                return True

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                """A connection that a script has reset is nothing to print."""

        self.server = Server(("127.0.0.1", 0), Connection)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/mcp"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def plays(self, *script):
        """From now on this, and what came before is forgotten."""
        self.requests, self.left = [], []
        self.script = script[0] if callable(script[0]) else script

    def was_left(self):
        """The other side of a connection has gone."""
        return until(lambda: self.left)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
