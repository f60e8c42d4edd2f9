// What Swift does not see of Linux: a pipe that is made with its flags, its size, and splice().
#pragma once
#include <stddef.h>
#include <sys/types.h>

// Makes a pipe that neither blocks nor is inherited, with room for `size` bytes if the system allows as much; `ends` are those to read
// from and to write to. Returns how much it has room for, or -1 with errno.
long csplice_pipe(int ends[2], int size);

// Moves at most `count` bytes between a socket and a pipe without waiting; returns as splice() does, with errno.
ssize_t csplice(int from, int to, size_t count);
