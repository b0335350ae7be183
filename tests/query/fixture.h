// The records of docs/query.md, "Conformance": spans s1..s8, logs l1..l5 and events e1 e2, in several layouts of segments.
#pragma once
#include "fake_segment.h"
#include "query/error.h"
#include "query/issues.h"
#include "query/run.h"

#define FIXTURE_T0 1767225600000000000LL // 2026-01-01T00:00:00Z
#define FIXTURE_T1 "0af7651916cd43dd8448eb211c80319c"
#define FIXTURE_T2 "4bf92f3577b34da6a3ce929d0e0e4736"

#define FIXTURE_G42 "42424242424242424242424242424242" // groups of e1 and e2
#define FIXTURE_G43 "43434343434343434343434343434343"

enum { FIXTURE_SPANS = 8, FIXTURE_LOGS = 5, FIXTURE_EVENTS = 2, FIXTURE_SNAPSHOTS = 2 };
enum { FIXTURE_RECORDS = FIXTURE_SPANS + FIXTURE_LOGS + FIXTURE_EVENTS + FIXTURE_SNAPSHOTS };

// Feeds the records whose bit is set: s1 is bit 0, l1 is bit FIXTURE_SPANS.
int fixture_feed(const struct record_sink *sink, uint32_t which);
extern const char *const fixture_names[FIXTURE_RECORDS]; // "s1" .. "n2"
uint64_t fixture_span_id(unsigned span);                 // of s1 .. s8: 0..7; s8's parent ffff is 8

// A set of fake segments that records can be fed into: one a source.
struct fixture_segments {
    struct fake_segment *of[RECORD_SOURCES];
    uint32_t block_rows;
    bool raw;
    int64_t received;
    uint32_t project;
    struct record_entity resource, scope; // current section; its attributes are copied, not their strings
    struct attr attrs[2][64];
};
struct record_sink fixture_sink(struct fixture_segments *f);
void fixture_segments_free(struct fixture_segments *f);
// Their segments that exist; returns the number.
uint32_t fixture_segments_list(const struct fixture_segments *f, const struct segment **list);

// A query's rows as NDJSON lines and its stats line, one after another, each ended by \n.
struct fixture_answer {
    struct buf rows;
    struct buf stats;
    uint32_t rows_n;
    struct query_error err;
    int rc;
};
// The issues 42 (of e1) and 43 (of e2), of all projects.
extern const struct query_issues fixture_issues;
// The fixture's range and everything permitted.
struct query_request fixture_request(const char *text);
void fixture_ask(const struct query_request *q, const struct segment *const *segments, uint32_t n,
                 struct fixture_answer *ret);
void fixture_ask_from(const struct query_request *q, const struct segment *const *segments, const uint64_t *firsts,
                      uint32_t n, struct fixture_answer *ret);
void fixture_answer_free(struct fixture_answer *a);
