// Lets a library that asks an epoll of its own be told by the program what is ready: the program's loop watches the sockets anyway, and
// a second epoll for them costs a system call for each look, and the kernel a way through both for each packet.
#pragma once
#include <stdint.h>

// What stands in for an epoll.
struct creadiness_set {
    // Gives the next socket that is ready, with the tag under which the library has added it, and EPOLL… bits; 0 if there is none.
    int (*next)(void *context, uint64_t *tag, uint32_t *events);
    // The library adds a socket under a tag, or takes it out (`isMember` 0); 0, or the errno with which adding failed. Taking out cannot
    // fail.
    int (*change)(void *context, int socket, int isMember, uint64_t tag);
    void *context;
};

// From now on, what this thread asks of the epoll `descriptor` with epoll_wait() and epoll_ctl() goes to `set`, which must stay where it
// is; 0 if the number is too high for that. Other threads' calls for that number are theirs: it may have been closed, and be another's.
int creadiness_replace(int descriptor, const struct creadiness_set *set);
// The thread that calls is the one whose calls go to the set of `descriptor`.
void creadiness_enter(int descriptor);
// No more, unless something else than `set` has taken its place.
void creadiness_restore(int descriptor, const struct creadiness_set *set);
// Whether shared libraries get this program's epoll_wait() and epoll_ctl().
int creadiness_is_used(void);
