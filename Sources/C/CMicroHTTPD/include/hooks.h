// The functions that libmicrohttpd calls in place of the C library's and GnuTLS's: see hooks.c.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The hooks of one daemon. Each returns what the function returns that it replaces, with errno where that sets it.
struct cmhd_hooks {
    // recv().
    ssize_t (*receive)(void *context, int socket, void *bytes, size_t size, int flags);
    // send(), and sendmsg() with a second part behind the first one.
    ssize_t (*send)(void *context, int socket, const void *bytes, size_t size, const void *more, size_t more_size, int flags);
    // gnutls_record_recv(); `socket` is the one that the session reads from.
    ssize_t (*receive_record)(void *context, void *session, int socket, void *bytes, size_t size);
    // gnutls_record_send().
    ssize_t (*send_record)(void *context, void *session, int socket, const void *bytes, size_t size);
    // gnutls_handshake().
    int (*handshake)(void *context, void *session, int socket);
    // epoll_wait(), one socket at a time: the next one that is ready, with the tag under which the library has added it, and EPOLL… bits;
    // returns 0 if there is none.
    int (*next_ready)(void *context, uint64_t *tag, uint32_t *events);
    // epoll_ctl(): the library adds a socket under a tag, or removes it (`is_member` 0). Returns 0, or the errno with which adding failed.
    int (*change)(void *context, int socket, int is_member, uint64_t tag);
    void *context;
};

// Until cmhd_leave(), what this thread receives, sends and encrypts goes through these hooks.
void cmhd_enter(const struct cmhd_hooks *hooks);
void cmhd_leave(void);

// From now on, what this thread asks of the epoll `descriptor` goes to these hooks, which must stay where they are; returns 0 if the number
// is too high for that. Calls of other threads for that number are theirs: it may have been closed, and be another's.
int cmhd_bind_epoll(int descriptor, const struct cmhd_hooks *hooks);
// The calling thread is the one whose calls go to the hooks of `descriptor`.
void cmhd_own_epoll(int descriptor);
// No more, unless other hooks have been bound since.
void cmhd_unbind_epoll(int descriptor, const struct cmhd_hooks *hooks);

// The functions themselves. `more_size` may be 0.
ssize_t cmhd_receive(int socket, void *bytes, size_t size, int flags);
ssize_t cmhd_send(int socket, const void *bytes, size_t size, const void *more, size_t more_size, int flags);
ssize_t cmhd_receive_record(void *session, void *bytes, size_t size);
ssize_t cmhd_send_record(void *session, const void *bytes, size_t size);
int cmhd_handshake(void *session);
