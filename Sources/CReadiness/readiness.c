#define _GNU_SOURCE
#include "readiness.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

// By descriptor: as many as Linux allows a process unless its administrator says otherwise (fs.nr_open). Pages that nobody touches
// take no memory.
enum { limit = 1 << 20 };
static struct {
    // Of the thread: the address of what only it has.
    _Atomic(const char *) owner;
    _Atomic(const struct creadiness_set *) set;
} places[limit];
static _Thread_local char own;

// Only the owner looks at a set, and only it lets one go.
static const struct creadiness_set *found(int descriptor) {
    if (descriptor < 0 || descriptor >= limit) return 0;
    if (atomic_load_explicit(&places[descriptor].owner, memory_order_relaxed) != &own) return 0;
    return atomic_load_explicit(&places[descriptor].set, memory_order_relaxed);
}

int creadiness_replace(int descriptor, const struct creadiness_set *set) {
    if (descriptor < 0 || descriptor >= limit) return 0;
    atomic_store_explicit(&places[descriptor].set, set, memory_order_relaxed);
    creadiness_enter(descriptor);
    return 1;
}

void creadiness_enter(int descriptor) {
    if (descriptor >= 0 && descriptor < limit) atomic_store_explicit(&places[descriptor].owner, &own, memory_order_relaxed);
}

void creadiness_restore(int descriptor, const struct creadiness_set *set) {
    if (descriptor < 0 || descriptor >= limit) return;
    atomic_compare_exchange_strong(&places[descriptor].set, &set, 0);
}

// The program's definitions stand before the C library's, for shared libraries as well: that is how the dynamic linker works, and how
// allocators are replaced. For any other epoll they do what they always do.
int epoll_wait(int descriptor, struct epoll_event *events, int room, int milliseconds) {
    const struct creadiness_set *set = found(descriptor);
    if (set == 0) return epoll_pwait(descriptor, events, room, milliseconds, 0);
    int count = 0;
    uint64_t tag;
    uint32_t bits;
    while (count < room && set->next(set->context, &tag, &bits)) {
        events[count].events = bits;
        events[count].data.u64 = tag;
        count++;
    }
    return count;
}

int epoll_ctl(int descriptor, int operation, int socket, struct epoll_event *event) {
    const struct creadiness_set *set = found(descriptor);
    if (set == 0) return (int)syscall(SYS_epoll_ctl, descriptor, operation, socket, event);
    int isMember = operation != EPOLL_CTL_DEL;
    int number = set->change(set->context, socket, isMember, isMember ? event->data.u64 : 0);
    if (number == 0) return 0;
    errno = number;
    return -1;
}

int creadiness_is_used(void) {
    return dlsym(RTLD_DEFAULT, "epoll_wait") == (void *)epoll_wait && dlsym(RTLD_DEFAULT, "epoll_ctl") == (void *)epoll_ctl;
}
