// Requests over keep-alive connections: as fast as they are answered, or paced.
//
//   load PORT --connections N (--milliseconds M | --requests N) [--rate PER_SECOND] [--traced | --tool-call head|meta]
//        [--hops N] [--long-runs N] [--seed N --first N]
//
// Without --rate each connection sends its next request when the last is answered. With it, request i is sent at i / rate whatever
// became of the ones before (open loop), on a connection that is free. Every request that is sent is waited for, so what
// was answered is exactly what the proxy served. Every answer must be 200 and 1,024 bytes long; anything else is an error.
//
// The requests are Chat Completions; with --tool-call they are MCP's tools/call, each with an id of its own that its answer must have.
// --traced sends a traceparent with every request, each with a trace of its own; a tool call always has one, in the head or in the
// message. --hops N makes N neighbouring requests one run;
// with --long-runs M every tenth request belongs to one of M runs that last as long as the load does. Loads of the same --seed go on
// with the same runs, from request number --first.
// Prints one line of JSON: requests, errors, seconds, latency from the sending of a request to the last byte of its answer.
#include "requests.h"

struct connection {
    int descriptor;
    bool busy;
    uint64_t sent, number;
    size_t have;
    char input[8192];
};

static struct request request;
static long hops, long_runs;
static uint64_t first;
static uint64_t sent_count, answered, errors, late;
static uint32_t *latencies;
static size_t latency_room;

static void send_request(struct connection *c) {
    uint64_t number = first + sent_count++, run = number / (uint64_t)hops;
    if (long_runs && number % 10 == 0) run = UINT64_MAX - (number / 10) % (uint64_t)long_runs;
    set_trace(&request, run, number);
    set_id(&request, number);
    c->number = number;
    c->busy = true;
    c->have = 0;
    c->sent = now_ns();
    if (send(c->descriptor, request.bytes, request.length, 0) != (ssize_t)request.length) die("load: a request could not be sent: %s", strerror(errno));
}

/// True when the answer is whole.
static bool receive(struct connection *c) {
    ssize_t count = recv(c->descriptor, c->input + c->have, sizeof c->input - 1 - c->have, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) die("load: a connection was closed after %lu answers, with %s", answered, c->busy ? "a request on it" : "nothing on it");
    c->have += (size_t)count;
    c->input[c->have] = 0;
    size_t head = head_length(c->input, c->have);
    if (!head) return false;
    long body = content_length(c->input, head);
    if (body < 0) die("load: an answer without content-length:\n%s", c->input);
    if (c->have < head + (size_t)body) return false;
    bool is_ours = !request.id || (body > 32 && strtoull(c->input + head + ID_AT, NULL, 10) == call_id(c->number));
    if (memcmp(c->input, "HTTP/1.1 200", 12) || body != 1024 || !is_ours) {
        if (!errors++) fprintf(stderr, "load: the first bad answer:\n%s\n", c->input);
    }
    if (answered == latency_room) latencies = realloc(latencies, (latency_room = latency_room ? latency_room * 2 : 1 << 16) * sizeof *latencies);
    latencies[answered++] = (uint32_t)(now_ns() - c->sent);
    c->busy = false;
    return true;
}

int main(int count, char **arguments) {
    if (count < 2) die("usage: load PORT --connections N (--milliseconds M | --requests N) [--rate PER_SECOND] [--traced | --tool-call head|meta] [--hops N] [--long-runs N] [--seed N --first N]");
    prepare();
    int port = atoi(arguments[1]);
    long connections = option(count, arguments, "--connections", 64), rate = option(count, arguments, "--rate", 0);
    uint64_t milliseconds = (uint64_t)option(count, arguments, "--milliseconds", 0), limit = (uint64_t)option(count, arguments, "--requests", 0);
    hops = option(count, arguments, "--hops", 1);
    long_runs = option(count, arguments, "--long-runs", 0);
    first = (uint64_t)option(count, arguments, "--first", 0);
    if (flag(count, arguments, "--tool-call")) make_tool_call(&request, flag(count, arguments, "meta"));
    else make_request(&request, "", flag(count, arguments, "--traced"));
    if (option(count, arguments, "--seed", 0)) request.seed = mixed((uint64_t)option(count, arguments, "--seed", 0));
    if (!limit) limit = rate ? milliseconds * (uint64_t)rate / 1000 : UINT64_MAX;

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    for (long i = 0; i < connections; i++) {
        all[i].descriptor = connect_to(port, 0);
        watch(epoll, all[i].descriptor, EPOLLIN, &all[i]);
    }
    uint64_t start = now_ns(), end = milliseconds && !rate ? start + milliseconds * 1000000 : UINT64_MAX;
    uint64_t period = rate ? 1000000000u / (uint64_t)rate : 0, patience = 20000000000u, last_answer = start;
    long next_free = 0;
    if (!rate)
        for (long i = 0; i < connections && sent_count < limit; i++) send_request(&all[i]);
    struct epoll_event events[256];
    while (answered < limit && !(now_ns() >= end && answered == sent_count)) {
        uint64_t deadline = now_ns() + 1000000000u;
        if (rate && sent_count < limit) {
            // Whatever is due leaves now; where no connection is free it leaves late, and is counted.
            while (sent_count < limit && start + sent_count * period <= now_ns()) {
                long tried = 0;
                while (tried < connections && all[next_free].busy) next_free = (next_free + 1) % connections, tried++;
                if (tried == connections) break;
                if (now_ns() > start + (sent_count + 1) * period) late++;
                send_request(&all[next_free]);
                next_free = (next_free + 1) % connections;
            }
            if (sent_count < limit && start + sent_count * period > now_ns()) deadline = start + sent_count * period;
        }
        int ready = wait_until(epoll, events, 256, deadline);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c)) continue;
            last_answer = now_ns();
            if (!rate && sent_count < limit && last_answer < end) send_request(c);
        }
        if (answered < sent_count && now_ns() > last_answer + patience) die("load: %lu requests unanswered after 20 s", sent_count - answered);
    }
    printf("{\"requests\":%lu,\"errors\":%lu,\"late\":%lu,\"seconds\":%.6f,\"sent_bytes\":%zu,", answered, errors, late, (double)(now_ns() - start) / 1e9, request.length);
    print_quantiles("latency_us", latencies, answered);
    printf("}\n");
    return 0;
}
