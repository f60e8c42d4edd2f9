#include "arguments.h"
#include <stddef.h>

static int count;
static char **values;

// > The GNU C library calls the functions of .init_array with main()'s arguments.
__attribute__((constructor)) static void keep(int argc, char **argv) {
    count = argc;
    values = argv;
}

int cloader_argument_count(void) { return values != NULL && count > 0 ? count : 0; }

const char *cloader_argument(int index) { return index >= 0 && index < cloader_argument_count() ? values[index] : NULL; }
