#define _GNU_SOURCE
#include "receive.h"
#include <dlfcn.h>
#include <sys/socket.h>

static _Thread_local creceive_sender current_sender;
static _Thread_local void *current_context;

void creceive_divert_sends(creceive_sender sender, void *context) {
    current_context = context;
    current_sender = sender;
}

// send() is sendto() for somebody who does not say where: POSIX says so, and the C library does it.
ssize_t creceive_send(int socket, const void *bytes, size_t count, int flags) {
    return sendto(socket, bytes, count, flags, 0, 0);
}

// As with recv(): the program's definition stands before the C library's.
ssize_t send(int socket, const void *bytes, size_t count, int flags) {
    creceive_sender sender = current_sender;
    if (sender == 0) return creceive_send(socket, bytes, count, flags);
    return sender(current_context, socket, bytes, count, flags);
}

int creceive_sends_are_used(void) { return dlsym(RTLD_DEFAULT, "send") == (void *)send; }
