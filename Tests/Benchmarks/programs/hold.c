// Connections that are held open while somebody measures the proxy's memory.
//
//   hold PORT idle --connections N     each is answered once, then keeps quiet
//   hold PORT slow --connections N --kind plain|json|stream     each asks for 100 MB and reads 4 KiB of it a second
//
// Prints {"event":"holding",…} when all stand, and holds them until its input ends. Then idle ones must answer once more, and slow
// ones must still be there; a last line of JSON says how many were.
#include "requests.h"

struct connection {
    int descriptor;
    size_t have;
    char input[8192];
};

static struct request request;

static void ask(struct connection *c) {
    static uint64_t number;
    set_trace(&request, number, number);
    number++;
    c->have = 0;
    if (send(c->descriptor, request.bytes, request.length, 0) != (ssize_t)request.length) die("hold: a request could not be sent: %s", strerror(errno));
}

/// Waits for the answer; false where the connection has gone.
static bool is_answered(struct connection *c) {
    fcntl(c->descriptor, F_SETFL, 0);
    bool whole = false;
    while (!whole) {
        ssize_t count = recv(c->descriptor, c->input + c->have, sizeof c->input - c->have, 0);
        if (count <= 0) return false;
        c->have += (size_t)count;
        size_t head = head_length(c->input, c->have);
        whole = head && c->have >= head + (size_t)content_length(c->input, head);
    }
    return !memcmp(c->input, "HTTP/1.1 200", 12);
}

static bool input_ended(int milliseconds) {
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000l};
    nanosleep(&pause, NULL);
    char byte;
    ssize_t count = read(STDIN_FILENO, &byte, 1);
    return count == 0 || (count < 0 && errno != EAGAIN);
}

int main(int count, char **arguments) {
    if (count < 3) die("usage: hold PORT idle|slow --connections N [--kind plain|json|stream]");
    prepare();
    int port = atoi(arguments[1]);
    bool slow = !strcmp(arguments[2], "slow");
    long connections = option(count, arguments, "--connections", 1000), alive = 0;
    bool stream = flag(count, arguments, "stream"), plain = flag(count, arguments, "plain");
    make_request(&request, slow ? stream ? "\"stream\":true,\"user\":\"huge\"," : "\"user\":\"huge\"," : "", true);
    if (slow && plain) request.length = (size_t)sprintf(request.bytes, "GET /openai/v1/files/file-huge/content HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    if (slow && plain) request.trace = NULL;
    struct connection *all = calloc((size_t)connections, sizeof *all);
    for (long i = 0; i < connections; i++) {
        all[i].descriptor = connect_to(port, slow ? 8 << 10 : 0);
        ask(&all[i]);
        if (!slow && !is_answered(&all[i])) die("hold: connection %ld was not answered 200:\n%.*s", i, (int)all[i].have, all[i].input);
    }
    printf("{\"event\":\"holding\",\"connections\":%ld}\n", connections);
    fflush(stdout);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    while (!input_ended(slow ? 250 : 50)) {
        if (!slow) continue;
        static char piece[1024];
        for (long i = 0; i < connections; i++) {
            ssize_t got = all[i].descriptor < 0 ? 1 : recv(all[i].descriptor, piece, sizeof piece, 0);
            if (got > 0 || (got < 0 && errno == EAGAIN)) continue;
            close(all[i].descriptor);
            all[i].descriptor = -1;
        }
    }
    for (long i = 0; i < connections; i++) {
        if (all[i].descriptor < 0) continue;
        if (!slow) ask(&all[i]);
        alive += slow || is_answered(&all[i]);
    }
    printf("{\"event\":\"done\",\"connections\":%ld,\"alive\":%ld}\n", connections, alive);
    return 0;
}
