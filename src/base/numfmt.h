// Numbers as text, independent of the locale. Nothing is terminated; the length is returned.
#pragma once
#include "base/bytes.h"

// The shortest decimal that reads back as the same double, in JSON's form: 1, 0.1, 1e+21, -0, 5e-324.
// Exponents are used below 1e-6 and from 1e21 on. Infinity: "Infinity", "-Infinity"; "NaN".
int fmt_double(char out[32], double v);
int fmt_i64(char out[32], int64_t v);
int fmt_u64(char out[20], uint64_t v);
// Lower-case hex, two digits a byte; returns 2 * n.
int fmt_hex(char *out, const uint8_t *p, size_t n);

// A whole text as a decimal double (JSON's grammar: -? digits [. digits] [e digits], no spaces, no
// inf/nan). Correctly rounded. False when it is none; out of range gives +-infinity.
bool parse_double(str s, double *ret_v);
// A whole text as a decimal integer; false when it is none or does not fit.
bool parse_i64(str s, int64_t *ret_v);
bool parse_u64(str s, uint64_t *ret_v);
