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

/// malloc_trim(3): gives the pages back that hold nothing.
void linux_trim_heap(void);

/// epoll_create1(2) and eventfd(2) with their flags, which are anonymous enums. Close-on-exec, non-blocking.
int linux_epoll(void);
int linux_eventfd(void);

/// How many cores this process may run on: sched_getaffinity(2) and its macros.
int linux_available_cores(void);

/// pthread_clockjoin_np(3): waits for a thread's end, until this monotonic time in nanoseconds. 0, or an error's number.
int linux_join(unsigned long thread, uint64_t deadline);

/// A pipe, both ends close-on-exec: ends[0] is read from, ends[1] written to. 0, or errno.
int linux_pipe(int ends[2]);
void linux_set_nonblocking(int fd);

/// posix_spawnp(3): a session of its own, so that it can be ended with all it starts; default signals, none blocked; these three
/// descriptors and no other; the limit of open files that held before it was raised here. 0, or errno.
int linux_spawn(const char *file, char *const arguments[], char *const environment[], int input, int output, int errors, pid_t *process);

/// pidfd_open(2): becomes readable when the process has ended. Close-on-exec, non-blocking.
int linux_process_descriptor(pid_t process);

/// Takes the status of a process that has ended: its exit status, or -1 minus the signal that ended it. INT32_MIN: it has not ended.
/// Whatever is left of its group is ended before, while its number is still its own.
int32_t linux_take_exit(pid_t process);

/// kill(2) for all of a process's group.
void linux_signal_group(pid_t process, int signal);
