// Reports the HTTP/2 frames that libcurl receives and sends, which it passes to its callers only in part, or not at
// all.
#pragma once
#include <stdint.h>

typedef enum {
    // The head of a request was sent; with the number of its stream, 1 for the first one of a connection.
    CFRAMES_REQUEST = 0,
    // The head of a response or an interim response, or trailers, was received.
    CFRAMES_HEAD = 1,
    // A DATA frame was received; with the number of body bytes in it.
    CFRAMES_DATA = 2,
    // The peer has ended its side of the stream: the response is complete.
    CFRAMES_END = 3,
    // RST_STREAM was received; with its error code.
    CFRAMES_RESET = 4,
    // The stream is closed; with its error code. REFUSED_STREAM if GOAWAY excluded it.
    CFRAMES_CLOSED = 5,
    // GOAWAY was received for the whole connection; with its error code.
    CFRAMES_GOAWAY = 6,
    // GOAWAY was sent with an error for the whole connection: the peer has violated the protocol.
    CFRAMES_VIOLATION = 7,
    // The connection is abandoned, with all its state.
    CFRAMES_GONE = 8,
    // libcurl is about to let the provider send more of a response; with the number of bytes ahead of its reader.
    CFRAMES_ALLOWANCE = 9,
    // The status in a head; 0 if it is invalid.
    CFRAMES_STATUS = 10,
    // The length of the body that a head declares. CFRAMES_NO_LENGTH for several or malformed lengths, and for one
    // that does not fit.
    CFRAMES_LENGTH = 11,
} cframes_event;

#define CFRAMES_NO_LENGTH UINT32_MAX

// Receives an event. `request` is the library's user data of the stream, libcurl's easy handle, or NULL for an event
// of the whole connection; `connection` identifies the connection. For CFRAMES_RESET and CFRAMES_CLOSED, returns
// whether the response is complete: then no error is passed to the library. For CFRAMES_ALLOWANCE, returns whether
// the increase must be withheld from the provider.
typedef int (*cframes_observer)(void *context, cframes_event event, const void *connection, void *request, uint32_t number);

// Reports the events of this thread to `observer` from now on; to none if it is NULL.
void cframes_observe(cframes_observer observer, void *context);
// Whether libcurl uses the functions that report events.
int cframes_are_observed(void);
// The maximum number of response bytes that a provider may send ahead of its reader, instead of the library's 32 MiB.
#define CFRAMES_WINDOW (1 << 20)
// Changes how many bytes of a response the provider may send ahead. Bytes that it was allowed to send before may
// still arrive. Only while the connection exists.
void cframes_set_window(const void *connection, int32_t stream, int32_t size);
