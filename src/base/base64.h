// Base64 (RFC 4648): written in the standard alphabet with padding; read in the standard or the URL
// alphabet, padded or not, as proto3's JSON mapping asks. White space is refused.
#pragma once
#include "base/bytes.h"

static inline size_t base64_encoded_len(size_t n) { return (n + 2) / 3 * 4; }
// Upper bound of what base64_decode() writes for a text of n characters.
static inline size_t base64_decoded_max(size_t n) { return n / 4 * 3 + 3; }

// out: room for base64_encoded_len(n) characters; no NUL is written.
void base64_encode(char *out, const void *p, size_t n);
// out: room for base64_decoded_max(s.len) bytes. False (*ret_n untouched) when s is malformed.
bool base64_decode(void *out, str s, size_t *ret_n);
