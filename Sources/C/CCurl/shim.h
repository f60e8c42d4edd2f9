// Parts of libcurl that Swift cannot import: variadic functions, with one shim per type of argument, and a union.
#pragma once
#include <curl/curl.h>

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

// For options that take a pointer, such as a string; the option determines whether libcurl copies it.
static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*ccurl_io)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode ccurl_set_io(CURL *handle, CURLoption option, ccurl_io function) {
    return curl_easy_setopt(handle, option, function);
}

typedef curl_socket_t (*ccurl_open_socket)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
static inline CURLcode ccurl_set_open_socket(CURL *handle, ccurl_open_socket function) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
}

typedef int (*ccurl_close_socket)(void *context, curl_socket_t socket);
static inline CURLcode ccurl_set_close_socket(CURL *handle, ccurl_close_socket function) {
    return curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, function);
}

typedef int (*ccurl_prereq)(void *context, char *remote, char *local, int remote_port, int local_port);
static inline CURLcode ccurl_set_prereq(CURL *handle, ccurl_prereq function) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}

typedef int (*ccurl_socket)(CURL *handle, curl_socket_t socket, int what, void *context, void *socket_context);
static inline CURLMcode ccurl_multi_set_socket(CURLM *multi, ccurl_socket function) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}

typedef int (*ccurl_timer)(CURLM *multi, long milliseconds, void *context);
static inline CURLMcode ccurl_multi_set_timer(CURLM *multi, ccurl_timer function) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
}

static inline CURLSHcode ccurl_share_set_data(CURLSH *share, curl_lock_data data) {
    return curl_share_setopt(share, CURLSHOPT_SHARE, data);
}

static inline void *ccurl_private(CURL *handle) {
    void *context = NULL;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &context);
    return context;
}

static inline long ccurl_info_long(CURL *handle, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

static inline curl_off_t ccurl_info_offset(CURL *handle, CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

// A text that belongs to the handle; NULL if there is none.
static inline const char *ccurl_info_text(CURL *handle, CURLINFO info) {
    char *text = NULL;
    return curl_easy_getinfo(handle, info, &text) == CURLE_OK ? text : NULL;
}

// The certificates of the handle's last handshake, which belong to it; NULL if there are none.
static inline const struct curl_certinfo *ccurl_certificates(CURL *handle) {
    struct curl_certinfo *chain = NULL;
    return curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) == CURLE_OK ? chain : NULL;
}

static inline int ccurl_active_socket(CURL *handle) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &socket);
    return (int)socket;
}

static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

// The SSL object of the handle's connection; NULL if OpenSSL is not used.
static inline const void *ccurl_openssl_session(CURL *handle) {
    struct curl_tlssessioninfo *info = NULL;
    if (curl_easy_getinfo(handle, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL) return NULL;
    return info->backend == CURLSSLBACKEND_OPENSSL ? info->internals : NULL;
}

typedef int (*ccurl_progress)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
static inline CURLcode ccurl_set_progress(CURL *handle, ccurl_progress function) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, function);
}

typedef int (*ccurl_debug)(CURL *handle, curl_infotype type, char *bytes, size_t count, void *context);
static inline CURLcode ccurl_set_debug(CURL *handle, ccurl_debug function) {
    return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, function);
}
