#pragma once
// What Swift cannot import from the kernel's and glibc's headers: calls behind _GNU_SOURCE, variadic calls, macros.

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/types.h>

// EPOLLET and its neighbours: an anonymous enum with a sign bit, which Swift imports as a type of its own.
static const uint32_t LINUX_EPOLLIN = EPOLLIN;
static const uint32_t LINUX_EPOLLOUT = EPOLLOUT;
static const uint32_t LINUX_EPOLLERR = EPOLLERR;
static const uint32_t LINUX_EPOLLHUP = EPOLLHUP;
static const uint32_t LINUX_EPOLLRDHUP = EPOLLRDHUP;
static const uint32_t LINUX_EPOLLET = EPOLLET;

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC: behind _GNU_SOURCE.
int linux_accept(int listener, void *address, uint32_t *length);

/// recv(2) and send(2) with MSG_NOSIGNAL, without what glibc does around them so that a thread can be cancelled in the middle, which none
/// of ours is: two locked instructions a call.
ssize_t linux_receive(int fd, void *bytes, size_t count);
ssize_t linux_send(int fd, const void *bytes, size_t count);

/// pthread_setname_np(3): behind _GNU_SOURCE. At most 15 bytes are kept.
void linux_name_thread(const char *name);

/// Raises RLIMIT_NOFILE to its hard limit and returns what holds now.
uint64_t linux_raise_file_limit(void);

/// mallopt(3): one heap for all threads, that grows by a megabyte at a time. The heaps that glibc gives to threads grow by a page, each
/// with a call of mprotect(2).
void linux_share_heap(void);

/// epoll_create1(2) and eventfd(2) with their flags, which are anonymous enums. Close-on-exec, non-blocking.
int linux_epoll(void);
int linux_eventfd(void);

/// How many cores this process may run on: sched_getaffinity(2) and its macros.
int linux_available_cores(void);
