// Preloaded, it counts what a program asks the allocator for, in a file that others look at while it runs: number and bytes.
//
//   WEIR_ALLOCATIONS=FILE LD_PRELOAD=…/counting program
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct counters {
    _Atomic uint64_t number, bytes;
} nowhere, *counters = &nowhere;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);

static void count(size_t size) {
    atomic_fetch_add_explicit(&counters->number, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->bytes, size, memory_order_relaxed);
}

// dlsym() may allocate before we know the next allocator: out of this room, which is never given back.
static char room[1 << 16];
static size_t used;

static void *from_room(size_t size) {
    size_t start = used;
    used += (size + 15) & ~(size_t)15;
    return used <= sizeof room ? room + start : NULL;
}

static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void) {
    next_malloc = next("malloc");
    next_calloc = next("calloc");
    next_realloc = next("realloc");
    next_posix_memalign = next("posix_memalign");
    next_aligned_alloc = next("aligned_alloc");
    const char *path = getenv("WEIR_ALLOCATIONS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *counters)) return;
    void *mapped = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) counters = mapped;
    close(file);
}

void *malloc(size_t size) {
    if (!next_malloc) return from_room(size);
    count(size);
    return next_malloc(size);
}

void *calloc(size_t number, size_t size) {
    if (!next_calloc) return from_room(number * size);
    count(number * size);
    return next_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    char *bytes = block;
    if (!next_realloc || (bytes >= room && bytes < room + sizeof room)) {
        void *moved = malloc(size);
        if (moved && block) memcpy(moved, block, size);
        return moved;
    }
    count(size);
    return next_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    count(size);
    return next_posix_memalign(block, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(size);
    return next_aligned_alloc(alignment, size);
}

void free(void *block) {
    static void (*next_free)(void *);
    char *bytes = block;
    if (bytes >= room && bytes < room + sizeof room) return;
    if (!next_free) next_free = (void (*)(void *))next("free");
    next_free(block);
}
