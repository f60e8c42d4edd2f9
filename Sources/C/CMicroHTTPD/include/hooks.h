// The functions that libmicrohttpd calls instead of the C library's and GnuTLS's: see hooks.c.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The hooks of one daemon. Each returns what the replaced function returns, and sets errno like it.
struct cmhd_hooks {
    // Replaces recv().
    ssize_t (*receive)(void *context, int socket, void *bytes, size_t size, int flags);
    // Replaces send(), and sendmsg() with a second part after the first one.
    ssize_t (*send)(void *context, int socket, const void *bytes, size_t size, const void *more, size_t more_size, int flags);
    // Replaces gnutls_record_recv(); `socket` is the one that the session reads from.
    ssize_t (*receive_record)(void *context, void *session, int socket, void *bytes, size_t size);
    // Replaces gnutls_record_send().
    ssize_t (*send_record)(void *context, void *session, int socket, const void *bytes, size_t size);
    // Replaces gnutls_handshake().
    int (*handshake)(void *context, void *session, int socket);
    // Replaces epoll_wait(), one socket at a time: returns the next ready one, with the tag under which the library
    // has added it, and EPOLL… bits; returns 0 if there is none.
    int (*next_ready)(void *context, uint64_t *tag, uint32_t *events);
    // Replaces epoll_ctl(): the library adds a socket under a tag, or removes it (`is_member` 0). Returns 0, or the
    // errno of a failure.
    int (*change)(void *context, int socket, int is_member, uint64_t tag);
    void *context;
};

// Until cmhd_leave(), receiving, sending and TLS on this thread use these hooks.
void cmhd_enter(const struct cmhd_hooks *hooks);
void cmhd_leave(void);

// From now on, calls of this thread for the epoll `descriptor` use these hooks, which must stay in place; returns 0
// if the number is too high. Calls of other threads for that number are not affected: it may have been closed, and
// belong to them.
int cmhd_bind_epoll(int descriptor, const struct cmhd_hooks *hooks);
// The calling thread becomes the one whose calls use the hooks of `descriptor`.
void cmhd_own_epoll(int descriptor);
// Removes the hooks, unless others have been bound since.
void cmhd_unbind_epoll(int descriptor, const struct cmhd_hooks *hooks);

// The original functions. `more_size` may be 0.
ssize_t cmhd_receive(int socket, void *bytes, size_t size, int flags);
ssize_t cmhd_send(int socket, const void *bytes, size_t size, const void *more, size_t more_size, int flags);
ssize_t cmhd_receive_record(void *session, void *bytes, size_t size);
ssize_t cmhd_send_record(void *session, const void *bytes, size_t size);
int cmhd_handshake(void *session);
