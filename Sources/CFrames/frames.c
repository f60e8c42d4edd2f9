#define _GNU_SOURCE
#include "frames.h"
#include <dlfcn.h>
#include <stddef.h>

// nghttp2's public structures, as far as they are read: they are part of the interface that its library number (14) stands for.
struct frame_head {
    size_t length;
    int32_t stream;
    uint8_t type;
    uint8_t flags;
    uint8_t reserved;
};

struct data_frame {
    struct frame_head head;
    size_t padding;
};

struct reset_frame {
    struct frame_head head;
    uint32_t error;
};

struct goaway_frame {
    struct frame_head head;
    int32_t last_stream;
    uint32_t error;
};

struct setting {
    int32_t identifier;
    uint32_t value;
};

// RFC 9113 6.
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, GOAWAY = 7 };
enum { END_STREAM = 1 };
enum { INITIAL_WINDOW_SIZE = 4 };

typedef int (*frame_callback)(void *session, const struct frame_head *frame, void *context);
typedef int (*close_callback)(void *session, int32_t stream, uint32_t error, void *context);

static void (*library_set_frame_received)(void *callbacks, frame_callback callback);
static void (*library_set_frame_sent)(void *callbacks, frame_callback callback);
static void (*library_set_closed)(void *callbacks, close_callback callback);
static int (*library_submit_settings)(void *session, uint8_t flags, const struct setting *settings, size_t count);
static int (*library_set_window)(void *session, uint8_t flags, int32_t stream, int32_t size);
static int (*library_update_window)(void *session, uint8_t flags, int32_t stream, int32_t increment);
static void *(*library_request)(void *session, int32_t stream);
static void (*library_delete)(void *session);
static int (*library_consume)(void *session, int32_t stream, size_t count);

// Before any thread: the library's own stand behind the program's.
__attribute__((constructor)) static void find_library_functions(void) {
    *(void **)&library_set_frame_received = dlsym(RTLD_NEXT, "nghttp2_session_callbacks_set_on_frame_recv_callback");
    *(void **)&library_set_frame_sent = dlsym(RTLD_NEXT, "nghttp2_session_callbacks_set_on_frame_send_callback");
    *(void **)&library_set_closed = dlsym(RTLD_NEXT, "nghttp2_session_callbacks_set_on_stream_close_callback");
    *(void **)&library_submit_settings = dlsym(RTLD_NEXT, "nghttp2_submit_settings");
    *(void **)&library_set_window = dlsym(RTLD_NEXT, "nghttp2_session_set_local_window_size");
    *(void **)&library_update_window = dlsym(RTLD_NEXT, "nghttp2_submit_window_update");
    *(void **)&library_request = dlsym(RTLD_NEXT, "nghttp2_session_get_stream_user_data");
    *(void **)&library_consume = dlsym(RTLD_NEXT, "nghttp2_session_consume_stream");
    *(void **)&library_delete = dlsym(RTLD_NEXT, "nghttp2_session_del");
}

// What libcurl has set, the same for all connections.
static _Atomic(frame_callback) curl_frame_received;
static _Atomic(frame_callback) curl_frame_sent;
static _Atomic(close_callback) curl_closed;

static _Thread_local cframes_observer current_observer;
static _Thread_local void *current_context;

void cframes_observe(cframes_observer observer, void *context) {
    current_context = context;
    current_observer = observer;
}

static int report(cframes_event event, void *session, int32_t stream, uint32_t number) {
    if (current_observer == 0) return 0;
    void *request = stream == 0 ? 0 : library_request(session, stream);
    if (stream != 0 && request == 0) return 0;
    return current_observer(current_context, event, session, request, number);
}

static int frame_received(void *session, const struct frame_head *frame, void *context) {
    switch (frame->type) {
        case DATA: {
            const size_t padding = ((const struct data_frame *)frame)->padding;
            report(CFRAMES_DATA, session, frame->stream, (uint32_t)(frame->length - padding));
            if (frame->flags & END_STREAM) report(CFRAMES_END, session, frame->stream, 0);
            break;
        }
        case HEADERS:
            report(CFRAMES_HEAD, session, frame->stream, 0);
            if (frame->flags & END_STREAM) report(CFRAMES_END, session, frame->stream, 0);
            break;
        case RST_STREAM:
            // > RFC 9113 8.1: Clients MUST NOT discard responses as a result of receiving such a RST_STREAM. 7.88 does. That the stream
            // is closed is reported to it all the same.
            if (report(CFRAMES_RESET, session, frame->stream, ((const struct reset_frame *)frame)->error)) return 0;
            break;
        case GOAWAY: report(CFRAMES_GOAWAY, session, 0, ((const struct goaway_frame *)frame)->error); break;
        default: break;
    }
    frame_callback callback = curl_frame_received;
    return callback == 0 ? 0 : callback(session, frame, context);
}

static int frame_sent(void *session, const struct frame_head *frame, void *context) {
    if (frame->type == HEADERS) {
        report(CFRAMES_REQUEST, session, frame->stream, (uint32_t)frame->stream);
    } else if (frame->type == GOAWAY && ((const struct goaway_frame *)frame)->error != 0) {
        report(CFRAMES_VIOLATION, session, 0, ((const struct goaway_frame *)frame)->error);
    }
    frame_callback callback = curl_frame_sent;
    return callback == 0 ? 0 : callback(session, frame, context);
}

static int closed(void *session, int32_t stream, uint32_t error, void *context) {
    if (report(CFRAMES_CLOSED, session, stream, error)) error = 0;
    close_callback callback = curl_closed;
    return callback == 0 ? 0 : callback(session, stream, error, context);
}

// As with recv(): the program's definitions stand before the library's.
void nghttp2_session_callbacks_set_on_frame_recv_callback(void *callbacks, frame_callback callback) {
    curl_frame_received = callback;
    library_set_frame_received(callbacks, frame_received);
    // 7.88 sets none.
    library_set_frame_sent(callbacks, frame_sent);
}

void nghttp2_session_callbacks_set_on_frame_send_callback(void *callbacks, frame_callback callback) {
    curl_frame_sent = callback;
    library_set_frame_sent(callbacks, frame_sent);
}

void nghttp2_session_callbacks_set_on_stream_close_callback(void *callbacks, close_callback callback) {
    curl_closed = callback;
    library_set_closed(callbacks, closed);
}

// > libcurl lets a provider send 32 MiB (7.88) or 10 MiB (8.x) of each response, whether its reader is paused or not.
int nghttp2_submit_settings(void *session, uint8_t flags, const struct setting *settings, size_t count) {
    struct setting ours[8];
    if (count > sizeof ours / sizeof *ours) return library_submit_settings(session, flags, settings, count);
    for (size_t index = 0; index < count; index++) {
        ours[index] = settings[index];
        if (ours[index].identifier == INITIAL_WINDOW_SIZE && ours[index].value > CFRAMES_WINDOW) ours[index].value = CFRAMES_WINDOW;
    }
    return library_submit_settings(session, flags, ours, count);
}

// > Where libcurl sends the updates of windows itself (8.x), a window that is larger again allows nothing by itself: what was consumed
// while it was smaller has not been announced.
static int set_window(void *session, uint8_t flags, int32_t stream, int32_t size) {
    const int result = library_set_window(session, flags, stream, size);
    if (result == 0 && stream != 0 && size > 0 && library_consume != 0) (void)library_consume(session, stream, 0);
    return result;
}

// The stream whose window was last made smaller than libcurl wanted.
static _Thread_local const void *smaller_session;
static _Thread_local int32_t smaller_stream;

// > libcurl sets the window anew whenever it resumes a transfer, be it only its upload.
int nghttp2_session_set_local_window_size(void *session, uint8_t flags, int32_t stream, int32_t size) {
    if (stream != 0 && size > 0 && report(CFRAMES_ALLOWANCE, session, stream, (uint32_t)size)) return 0;
    const int is_smaller = stream != 0 && size > CFRAMES_WINDOW;
    smaller_session = is_smaller ? session : 0;
    smaller_stream = stream;
    return set_window(session, flags, stream, is_smaller ? CFRAMES_WINDOW : size);
}

// 8.x sends the difference as well, although the library has announced the larger window.
int nghttp2_submit_window_update(void *session, uint8_t flags, int32_t stream, int32_t increment) {
    if (smaller_session == session && smaller_stream == stream) {
        smaller_session = 0;
        return 0;
    }
    return library_update_window(session, flags, stream, increment);
}

void nghttp2_session_del(void *session) {
    report(CFRAMES_GONE, session, 0, 0);
    library_delete(session);
}

void cframes_set_window(const void *connection, int32_t stream, int32_t size) {
    (void)set_window((void *)connection, 0, stream, size);
}

int cframes_are_observed(void) {
    return library_set_frame_received != 0 && library_set_closed != 0 && library_request != 0 && library_set_window != 0 &&
           library_delete != 0 &&
           dlsym(RTLD_DEFAULT, "nghttp2_session_del") == (void *)nghttp2_session_del &&
           dlsym(RTLD_DEFAULT, "nghttp2_session_callbacks_set_on_frame_recv_callback") ==
               (void *)nghttp2_session_callbacks_set_on_frame_recv_callback;
}
