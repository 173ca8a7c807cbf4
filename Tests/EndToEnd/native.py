"""What the stand-in answers under the own paths of Gemini, Vertex, Bedrock and Cohere."""

import base64
import json
import struct
import time
import zlib
from urllib.parse import unquote

from answers import TEXT, TOOL

GEMINI_USAGE = {"promptTokenCount": 1000, "cachedContentTokenCount": 600, "candidatesTokenCount": 60, "thoughtsTokenCount": 40, "totalTokenCount": 1100}
CONVERSE_USAGE = {"inputTokens": 200, "outputTokens": 60, "totalTokens": 1010, "cacheReadInputTokens": 700, "cacheWriteInputTokens": 50}
CLAUDE_USAGE = {"input_tokens": 200, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 700, "output_tokens": 60}
COHERE_USAGE = {"billed_units": {"input_tokens": 1000, "output_tokens": 60}, "tokens": {"input_tokens": 1066, "output_tokens": 60}}


def message(kind, name, payload):
    """One message of `application/vnd.amazon.eventstream`."""
    headers = b""
    for header, value in [(f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)]:
        headers += bytes([len(header)]) + header.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(payload).encode()
    start = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    whole = start + struct.pack(">I", zlib.crc32(start)) + headers + body
    return whole + struct.pack(">I", zlib.crc32(whole))


class Native:
    """The part of the stand-in that answers these paths; mixed into its handler."""

    def native(self, path, asked):
        """Answers, or says that the path is none of these."""
        verb = path.rpartition(":")[2]
        if verb in ("generateContent", "streamGenerateContent"):
            self.gemini(path, stream=verb.startswith("stream"))
        elif verb == "batchEmbedContents":
            self.json(200, {"embeddings": [{"values": [0.25, -0.5]} for _ in asked["requests"]], "usageMetadata": {"promptTokenCount": 9}})
        elif verb in ("rawPredict", "streamRawPredict"):
            self.messages(asked | {"model": path.rpartition("/")[2].partition(":")[0].replace("@", "-")})
        elif path.startswith("/model/"):
            model, verb = path.removeprefix("/model/").split("/")
            self.bedrock(unquote(model), verb)
        elif path == "/v2/chat":
            self.cohere(asked)
        elif path == "/v2/embed":
            self.json(200, {"id": "emb_1", "embeddings": {"float": [[0.25, -0.5]]}, "texts": asked["texts"], "response_type": "embeddings_by_type",
                            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 9}}})
        else:
            return False
        return True

    def gemini(self, path, stream):
        if self.mood == "429":
            return self.json(429, {"error": {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED"}})
        model = path.rpartition("/")[2].partition(":")[0]
        tools = self.asks_tools

        def part(parts, usage, finish=None):
            candidate = {"content": {"parts": parts, "role": "model"}, "index": 0} | ({"finishReason": finish} if finish else {})
            return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "resp_1"}

        call = {"functionCall": {"name": TOOL["name"], "args": json.loads(TOOL["arguments"])}}
        if not stream:
            return self.json(200, part([call] if tools else [{"text": "".join(TEXT)}], GEMINI_USAGE, "STOP"))
        early = {"promptTokenCount": 1000, "totalTokenCount": 1000}
        parts = [part([{"text": word}], early) for word in TEXT[:-1]] + [part([call] if tools else [{"text": TEXT[-1]}], GEMINI_USAGE, "STOP")]
        if "alt=sse" in self.path:
            return self.stream((None, each) for each in parts)
        pieces = [("[" if index == 0 else ",\r\n") + json.dumps(each, indent=2) for index, each in enumerate(parts)] + ["]"]
        self.pieces("application/json; charset=UTF-8", [piece.encode() for piece in pieces])

    def bedrock(self, model, verb):
        if self.mood == "429":
            return self.answer(429, "application/json", b'{"message":"Too many requests."}', [("x-amzn-ErrorType", "ThrottlingException"), ("x-amzn-RequestId", "req_1")])
        use = {"toolUseId": TOOL["id"], "name": TOOL["name"]}
        reason = "tool_use" if self.asks_tools else "end_turn"
        claude = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929", "stop_reason": reason, "stop_sequence": None,
                  "content": [{"type": "text", "text": "".join(TEXT)}], "usage": CLAUDE_USAGE}
        identified = [("x-amzn-RequestId", "req_1")]
        if verb == "converse":
            content = [{"text": "".join(TEXT)}] + ([{"toolUse": use | {"input": json.loads(TOOL["arguments"])}}] if self.asks_tools else [])
            answer = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason, "usage": CONVERSE_USAGE, "metrics": {"latencyMs": 5}}
            return self.answer(200, "application/json", json.dumps(answer).encode(), identified)
        if verb == "invoke":
            counts = {"Input": 200, "Output": 60, "Cache-Read-Input": 700, "Cache-Write-Input": 50}
            headers = identified + [(f"X-Amzn-Bedrock-{name}-Token-Count", str(count)) for name, count in counts.items()]
            return self.answer(200, "application/json", json.dumps(claude).encode(), headers)
        if verb == "converse-stream":
            events = [message("event", "messageStart", {"role": "assistant"})]
            events += [message("event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}, "p": "abc"}) for word in TEXT]
            if self.mood == "error-inside":
                events += [message("exception", "throttlingException", {"message": "Too many requests."})]
            else:
                events += [message("event", "contentBlockStop", {"contentBlockIndex": 0})]
                if self.asks_tools:
                    events += [message("event", "contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": use}}),
                               message("event", "contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": TOOL["arguments"]}}}),
                               message("event", "contentBlockStop", {"contentBlockIndex": 1})]
                events += [message("event", "messageStop", {"stopReason": reason}),
                           message("event", "metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 5}})]
        else:
            said = [{"type": "message_start", "message": claude | {"content": [], "stop_reason": None, "usage": CLAUDE_USAGE | {"output_tokens": 1}}},
                    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
            said += [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in TEXT]
            said += [{"type": "content_block_stop", "index": 0},
                     {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 60}},
                     {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 200, "outputTokenCount": 60, "invocationLatency": 9,
                      "firstByteLatency": 5, "cacheReadInputTokenCount": 700, "cacheWriteInputTokenCount": 50}}]
            events = [message("event", "chunk", {"bytes": base64.b64encode(json.dumps(each).encode()).decode(), "p": "abc"}) for each in said]
        # Cut where no message ends.
        whole = b"".join(events)
        self.pieces("application/vnd.amazon.eventstream", [whole[at:at + 100] for at in range(0, len(whole), 100)], identified)

    def cohere(self, asked):
        if self.mood == "401":
            return self.json(401, {"id": "err_1", "message": "invalid api token"})
        if not asked.get("stream"):
            content = [{"type": "text", "text": "".join(TEXT)}]
            return self.json(200, {"id": "co_1", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": content}, "usage": COHERE_USAGE})

        def event(name, **more):
            return name, {"type": name} | more

        events = [event("message-start", id="co_1", delta={"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}),
                  event("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}})]
        events += [event("content-delta", index=0, delta={"message": {"content": {"text": word}}}) for word in TEXT]
        events += [event("content-end", index=0), event("message-end", delta={"finish_reason": "COMPLETE", "usage": COHERE_USAGE})]
        self.stream(events)

    @property
    def asks_tools(self):
        return bool(json.loads(self.upstream.requests[-1][3]).keys() & {"tools", "toolConfig"})

    def pieces(self, content_type, pieces, headers=()):
        """A chunked answer, each piece written for itself."""
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        try:
            for index, piece in enumerate(pieces):
                if index == 3 and self.mood == "cut":
                    self.close_connection = True
                    return self.connection.shutdown(2)
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                time.sleep(0.001)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
