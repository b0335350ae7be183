// When a job is due: crontab expressions and intervals, in the job's own time zone.
//
// Crontab as in POSIX and Vixie's cron: five fields with *, numbers, names (jan, mon), ranges, lists and steps, Sunday is 0
// or 7, and @hourly @daily @midnight @weekly @monthly @yearly @annually. When both days are restricted, either of them is
// enough. Where the clock is put forward, what falls into the gap is due right behind it; where it is put back, what has
// an hour of its own is due once, the first time.
#pragma once
#include "base/err.h"

struct query_zone;

enum schedule_kind { SCHEDULE_CRONTAB, SCHEDULE_INTERVAL };
enum schedule_unit { UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR, UNITS };

struct schedule {
    enum schedule_kind kind;
    uint64_t minutes;             // bits
    uint32_t hours, days, months; // days 1..31, months 1..12
    uint8_t weekdays;             // Sunday is bit 0
    bool any_hour, any_day, any_weekday;
    int64_t every; // of an interval
    enum schedule_unit unit;
    const struct query_zone *zone; // NULL: UTC
};

// ERR_INVALID with what is wrong.
int schedule_crontab(str text, struct schedule *ret, struct err *err);
int schedule_interval(int64_t every, str unit, struct schedule *ret, struct err *err);
// IANA name; empty: UTC. ERR_INVALID.
int schedule_zone(struct schedule *s, str name, struct err *err);
str schedule_unit_word(enum schedule_unit u);

// The first time after `after` (ns Unix) at which it is due; an interval counts from `after`. INT64_MAX: never, as on
// 30 February.
int64_t schedule_next(const struct schedule *s, int64_t after);
