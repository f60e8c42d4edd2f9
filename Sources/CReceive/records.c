#define _GNU_SOURCE
#include "receive.h"
#include <dlfcn.h>
#include <gnutls/gnutls.h>

typedef ssize_t (*record_receiver)(gnutls_session_t session, void *bytes, size_t room);

typedef ssize_t (*record_sender)(gnutls_session_t session, const void *bytes, size_t count);

typedef int (*handshake)(gnutls_session_t session);

static _Thread_local creceive_record_reader current_reader;
static _Thread_local creceive_handshaker current_handshaker;
static _Thread_local void *current_context;
static _Thread_local creceive_record_sender current_sender;
static _Thread_local void *current_sender_context;
static record_receiver library_receiver;
static record_sender library_sender;
static handshake library_handshake;

// Before any thread: the library's own stands behind the program's.
__attribute__((constructor)) static void find_library_functions(void) {
    library_receiver = (record_receiver)dlsym(RTLD_NEXT, "gnutls_record_recv");
    library_sender = (record_sender)dlsym(RTLD_NEXT, "gnutls_record_send");
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

void creceive_divert_records(creceive_record_sender sender, void *context) {
    current_sender_context = context;
    current_sender = sender;
}

ssize_t creceive_send_record(void *session, const void *bytes, size_t count) {
    return library_sender == 0 ? GNUTLS_E_INTERNAL_ERROR : library_sender(session, bytes, count);
}

ssize_t gnutls_record_send(gnutls_session_t session, const void *bytes, size_t count) {
    creceive_record_sender sender = current_sender;
    if (sender == 0) return creceive_send_record(session, bytes, count);
    return sender(current_sender_context, session, gnutls_transport_get_int(session), bytes, count);
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
    return library_receiver != 0 && dlsym(RTLD_DEFAULT, "gnutls_record_recv") == (void *)gnutls_record_recv && library_sender != 0 &&
           dlsym(RTLD_DEFAULT, "gnutls_record_send") == (void *)gnutls_record_send && library_handshake != 0 &&
           dlsym(RTLD_DEFAULT, "gnutls_handshake") == (void *)gnutls_handshake;
}
