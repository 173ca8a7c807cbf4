"""A stand-in for the providers: shaped like their APIs, always the same answers.

The caller's key says what is to happen: `sk-ok`, or `sk-` and one of the troubles below.
"""

import gzip
import json
import threading
import time

from answers import TEXT, TOOL
from loopback import Handler, Server
from native import Native

CHAT_USAGE = {
    "prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280,
    "prompt_tokens_details": {"cached_tokens": 1000, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 16, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
}
RESPONSES_USAGE = {
    "input_tokens": 300, "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0}, "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 20}, "total_tokens": 350,
}
MESSAGES_USAGE = {"input_tokens": 200, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 750, "output_tokens": 60}
OPENAI_ERRORS = {
    "401": (401, {"error": {"message": "Incorrect API key provided.", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}}, []),
    "429": (429, {"error": {"message": "Rate limit reached.", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}, [("retry-after", "7")]),
    "500": (500, {"error": {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}}, []),
    "529": (529, {"error": {"message": "The engine is overloaded.", "type": "server_error", "param": None, "code": "overloaded"}}, []),
}
ANTHROPIC_ERRORS = {
    "401": (401, "authentication_error", "invalid x-api-key", []),
    "429": (429, "rate_limit_error", "This request would exceed your rate limit.", [("retry-after", "7")]),
    "500": (500, "api_error", "Internal server error", []),
    "529": (529, "overloaded_error", "Overloaded", []),
}


class StandIn:
    def __init__(self, port=0):
        self.requests = []
        #: Paths of exchanges whose caller went away before the end.
        self.left = []
        #: Set to let streams of `sk-gate` go on.
        self.gate = threading.Event()
        stand_in = self

        class Provider(Requests):
            upstream = stand_in

        self.server = Server(Provider, port)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def asked(self, trace_id=None):
        """The headers and body of the request in a trace; without one, of the last request."""
        found = [(headers, body) for _, _, headers, body in self.requests if not trace_id or trace_id in headers.get("traceparent", "")]
        return found[-1]

    def stop(self):
        self.gate.set()
        self.server.stop()


class Requests(Native, Handler):
    def do_GET(self):
        self.note(b"")
        self.json(200, {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "openai"}]})

    def do_POST(self):
        body = self.body()
        self.note(body)
        key = self.headers.get("x-api-key") or self.headers.get("x-goog-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if key.startswith("AWS4-"):
            key = key.partition("Credential=")[2].partition("/")[0]
        self.mood = key.removeprefix("sk-")
        if self.mood.startswith("large-"):
            return self.large(int(self.mood.removeprefix("large-")))
        asked = json.loads(body)
        path = self.path.partition("?")[0]
        if path == "/v1/chat/completions":
            self.chat(asked)
        elif path == "/v1/responses":
            self.response(asked)
        elif path == "/v1/embeddings":
            self.openai(lambda: {
                "object": "list", "model": asked["model"], "usage": {"prompt_tokens": 9, "total_tokens": 9},
                "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 0.125]}],
            })
        elif path == "/v1/messages":
            self.messages(asked)
        elif not self.native(path, asked):
            self.json(404, {"error": {"message": "no such path", "type": "invalid_request_error", "param": None, "code": None}})

    def note(self, body):
        self.upstream.requests.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))

    # Answers

    def json(self, status, value, headers=()):
        body, headers = json.dumps(value, ensure_ascii=False).encode(), list(headers) + [("x-request-id", "req_stand_in")]
        if "gzip" in self.headers.get("accept-encoding", "") and status == 200:
            body, headers = gzip.compress(body, mtime=0), headers + [("content-encoding", "gzip")]
        self.answer(status, "application/json", body, headers)

    def openai(self, make):
        if self.mood in OPENAI_ERRORS:
            return self.json(*OPENAI_ERRORS[self.mood])
        self.json(200, make())

    def large(self, size):
        """A chat completion of that many bytes, as fast as it is taken."""
        start, end = b'{"id":"chatcmpl-large","choices":[{"index":0,"message":{"role":"assistant","content":"', b'"}}]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(size))
        self.end_headers()
        block = b"a" * (64 << 10)
        try:
            self.wfile.write(start)
            left = size - len(start) - len(end)
            while left > 0:
                self.wfile.write(block[:left])
                left -= len(block)
            self.wfile.write(end)
        except OSError:
            self.close_connection = True
            self.upstream.left.append(self.path)

    def stream(self, events):
        """Server-sent events, each written for itself: (event name or None, data)."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-request-id", "req_stand_in")
        self.end_headers()
        try:
            for index, (name, data) in enumerate(events):
                if index == 3 and self.mood == "cut":
                    self.close_connection = True
                    return self.connection.shutdown(2)
                if index == 3 and self.mood == "gate":
                    self.upstream.gate.wait(30)
                if self.mood == "slow":
                    time.sleep(0.02)
                text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
                piece = ((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode()
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            if self.mood == "linger":
                self.upstream.gate.wait(5)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
            self.upstream.left.append(self.path)

    @property
    def words(self):
        """What is said; endless where a caller is to leave in the middle."""
        return TEXT * (500 if self.mood == "slow" else 1)

    # OpenAI

    def chat(self, asked):
        tools = bool(asked.get("tools"))
        finish = "tool_calls" if tools else "stop"
        call = {"id": TOOL["id"], "type": "function", "function": {"name": TOOL["name"], "arguments": TOOL["arguments"]}}
        model = asked["model"] + "-2024-11-20" if asked["model"] == "gpt-4o" else asked["model"]
        if not asked.get("stream") or self.mood in OPENAI_ERRORS:
            message = {"role": "assistant", "content": None if tools else "".join(TEXT), "refusal": None, "annotations": []}
            if tools:
                message["tool_calls"] = [call]
            return self.openai(lambda: {
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1750000000, "model": model, "service_tier": "default",
                "system_fingerprint": "fp_1", "usage": CHAT_USAGE,
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            })
        usage = bool((asked.get("stream_options") or {}).get("include_usage"))

        def chunk(delta, finish=None, choices=True, usage_now=None):
            made = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1750000000, "model": model, "service_tier": "default",
                    "system_fingerprint": "fp_1",
                    "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}] if choices else []}
            return made | ({"usage": usage_now} if usage else {})

        def events():
            yield None, chunk({"role": "assistant", "content": None if tools else ""})
            if tools:
                yield None, chunk({"tool_calls": [{"index": 0} | call | {"function": {"name": TOOL["name"], "arguments": ""}}]})
                for part in (TOOL["arguments"][:9], TOOL["arguments"][9:]):
                    yield None, chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
            else:
                for word in self.words:
                    yield None, chunk({"content": word})
            yield None, chunk({}, finish)
            if usage:
                yield None, chunk({}, choices=False, usage_now=CHAT_USAGE)
            yield None, "[DONE]"

        self.stream(events())

    def response(self, asked):
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
                   "content": [{"type": "output_text", "text": "".join(TEXT), "annotations": []}]}
        call = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": TOOL["id"], "name": TOOL["name"],
                "arguments": TOOL["arguments"]}
        output = [call if asked.get("tools") else message]

        def made(status, output, usage):
            return {"id": "resp_1", "object": "response", "created_at": 1750000000, "status": status, "model": asked["model"], "output": output,
                    "error": None, "incomplete_details": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True,
                    "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0, "service_tier": "default", "usage": usage}

        if not asked.get("stream") or self.mood in OPENAI_ERRORS:
            return self.openai(lambda: made("completed", output, RESPONSES_USAGE))

        def events():
            numbers = iter(range(100))

            def event(name, **more):
                return name, {"type": name, "sequence_number": next(numbers)} | more

            yield event("response.created", response=made("in_progress", [], None))
            yield event("response.output_item.added", output_index=0, item=message | {"content": [], "status": "in_progress"})
            yield event("response.content_part.added", item_id="msg_1", output_index=0, content_index=0,
                        part={"type": "output_text", "text": "", "annotations": []})
            for word in TEXT:
                yield event("response.output_text.delta", item_id="msg_1", output_index=0, content_index=0, delta=word, logprobs=[])
            yield event("response.output_text.done", item_id="msg_1", output_index=0, content_index=0, text="".join(TEXT), logprobs=[])
            yield event("response.content_part.done", item_id="msg_1", output_index=0, content_index=0, part=message["content"][0])
            yield event("response.output_item.done", output_index=0, item=message)
            yield event("response.completed", response=made("completed", [message], RESPONSES_USAGE))

        self.stream(events())

    # Anthropic

    def messages(self, asked):
        if self.mood in ANTHROPIC_ERRORS:
            status, kind, words, headers = ANTHROPIC_ERRORS[self.mood]
            return self.json(status, {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"}, headers)
        tools = bool(asked.get("tools"))
        reason = "tool_use" if tools else "end_turn"
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "stop_reason": reason, "stop_sequence": None,
                   "content": [{"type": "text", "text": "".join(TEXT)}], "usage": MESSAGES_USAGE}
        if tools:
            message["content"].append({"type": "tool_use", "id": TOOL["id"], "name": TOOL["name"], "input": json.loads(TOOL["arguments"])})
        if not asked.get("stream"):
            return self.json(200, message)

        def event(name, **more):
            return name, {"type": name} | more

        def events():
            yield event("message_start", message=message | {"content": [], "stop_reason": None, "usage": MESSAGES_USAGE | {"output_tokens": 1}})
            yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            yield event("ping")
            for word in self.words:
                yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
                if self.mood == "error-inside":
                    yield event("error", error={"type": "overloaded_error", "message": "Overloaded"})
                    return
            yield event("content_block_stop", index=0)
            if tools:
                yield event("content_block_start", index=1, content_block={"type": "tool_use", "id": TOOL["id"], "name": TOOL["name"], "input": {}})
                for part in (TOOL["arguments"][:9], TOOL["arguments"][9:]):
                    yield event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": part})
                yield event("content_block_stop", index=1)
            yield event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": MESSAGES_USAGE["output_tokens"]})
            yield event("message_stop")

        self.stream(events())
