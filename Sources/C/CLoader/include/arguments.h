// The arguments of main(), which Swift reads in /proc/self/cmdline: where that is missing, there are none.
#pragma once

// How many there are, the program's name among them.
int cloader_argument_count(void);

// One of them; NULL behind the last.
const char *cloader_argument(int index);
