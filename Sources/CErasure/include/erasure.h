// Lets a library that fills memory with zeros again and again write only where there is something else.
#pragma once
#include <stddef.h>

// From now on, zeros that the shared library which defines `function` writes over a large place with memset() are written from both of
// its ends, as far as the first stretch that is all zeros already; what stands between two such stretches stays. For a library to
// which that memory is as good as uninitialised. Nothing changes where there is no such library.
void cerasure_spare(const char *function);
// How such zeros are written.
void cerasure_erase(void *place, size_t count);
// Whether shared libraries get this program's memset(); not with a sanitizer, which needs its own.
int cerasure_is_used(void);
