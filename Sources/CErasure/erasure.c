#define _GNU_SOURCE
#include "erasure.h"
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

void *__memset_chk(void *place, int byte, size_t count, size_t size);

enum {
    // Bytes that are looked at together: so many zeros are enough to stop at.
    stretch = 256,
    // What is smaller is filled as fast as it is looked at.
    least = 4 * stretch,
};

// Where the library's code is.
static _Atomic uintptr_t code_start, code_size;

static int find_code(struct dl_phdr_info *object, size_t size, void *function) {
    (void)size;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        const uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD || (uintptr_t)function - start >= segment->p_memsz) continue;
        atomic_store_explicit(&code_start, start, memory_order_relaxed);
        atomic_store_explicit(&code_size, segment->p_memsz, memory_order_release);
        return 1;
    }
    return 0;
}

void cerasure_spare(const char *function) {
    // The next one is not the program's, whose own zeros are written.
    void *code = dlsym(RTLD_NEXT, function);
    if (code != 0) dl_iterate_phdr(find_code, code);
}

// What memset() is, under the name that is told the size of the place. The compiler knows what follows from a size that is never
// reached, and would call memset() all the same: it must not see this one.
static inline void *fill(void *place, int byte, size_t count) {
    size_t size = SIZE_MAX;
    __asm__("" : "+r"(size));
    return __memset_chk(place, byte, count, size);
}

static int is_clean(const unsigned char *bytes) {
    uint64_t any = 0;
    for (size_t index = 0; index < stretch; index += sizeof any) {
        uint64_t word;
        __builtin_memcpy(&word, bytes + index, sizeof word);
        any |= word;
    }
    return any == 0;
}

void cerasure_erase(void *place, size_t count) {
    unsigned char *start = place, *end = start + count;
    while (end - start >= stretch && !is_clean(start)) {
        fill(start, 0, stretch);
        start += stretch;
    }
    while (end - start >= stretch && !is_clean(end - stretch)) {
        end -= stretch;
        fill(end, 0, stretch);
    }
    if (end - start < stretch) fill(start, 0, end - start);
}

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

int cerasure_is_used(void) { return 0; }

#else

// The program's definition stands before the C library's, for shared libraries as well: that is how the dynamic linker works, and how
// allocators are replaced.
void *memset(void *place, int byte, size_t count) {
    if (count >= least && byte == 0) {
        const uintptr_t size = atomic_load_explicit(&code_size, memory_order_acquire);
        const uintptr_t start = atomic_load_explicit(&code_start, memory_order_relaxed);
        if ((uintptr_t)__builtin_return_address(0) - start < size) {
            cerasure_erase(place, count);
            return place;
        }
    }
    return fill(place, byte, count);
}

int cerasure_is_used(void) { return dlsym(RTLD_DEFAULT, "memset") == (void *)memset; }

#endif
