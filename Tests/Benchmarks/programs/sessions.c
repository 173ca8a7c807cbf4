// MCP sessions that are held open while somebody measures the proxy's memory: each has the connection it was opened on, which is kept,
// and another with the stream that it listens on.
//
//   sessions PORT --sessions N
//
// Prints {"event":"holding",…} when all stand, and holds them until its input ends. Then each must answer a call, and be told of it on
// its stream; a last line of JSON says how many did.
#include "requests.h"

struct connection {
    int descriptor;
    size_t have;
    char input[4096];
};

struct session {
    /// As the proxy gives it.
    char id[256];
    struct connection calls, stream;
};

static int port;

static void say(struct connection *c, const char *bytes, size_t length) {
    c->have = 0;
    if (send(c->descriptor, bytes, length, 0) != (ssize_t)length) die("sessions: a request could not be sent: %s", strerror(errno));
}

/// Reads until `end` has come; false where the connection has gone, or five seconds have passed.
static bool is_told(struct connection *c, const char *end) {
    while (!memmem(c->input, c->have, end, strlen(end))) {
        ssize_t count = recv(c->descriptor, c->input + c->have, sizeof c->input - c->have, 0);
        if (count <= 0) return false;
        c->have += (size_t)count;
    }
    return true;
}

static void connect_both(struct session *session) {
    struct timeval patience = {.tv_sec = 5};
    struct connection *both[] = {&session->calls, &session->stream};
    for (int i = 0; i < 2; i++) {
        both[i]->descriptor = connect_to(port, 0);
        fcntl(both[i]->descriptor, F_SETFL, 0);
        setsockopt(both[i]->descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
}

static void begin(struct session *session) {
    connect_both(session);
    char request[1024];
    const char *body = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
                       "\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}";
    int length = sprintf(request, "POST /mcp/tools HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    say(&session->calls, request, (size_t)length);
    if (!is_told(&session->calls, "\"serverInfo\"")) die("sessions: initialize was not answered:\n%.*s", (int)session->calls.have, session->calls.input);
    const char *id = field(session->calls.input, head_length(session->calls.input, session->calls.have), "\nmcp-session-id:");
    if (!id) die("sessions: no session was opened");
    sprintf(session->id, "%.*s", (int)strcspn(id, "\r"), id);
    length = sprintf(request, "GET /mcp/tools HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nMcp-Session-Id: %s\r\n"
        "Mcp-Protocol-Version: 2025-11-25\r\n\r\n", session->id);
    say(&session->stream, request, (size_t)length);
    if (!is_told(&session->stream, ": listen")) die("sessions: no stream to listen on:\n%.*s", (int)session->stream.have, session->stream.input);
}

static bool is_alive(struct session *session) {
    char request[1024];
    const char *body = "{\"jsonrpc\":\"2.0\",\"id\":1000000007,\"method\":\"tools/call\",\"params\":{\"name\":\"get_weather\"}}";
    int length = sprintf(request, "POST /mcp/tools HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
        "Mcp-Session-Id: %s\r\nContent-Length: %zu\r\n\r\n%s", session->id, strlen(body), body);
    say(&session->calls, request, (size_t)length);
    session->stream.have = 0;
    return is_told(&session->calls, "\"id\":1000000007") && is_told(&session->stream, "list_changed");
}

int main(int count, char **arguments) {
    if (count < 2) die("usage: sessions PORT --sessions N");
    prepare();
    port = atoi(arguments[1]);
    long sessions = option(count, arguments, "--sessions", 1000), alive = 0;
    struct session *all = calloc((size_t)sessions, sizeof *all);
    for (long i = 0; i < sessions; i++) begin(&all[i]);
    printf("{\"event\":\"holding\",\"connections\":%ld}\n", sessions);
    fflush(stdout);
    for (char byte; read(STDIN_FILENO, &byte, 1) > 0;) {}
    for (long i = 0; i < sessions; i++) alive += is_alive(&all[i]);
    printf("{\"event\":\"done\",\"connections\":%ld,\"alive\":%ld}\n", sessions, alive);
    return 0;
}
