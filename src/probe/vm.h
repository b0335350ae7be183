// Runs a compiled expression (code.h) inside the target, at the hit.
//
// Part of what runs in somebody else's process: no allocation, no lock, no libc but mem* and str*, no errno, no recursion.
// It is given everything it may use: a host that reads the target structurally, scratch memory, a budget of steps. It never
// calls the target, since the host has no way to.
//
// Fail closed: the first operand that is missing, redacted or unreadable ends the run with that reason, whatever the rest of
// the expression would have made of it. A condition that ends so is false, counted, and its first message is shown.
#pragma once
#include "base/bytes.h"

struct probe_code;

// --- values ---

enum probe_val_kind {
    PROBE_VAL_NULL,   // also undefined, None, nil
    PROBE_VAL_BOOL,   // b
    PROBE_VAL_INT,    // i
    PROBE_VAL_BIG,    // an int beyond int64: f is the nearest double (infinite beyond its range)
    PROBE_VAL_FLOAT,  // f
    PROBE_VAL_STR,    // s: UTF-8; what is invalid in it counts as U+FFFD
    PROBE_VAL_BYTES,  // s
    PROBE_VAL_LIST,   // LIST..OTHER: object (and extra) are the host's, which alone reads through them
    PROBE_VAL_TUPLE,  //
    PROBE_VAL_SET,    //
    PROBE_VAL_DICT,   // keys and values
    PROBE_VAL_OBJECT, // named fields
    PROBE_VAL_OTHER,  // function, class, module, symbol ...: has a type and an identity, maybe fields
    PROBE_VAL_ITEMS,  // items[0..n): made by keys, map, filter; lives in the scratch memory
    PROBE_VAL_KINDS,
};

struct probe_val {
    uint8_t kind;
    union {
        uint32_t n;     // ITEMS
        uint32_t extra; // the host's, with object
    };
    union {
        bool b;
        int64_t i;
        double f;
        str s;
        struct {
            const void *object; // its identity: two values are the same object when these are equal
            uintptr_t aux;      // the host's
        };
        const struct probe_val *items;
    };
};

// --- why there is no value ---

// From MISSING to UNINITIALIZED an operand is not there: has() is false of it, `?.` gives null. The rest are failures for
// those, too: a redacted value is not to be asked after in any form.
#define PROBE_FAULT_TABLE(X)                                                     \
    X(PROBE_FAULT_NONE, "none", "")                                              \
    X(PROBE_FAULT_MISSING, "missing", "is missing")                              \
    X(PROBE_FAULT_NULL, "null", "is read from null")                             \
    X(PROBE_FAULT_RANGE, "range", "is beyond the end")                           \
    X(PROBE_FAULT_NOT_IN_SCOPE, "not_in_scope", "is not in scope here")          \
    X(PROBE_FAULT_UNINITIALIZED, "uninitialized", "has no value yet")            \
    X(PROBE_FAULT_REDACTED, "redacted", "is redacted")                           \
    X(PROBE_FAULT_UNREADABLE, "unreadable", "cannot be read")                    \
    X(PROBE_FAULT_OPTIMIZED_OUT, "optimized_out", "was optimised away")          \
    X(PROBE_FAULT_UNSUPPORTED, "unsupported", "is not supported for this value") \
    X(PROBE_FAULT_TYPE, "type", "has operands of the wrong type")                \
    X(PROBE_FAULT_NOT_BOOL, "not_bool", "is not true or false")                  \
    X(PROBE_FAULT_ZERO, "zero", "divides by zero")                               \
    X(PROBE_FAULT_STEPS, "steps", "takes too many steps")                        \
    X(PROBE_FAULT_TIME, "time", "takes too long")                                \
    X(PROBE_FAULT_SPACE, "space", "makes a value that is too large")             \
    X(PROBE_FAULT_CODE, "code", "is not valid code")

enum probe_fault_reason {
#define PROBE_FAULT_ENUM(name, slug, text) name,
    PROBE_FAULT_TABLE(PROBE_FAULT_ENUM)
#undef PROBE_FAULT_ENUM
        PROBE_FAULT_COUNT,
};

static inline bool probe_fault_is_absence(int reason)
{
    return reason >= PROBE_FAULT_MISSING && reason <= PROBE_FAULT_UNINITIALIZED;
}

struct probe_fault {
    uint8_t reason;   // enum probe_fault_reason
    uint16_t at, len; // bytes of the expression's text that it speaks of
};

// "missing"; empty beyond the table.
str probe_fault_slug(unsigned reason);
// "`order.total` is missing": writes at most cap bytes, returns how many. text: the expression's.
size_t probe_fault_text(const struct probe_fault *fault, str text, char *out, size_t cap);

// --- memory ---

// Grows until it is full; nothing is given back before the end of the run. The host may take from it, too (a text that it has
// to convert).
struct probe_scratch {
    uint8_t *p, *end;
};
// Aligned to 8; NULL when there is no room.
static inline void *probe_scratch_take(struct probe_scratch *s, size_t n)
{
    size_t pad = (0 - (uintptr_t)s->p) & 7;
    if (s->p == NULL || pad > (size_t)(s->end - s->p) || n > (size_t)(s->end - s->p) - pad)
        return NULL;
    uint8_t *at = s->p + pad;
    s->p = at + n;
    return at;
}

// --- the host ---

enum probe_special {
    PROBE_SPECIAL_HIT,       // int: how often the place was reached, this time included
    PROBE_SPECIAL_DURATION,  // int, ns: since entry; at exit and in timers
    PROBE_SPECIAL_RETURN,    // what the function returns; at exit
    PROBE_SPECIAL_EXCEPTION, // what was thrown; at throw
    PROBE_SPECIAL_THREAD,    // str: the thread's name
    PROBE_SPECIAL_TRACE_ID,  // str: 32 hex digits; null outside a trace
    PROBE_SPECIAL_SPAN_ID,   // str: 16 hex digits
    PROBE_SPECIAL_SERVICE,   // str
    PROBE_SPECIAL_HOST,      // str
    PROBE_SPECIALS,
};

// All return 0 and *ret, or an enum probe_fault_reason (positive). What *ret points to stays valid until the run's end. Values
// of the kinds up to BYTES are complete: the host is never asked about them again. It is asked to read *through* LIST..OTHER.
// It must not run code of the target for any of these: no getter, no __getattr__, no Proxy trap, no __eq__, no __hash__.
struct probe_host {
    // A variable of the frame (then of closures, then globals). slot numbers the names of this code from 0, so that a host
    // can look them up once at install; probe_code_name() gives the text.
    int (*name)(void *ctx, unsigned slot, str name, struct probe_val *ret);
    int (*field)(void *ctx, const struct probe_val *of, str name, struct probe_val *ret);
    // key: NULL..BYTES of any kind; negative ints are passed on as they are, RANGE is for what lies outside.
    int (*index)(void *ctx, const struct probe_val *of, const struct probe_val *key, struct probe_val *ret);
    int (*length)(void *ctx, const struct probe_val *of, uint64_t *ret);
    // The next one of a container. *cursor is 0 at first and the host's afterwards. Returns -1 at the end. LIST, TUPLE, SET:
    // *ret_key is left alone. DICT: key and value. OBJECT: name of the field as STR, and its value. A *value* that cannot
    // be given makes the call fail, unless ret_value is NULL.
    int (*item)(void *ctx, const struct probe_val *of, uint64_t *cursor, struct probe_val *ret_key,
                struct probe_val *ret_value);
    // Name of an object's type, as the runtime has it: "Decimal", "Order".
    int (*type)(void *ctx, const struct probe_val *of, str *ret);
    int (*special)(void *ctx, enum probe_special which, struct probe_val *ret);
    // A variable of the n-th caller (1: the direct one; 0: this frame).
    int (*frame)(void *ctx, unsigned n, str name, struct probe_val *ret);
    // A class (or module) by its name, for its own fields.
    int (*statics)(void *ctx, str name, struct probe_val *ret);
    // True: time is up. Asked every PROBE_VM_CLOCK steps. May be NULL.
    bool (*late)(void *ctx);
};

// --- running ---

enum {
    PROBE_FRAME_MAX = 127,     // n of @frame(n)
    PROBE_VM_STEPS = 20000,    // default budget: 0.1 ms, or 1 ms of the worst patterns
    PROBE_VM_CLOCK = 256,      // steps between two looks at the clock
    PROBE_VM_ITEMS_MAX = 4096, // of a list that an expression makes
    PROBE_VM_TEXT_MAX = 65536, // bytes of a text that an expression makes
    PROBE_VM_CALL_STEPS = 4,   // a question to the host costs this many steps,
    PROBE_VM_BYTES_STEP = 64,  // and looking at this many bytes one
};

struct probe_run {
    const struct probe_host *host;
    void *ctx;
    struct probe_scratch *scratch;
    uint64_t *changed;        // code->n_changed words, zero at install, kept from hit to hit; threads may share them
    uint32_t steps;           // in: the budget; out: what is left of it
    struct probe_fault fault; // out, when there is no value
};

// 0 and *ret_value, or an enum probe_fault_reason (also in run->fault). code must have been verified, and nobody may change its
// bytes since. *ret_value may point into code, the scratch memory and the target.
int probe_vm_run(const struct probe_code *code, struct probe_run *run, struct probe_val *ret_value);
// The same for a condition: whatever ends in anything but true or false is a fault, too.
int probe_vm_test(const struct probe_code *code, struct probe_run *run, bool *ret_true);
