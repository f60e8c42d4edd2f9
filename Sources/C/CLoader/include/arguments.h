// The arguments of main(), which Swift reads from /proc/self/cmdline; without /proc it has none.
#pragma once

// Their number, including the program's name.
int cloader_argument_count(void);

// One argument; NULL after the last.
const char *cloader_argument(int index);
