#define _GNU_SOURCE
#include "splice.h"
#include <fcntl.h>
#include <unistd.h>

long csplice_pipe(int ends[2], int size) {
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
    // What the system refuses to enlarge keeps the size that it has.
    int room = fcntl(ends[1], F_SETPIPE_SZ, size);
    return room > 0 ? room : fcntl(ends[1], F_GETPIPE_SZ);
}

ssize_t csplice(int from, int to, size_t count) {
    return splice(from, NULL, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}
