#define _GNU_SOURCE
#include "receive.h"
#include <dlfcn.h>
#include <gnutls/gnutls.h>

typedef ssize_t (*record_receiver)(gnutls_session_t session, void *bytes, size_t room);

typedef int (*handshake)(gnutls_session_t session);

static _Thread_local creceive_record_reader current_reader;
static _Thread_local creceive_handshaker current_handshaker;
static _Thread_local void *current_context;
static record_receiver library_receiver;
static handshake library_handshake;

// Before any thread: the library's own stands behind the program's.
__attribute__((constructor)) static void find_library_functions(void) {
    library_receiver = (record_receiver)dlsym(RTLD_NEXT, "gnutls_record_recv");
    library_handshake = (handshake)dlsym(RTLD_NEXT, "gnutls_handshake");
}

void creceive_begin_records(creceive_record_reader reader, creceive_handshaker handshaker, void *context) {
    current_context = context;
    current_reader = reader;
    current_handshaker = handshaker;
}

void creceive_end_records(void) {
    current_reader = 0;
    current_handshaker = 0;
}

ssize_t creceive_record(void *session, void *bytes, size_t room) {
    return library_receiver == 0 ? GNUTLS_E_INTERNAL_ERROR : library_receiver(session, bytes, room);
}

// As with recv(): the program's definition stands before the library's.
ssize_t gnutls_record_recv(gnutls_session_t session, void *bytes, size_t room) {
    creceive_record_reader reader = current_reader;
    if (reader == 0) return creceive_record(session, bytes, room);
    return reader(current_context, session, gnutls_transport_get_int(session), bytes, room);
}

int creceive_handshake(void *session) {
    return library_handshake == 0 ? GNUTLS_E_INTERNAL_ERROR : library_handshake(session);
}

int gnutls_handshake(gnutls_session_t session) {
    creceive_handshaker handshaker = current_handshaker;
    if (handshaker == 0) return creceive_handshake(session);
    return handshaker(current_context, session, gnutls_transport_get_int(session));
}

int creceive_records_are_used(void) {
    return library_receiver != 0 && dlsym(RTLD_DEFAULT, "gnutls_record_recv") == (void *)gnutls_record_recv && library_handshake != 0 &&
           dlsym(RTLD_DEFAULT, "gnutls_handshake") == (void *)gnutls_handshake;
}
