// Patterns of the step `extract`: literal text with places in it, "paid <amount:float> to <who>". A place
// takes the shortest run up to the next literal, the last one what is left of the text; `<_>` and `<_:int>`
// take and forget. The text may match anywhere; the first match counts. A `<` that begins no place is itself.
//
// Matching takes linear time: each literal is looked for behind the one before, and where one is not
// found, no later beginning would find it.
#pragma once
#include "base/arena.h"
#include "query/error.h"
#include "query/qval.h"

enum { EXTRACT_PLACES_MAX = 64 };

enum extract_type { EXTRACT_STRING, EXTRACT_INT, EXTRACT_FLOAT, EXTRACT_DURATION, EXTRACT_TIME, EXTRACT_TYPES };

struct extract_place {
    str name; // "": taken and forgotten
    enum extract_type type;
    str after; // the literal behind it; "" for the last one only
};

struct extract_pattern {
    str before; // the literal in front of the first place
    struct extract_place *places;
    uint32_t count;
};

// What is wrong with a pattern: words and the bytes of it.
struct extract_fault {
    enum query_code code;
    const char *message, *hint;
    size_t off, len;
};

// Views into text. 0, or ERR_INVALID with *ret_fault filled, or ERR_NOMEM.
int extract_compile(struct arena *arena, str text, struct extract_pattern *ret, struct extract_fault *ret_fault);
// ret_values: one for each place, views into text; missing where it does not convert. False: no match.
bool extract_match(const struct extract_pattern *p, str text, struct qval *ret_values);
