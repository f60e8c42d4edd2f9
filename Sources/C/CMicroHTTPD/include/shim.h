// Parts of libmicrohttpd that Swift cannot import: variadic functions. Its closed enums are passed as integers, since
// a value that this header does not know would be undefined behaviour in Swift.
#pragma once
#include <microhttpd.h>
#include <stdarg.h>
#include <stdint.h>

typedef int (*cmhd_access)(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                           const char *version, const char *upload, size_t *upload_size, void **request);
typedef void *(*cmhd_begin)(void *context, const char *target, struct MHD_Connection *connection);
typedef void (*cmhd_completed)(void *context, struct MHD_Connection *connection, void **request, int reason);
typedef void (*cmhd_connection)(void *context, struct MHD_Connection *connection, void **socket_context, int event);
typedef int (*cmhd_field)(void *context, int kind, const char *name, size_t name_size, const char *value,
                          size_t value_size);
typedef void (*cmhd_log)(void *context, const char *format, va_list arguments);

struct cmhd_settings {
    size_t connection_memory;
    unsigned connection_limit;
    unsigned idle_timeout;
    cmhd_access access;
    cmhd_begin begin;
    cmhd_completed completed;
    cmhd_connection connection;
    cmhd_log log;
    void *context;
    int uses_tls;
};

// Query arguments are not used: only the raw target counts, so nothing is unescaped in place.
static inline size_t cmhd_keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    size_t length = 0;
    while (text[length] != 0) length++;
    return length;
}

// Each connection is given its certificate when it begins and never asks for one, but the library does not start
// without a source.
static inline int cmhd_no_certificate(void) { return -1; }

// One thread runs a daemon. Later versions have a flag for that. Without it, they only queue a client that is handed
// over, which counts as a connection from the next run on, and write to an eventfd whenever a connection is resumed.
#if MHD_VERSION >= 0x00097707
enum { cmhd_single_thread = MHD_USE_NO_THREAD_SAFETY };
#else
enum { cmhd_single_thread = 0 };
#endif

// The fixed configuration in which Weir runs the library: external epoll, no thread of its own, suspend and resume,
// no Date except the one in the fields of each response, and no listening socket (if the system runs out of
// descriptors, 0.9.75 would spin or wait forever). At the lowest strictness it responds to nothing that Weir has
// passed on: at higher levels, a request without Host gets a page of the library; 1.0 does that at level 0 as well,
// where -1 means -3.
static inline struct MHD_Daemon *cmhd_start(const struct cmhd_settings *s) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_SUPPRESS_DATE_NO_CLOCK | cmhd_single_thread |
            (s->uses_tls ? MHD_USE_TLS : 0),
        0, NULL, NULL,
        (MHD_AccessHandlerCallback)s->access, s->context,
        MHD_OPTION_EXTERNAL_LOGGER, (MHD_LogCallback)s->log, s->context,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->connection_memory,
        MHD_OPTION_CONNECTION_LIMIT, s->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, s->idle_timeout,
        MHD_OPTION_STRICT_FOR_CLIENT, -1,
        MHD_OPTION_URI_LOG_CALLBACK, (void *(*)(void *, const char *, struct MHD_Connection *))s->begin, s->context,
        MHD_OPTION_UNESCAPE_CALLBACK, cmhd_keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, (MHD_RequestCompletedCallback)s->completed, s->context,
        MHD_OPTION_NOTIFY_CONNECTION, (MHD_NotifyConnectionCallback)s->connection, s->context,
        s->uses_tls ? MHD_OPTION_HTTPS_CERT_CALLBACK2 : MHD_OPTION_END, (void *)cmhd_no_certificate,
        MHD_OPTION_END);
}

// Hands a connected client over: its socket belongs to the daemon, which closes it if it cannot serve it. Addresses
// are passed as bytes, because their types would belong to this module in Swift.
static inline int cmhd_add(struct MHD_Daemon *daemon, int client, const void *address, unsigned size) {
    return MHD_add_connection(daemon, client, (const struct sockaddr *)address, size) == MHD_YES;
}

static inline int cmhd_epoll_fd(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info == NULL ? -1 : info->epoll_fd;
}

static inline int cmhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

// After how many seconds without a byte the library closes the connection; 0: never.
static inline void cmhd_set_timeout(struct MHD_Connection *connection, unsigned seconds) {
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

// GnuTLS's session; NULL without TLS.
static inline void *cmhd_tls_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info == NULL ? NULL : (void *)info->tls_session;
}

// Whether the library has nothing to do for a connection until it is resumed.
static inline int cmhd_is_suspended(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);
    return info != 0 && info->suspended == MHD_YES;
}

// Whether the request has a response, possibly one of the library's own.
static inline int cmhd_is_answered(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS) != NULL;
}

static inline size_t cmhd_head_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

static inline int cmhd_each_field(struct MHD_Connection *connection, cmhd_field function, void *context) {
    return MHD_get_connection_values_n(connection, MHD_HEADER_KIND, (MHD_KeyValueIteratorN)function, context);
}

static inline int cmhd_queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    return MHD_queue_response(connection, status, response) == MHD_YES;
}

static inline struct MHD_Response *cmhd_buffer_response(size_t size, void *bytes) {
    return MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_PERSISTENT);
}

// Enumerators of closed enums, as integers.
static const int CMHD_COMPLETED_OK = MHD_REQUEST_TERMINATED_COMPLETED_OK;
static const int CMHD_CONNECTION_STARTED = MHD_CONNECTION_NOTIFY_STARTED;
