// What the load programs send: Chat Completions with a body of 400 bytes, and a traceparent where one is asked for.
#pragma once
#include "sockets.h"

#define BODY_SIZE 400

struct request {
    char bytes[2048];
    size_t length;
    /// Where the 32 + 16 hexadecimal digits of traceparent go; NULL without one.
    char *trace, *parent;
    uint64_t seed;
};

/// `extra` are more members of the body, each with its comma: `"stream":true,`.
static inline void make_request(struct request *request, const char *extra, bool traced) {
    char body[BODY_SIZE + 1];
    int used = snprintf(body, sizeof body,
        "{\"model\":\"gpt-4o\",%s\"temperature\":0.2,\"max_tokens\":256,\"messages\":[{\"role\":\"system\",\"content\":\"You are a careful assistant.\"},"
        "{\"role\":\"user\",\"content\":\"", extra);
    const char *words = "Which of the twelve steps went wrong, and who read its result? ";
    for (int i = 0; used < BODY_SIZE - 4; i++) body[used++] = words[(size_t)i % strlen(words)];
    memcpy(body + used, "\"}]}", 5);
    request->length = (size_t)snprintf(request->bytes, sizeof request->bytes,
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: OpenAI/Python 1.99.0\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer sk-bench-0123456789abcdef0123456789abcdef\r\nX-Stainless-Lang: python\r\n"
        "%sContent-Length: %d\r\n\r\n%s",
        traced ? "traceparent: 00-00000000000000000000000000000000-0000000000000000-01\r\n" : "", BODY_SIZE, body);
    char *field = traced ? strstr(request->bytes, "traceparent: 00-") : NULL;
    request->trace = field ? field + 16 : NULL;
    request->parent = field ? field + 49 : NULL;
    if (getentropy(&request->seed, sizeof request->seed)) die("getentropy: %s", strerror(errno));
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
