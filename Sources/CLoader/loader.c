#define _GNU_SOURCE
#include "loader.h"
#include <link.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

// What the loader relocated, and then protected, lies in writable segments and is left alone.
static int release_object(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    (void)context;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
        const uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        const uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        // Refused for what is no file's, such as the kernel's own object: that is no matter.
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void cloader_release_pages(void) { dl_iterate_phdr(release_object, NULL); }
