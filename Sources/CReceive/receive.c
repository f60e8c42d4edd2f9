#define _GNU_SOURCE
#include "receive.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>

static _Thread_local creceive_reader current_reader;
static _Thread_local void *current_context;

void creceive_begin(creceive_reader reader, void *context) {
    current_context = context;
    current_reader = reader;
}

void creceive_end(void) { current_reader = 0; }

// recv() is recvfrom() for somebody who does not ask from where: POSIX says so, and the C library does it.
ssize_t creceive(int socket, void *bytes, size_t room, int flags) {
    return recvfrom(socket, bytes, room, flags, 0, 0);
}

int creceive_client(int listener, void *address, unsigned *size) {
    return accept4(listener, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int creceive_pair(int *near, int *far) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    *near = ends[0];
    *far = ends[1];
    return 0;
}

// The program's definition stands before the C library's, for shared libraries as well: that is how the dynamic linker
// works, and how allocators are replaced. Where no reader is set, it is recv() as ever.
ssize_t recv(int socket, void *bytes, size_t room, int flags) {
    creceive_reader reader = current_reader;
    if (reader == 0) return creceive(socket, bytes, room, flags);
    return reader(current_context, socket, bytes, room, flags);
}

// What recv() becomes in a library that is built with _FORTIFY_SOURCE, where the size of the buffer is known.
ssize_t __recv_chk(int socket, void *bytes, size_t room, size_t size, int flags) {
    if (room > size) abort();
    return recv(socket, bytes, room, flags);
}

int creceive_is_used(void) { return dlsym(RTLD_DEFAULT, "recv") == (void *)recv; }
