// What the files of scrub rules share.
#pragma once
#include "filters/scrub_rules.h"
#include "query/regex.h"

#include <stdatomic.h>

enum { SCRUB_SEGMENTS_MAX = 16, SCRUB_DEPTH_MAX = JSON_DEPTH_MAX };

// Where a walk stands: the way from the root to a value.
struct scrub_place {
    const struct json_node *path[SCRUB_DEPTH_MAX];
    uint32_t index[SCRUB_DEPTH_MAX]; // in an array
    unsigned depth;
};

// --- scrub_source.c
struct scrub_source;
// Reads the source that text begins with at *at; an error's column is of the text.
int scrub_source_parse(str text, size_t *at, struct arena *arena, const struct scrub_source **ret, struct err *err);
// *specific: a path that ends with a key was among those that match.
bool scrub_source_match(const struct scrub_source *s, const struct scrub_place *at, bool *specific);
bool scrub_source_negates(const struct scrub_source *s); // somewhere in it

// --- scrub_type.c
struct scrub_type {
    str name;
    const char *pattern; // NULL: the whole value, or found by code
    char needs;          // a character that every match has; 0: none
    bool digits;         // or a digit
};
const struct scrub_type *scrub_type_find(str name); // without the @; NULL: there is none
extern const struct scrub_type scrub_anything, scrub_password, scrub_card;

enum scrub_method { SCRUB_REMOVE, SCRUB_MASK, SCRUB_HASH, SCRUB_REPLACE };
struct scrub_rule {
    str text; // as written
    enum scrub_method method;
    const struct scrub_type *type; // NULL: the regex is the project's
    struct query_regex *regex;
    int group; // of it that is replaced
    str with;
    const struct scrub_source *source; // NULL: every text
    bool below;                        // what lies below a value that matches is meant, too
};
struct scrub_rules {
    _Atomic uint32_t shares;
    struct arena arena;
    bool addresses;
    str secret;
    struct scrub_rule *rules;
    uint32_t n;
};
int scrub_error(struct err *err, int code, size_t column, const char *what, const char *hint);
