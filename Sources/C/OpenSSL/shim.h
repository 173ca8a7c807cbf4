#pragma once
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <openssl/rand.h>
#include <openssl/hmac.h>
#include <openssl/evp.h>
#include <openssl/params.h>

// What Swift cannot import: macros with parameters, and constants that are casts or shifts.

// A context for codes under one key. A list of parameters is written in place, and ends with one by value.
static inline EVP_MAC_CTX *hopspan_HMAC_SHA256_new(const unsigned char *key, size_t length) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0), OSSL_PARAM_construct_end()};
    if (context && !EVP_MAC_init(context, key, length, parameters)) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(mac);
    return context;
}

// SSL_CTX_ctrl behind a macro with parameters.
static inline int hopspan_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

// SSL_CTX_ctrl behind a macro with parameters.
static inline int hopspan_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}

// SSL_CTX_ctrl behind a macro with parameters.
static inline void hopspan_SSL_CTX_set_mode(SSL_CTX *context, long modes) {
    SSL_CTX_set_mode(context, modes);
}

// SSL_CTX_ctrl behind a macro with parameters.
static inline void hopspan_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}

// SSL_CTX_ctrl behind a macro with parameters.
static inline void hopspan_SSL_CTX_set_read_ahead(SSL_CTX *context, long on) {
    SSL_CTX_set_read_ahead(context, on);
}

// SSL_ctrl behind a macro with parameters. The name is copied.
static inline int hopspan_SSL_set_tlsext_host_name(SSL *connection, const char *name) {
    return (int)SSL_set_tlsext_host_name(connection, (void *)name);
}

// The SSL_OP_ constants are shifts by a macro with a parameter.
static inline uint64_t hopspan_SSL_OP_NO_RENEGOTIATION(void) {
    return SSL_OP_NO_RENEGOTIATION;
}
