#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int linux_accept(int listener, void *address, uint32_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t linux_receive(int fd, void *bytes, size_t count) { return syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL); }

ssize_t linux_send(int fd, const void *bytes, size_t count) { return syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, 0); }

void linux_name_thread(const char *name) {
    char short_name[16];
    snprintf(short_name, sizeof short_name, "%s", name);
    pthread_setname_np(pthread_self(), short_name);
}

// What held before: for programs that are started from here. Written before there are threads.
static struct rlimit first_file_limit;
static bool file_limit_is_raised;

uint64_t linux_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (!file_limit_is_raised) first_file_limit = limit;
    file_limit_is_raised = true;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void linux_share_heap(void) {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 1 << 20);
    // Setting one of these ends glibc's own adjustment of the others.
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

int linux_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int linux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int linux_available_cores(void) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
    int count = CPU_COUNT(&cores);
    return count > 0 ? count : 1;
}

int linux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

void linux_set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

int linux_spawn(const char *file, char *const arguments[], char *const environment[], int input, int output, int errors, pid_t *process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed) return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed) {
        posix_spawn_file_actions_destroy(&actions);
        return failed;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // Each of the three may be taken for another only after it has been used: none is below 3 where the program's own three are open.
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (!failed) failed = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!failed) failed = posix_spawnp(process, file, &actions, &attributes, arguments, environment);
    if (!failed && file_limit_is_raised) prlimit(*process, RLIMIT_NOFILE, &first_file_limit, NULL);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

void linux_trim_heap(void) { malloc_trim(0); }

int linux_join(unsigned long thread, uint64_t deadline) {
    struct timespec time = {(time_t)(deadline / 1000000000), (long)(deadline % 1000000000)};
    return pthread_clockjoin_np((pthread_t)thread, NULL, CLOCK_MONOTONIC, &time);
}

int linux_process_descriptor(pid_t process) {
    // Not in glibc's headers of every release: pidfd_open(2). PIDFD_NONBLOCK is O_NONBLOCK; close-on-exec is always set.
    return (int)syscall(SYS_pidfd_open, process, O_NONBLOCK);
}

int32_t linux_take_exit(pid_t process) {
    siginfo_t ended = {0};
    while (waitid(P_PID, process, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno != EINTR) return 0;
    }
    if (ended.si_pid != process) return INT32_MIN;
    kill(-process, SIGKILL);
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
}

void linux_signal_group(pid_t process, int signal) { kill(-process, signal); }
