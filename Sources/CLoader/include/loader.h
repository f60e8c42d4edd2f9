// What Swift's Glibc module lacks of the dynamic loader: the segments of the program and its libraries.
#pragma once

// Takes the pages of all read-only segments out of memory; what is needed again is mapped from the file's cache.
void cloader_release_pages(void);
