// The stand-in for a model provider: a Chat Completions answer of 1 KiB with usage, a stream of paced events, or 100 MB. And for an MCP
// server, whose path is /mcp.
//
//   upstream PORT [--events 50] [--interval MICROSECONDS]
//
// A POST whose body says "stream":true is answered with events, one chunk and one write each; each carries the time of its
// writing (monotonic ns, 16 hexadecimal digits) as its content. One that says "user":"huge" is answered with 100 MB, streamed or
// not. A GET is answered with 100 MB of bytes. Everything else is answered with the 1 KiB completion.
//
// As an MCP server: a tools/call is answered with 1 KiB of JSON that has its id. An initialize opens a session, whose GET is a stream
// that stays open; a tools/call of a session is told of on its stream, too.
#include "sockets.h"

#define INPUT_SIZE 4096
#define HUGE_SIZE (100l << 20)

struct connection {
    int descriptor;
    size_t have;
    /// Of a stream: events left, and when the next is due.
    long events;
    uint64_t due;
    bool asks_usage;
    /// Of a huge answer: bytes left, and whether it is a chunked stream.
    long huge;
    bool huge_is_stream;
    /// Of a stream that an MCP client listens on: its session.
    long session;
    char input[INPUT_SIZE];
};

static int epoll;
static long events_per_stream, interval_ns;
static char completion[2048];
static size_t completion_length;
static char filler[64 << 10], event_filler[64 << 10];

// Streams by the time their next event is due: a binary heap.
static struct connection **heap;
static size_t heap_count, heap_room;

static void heap_push(struct connection *item) {
    if (heap_count == heap_room) heap = realloc(heap, (heap_room = heap_room ? heap_room * 2 : 1024) * sizeof *heap);
    size_t at = heap_count++;
    for (; at && heap[(at - 1) / 2]->due > item->due; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = item;
}

static void heap_pop(void) {
    struct connection *item = heap[--heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < heap_count; at = child) {
        if (child + 1 < heap_count && heap[child + 1]->due < heap[child]->due) child++;
        if (item->due <= heap[child]->due) break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

#define CHUNK_HEAD "{\"id\":\"chatcmpl-BenchBenchBenchBenchBenchBen\",\"object\":\"chat.completion.chunk\",\"created\":1755000000,\"model\":\"gpt-4o-2024-08-06\","
#define USAGE "\"usage\":{\"prompt_tokens\":96,\"completion_tokens\":128,\"total_tokens\":224,\"prompt_tokens_details\":{\"cached_tokens\":64,\"audio_tokens\":0}," \
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}"
#define FIELDS "date: Sat, 22 Nov 2025 12:00:00 GMT\r\nopenai-organization: bench\r\nopenai-processing-ms: 120\r\nopenai-version: 2020-10-01\r\n" \
    "x-request-id: req_0123456789abcdef0123456789abcdef\r\n"

static void make_completion(void) {
    char body[1025];
    const char *open = "{\"id\":\"chatcmpl-BenchBenchBenchBenchBenchBen\",\"object\":\"chat.completion\",\"created\":1755000000,\"model\":\"gpt-4o-2024-08-06\","
                       "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";
    const char *close = "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}";
    const char *words = "The fourth step returned an empty list, and the two after it read it as good news. ";
    size_t used = (size_t)sprintf(body, "%s", open);
    for (size_t i = 0; used < 1024 - strlen(close); i++) body[used++] = words[i % strlen(words)];
    strcpy(body + used, close);
    completion_length = (size_t)sprintf(completion, "HTTP/1.1 200 OK\r\n" FIELDS "content-type: application/json\r\ncontent-length: 1024\r\n\r\n%s", body);
}

#define SESSIONS 65536
static struct connection *listeners[SESSIONS];
static long last_session;
static char tool_result[2048];
static size_t tool_result_length, tool_result_id;

static void make_tool_result(void) {
    char body[1025];
    size_t used = (size_t)sprintf(body, "{\"jsonrpc\":\"2.0\",\"id\":1000000000,\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"");
    const char *words = "The fourth step returned an empty list, and the two after it read it as good news. ", *close = "\"}],\"isError\":false}}";
    for (size_t i = 0; used < 1024 - strlen(close); i++) body[used++] = words[i % strlen(words)];
    strcpy(body + used, close);
    tool_result_length = (size_t)sprintf(tool_result, "HTTP/1.1 200 OK\r\ndate: Sat, 22 Nov 2025 12:00:00 GMT\r\nserver: uvicorn\r\ncache-control: no-cache\r\n"
        "content-type: application/json\r\ncontent-length: 1024\r\n\r\n%s", body);
    tool_result_id = tool_result_length - 1024 + 22;  // behind {"jsonrpc":"2.0","id":
}

// Connections that have ended: freed between two turns, when neither an event nor the heap can still name them.
static struct connection *ended[4096];
static size_t ended_count;

static void bury(struct connection *c) {
    if (ended_count == sizeof ended / sizeof *ended) die("upstream: too many connections ended at once");
    ended[ended_count++] = c;
}

static void finish(struct connection *c) {
    close(c->descriptor);
    c->descriptor = -1;
    if (c->session) listeners[c->session] = NULL;
    if (!c->events) bury(c);  // a stream is buried when its next event is due
}

static void send_all(struct connection *c, const char *bytes, size_t count) {
    if (send(c->descriptor, bytes, count, 0) != (ssize_t)count) finish(c);  // small answers: a full socket is a peer that has gone
}

static void send_event(struct connection *c) {
    char payload[2048], chunk[2200];
    size_t length;
    if (c->events > 1) {
        length = (size_t)sprintf(payload, "data: " CHUNK_HEAD "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%016lx\"},\"finish_reason\":null}]}\n\n", now_ns());
    } else {
        length = (size_t)sprintf(payload, "data: " CHUNK_HEAD "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%016lx\"},\"finish_reason\":\"stop\"}]}\n\n%s%s%sdata: [DONE]\n\n",
            now_ns(), c->asks_usage ? "data: " CHUNK_HEAD "\"choices\":[]," : "", c->asks_usage ? USAGE : "", c->asks_usage ? "}\n\n" : "");
    }
    size_t size = (size_t)sprintf(chunk, "%zx\r\n", length);
    memcpy(chunk + size, payload, length);
    size += length;
    size += (size_t)sprintf(chunk + size, "\r\n%s", --c->events ? "" : "0\r\n\r\n");
    send_all(c, chunk, size);
}

static void send_due(void) {
    uint64_t now = now_ns();
    while (heap_count && heap[0]->due <= now) {
        struct connection *c = heap[0];
        heap_pop();
        if (c->descriptor < 0) {
            bury(c);
            continue;
        }
        c->due += (uint64_t)interval_ns;
        bool more = c->events > 1;
        send_event(c);
        if (more) heap_push(c);
    }
}

static void send_huge(struct connection *c) {
    const char *from = c->huge_is_stream ? event_filler : filler;
    while (c->huge > 0) {
        size_t at = (size_t)(HUGE_SIZE - c->huge) % sizeof filler, count = sizeof filler - at;
        if ((long)count > c->huge) count = (size_t)c->huge;
        ssize_t sent = send(c->descriptor, from + at, count, 0);
        if (sent < 0) {
            if (errno != EAGAIN) return finish(c);
            return rewatch(epoll, c->descriptor, EPOLLIN | EPOLLOUT, c);
        }
        c->huge -= sent;
    }
    rewatch(epoll, c->descriptor, EPOLLIN, c);
    if (c->huge_is_stream) send_all(c, "0\r\n\r\n", 5);
}

static void begin_huge(struct connection *c, bool stream, bool plain) {
    int small = 64 << 10;
    setsockopt(c->descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    char head[512];
    const char *open = "{\"id\":\"chatcmpl-huge\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";
    int length;
    if (stream) length = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    else if (plain) length = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: %ld\r\n\r\n", HUGE_SIZE);
    // The JSON of the other kind is never closed in full: slow readers do not get that far.
    else length = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %ld\r\n\r\n%s", HUGE_SIZE + (long)strlen(open), open);
    c->huge = HUGE_SIZE;
    c->huge_is_stream = stream;
    send_all(c, head, (size_t)length);
    if (c->descriptor >= 0) send_huge(c);
}

/// The session that a head names, or 0.
static long session_of(const char *head, size_t length) {
    const char *value = field(head, length, "\nmcp-session-id:");
    long session = value ? strtol(value, NULL, 10) : 0;
    return session > 0 && session < SESSIONS ? session : 0;
}

static void answer_as_mcp_server(struct connection *c, const char *body, size_t length) {
    size_t head = (size_t)(body - c->input);
    if (!memcmp(c->input, "GET ", 4)) {
        if (!(c->session = session_of(c->input, head))) die("upstream: a stream without a session");
        listeners[c->session] = c;
        const char *begin = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\na\r\n: listen\n\n\r\n";
        return send_all(c, begin, strlen(begin));
    }
    if (memmem(body, length, "\"method\":\"initialize\"", 21)) {
        char opened[512];
        const char *result = "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}";
        if (++last_session == SESSIONS) last_session = 1;
        int size = sprintf(opened, "HTTP/1.1 200 OK\r\nmcp-session-id: %ld\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", last_session, strlen(result), result);
        return send_all(c, opened, (size_t)size);
    }
    const char *id = memmem(body, length, "\"id\":", 5);
    if (!id || id + 15 > body + length) die("upstream: a call without an id of ten digits");
    memcpy(tool_result + tool_result_id, id + 5, 10);
    send_all(c, tool_result, tool_result_length);
    struct connection *listener = listeners[session_of(c->input, head)];
    const char *told = "49\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/list_changed\"}\n\n\r\n";
    if (listener) send_all(listener, told, strlen(told));
}

static void answer(struct connection *c, const char *body, size_t length) {
    const char *path = memchr(c->input, ' ', 16);
    if (path && !memcmp(path, " /mcp", 5)) return answer_as_mcp_server(c, body, length);
    bool plain = !memcmp(c->input, "GET ", 4), stream = !plain && memmem(body, length, "\"stream\":true", 13);
    if (plain || memmem(body, length, "\"user\":\"huge\"", 13)) return begin_huge(c, stream, plain);
    if (!stream) return send_all(c, completion, completion_length);
    const char *head = "HTTP/1.1 200 OK\r\n" FIELDS "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
    send_all(c, head, strlen(head));
    if (c->descriptor < 0) return;
    c->events = events_per_stream;
    c->asks_usage = memmem(body, length, "\"include_usage\":true", 20);
    c->due = now_ns() + (uint64_t)(random() % interval_ns);  // streams out of step with each other
    heap_push(c);
}

static void receive(struct connection *c) {
    ssize_t count = recv(c->descriptor, c->input + c->have, INPUT_SIZE - c->have, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return finish(c);
    c->have += (size_t)count;
    size_t head = head_length(c->input, c->have);
    if (!head) {
        if (c->have == INPUT_SIZE) die("upstream: a head of more than %d bytes", INPUT_SIZE);
        return;
    }
    if (field(c->input, head, "\ntransfer-encoding:")) die("upstream: a chunked request is not expected");
    long body = content_length(c->input, head);
    size_t whole = head + (body > 0 ? (size_t)body : 0);
    if (whole > INPUT_SIZE) die("upstream: a request of more than %d bytes", INPUT_SIZE);
    if (c->have < whole) return;
    if (c->have > whole) die("upstream: pipelined requests are not expected");
    c->have = 0;
    answer(c, c->input + head, whole - head);
}

int main(int count, char **arguments) {
    if (count < 2) die("usage: upstream PORT [--events N] [--interval MICROSECONDS]");
    prepare();
    events_per_stream = option(count, arguments, "--events", 50);
    interval_ns = option(count, arguments, "--interval", 20000) * 1000;
    make_completion();
    make_tool_result();
    memset(filler, 'a', sizeof filler);
    // 64 KiB of chunks, each an event of 256 bytes with its frame.
    for (size_t at = 0; at < sizeof event_filler; at += 256) {
        char *chunk = event_filler + at;
        memset(chunk, 'b', 256);
        size_t used = (size_t)sprintf(chunk, "fa\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"");
        chunk[used] = 'b';
        memcpy(chunk + 256 - 9, "\"}}]}\n\n\r\n", 9);
    }
    int listener = listen_on(atoi(arguments[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, EPOLLIN, NULL);
    struct epoll_event events[512];
    while (true) {
        int ready = wait_until(epoll, events, 512, heap_count ? heap[0]->due : UINT64_MAX);
        if (heap_count) send_due();
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                for (int descriptor; (descriptor = accept_from(listener)) >= 0;) {
                    c = calloc(1, sizeof *c);
                    c->descriptor = descriptor;
                    watch(epoll, descriptor, EPOLLIN, c);
                }
            } else if (c->descriptor >= 0) {
                if (c->huge > 0 && events[i].events & EPOLLOUT) send_huge(c);
                else receive(c);
            }
        }
        while (ended_count) free(ended[--ended_count]);
    }
}
