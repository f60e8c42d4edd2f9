// Lets bytes be looked at on their way from a socket to a library that calls recv() by itself.
#pragma once
#include <stddef.h>
#include <sys/types.h>

// Reads for the library; returns as recv() does, with errno.
typedef ssize_t (*creceive_reader)(void *context, int socket, void *bytes, size_t room, int flags);

// From now on, what this thread receives goes through `reader`.
void creceive_begin(creceive_reader reader, void *context);
// No more.
void creceive_end(void);
// What recv() does.
ssize_t creceive(int socket, void *bytes, size_t room, int flags);
// Whether shared libraries get this program's recv().
int creceive_is_used(void);
