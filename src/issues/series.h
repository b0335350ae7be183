// How many events there were when: cells of a minute while they are young, then of ten minutes, of an hour and of a day,
// in order of time. A cell's start is a multiple of its width, so that the sum of a range needs starts only.
#pragma once
#include "base/buf.h"

enum { SERIES_MINUTE = 1, SERIES_TEN = 10, SERIES_HOUR = 60, SERIES_DAY = 1440 }; // widths, minutes
// Ages from which cells are as wide, minutes.
enum { SERIES_TEN_AGE = 6 * 60, SERIES_HOUR_AGE = 48 * 60, SERIES_DAY_AGE = 60 * 1440 };
// With those ages there are fewer cells; a sender that invents times makes no more than this (the oldest become one).
enum { SERIES_CELLS_MAX = 2048 };

struct series_cell {
    uint32_t minute, n; // since 1970
};
struct series {
    struct series_cell *cells;
    uint32_t n, cap;
};

void series_free(struct series *s);
// ERR_NOMEM.
int series_add(struct series *s, uint32_t minute, uint64_t n);
// Cells before these ages become wider.
void series_coarsen(struct series *s, uint32_t now);
// The minute taken down to where a cell that holds it now may begin: what ranges start at.
uint32_t series_align(uint32_t minute, uint32_t now);
// The first minute after this one that no cell reaches across: what lies behind it is counted apart.
uint32_t series_edge(uint32_t minute, uint32_t now);
// Events in [from, to) minutes.
uint64_t series_sum(const struct series *s, uint32_t from, uint32_t to);
// Adds to out[0 .. buckets) the events of as many equal parts of [from, to); what a wide cell holds goes to the part of
// its start.
void series_spread(const struct series *s, uint32_t from, uint32_t to, uint32_t buckets, uint64_t *out);
// Hourly counts of the `hours` hours before hour (since 1970), oldest first, added to out.
void series_hours(const struct series *s, uint32_t hour, uint32_t hours, uint64_t *out);
void series_encode(const struct series *s, struct buf *b);
// ERR_CORRUPT, ERR_NOMEM. Takes what it reads from *at.
int series_decode(struct series *s, bytes *at);
// A varint from the front of *at; false: there is none.
bool issue_varint(bytes *at, uint64_t *ret);
