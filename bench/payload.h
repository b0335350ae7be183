// Prebuilt OTLP requests. They are made once, before the clock runs; each further round patches
// ids and times in place, so that no record is ever sent twice and sending costs next to nothing.
#pragma once
#include "base/pb.h"

enum payload_encoding { PAYLOAD_IDENTITY, PAYLOAD_GZIP, PAYLOAD_ZSTD };

// Where 8 bytes (of a hexadecimal id: 16 digits) of a payload change from round to round: offset << 2 | operation.
enum payload_patch_op { PATCH_ID, PATCH_TIME, PATCH_HEX };
enum { PATCH_SHIFT = 2 };

struct payload {
    uint8_t *data;
    uint32_t len, records;
    uint32_t *patches;
    uint32_t patch_count;
    uint32_t round; // that its ids and times belong to
    bool busy;      // in flight: must not be patched
};

struct payload_set {
    struct payload *items;
    size_t count, cap;
    uint64_t records, bytes, raw_bytes; // raw: before compression
    int64_t span_ns;                    // of event time that the set covers
    uint64_t run_key;                   // ids of this run
};

// Bytes with the places to patch in them, offsets from the start of the bytes.
struct fragment {
    struct buf bytes;
    uint32_t *patches;
    size_t patch_count, patch_cap;
    uint32_t records;
};

void fragment_init(struct fragment *f);
void fragment_clear(struct fragment *f);
void fragment_free(struct fragment *f);
// The next 8 bytes appended to f->bytes are to be patched.
void fragment_patch_here(struct fragment *f, enum payload_patch_op op);
// Appends all of src as field `field` (length-delimited) of dst; its patches move along. A record is counted where it was made.
void fragment_nest(struct fragment *dst, uint32_t field, const struct fragment *src);

void payload_set_init(struct payload_set *set, uint64_t run_key);
void payload_set_free(struct payload_set *set);
// Copies what f holds as one request (compressed ones cannot be patched: one round only).
void payload_set_add(struct payload_set *set, const struct fragment *f, enum payload_encoding encoding);
// Moves ids and times of the payload to a round (0: as built). Only forward.
void payload_to_round(const struct payload_set *set, struct payload *p, uint32_t round);
// What ids are xored with in a round.
uint64_t payload_round_key(const struct payload_set *set, uint32_t round);

// KeyValue as field `field` of the message.
void attr_put_str(struct buf *b, uint32_t field, str key, str value);
void attr_put_int(struct buf *b, uint32_t field, str key, int64_t value);
void attr_put_double(struct buf *b, uint32_t field, str key, double value);
void attr_put_bool(struct buf *b, uint32_t field, str key, bool value);
