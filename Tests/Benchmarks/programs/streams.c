// Concurrent streams of Server-Sent Events: opens them, counts their events, and how late each came.
//
//   streams PORT --streams N [--events 50] [--ramp MILLISECONDS]
//
// Every event carries the time of its writing, so its delay is what proxy and kernels took. Each stream must be answered 200,
// bring its events and `[DONE]`, and end its chunked body; anything else is an error. Prints one line of JSON.
#include "requests.h"

struct stream {
    int descriptor;
    long events;
    /// The head has come, `[DONE]` has come, nothing more is waited for.
    bool answered, finished, done;
    size_t have;
    char input[8192];
};

static uint64_t total, errors;
static uint32_t *delays;
static size_t delay_room;
static long expected;

static void fail(struct stream *s, const char *what) {
    if (!errors++) fprintf(stderr, "streams: the first bad stream: %s after %ld events:\n%.*s\n", what, s->events, (int)s->have, s->input);
    s->done = true;
}

static void take_event(struct stream *s, const char *digits, uint64_t now) {
    if (total == delay_room) delays = realloc(delays, (delay_room = delay_room ? delay_room * 2 : 1 << 16) * sizeof *delays);
    char text[17] = {};
    memcpy(text, digits, 16);
    delays[total++] = (uint32_t)(now - strtoull(text, NULL, 16));
    s->events++;
}

static void receive(struct stream *s) {
    ssize_t count = recv(s->descriptor, s->input + s->have, sizeof s->input - 1 - s->have, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return fail(s, "closed");
    uint64_t now = now_ns();
    s->have += (size_t)count;
    s->input[s->have] = 0;
    char *at = s->input, *end = s->input + s->have;
    if (!s->answered) {
        size_t head = head_length(at, s->have);
        if (!head) return;
        if (memcmp(at, "HTTP/1.1 200", 12) || !field(at, head, "\ntransfer-encoding:")) return fail(s, "not 200 and chunked");
        s->answered = true;
        at += head;
    }
    // An event is read when its blank line is there; the frame around it does not matter but for the last chunk.
    for (char *blank; (blank = memmem(at, (size_t)(end - at), "\n\n", 2)); at = blank + 2) {
        char *content = memmem(at, (size_t)(blank - at), "\"content\":\"", 11);
        if (content) take_event(s, content + 11, now);
        if (memmem(at, (size_t)(blank - at), "[DONE]", 6)) s->finished = true;
    }
    s->have = (size_t)(end - at);
    memmove(s->input, at, s->have);
    if (!s->finished || s->have < 5 || memcmp(s->input + s->have - 5, "0\r\n\r\n", 5)) return;  // the last chunk is still to come
    s->done = true;
    if (s->events != expected) fail(s, "wrong number of events");
}

int main(int count, char **arguments) {
    if (count < 2) die("usage: streams PORT --streams N [--events N] [--ramp MILLISECONDS]");
    prepare();
    int port = atoi(arguments[1]);
    long streams = option(count, arguments, "--streams", 500);
    uint64_t ramp = (uint64_t)option(count, arguments, "--ramp", 500) * 1000000;
    expected = option(count, arguments, "--events", 50);
    struct request request;
    make_request(&request, "\"stream\":true,", true);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct stream *all = calloc((size_t)streams, sizeof *all);
    uint64_t start = now_ns(), last = start;
    long opened = 0, done = 0;
    struct epoll_event events[256];
    while (done < streams) {
        uint64_t next = start + ramp * (uint64_t)opened / (uint64_t)streams;
        if (opened < streams && now_ns() >= next) {
            struct stream *s = &all[opened];
            s->descriptor = connect_to(port, 0);
            watch(epoll, s->descriptor, EPOLLIN, s);
            set_trace(&request, (uint64_t)opened, (uint64_t)opened);
            if (send(s->descriptor, request.bytes, request.length, 0) != (ssize_t)request.length) die("streams: a request could not be sent");
            opened++;
            continue;
        }
        int ready = wait_until(epoll, events, 256, opened < streams ? next : now_ns() + 1000000000u);
        for (int i = 0; i < ready; i++) {
            struct stream *s = events[i].data.ptr;
            receive(s);
            last = now_ns();
            if (!s->done) continue;
            close(s->descriptor);
            done++;
        }
        if (now_ns() > last + 20000000000u) die("streams: nothing came for 20 s, %ld streams unfinished", streams - done);
    }
    printf("{\"streams\":%ld,\"events\":%lu,\"errors\":%lu,\"seconds\":%.6f,", streams, total, errors, (double)(now_ns() - start) / 1e9);
    print_quantiles("delay_us", delays, total);
    printf("}\n");
    return 0;
}
