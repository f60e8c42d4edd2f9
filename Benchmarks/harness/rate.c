// Asks each of some servers at a constant rate, whatever becomes of the answers, and tells the latencies as one line of JSON: a list, with
// what each server came to.
//
//   rate REQUESTS-PER-SECOND SECONDS CONNECTIONS AUTHORIZATION FILE PORT PATH [PORT PATH ...]
//
// All latencies go to FILE, server by server, in the order in which requests were due: nanoseconds in 64 bits, 0 for one without an answer.
// Rate and connections are those of each. Several servers take turns, request by request, in an order that is drawn by lot each time: whatever
// else the machine does, it does to all of them.
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

enum { connections_limit = 512, targets_limit = 8, room = 16384 };

struct target {
    char request[2048];
    size_t request_length;
    int *idle, idle_count;
    int64_t *latencies;
    size_t begun, over, waited, good;
};

struct connection {
    int socket;
    struct target *target;
    size_t length, number;
    int64_t due;
    char bytes[room + 1];
};

static struct connection connections[connections_limit];
static struct target targets[targets_limit];

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

// Puts `order` into another one.
static void shuffle(int *order, int count) {
    static uint64_t state = 88172645463325252;
    for (int index = count - 1; index > 0; index--) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        int other = state % (index + 1), kept = order[index];
        order[index] = order[other];
        order[other] = kept;
    }
}

static void report(struct target *it, size_t total) {
    qsort(it->latencies, total, sizeof *it->latencies, ascending);
    // Those without an answer come first.
    int64_t *latencies = it->latencies + total - it->over;
    printf("{\"requests\":%zu,\"missing\":%zu,\"not_ok\":%zu,\"waited\":%zu", it->over, total - it->over, it->over - it->good, it->waited);
    const double shares[] = {.5, .99, .999};
    const char *names[] = {"p50", "p99", "p999"};
    for (int index = 0; index < 3; index++)
        printf(",\"%s\":%.1f", names[index], it->over ? latencies[(size_t)((it->over - 1) * shares[index])] / 1e3 : 0);
    printf("}");
}

int main(int count, char **words) {
    int width = count > 3 ? atoi(words[3]) : 0, target_count = (count - 6) / 2, order[targets_limit];
    if (target_count < 1 || target_count > targets_limit || count != 6 + 2 * target_count) return 64;
    if (width < 1 || width * target_count > connections_limit) return 64;
    double rate = atof(words[1]);
    const size_t each = (size_t)(rate * atof(words[2])), total = each * target_count;
    if (each < 1) return 64;
    prctl(PR_SET_TIMERSLACK, 1);

    int events = epoll_create1(EPOLL_CLOEXEC);
    for (int number = 0; number < target_count; number++) {
        struct target *it = &targets[number];
        order[number] = number;
        it->request_length = snprintf(
            it->request, sizeof it->request, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n\r\n", words[7 + 2 * number], words[4]);
        it->latencies = calloc(each, sizeof *it->latencies);
        it->idle = calloc(width, sizeof *it->idle);
        for (int index = number * width; index < (number + 1) * width; index++) {
            connections[index].socket = dial(atoi(words[6 + 2 * number]));
            connections[index].target = it;
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
            epoll_ctl(events, EPOLL_CTL_ADD, connections[index].socket, &event);
            it->idle[it->idle_count++] = index;
        }
    }

    rate *= target_count;
    size_t begun = 0, over = 0;
    int64_t start = now() + 20000000, end = start + (int64_t)(total / rate * 1e9) + INT64_C(10000000000);
    while (over < total && now() < end) {
        // Those that are due, as long as the connections of the next one are free.
        int64_t due = start + (int64_t)(begun * 1e9 / rate), moment = now();
        struct target *next = &targets[order[begun % target_count]];
        while (begun < total && next->idle_count > 0 && due <= moment) {
            struct connection *it = &connections[next->idle[--next->idle_count]];
            it->length = 0;
            it->due = due;
            it->number = next->begun++;
            if (send(it->socket, next->request, next->request_length, MSG_NOSIGNAL) != (ssize_t)next->request_length) fail("send");
            if (++begun % target_count == 0) shuffle(order, target_count);
            next = &targets[order[begun % target_count]];
            due = start + (int64_t)(begun * 1e9 / rate);
        }
        if (begun < total && next->idle_count == 0 && due <= moment) next->waited++;
        int64_t rest = next->idle_count > 0 && begun < total ? due - now() : 100000000;
        struct timespec patience = {.tv_nsec = rest > 0 ? rest : 0};
        struct epoll_event ready[64];
        int number = epoll_pwait2(events, ready, 64, &patience, NULL);
        for (int index = 0; index < number; index++) {
            struct connection *it = &connections[ready[index].data.u32];
            ssize_t got = recv(it->socket, it->bytes + it->length, room - it->length, 0);
            if (got <= 0) fail("an answer that broke off");
            it->length += got;
            if (!is_whole(it)) continue;
            it->target->good += !strncmp(it->bytes, "HTTP/1.1 200", 12);
            it->target->latencies[it->number] = now() - it->due;
            it->target->over++;
            it->target->idle[it->target->idle_count++] = ready[index].data.u32;
            over++;
        }
    }
    FILE *file = fopen(words[5], "w");
    if (!file) fail(words[5]);
    for (int number = 0; number < target_count; number++)
        if (fwrite(targets[number].latencies, sizeof(int64_t), each, file) != each) fail(words[5]);
    if (fclose(file)) fail(words[5]);
    for (int number = 0; number < target_count; number++) {
        printf(number == 0 ? "[" : ",");
        report(&targets[number], each);
    }
    printf("]\n");
    return 0;
}
