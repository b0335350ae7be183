// How the values of a chunk become bytes: integers, doubles and strings, each with a few schemes of which the
// cheapest is taken. The bytes are part of format version 1 (docs/formats.md, "Streams"): a scheme may be
// added under a new number, none may change.
//
// Decoders take bytes as they come from disk: they check every length and count and never read past the end,
// except that ENCODE_PAD bytes behind the end must be readable (their content does not matter).
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { ENCODE_PAD = 8, ENCODE_VALUES_MAX = 1 << 20 };

struct encode_in {
    const uint8_t *p, *end;
};

int encode_varint_get(struct encode_in *in, uint64_t *ret_v);
static inline uint64_t encode_zigzag(uint64_t v) { return v << 1 ^ (uint64_t)((int64_t)v >> 63); }
static inline uint64_t encode_unzigzag(uint64_t v) { return v >> 1 ^ -(v & 1); }

// ---- integers ------------------------------------------------------------------------------------------

enum encode_scheme {
    ENCODE_CONST = 0,  // varint v
    ENCODE_PACK = 1,   // varint base; a width a group of 64 (0..64); the groups' bits of v - base
    ENCODE_BYTES = 2,  // width 1..8, varint base; v - base in width bytes
    ENCODE_PLANES = 3, // the same, all first bytes, then all second bytes ...
    ENCODE_SPLIT = 4,  // varint base; bit lengths of v - base, a byte each; their bits below the highest, packed
    ENCODE_RUNS = 5,   // varint r; integers: r values; integers: r lengths
    ENCODE_DICT = 6,   // varint k; integers: k values ascending; integers: n indexes
    ENCODE_DELTA = 7,  // varint zigzag first; integers: n - 1 zigzag differences
    ENCODE_ANCHOR = 8, // like DELTA, but the first value of a run (of another column) follows the first value of
                       // the run before; other values follow the one before
    ENCODE_BESIDE = 9, // integers: zigzag v - w, w being the values of another column
};

// What the encoder may use besides the values themselves; a decoder needs the same.
struct encode_help {
    const uint32_t *runs;   // n ordinals of the column that orders the rows: equal neighbours are a run; NULL: none
    const uint64_t *beside; // n values of a column that may be close to these; NULL: none
    bool ordinals;          // encoder only: neighbours have nothing to do with each other, do not look
};

// Values are written for storing as they are (bits) and, at the same time, in a form for a codec that finds
// repetitions in bytes; the caller keeps what becomes smaller.
enum encode_form { ENCODE_FOR_LZ, ENCODE_FOR_ENTROPY };
struct encode_out {
    struct buf *tight;     // NULL: not wanted
    struct buf *loose;     // NULL: not wanted. Stays empty when a codec could hardly win anything.
    enum encode_form form; // of loose
};

// Scratch memory of an encoder, grown as needed, reused from call to call.
// The first seven are the integers' own; the last two are the caller's.
enum {
    ENCODE_SCRATCH_DOUBLES = 7,
    ENCODE_SCRATCH_STRINGS = 8,
    ENCODE_SCRATCH_ORDINALS = 9,
    ENCODE_SCRATCH_BESIDE = 10,
    ENCODE_SCRATCH_NARROW = 11, // the integers' own, too
    ENCODE_SCRATCHES = 12
};
struct encode_scratch {
    uint64_t *words[ENCODE_SCRATCHES];
    uint32_t cap[ENCODE_SCRATCHES];
};
void encode_scratch_free(struct encode_scratch *s);
// At least n words (content undefined), or NULL.
uint64_t *encode_scratch_get(struct encode_scratch *s, int which, uint32_t n);

struct encode_facts {
    uint64_t min, max; // smallest and largest value in the order that the values have
    size_t cost;       // bytes of the tight form, nearly, also when it was not written
};

// Appends v[0 .. n-1]; n may be 0. is_signed: which order the values have (of the facts, else a matter of size only).
int encode_ints(struct encode_out out, const uint64_t *v, uint32_t n, bool is_signed, const struct encode_help *help,
                struct encode_scratch *scratch, struct encode_facts *ret_facts);
// Reads n values. scratch_arena: for the parts of nested schemes.
int decode_ints(struct encode_in *in, uint64_t *v, uint32_t n, const struct encode_help *help, struct arena *arena);

// Value i of n, looking only at what it stands in; in is not moved. ERR_UNSUPPORTED where values depend on each other:
// then decode_ints().
int decode_int_at(struct encode_in in, uint32_t n, uint32_t i, struct arena *arena, uint64_t *ret);

// ---- doubles -------------------------------------------------------------------------------------------

// Bits of doubles. kind 0: integers of the bits; kind 1: exponent e (0..ENCODE_DECIMALS_MAX), integers i: i / 10^e
enum { ENCODE_DECIMALS_MAX = 9 };
int encode_doubles(struct encode_out out, const uint64_t *bits, uint32_t n, struct encode_scratch *scratch,
                   size_t *ret_cost);
int decode_doubles(struct encode_in *in, uint64_t *bits, uint32_t n, struct arena *arena);

// ---- strings -------------------------------------------------------------------------------------------

// kind 0: integers: n lengths; the bytes one behind the other. kind 1: numbers in the text apart from it, see
// encode_strings.c.
int encode_strings(struct buf *out, const str *s, uint32_t n, struct encode_scratch *scratch);
// Strings of which only some are wanted: may() says of a form that many may have whether any of them can be. In the
// form each run of digits (or hex digits) that differs is one 0; a UUID is 0-0-0-0-0.
struct strings_wanted {
    void *ctx;
    bool (*may)(void *ctx, str form);
};
// Views into `in` or into memory of the arena; they live as long as both. wanted: strings that it says no to may
// be empty instead (NULL: all are wanted).
int decode_strings_wanted(struct encode_in *in, str *s, uint32_t n, const struct strings_wanted *wanted,
                          struct arena *arena);
int decode_strings(struct encode_in *in, str *s, uint32_t n, struct arena *arena);

// ---- codecs --------------------------------------------------------------------------------------------

enum encode_codec { CODEC_NONE = 0, CODEC_LZ4 = 1, CODEC_ZSTD = 2 };
struct codec; // contexts, one a thread

int codec_new(struct codec **ret_c);
void codec_free(struct codec *c);
// Appends the compressed bytes if they are smaller than size_max: 1, else 0 and nothing is appended.
int codec_pack(struct codec *c, enum encode_codec which, int level, bytes in, size_t size_max, struct buf *out);
// Exactly out_n bytes, or ERR_CORRUPT. No context is kept.
int codec_unpack(uint8_t which, bytes in, uint8_t *out, size_t out_n);
