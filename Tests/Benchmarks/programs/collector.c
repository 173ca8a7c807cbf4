// The stand-in for an OTLP collector: takes OTLP/HTTP protobuf, plain or gzip, and counts the spans that came.
//
//   collector PORT [--stuck]
//
// GET /counts answers what came since the start or the last POST /reset: requests, their bytes as sent, spans, distinct spans of
// kind CLIENT or SERVER (hops) and of other kinds, and the bytes of all Span messages. Every other POST is a batch and is answered
// 200 with an empty message. With --stuck batches are read and never answered.
#include "sockets.h"
#include <zlib.h>

struct connection {
    int descriptor;
    size_t have, room;
    uint8_t *input;
};

static struct {
    uint64_t requests, bytes, spans, hops, others, span_bytes;
} counts;

// The span ids that have been seen: open addressing, 0 is free.
static uint64_t *seen;
static size_t seen_room = 1 << 16, seen_count;

static bool is_new(uint64_t id) {
    if (2 * seen_count >= seen_room) {
        uint64_t *old = seen;
        size_t room = seen_room;
        seen = calloc(seen_room *= 4, sizeof *seen);
        for (size_t i = 0; i < room; i++) {
            if (!old[i]) continue;
            size_t at = old[i] % seen_room;
            while (seen[at]) at = (at + 1) % seen_room;
            seen[at] = old[i];
        }
        free(old);
    }
    size_t at = id % seen_room;
    for (; seen[at]; at = (at + 1) % seen_room)
        if (seen[at] == id) return false;
    seen[at] = id;
    seen_count++;
    return true;
}

struct message {
    const uint8_t *at, *end;
};

static uint64_t varint(struct message *message) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (message->at == message->end) die("collector: a message ends within a number");
        uint8_t byte = *message->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    die("collector: a number of more than ten bytes");
}

/// The next field: its number, 0 at the end. A length-delimited one is in `inner`, a number in `value`.
static uint32_t next_field(struct message *message, struct message *inner, uint64_t *value) {
    if (message->at == message->end) return 0;
    uint64_t key = varint(message), length = 0;
    *inner = (struct message){};
    switch (key & 7) {
    case 0: *value = varint(message); break;
    case 1: length = 8; break;
    case 2:
        length = varint(message);
        *inner = (struct message){message->at, message->at + length};
        break;
    case 5: length = 4; break;
    default: die("collector: wire type %d", (int)(key & 7));
    }
    if (length > (uint64_t)(message->end - message->at)) die("collector: a field of %lu bytes where %ld are left", length, (long)(message->end - message->at));
    message->at += length;
    return (uint32_t)(key >> 3);
}

static void count_span(struct message span) {
    uint64_t id = 0, kind = 0, value = 0;
    struct message inner;
    counts.spans++;
    counts.span_bytes += (uint64_t)(span.end - span.at);
    for (uint32_t number; (number = next_field(&span, &inner, &value));) {
        if (number == 2 && inner.end - inner.at == 8) memcpy(&id, inner.at, 8);
        if (number == 6) kind = value;
    }
    if (!id) die("collector: a span without an id");
    if (!is_new(id)) return;
    if (kind == 2 || kind == 3) counts.hops++;
    else counts.others++;
}

/// ExportTraceServiceRequest.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2.
static void count_spans(struct message message, int depth) {
    uint64_t value;
    struct message inner;
    for (uint32_t number; (number = next_field(&message, &inner, &value));) {
        if (number != (depth == 0 ? 1 : 2) || !inner.at) continue;
        if (depth == 2) count_span(inner);
        else count_spans(inner, depth + 1);
    }
}

static void take_batch(const uint8_t *body, size_t length, bool is_gzip) {
    static uint8_t *plain;
    static size_t room;
    counts.requests++;
    counts.bytes += length;
    if (!is_gzip) return count_spans((struct message){body, body + length}, 0);
    if (!plain) plain = malloc(room = 16 << 20);
    z_stream stream = {.next_in = (Bytef *)body, .avail_in = (uInt)length, .next_out = plain, .avail_out = (uInt)room};
    if (inflateInit2(&stream, 31) != Z_OK) die("collector: zlib");
    int status;
    while ((status = inflate(&stream, Z_FINISH)) != Z_STREAM_END) {
        if (status != Z_BUF_ERROR || stream.avail_out) die("collector: a body that is not gzip (%d)", status);
        plain = realloc(plain, room *= 2);
        stream.next_out = plain + stream.total_out;
        stream.avail_out = (uInt)(room - stream.total_out);
    }
    inflateEnd(&stream);
    count_spans((struct message){plain, plain + stream.total_out}, 0);
}

static void reply(struct connection *c, const char *type, const char *body) {
    char bytes[1024];
    int length = sprintf(bytes, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n%s", type, strlen(body), body);
    if (send(c->descriptor, bytes, (size_t)length, 0) != length) fprintf(stderr, "collector: an answer could not be sent\n");
}

static bool stuck;

static void answer(struct connection *c, size_t head, size_t body) {
    const char *text = (const char *)c->input;
    if (!memcmp(text, "GET /counts", 11)) {
        char json[512];
        sprintf(json, "{\"requests\":%lu,\"bytes\":%lu,\"spans\":%lu,\"hops\":%lu,\"others\":%lu,\"span_bytes\":%lu}\n", counts.requests, counts.bytes,
            counts.spans, counts.hops, counts.others, counts.span_bytes);
        return reply(c, "application/json", json);
    }
    if (!memcmp(text, "POST /reset", 11)) {
        memset(&counts, 0, sizeof counts);
        memset(seen, 0, seen_room * sizeof *seen);
        seen_count = 0;
        return reply(c, "application/json", "{}\n");
    }
    const char *coding = field(text, head, "\ncontent-encoding:");
    take_batch(c->input + head, body, coding && !strncasecmp(coding, "gzip", 4));
    if (!stuck) reply(c, "application/x-protobuf", "");
}

static void drop(struct connection *c) {
    close(c->descriptor);
    free(c->input);
    free(c);
}

/// The length of a chunked body with its frame, 0 while it is not whole. With `join` the chunks are moved together; `*size` is their sum.
static size_t chunked_length(uint8_t *body, size_t have, size_t *size, bool join) {
    size_t at = 0;
    *size = 0;
    while (true) {
        uint8_t *line = memchr(body + at, '\n', have - at);
        if (!line) return 0;
        size_t chunk = strtoul((char *)body + at, NULL, 16);
        at = (size_t)(line - body) + 1;
        if (at + chunk + 2 > have) return 0;
        if (join) memmove(body + *size, body + at, chunk);
        *size += chunk;
        at += chunk + 2;  // no trailers: the last chunk's line feed ends the body
        if (!chunk) return at;
    }
}

static void receive(struct connection *c) {
    if (c->have == c->room) c->input = realloc(c->input, c->room = c->room ? c->room * 2 : 64 << 10);
    ssize_t count = recv(c->descriptor, c->input + c->have, c->room - c->have, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return drop(c);
    c->have += (size_t)count;
    while (true) {
        size_t head = head_length((char *)c->input, c->have);
        if (!head) return;
        long length = content_length((char *)c->input, head);
        size_t body = length > 0 ? (size_t)length : 0, framed = body;
        if (field((char *)c->input, head, "\ntransfer-encoding:")) {
            framed = chunked_length(c->input + head, c->have - head, &body, false);
            if (!framed) return;
            chunked_length(c->input + head, c->have - head, &body, true);
        }
        if (c->have < head + framed) return;
        answer(c, head, body);
        c->have -= head + framed;
        memmove(c->input, c->input + head + framed, c->have);
    }
}

int main(int count, char **arguments) {
    if (count < 2) die("usage: collector PORT [--stuck]");
    prepare();
    stuck = flag(count, arguments, "--stuck");
    seen = calloc(seen_room, sizeof *seen);
    int listener = listen_on(atoi(arguments[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, EPOLLIN, NULL);
    struct epoll_event events[64];
    while (true) {
        int ready = wait_until(epoll, events, 64, UINT64_MAX);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c) {
                receive(c);
                continue;
            }
            for (int descriptor; (descriptor = accept_from(listener)) >= 0;) {
                c = calloc(1, sizeof *c);
                c->descriptor = descriptor;
                watch(epoll, descriptor, EPOLLIN, c);
            }
        }
    }
}
