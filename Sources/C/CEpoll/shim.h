// What Swift's Glibc module lacks: epoll, eventfd, and the GNU name of a thread.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

static inline int cepoll_name_thread(const char *name) { return prctl(PR_SET_NAME, name); }
