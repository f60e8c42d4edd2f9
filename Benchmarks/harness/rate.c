// Asks for one path at a constant rate, whatever becomes of the answers, and tells the latencies as one line of JSON.
//
//   rate PORT PATH REQUESTS-PER-SECOND SECONDS CONNECTIONS AUTHORIZATION
//
// A request's latency runs from the moment at which it was due to the last byte of its answer. When no connection is free it waits
// for one, and that counts: whoever is slow cannot hide it by making the load wait.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { connections_limit = 512, room = 16384 };

struct connection {
    int socket;
    size_t length;
    int64_t due;
    char bytes[room + 1];
};

static struct connection connections[connections_limit];

static void fail(const char *what) {
    fprintf(stderr, "rate: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int ascending(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, it = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (it < 0 || connect(it, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(it, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return it;
}

// Whether the answer that was read so far is whole: its head, and as many bytes as its Content-Length says.
static int is_whole(struct connection *it) {
    it->bytes[it->length] = 0;
    char *end = strstr(it->bytes, "\r\n\r\n"), *field = strcasestr(it->bytes, "\r\ncontent-length:");
    if (!end) return 0;
    if (!field || field > end) fail("an answer without Content-Length");
    return it->length >= (size_t)(end + 4 - it->bytes) + strtoul(field + 17, NULL, 10);
}

int main(int count, char **words) {
    if (count != 7) return 64;
    int port = atoi(words[1]), width = atoi(words[5]);
    double rate = atof(words[3]);
    size_t total = (size_t)(rate * atof(words[4])), begun = 0, over = 0, waited = 0, good = 0;
    if (width < 1 || width > connections_limit || total < 1) return 64;
    prctl(PR_SET_TIMERSLACK, 1);

    static char request[2048];
    size_t request_length = snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n\r\n", words[2], words[6]);
    int64_t *latencies = calloc(total, sizeof *latencies);
    int *idle = calloc(width, sizeof *idle), idle_count = 0, events = epoll_create1(EPOLL_CLOEXEC);
    for (int index = 0; index < width; index++) {
        connections[index].socket = dial(port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
        epoll_ctl(events, EPOLL_CTL_ADD, connections[index].socket, &event);
        idle[idle_count++] = index;
    }

    int64_t start = now() + 20000000, end = start + (int64_t)(total / rate * 1e9) + INT64_C(10000000000);
    while (over < total && now() < end) {
        // Those that are due, as long as connections are free.
        int64_t due = start + (int64_t)(begun * 1e9 / rate), moment = now();
        while (begun < total && idle_count > 0 && due <= moment) {
            struct connection *it = &connections[idle[--idle_count]];
            it->length = 0;
            it->due = due;
            if (send(it->socket, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) fail("send");
            begun++;
            due = start + (int64_t)(begun * 1e9 / rate);
        }
        if (begun < total && idle_count == 0 && due <= moment) waited++;
        int64_t rest = idle_count > 0 && begun < total ? due - now() : 100000000;
        struct timespec patience = {.tv_nsec = rest > 0 ? rest : 0};
        struct epoll_event ready[64];
        int number = epoll_pwait2(events, ready, 64, &patience, NULL);
        for (int index = 0; index < number; index++) {
            struct connection *it = &connections[ready[index].data.u32];
            ssize_t got = recv(it->socket, it->bytes + it->length, room - it->length, 0);
            if (got <= 0) fail("an answer that broke off");
            it->length += got;
            if (!is_whole(it)) continue;
            good += !strncmp(it->bytes, "HTTP/1.1 200", 12);
            latencies[over++] = now() - it->due;
            idle[idle_count++] = ready[index].data.u32;
        }
    }
    qsort(latencies, over, sizeof *latencies, ascending);
    printf("{\"requests\":%zu,\"missing\":%zu,\"not_ok\":%zu,\"waited\":%zu", over, total - over, over - good, waited);
    const double shares[] = {.5, .99, .999};
    const char *names[] = {"p50", "p99", "p999"};
    for (int index = 0; index < 3; index++)
        printf(",\"%s\":%.1f", names[index], over ? latencies[(size_t)((over - 1) * shares[index])] / 1e3 : 0);
    printf("}\n");
    return 0;
}
