// Parts of GnuTLS, the TLS library of libmicrohttpd, for Swift: structures with pointers and lengths, and enums.
#pragma once
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

// Negative if the two are not PEM, or do not match.
static inline int cgnutls_set_certificate(gnutls_certificate_credentials_t credentials, const char *certificate,
                                          size_t certificate_size, const char *key, size_t key_size) {
    gnutls_datum_t chain = {(unsigned char *)certificate, (unsigned)certificate_size};
    gnutls_datum_t secret = {(unsigned char *)key, (unsigned)key_size};
    return gnutls_certificate_set_x509_key_mem(credentials, &chain, &secret, GNUTLS_X509_FMT_PEM);
}

// Sets the credentials of a session; the last call counts.
static inline int cgnutls_use_certificate(gnutls_session_t session, gnutls_certificate_credentials_t credentials) {
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
}

// The number of authorities in `pem` that sign the certificates of clients; negative if it is not PEM.
static inline int cgnutls_trust(gnutls_certificate_credentials_t credentials, const char *pem, size_t size) {
    gnutls_datum_t authorities = {(unsigned char *)pem, (unsigned)size};
    return gnutls_certificate_set_x509_trust_mem(credentials, &authorities, GNUTLS_X509_FMT_PEM);
}

// The handshake fails without a certificate for clients from a trusted authority.
static inline void cgnutls_require_client_certificate(gnutls_session_t session) {
    static gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert2(session, &purpose, 1, 0);
}

// Tells the client that its certificate is missing or not accepted, if that is what ended the handshake.
static inline void cgnutls_report_certificate(gnutls_session_t session, int result) {
    switch (result) {
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
    case GNUTLS_E_CERTIFICATE_REQUIRED:
    case GNUTLS_E_CERTIFICATE_ERROR:
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR: gnutls_alert_send_appropriate(session, result);
    }
}

static inline int cgnutls_say_goodbye(gnutls_session_t session) { return gnutls_bye(session, GNUTLS_SHUT_WR); }

// `digest` has 32 bytes.
static inline int cgnutls_hmac_sha256(const void *key, size_t key_size, const void *text, size_t size, void *digest) {
    return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_size, text, size, digest);
}

static inline int cgnutls_is_interrupted(ssize_t result) {
    return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
}

static const ssize_t CGNUTLS_AGAIN = GNUTLS_E_AGAIN;
static const ssize_t CGNUTLS_PUSH_ERROR = GNUTLS_E_PUSH_ERROR;

// What a certificate says of itself.
typedef struct {
    time_t begins, ends;
    char subject[256], issuer[256];
} cgnutls_certificate;

// Reads the certificate at `index` of a PEM text; negative if there is none.
static inline int cgnutls_read_certificate(const char *pem, size_t size, unsigned index, cgnutls_certificate *found) {
    gnutls_datum_t text = {(unsigned char *)pem, (unsigned)size};
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    int status = gnutls_x509_crt_list_import2(&chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);
    if (status < 0) return status;
    status = index < count ? 0 : GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    if (status == 0) {
        size_t subject = sizeof found->subject, issuer = sizeof found->issuer;
        found->begins = gnutls_x509_crt_get_activation_time(chain[index]);
        found->ends = gnutls_x509_crt_get_expiration_time(chain[index]);
        if (gnutls_x509_crt_get_dn_by_oid(chain[index], GNUTLS_OID_X520_COMMON_NAME, 0, 0, found->subject, &subject) < 0)
            found->subject[0] = 0;
        if (gnutls_x509_crt_get_issuer_dn_by_oid(chain[index], GNUTLS_OID_X520_COMMON_NAME, 0, 0, found->issuer,
                                                 &issuer) < 0)
            found->issuer[0] = 0;
    }
    for (unsigned place = 0; place < count; place++) gnutls_x509_crt_deinit(chain[place]);
    gnutls_free(chain);
    return status;
}
