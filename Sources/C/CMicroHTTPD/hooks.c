// The seam between Weir and libmicrohttpd.
//
// libmicrohttpd has no interface for what Weir needs at its sockets, so Weir replaces its calls. The library is
// linked statically, and the linker binds these calls to the functions below (`--wrap`, see Package.swift): `recv` to
// `__wrap_recv`, and `__real_recv` to the C library's `recv`. This happens when the program is linked, and only
// within the program: no symbol of the C library or of GnuTLS is defined, and libcurl, GnuTLS and all other shared
// libraries are not affected. DefinedSymbolsTests checks the program's symbols; LibraryCallsTests checks the
// archive's, and fails if a version of the library reads or writes with a function that is not listed here.
//
// Other calls of these functions in the program pass through as well, and are recognised: hooks apply to the thread
// that runs a daemon, while it runs, and only to the sockets of its clients; the epoll hooks apply to the daemon's
// own epoll.
//
// recv, gnutls_record_recv
//     For: RequestScanner sees each byte before the library, which gets only well-formed requests, one at a time.
//     Gain: the security boundary. 0.9.75 accepts folded names, bare LF and `Content-Length : 5`; 1.0.1 differs.
//     Without it: nothing is served. A head that the scanner has not counted becomes no exchange.
// send, sendmsg, gnutls_record_send
//     For: AnswerHead puts Weir's fields into the head that the library sends.
//     Gain: no allocation and no copy per field in the library; heads of any size; HEAD and 304 without a length.
//     Without it: an answer has no fields; its connection ends, and the log says so.
// epoll_wait, epoll_ctl
//     For: the loop watches each client once, and the library asks it.
//     Gain: a system call for each look of the library and two for each suspension.
//     Without it: the start check fails.
// gnutls_handshake
//     For: a connection whose handshake waits for its client is suspended.
//     Gain: 0.9.75 calls it again without a pause, and uses all of a processor for as long as a handshake takes.
//     Without it: the start check fails.
//
// LibraryHooks verifies at the start that the library calls all of them: a connection gets a request that exists only
// in the hooks, and its response must not be sent otherwise. A daemon that cannot verify it does not start.
#define _GNU_SOURCE
#include "hooks.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

ssize_t __real_recv(int socket, void *bytes, size_t size, int flags);
ssize_t __real_send(int socket, const void *bytes, size_t size, int flags);
ssize_t __real_sendmsg(int socket, const struct msghdr *message, int flags);
int __real_epoll_wait(int descriptor, struct epoll_event *events, int room, int milliseconds);
int __real_epoll_ctl(int descriptor, int operation, int socket, struct epoll_event *event);
ssize_t __real_gnutls_record_recv(gnutls_session_t session, void *bytes, size_t size);
ssize_t __real_gnutls_record_send(gnutls_session_t session, const void *bytes, size_t size);
int __real_gnutls_handshake(gnutls_session_t session);

static _Thread_local const struct cmhd_hooks *current;

void cmhd_enter(const struct cmhd_hooks *hooks) { current = hooks; }

void cmhd_leave(void) { current = 0; }

ssize_t __wrap_recv(int socket, void *bytes, size_t size, int flags) {
    const struct cmhd_hooks *hooks = current;
    if (hooks == 0) return __real_recv(socket, bytes, size, flags);
    return hooks->receive(hooks->context, socket, bytes, size, flags);
}

// Replaces recv() where the compiler knows the size of the buffer (_FORTIFY_SOURCE).
ssize_t __wrap___recv_chk(int socket, void *bytes, size_t size, size_t capacity, int flags) {
    if (size > capacity) abort();
    return __wrap_recv(socket, bytes, size, flags);
}

ssize_t __wrap_send(int socket, const void *bytes, size_t size, int flags) {
    const struct cmhd_hooks *hooks = current;
    if (hooks == 0) return __real_send(socket, bytes, size, flags);
    return hooks->send(hooks->context, socket, bytes, size, 0, 0, flags);
}

// > 0.9.75 and 1.0.1 send the head and a body in memory as two parts.
ssize_t __wrap_sendmsg(int socket, const struct msghdr *message, int flags) {
    const struct cmhd_hooks *hooks = current;
    if (hooks == 0 || message->msg_name != 0 || message->msg_control != 0 || message->msg_iovlen < 1 || message->msg_iovlen > 2) {
        return __real_sendmsg(socket, message, flags);
    }
    const struct iovec *parts = message->msg_iov;
    const int has_more = message->msg_iovlen == 2;
    return hooks->send(
        hooks->context, socket, parts[0].iov_base, parts[0].iov_len, has_more ? parts[1].iov_base : 0, has_more ? parts[1].iov_len : 0, flags);
}

ssize_t __wrap_gnutls_record_recv(gnutls_session_t session, void *bytes, size_t size) {
    const struct cmhd_hooks *hooks = current;
    if (hooks == 0) return __real_gnutls_record_recv(session, bytes, size);
    return hooks->receive_record(hooks->context, session, gnutls_transport_get_int(session), bytes, size);
}

ssize_t __wrap_gnutls_record_send(gnutls_session_t session, const void *bytes, size_t size) {
    const struct cmhd_hooks *hooks = current;
    if (hooks == 0) return __real_gnutls_record_send(session, bytes, size);
    return hooks->send_record(hooks->context, session, gnutls_transport_get_int(session), bytes, size);
}

int __wrap_gnutls_handshake(gnutls_session_t session) {
    const struct cmhd_hooks *hooks = current;
    if (hooks == 0) return __real_gnutls_handshake(session);
    return hooks->handshake(hooks->context, session, gnutls_transport_get_int(session));
}

// By descriptor: as many as Linux allows a process by default (fs.nr_open). Untouched pages use no memory.
enum { limit = 1 << 20 };
static struct {
    // Identifies the thread, by the address of a variable of its own.
    _Atomic(const char *) owner;
    _Atomic(const struct cmhd_hooks *) hooks;
} epolls[limit];
static _Thread_local char own;

// Only the owner reads the hooks, and only it removes them.
static const struct cmhd_hooks *bound(int descriptor) {
    if (descriptor < 0 || descriptor >= limit) return 0;
    if (atomic_load_explicit(&epolls[descriptor].owner, memory_order_relaxed) != &own) return 0;
    return atomic_load_explicit(&epolls[descriptor].hooks, memory_order_relaxed);
}

int cmhd_bind_epoll(int descriptor, const struct cmhd_hooks *hooks) {
    if (descriptor < 0 || descriptor >= limit) return 0;
    atomic_store_explicit(&epolls[descriptor].hooks, hooks, memory_order_relaxed);
    cmhd_own_epoll(descriptor);
    return 1;
}

void cmhd_own_epoll(int descriptor) {
    if (descriptor >= 0 && descriptor < limit) atomic_store_explicit(&epolls[descriptor].owner, &own, memory_order_relaxed);
}

void cmhd_unbind_epoll(int descriptor, const struct cmhd_hooks *hooks) {
    if (descriptor < 0 || descriptor >= limit) return;
    atomic_compare_exchange_strong(&epolls[descriptor].hooks, &hooks, 0);
}

int __wrap_epoll_wait(int descriptor, struct epoll_event *events, int room, int milliseconds) {
    const struct cmhd_hooks *hooks = bound(descriptor);
    if (hooks == 0) return __real_epoll_wait(descriptor, events, room, milliseconds);
    int count = 0;
    uint64_t tag;
    uint32_t bits;
    while (count < room && hooks->next_ready(hooks->context, &tag, &bits)) {
        events[count].events = bits;
        events[count].data.u64 = tag;
        count++;
    }
    return count;
}

int __wrap_epoll_ctl(int descriptor, int operation, int socket, struct epoll_event *event) {
    const struct cmhd_hooks *hooks = bound(descriptor);
    if (hooks == 0) return __real_epoll_ctl(descriptor, operation, socket, event);
    const int is_member = operation != EPOLL_CTL_DEL;
    const int number = hooks->change(hooks->context, socket, is_member, is_member ? event->data.u64 : 0);
    if (number == 0) return 0;
    errno = number;
    return -1;
}

ssize_t cmhd_receive(int socket, void *bytes, size_t size, int flags) { return __real_recv(socket, bytes, size, flags); }

ssize_t cmhd_send(int socket, const void *bytes, size_t size, const void *more, size_t more_size, int flags) {
    if (more_size == 0) return __real_send(socket, bytes, size, flags);
    struct iovec parts[2] = {{.iov_base = (void *)bytes, .iov_len = size}, {.iov_base = (void *)more, .iov_len = more_size}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return __real_sendmsg(socket, &message, flags);
}

ssize_t cmhd_receive_record(void *session, void *bytes, size_t size) { return __real_gnutls_record_recv(session, bytes, size); }

ssize_t cmhd_send_record(void *session, const void *bytes, size_t size) { return __real_gnutls_record_send(session, bytes, size); }

int cmhd_handshake(void *session) { return __real_gnutls_handshake(session); }
