// What the small programs of the benchmark share: time, sockets, and as much of HTTP/1.1 as they need of each other.
// Each program is one thread around one epoll set and is pinned from outside.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

[[noreturn]] static inline void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/// Exact timers, all the file descriptors there are, and the death of whoever started us is ours.
static inline void prepare(void) {
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static inline struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/// Without SO_REUSEPORT: a port that somebody else holds is an error, never shared.
static inline int listen_on(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = loopback(port);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) || listen(descriptor, 16384)) die("port %d: %s", port, strerror(errno));
    return descriptor;
}

static inline int accept_from(int listener) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (descriptor >= 0) setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return descriptor;
}

/// Connects and waits for it; the socket is non-blocking afterwards. `receive` bounds what the kernel keeps for us; 0 leaves it.
static inline int connect_to(int port, int receive) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (descriptor < 0) die("socket: %s", strerror(errno));
    if (receive) setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in address = loopback(port);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) die("connect to %d: %s", port, strerror(errno));
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

static inline void watch(int epoll, int descriptor, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) die("epoll_ctl: %s", strerror(errno));
}

static inline void rewatch(int epoll, int descriptor, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)) die("epoll_ctl: %s", strerror(errno));
}

/// Waits for events until `deadline` (monotonic ns; UINT64_MAX for ever).
static inline int wait_until(int epoll, struct epoll_event *events, int count, uint64_t deadline) {
    if (deadline == UINT64_MAX) return epoll_wait(epoll, events, count, -1);
    uint64_t now = now_ns(), left = deadline > now ? deadline - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
    return epoll_pwait2(epoll, events, count, &timeout, NULL);
}

/// Length of the head with its empty line, or 0 while it is not whole.
static inline size_t head_length(const char *bytes, size_t count) {
    const char *end = memmem(bytes, count, "\r\n\r\n", 4);
    return end ? (size_t)(end - bytes) + 4 : 0;
}

/// The value of a header field ("\ncontent-length:", in lower case, line feed and colon included), or NULL.
static inline const char *field(const char *head, size_t length, const char *name) {
    size_t size = strlen(name);
    for (const char *at = head, *end = head + length; (at = memchr(at, '\n', (size_t)(end - at))) && at + size < end; at++) {
        if (strncasecmp(at, name, size)) continue;
        at += size;
        while (*at == ' ') at++;
        return at;
    }
    return NULL;
}

/// Content-Length, or -1 where the head has none.
static inline long content_length(const char *head, size_t length) {
    const char *value = field(head, length, "\ncontent-length:");
    return value ? strtol(value, NULL, 10) : -1;
}

/// The number behind `name` among the arguments.
static inline long option(int count, char **arguments, const char *name, long otherwise) {
    for (int i = 1; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) return strtol(arguments[i + 1], NULL, 10);
    return otherwise;
}

static inline bool flag(int count, char **arguments, const char *name) {
    for (int i = 1; i < count; i++)
        if (!strcmp(arguments[i], name)) return true;
    return false;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/// Prints `"name":{"p50":…,"p90":…,"p99":…,"max":…}` in microseconds, of nanoseconds that it sorts.
static inline void print_quantiles(const char *name, uint32_t *values, size_t count) {
    qsort(values, count, sizeof *values, ascending);
    double at[] = {0.5, 0.9, 0.99, 1};
    const char *names[] = {"p50", "p90", "p99", "max"};
    printf("\"%s\":{", name);
    for (int i = 0; i < 4; i++)
        printf("%s\"%s\":%.2f", i ? "," : "", names[i], count ? values[(size_t)(at[i] * (double)(count - 1))] / 1000.0 : 0);
    printf("}");
}
