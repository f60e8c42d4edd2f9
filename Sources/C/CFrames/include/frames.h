// Shows which frames of HTTP/2 libcurl receives and sends: what they say of a stream reaches its callers only in part, or not at all.
#pragma once
#include <stdint.h>

typedef enum {
    // The head of a request was sent; the number of its stream, 1 for the first one of a connection.
    CFRAMES_REQUEST = 0,
    // The head of a response was received, or of an interim one, or trailers.
    CFRAMES_HEAD = 1,
    // A DATA frame was received; its number is how many bytes of the body were in it.
    CFRAMES_DATA = 2,
    // The peer has ended its side of the stream: the response is complete.
    CFRAMES_END = 3,
    // RST_STREAM was received; its error code.
    CFRAMES_RESET = 4,
    // The stream is closed; its error code. REFUSED_STREAM if GOAWAY excluded it.
    CFRAMES_CLOSED = 5,
    // GOAWAY was received, for the whole connection; its error code.
    CFRAMES_GOAWAY = 6,
    // GOAWAY was sent with an error, for the whole connection: the peer has violated the protocol.
    CFRAMES_VIOLATION = 7,
    // The connection is given up, with all that was known of it.
    CFRAMES_GONE = 8,
    // libcurl is about to let the provider send more of a response; how many bytes ahead of its reader.
    CFRAMES_ALLOWANCE = 9,
    // The status in a head; 0 if it is none.
    CFRAMES_STATUS = 10,
    // The length of the body that a head announces. Of several or malformed ones, and of one that does not fit, CFRAMES_NO_LENGTH.
    CFRAMES_LENGTH = 11,
} cframes_event;

#define CFRAMES_NO_LENGTH UINT32_MAX

// Is told of an event. `request` is what the library keeps with the stream, libcurl's easy handle, or NULL for an event of the whole
// connection; `connection` identifies the connection. For CFRAMES_RESET and CFRAMES_CLOSED, returns whether the response is complete:
// then the library does not hear of an error. For CFRAMES_ALLOWANCE, returns whether the provider may not.
typedef int (*cframes_observer)(void *context, cframes_event event, const void *connection, void *request, uint32_t number);

// From now on, what happens on this thread is reported to `observer`; to none with NULL.
void cframes_observe(cframes_observer observer, void *context);
// Whether libcurl uses the functions that report events.
int cframes_are_observed(void);
// The most bytes of a response that its provider may send ahead of its reader, where the library lets it send 32 MiB.
#define CFRAMES_WINDOW (1 << 20)
// Lets the provider send as many bytes of a response ahead from now on. What it was allowed before may still arrive. Only while the
// connection is there.
void cframes_set_window(const void *connection, int32_t stream, int32_t size);
