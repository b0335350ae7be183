// A naive model of the language for the differential test: records as they were made, filters and steps
// evaluated row by row from the description alone, sharing no code with the engine.
#pragma once
#include "base/arena.h"
#include "query/run.h"

enum model_type { M_NONE, M_BOOL, M_INT, M_DOUBLE, M_STR, M_ENUM, M_LEVEL, M_TIME, M_DURATION, M_ID, M_LIST, M_MAP };

struct model_value {
    enum model_type t;
    int64_t i; // also BOOL, LEVEL (severity), ID
    double d;
    const char *s;
    struct model_value *e; // LIST, MAP
    const char **keys;     // MAP
    int n;
};

enum { MODEL_ATTRS = 8, MODEL_EVENTS = 3 };
struct model_attr {
    const char *key;
    struct model_value v;
};

struct model_record {
    bool log;
    int64_t time, duration, received;
    uint64_t span, parent, trace;
    int kind, status, severity;
    const char *name;
    struct model_value body;
    struct model_attr attrs[MODEL_ATTRS];
    int attrs_n;
    struct model_attr events[MODEL_EVENTS]; // one attribute each, "k"
    int events_n;
    int resource;           // index
    uint64_t resource_hash; // the engine's, for the order
    uint64_t arrival;       // of segment and row
    int scope;
    int project;
};

struct model_entity {
    struct model_attr attrs[MODEL_ATTRS];
    int attrs_n;
};

struct model {
    struct arena arena;
    uint64_t random;
    struct model_record *records;
    int n;
    struct model_entity resources[8], scopes[3];
};

uint64_t model_random(struct model *m, uint64_t below);
bool model_chance(struct model *m, int percent);
const char *model_text(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// What a field name holds in a record.
struct model_value model_field(struct model *m, const struct model_record *r, const char *name);
// The total order of results; missing last.
int model_order(const struct model_value *a, const struct model_value *b);
// How a value is printed for comparison with the engine's.
const char *model_print(struct model *m, const struct model_value *v);
const char *model_print_qval(struct model *m, const struct qval *v);

// ---- filters: made at random together with their text
enum model_filter_kind {
    MF_AND,
    MF_OR,
    MF_NOT,
    MF_EVENT, // kids[0] on one event
    MF_IN,    // field in {spans or logs, kids[0]}: set
    MF_COMPARE,
    MF_PRESENT,
    MF_REGEX,
    MF_PHRASE,
    MF_BYTES,
    MF_TEXT,
    MF_ANY
};
struct model_literal {
    enum { ML_INT, ML_DOUBLE, ML_BOOL, ML_TEXT, ML_WILDCARD, ML_DURATION, ML_TIME } kind; // TEXT: quoted or bare
    int64_t i;
    double d;
    const char *s; // as written (without quotes)
};
struct model_filter {
    enum model_filter_kind kind;
    struct model_filter *kids[3];
    int kids_n;
    const char *field, *text;
    const char *op;
    struct model_literal lit[3];
    int lits_n;
    struct model_value *set;
    int set_n;
};
// ---- what facets and differ count
struct model_counted {
    struct model_value v;
    int count[2];
};
// Distinct values of the rows, a list's elements once a row; returns their number. in: the rows of the first set, NULL
// for all. out: room for 4 a row. with: rows that have the field.
int model_count(struct model *m, const struct model_record *const *rows, int rows_n, const bool *in, const char *field,
                struct model_counted *out, int with[2]);
int model_order_counted(const void *a, const void *b);
// The bound nearest to zero of Newcombe's interval of in/in_n - out/out_n.
double model_score(double in, double in_n, double out, double out_n);

struct model_filter *model_filter_make(struct model *m, bool logs, int depth, struct buf *out);
bool model_filter_match(struct model *m, const struct model_filter *f, const struct model_record *r);
