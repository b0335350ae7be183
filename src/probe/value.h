// Values of a target, written into fixed memory at the hit and read again by the agent.
//
// The writer is part of what runs inside somebody else's process: it allocates nothing, takes no lock, calls
// mem* only, and leaves a well-formed encoding wherever it is stopped. It does that by keeping room back: an open
// container holds the two bytes that close it, a promised value (an item, a field's value) the four bytes that say
// why it is missing. What does not fit into the rest is cut or missing, with `bytes` as the reason.
//
// Encoding: a value is a head byte (kind in the low five bits, flags above), its
// type when PROBE_FLAG_TYPE is set, then the payload of its kind. Containers end with an end mark instead of beginning
// with a count, because what fits is not known before. Padding bytes may stand wherever a value, field or end may.
//
// Redaction is the writer's business and not the walker's: after a sensitive name (field, key or variable) the next
// value is swallowed whatever it is, and what it was is remembered, so that probe_redact_sweep() can take the same
// value away where it was written under another name (see redact.h).
#pragma once
#include "base/bytes.h"

enum probe_value_kind {
    PROBE_VALUE_NULL = 0,
    PROBE_VALUE_BOOL = 1,    // one byte
    PROBE_VALUE_INT = 2,     // zigzag varint
    PROBE_VALUE_BIG = 3,     // an int beyond int64: text, as digits or 0x...
    PROBE_VALUE_FLOAT = 4,   // 8 bytes
    PROBE_VALUE_STR = 5,     // text
    PROBE_VALUE_BYTES = 6,   // text
    PROBE_VALUE_LIST = 7,    // LIST..OBJECT: containers
    PROBE_VALUE_TUPLE = 8,   //
    PROBE_VALUE_SET = 9,     //
    PROBE_VALUE_DICT = 10,   // pairs of key and value
    PROBE_VALUE_OBJECT = 11, // fields
    PROBE_VALUE_FUNC = 12,   // FUNC, CLASS, MODULE: text, its qualified name
    PROBE_VALUE_CLASS = 13,
    PROBE_VALUE_MODULE = 14,
    PROBE_VALUE_REF = 15,     // varint id of a container of the same capture
    PROBE_VALUE_MISSING = 16, // why, rule, varint n + 1 (0: not known)
    // Marks between values.
    PROBE_VALUE_PAD = 29,   // nothing
    PROBE_VALUE_FIELD = 30, // varint length, name; its value follows
    PROBE_VALUE_END = 31,   // one byte: enum probe_why of what is not there, 0: complete
};

enum {
    PROBE_FLAG_TYPE = 0x20,  // one byte of length and a type name
    PROBE_FLAG_CUT = 0x40,   // texts: varint of the full length before the kept one
    PROBE_FLAG_SHAPE = 0x80, // scalars: without the value; texts: only the varint of their length
    PROBE_FLAG_KIND = 0x1f,
};

// Why something is not there. The numbers are the encoding's.
#define PROBE_WHY_TABLE(X)                      \
    X(PROBE_WHY_NONE, "")                       \
    X(PROBE_WHY_DEPTH, "depth")                 \
    X(PROBE_WHY_ITEMS, "items")                 \
    X(PROBE_WHY_FIELDS, "fields")               \
    X(PROBE_WHY_BYTES, "bytes")                 \
    X(PROBE_WHY_TIME, "time")                   \
    X(PROBE_WHY_REDACTED, "redacted")           \
    X(PROBE_WHY_UNREADABLE, "unreadable")       \
    X(PROBE_WHY_OPTIMIZED_OUT, "optimized_out") \
    X(PROBE_WHY_UNINITIALIZED, "uninitialized") \
    X(PROBE_WHY_NOT_IN_SCOPE, "not_in_scope")   \
    X(PROBE_WHY_UNSUPPORTED, "unsupported")

enum probe_why {
#define PROBE_WHY_ENUM(name, text) name,
    PROBE_WHY_TABLE(PROBE_WHY_ENUM)
#undef PROBE_WHY_ENUM
        PROBE_WHY_COUNT,
};

enum {
    PROBE_NEST_MAX = 16,     // open containers of an encoding; the limit of a probe is lower (probe.h)
    PROBE_TYPE_MAX = 200,    // bytes of a type name, cut beyond
    PROBE_NAME_MAX = 1024,   // bytes of a field's name, cut beyond
    PROBE_SEEN_SLOTS = 1024, // a power of two; three quarters are used
    PROBE_SECRETS_MAX = 256,
    PROBE_SECRET_POOL = 4096,
    PROBE_SECRET_IDS = 64,
    PROBE_SECRET_INTS = 32,
    PROBE_KNOWN_NAMES = 64, // a power of two
    PROBE_KNOWN_NAME_MAX = 30,
};

struct probe_policy;

// What one capture remembers: which objects it has met, and which values it must not show. Some 26 KB that the
// host of the writer keeps (one for every thread that may capture at once), zeroed before the first use and never after.
struct probe_space {
    uint32_t generation; // of the capture: a slot of an older one is free
    uint32_t ids, used;
    struct probe_seen {
        uint64_t object;
        uint32_t generation;
        uint16_t id;
        uint8_t depth; // at which it was written
        uint8_t cut;   // something below it is missing for its depth
    } seen[PROBE_SEEN_SLOTS];
    uint32_t n_secrets, n_secret_ids, n_secret_ints, pool_used;
    bool indexed; // the three below are made of the secrets
    uint16_t first[256], next[PROBE_SECRETS_MAX];
    uint64_t windows[64];
    bool overflow; // more secrets than there is room for: the sweep takes away every text
    struct probe_secret {
        const uint8_t *p; // stays valid until the sweep
        uint32_t len;     // of what is compared
        uint32_t full;    // of what is taken away
    } secrets[PROBE_SECRETS_MAX];
    uint16_t secret_ids[PROBE_SECRET_IDS];
    int64_t secret_ints[PROBE_SECRET_INTS];
    uint8_t pool[PROBE_SECRET_POOL]; // secrets that are no UTF-8 in the target
    // What a name means is asked for the same ones again and again.
    uint64_t names_policy; // for which this holds
    struct probe_known_name {
        uint8_t len, rule;
        char text[PROBE_KNOWN_NAME_MAX];
    } names[PROBE_KNOWN_NAMES];
};

struct probe_value_limits {
    uint32_t depth;  // open containers, at most PROBE_NEST_MAX
    uint32_t items;  // of a container: items, pairs, fields
    uint32_t string; // bytes of a text
};

struct probe_value_writer {
    uint8_t *start, *p, *end;
    size_t reserve;                    // bytes kept back for what must still be written
    struct probe_value_limits limits;  //
    const struct probe_policy *policy; // NULL: what is built in
    struct probe_space *space;
    uint32_t values;   // written so far, for a walker that looks at the clock now and then
    uint32_t redacted; // values taken away
    uint32_t depth_cuts;
    uint8_t depth;   // open containers
    uint8_t pending; // promised values of the innermost container: 1, or 2 before the key of a pair
    uint8_t stop;    // enum probe_why: nothing more is written but the ends
    uint8_t rule;    // of the next value's name: it is redacted
    bool key;        // the next value is the key of a pair
    bool shapes;     // the policy's mode
    bool cut;        // something did not fit
    struct probe_value_level {
        uint8_t kind, cut;
        uint8_t pending; // promised around it: the value of the pair whose key it is
        uint32_t items;
        uint32_t slot; // of the space, PROBE_SEEN_SLOTS: none
        uint32_t depth_cuts;
    } levels[PROBE_NEST_MAX];
};

// Begins a capture in mem..mem + cap. space: see above.
void probe_value_begin(struct probe_value_writer *w, void *mem, size_t cap, const struct probe_value_limits *limits,
                       const struct probe_policy *policy, struct probe_space *space);
// Promises a value under a name (a variable; empty: none) outside containers. False: there is no room left for even
// its reason, and nothing is to be written.
bool probe_value_root(struct probe_value_writer *w, str name);
// The clock has run out, or the walker must end: what is still written is missing for that reason.
static inline void probe_value_stop(struct probe_value_writer *w, enum probe_why why) { w->stop = (uint8_t)why; }

// One promised value each. type is empty where the kind says it all; it is cut at PROBE_TYPE_MAX.
void probe_value_null(struct probe_value_writer *w, str type);
void probe_value_bool(struct probe_value_writer *w, str type, bool b);
void probe_value_int(struct probe_value_writer *w, str type, int64_t i);
void probe_value_float(struct probe_value_writer *w, str type, double d);
// kind: BIG, STR, BYTES, FUNC, CLASS, MODULE. s: UTF-8 (but for BYTES); cut at the limit, at a character's border. n: full
// length as the runtime counts it (0: the bytes of s).
void probe_value_text(struct probe_value_writer *w, enum probe_value_kind kind, str type, str s, uint64_t n);
// A STR of n code units of width 1 (Latin-1), 2 or 4, as interpreters keep them; written as UTF-8, a surrogate as U+FFFD
// unless it is one of a pair in width 2.
void probe_value_wide(struct probe_value_writer *w, str type, const void *units, unsigned width, size_t n);
// n: what is known of its count, or -1.
void probe_value_missing(struct probe_value_writer *w, enum probe_why why, str type, int64_t n);
// A container (LIST..OBJECT). object: its address, by which it is known again, 0: it has no identity. n: full count, or -1.
// True: its items follow, then probe_value_close(). False: all that is to be said is written (a reference to where it
// was written before, redacted, or missing for depth or room).
bool probe_value_open(struct probe_value_writer *w, enum probe_value_kind kind, str type, uint64_t object, int64_t n);
// Before each item of a list, tuple or set. False: no more, the reason is noted; go on with the close.
bool probe_value_item(struct probe_value_writer *w);
// Before each pair of a dict: its key is written, then its value.
bool probe_value_entry(struct probe_value_writer *w);
// Before each field of an object.
bool probe_value_field(struct probe_value_writer *w, str name);
// The walker stops before the end for a reason of its own (unreadable, time).
void probe_value_cut(struct probe_value_writer *w, enum probe_why why);
void probe_value_close(struct probe_value_writer *w);
// Closes whatever is open and fulfils what was promised: the encoding is well-formed after it.
void probe_value_finish(struct probe_value_writer *w);
static inline size_t probe_value_size(const struct probe_value_writer *w) { return (size_t)(w->p - w->start); }

// Reader: one token at a time, of bytes that may be anything. Used by the sweep, and by what makes JSON.
enum probe_token_type {
    PROBE_TOKEN_DONE,  // the value is complete
    PROBE_TOKEN_VALUE, // a value that is no container
    PROBE_TOKEN_OPEN,
    PROBE_TOKEN_FIELD, // text: the name
    PROBE_TOKEN_END,   // why: what is not there
};

struct probe_token {
    enum probe_token_type type;
    uint8_t kind, flags;
    uint8_t why, rule;
    bool key;     // a value or container that is the key of a pair
    bool b;       //
    bool known_n; // n is known: texts when cut or a shape, containers, missing
    uint64_t n;
    uint64_t id; // OPEN (0: none), REF
    int64_t i;
    double d;
    str name; // of the type
    str text;
    size_t at; // offset of the head byte
};

struct probe_value_reader {
    const uint8_t *start, *p, *end;
    uint8_t depth;
    bool done;
    struct {
        uint8_t kind;
        bool value; // dict: the next value is a pair's second; object: a name was read
    } levels[PROBE_NEST_MAX];
};

// Reads one value from the start of b.
void probe_value_reader_init(struct probe_value_reader *r, bytes b);
// ERR_TRUNCATED or ERR_MALFORMED; the reader is dead then.
int probe_value_next(struct probe_value_reader *r, struct probe_token *ret_token);
// Reads one whole value; its bytes are r->start..r->p then.
int probe_value_skip(struct probe_value_reader *r);

struct json_writer;
// One value as JSON, with ids where seen_twice (a bit per id below 65536, or NULL) has them. b is checked as it is read;
// after an error what was written is no JSON.
int probe_value_json(bytes b, const uint8_t *seen_twice, struct json_writer *out, size_t *ret_len);
// Marks in seen[8192] (bits) the ids that a reference or a second container has. any[8192]: scratch, kept between calls of
// one capture.
int probe_value_ids(bytes b, uint8_t *any, uint8_t *twice, size_t *ret_len);
struct buf;
// One value as text for people: 7, true, null, text as it is, ["a", 1], {"k": 2}, Order{id: 7}, <redacted>. ERR_LIMIT when out is full.
int probe_value_say(bytes b, struct buf *out);
// "depth" of PROBE_WHY_DEPTH and so on; empty beyond the table.
str probe_why_name(unsigned why);
