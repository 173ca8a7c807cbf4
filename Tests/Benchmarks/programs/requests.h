// What the load programs send: Chat Completions or MCP's tools/call with a body of 400 bytes, and a traceparent where one is asked for.
#pragma once
#include "sockets.h"

#define BODY_SIZE 400
/// Where the id begins in the answer to a call: behind {"jsonrpc":"2.0","id":
#define ID_AT 22

struct request {
    char bytes[2048];
    size_t length;
    /// Where the 32 + 16 hexadecimal digits of traceparent go; NULL without one.
    char *trace, *parent;
    /// Where the ten digits of a call's id go; NULL of what has none.
    char *id;
    uint64_t seed;
};

#define WORDS "Which of the twelve steps went wrong, and who read its result? "
#define TRACEPARENT "00-00000000000000000000000000000000-0000000000000000-01"

static inline void find_places(struct request *request) {
    char *trace = strstr(request->bytes, TRACEPARENT), *id = strstr(request->bytes, "\"id\":1000000000");
    request->trace = trace ? trace + 3 : NULL;
    request->parent = trace ? trace + 36 : NULL;
    request->id = id ? id + 5 : NULL;
    if (getentropy(&request->seed, sizeof request->seed)) die("getentropy: %s", strerror(errno));
}

/// `extra` are more members of the body, each with its comma: `"stream":true,`.
static inline void make_request(struct request *request, const char *extra, bool traced) {
    char body[BODY_SIZE + 1];
    int used = snprintf(body, sizeof body,
        "{\"model\":\"gpt-4o\",%s\"temperature\":0.2,\"max_tokens\":256,\"messages\":[{\"role\":\"system\",\"content\":\"You are a careful assistant.\"},"
        "{\"role\":\"user\",\"content\":\"", extra);
    for (int i = 0; used < BODY_SIZE - 4; i++) body[used++] = WORDS[(size_t)i % strlen(WORDS)];
    memcpy(body + used, "\"}]}", 5);
    request->length = (size_t)snprintf(request->bytes, sizeof request->bytes,
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: OpenAI/Python 1.99.0\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer sk-bench-0123456789abcdef0123456789abcdef\r\nX-Stainless-Lang: python\r\n"
        "%sContent-Length: %d\r\n\r\n%s",
        traced ? "traceparent: " TRACEPARENT "\r\n" : "", BODY_SIZE, body);
    find_places(request);
}

/// A call of the revision without sessions (2026-07-28), as the official SDK sends it. `in_meta`: its trace context is in the message
/// and not in the head.
static inline void make_tool_call(struct request *request, bool in_meta) {
    char body[BODY_SIZE + 1];
    int used = snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"id\":1000000000,\"method\":\"tools/call\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientCapabilities\":{}%s},\"name\":\"get_weather\",\"arguments\":{\"city\":\"",
        in_meta ? ",\"traceparent\":\"" TRACEPARENT "\"" : "");
    for (int i = 0; used < BODY_SIZE - 4; i++) body[used++] = WORDS[(size_t)i % strlen(WORDS)];
    memcpy(body + used, "\"}}}", 5);
    request->length = (size_t)snprintf(request->bytes, sizeof request->bytes,
        "POST /mcp/tools HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: python-httpx/0.28.1\r\nAccept: application/json, text/event-stream\r\n"
        "Content-Type: application/json\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: get_weather\r\n"
        "%sContent-Length: %d\r\n\r\n%s",
        in_meta ? "" : "traceparent: " TRACEPARENT "\r\n", BODY_SIZE, body);
    find_places(request);
}

static inline uint64_t mixed(uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline void write_hex(char *at, uint64_t value) {
    for (int i = 15; i >= 0; i--, value >>= 4) at[i] = "0123456789abcdef"[value & 15];
}

/// Writes the trace of run number `run` and a parent of its own for request number `number`: random-looking, never twice.
static inline void set_trace(struct request *request, uint64_t run, uint64_t number) {
    if (!request->trace) return;
    write_hex(request->trace, mixed(request->seed + run));
    write_hex(request->trace + 16, mixed(~request->seed ^ run) | 1);
    write_hex(request->parent, mixed(request->seed ^ number << 20) | 1);
}

/// Ten digits.
static inline uint64_t call_id(uint64_t number) { return 1000000000 + number % 1000000000; }

/// Gives call number `number` an id of its own.
static inline void set_id(struct request *request, uint64_t number) {
    if (!request->id) return;
    uint64_t id = call_id(number);
    for (int i = 9; i >= 0; i--, id /= 10) request->id[i] = (char)('0' + id % 10);
}
