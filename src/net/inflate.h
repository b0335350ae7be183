// Content codings of bodies: gzip, deflate, zstd, br in; gzip out. One shot: whole body in, whole body
// out, never more than the cap, whatever the input claims. Runs on workers.
#pragma once
#include "base/buf.h"
#include "base/bytes.h"

// What RFC 8878 asks decoders to support, and more than any sender of telemetry uses: a bigger window
// would let a small body claim a lot of memory.
enum { NET_ZSTD_WINDOW_LOG_MAX = 23 };

enum net_coding { NET_CODING_IDENTITY, NET_CODING_GZIP, NET_CODING_DEFLATE, NET_CODING_ZSTD, NET_CODING_BROTLI };

// Of a Content-Encoding (or grpc-encoding) value: one coding, without case; empty is identity.
// ERR_UNSUPPORTED for others and for lists.
int net_coding_of(str value, enum net_coding *ret);
// Appends to out, whose max is the cap. ERR_LIMIT: would be longer; ERR_MALFORMED: not of that
// coding, damaged or cut; ERR_NOMEM.
int net_inflate(enum net_coding coding, bytes in, struct buf *out);
// What the body begins with: at most `room` bytes, at the cost of those alone, whatever stands behind them. Less than the
// body when it is cut there. ERR_MALFORMED: damaged before that, ERR_NOMEM; ret_n is then left alone.
int net_inflate_head(enum net_coding coding, bytes in, uint8_t *out, size_t room, size_t *ret_n);
// gzip, appended to out. ERR_LIMIT when it would not fit out's max (then it did not pay).
int net_deflate_gzip(bytes in, struct buf *out);
