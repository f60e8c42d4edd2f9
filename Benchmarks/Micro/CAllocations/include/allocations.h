#pragma once
#include <stddef.h>

/// How many blocks this thread has asked the allocator for.
size_t allocations_made(void);

/// How many bytes are in use.
size_t allocations_held(void);
