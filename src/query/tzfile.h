// Reader of compiled time zones (RFC 8536, TZif versions 1 to 4), as the system's tzdata has them:
// moments at which the offset from UTC changes, and the rule for the time behind the last one. Bytes
// are hostile: every count is checked against the size, at most 10,000 changes are taken.
#pragma once
#include "base/bytes.h"

enum { TZFILE_SIZE_MAX = 256 * 1024, TZFILE_CHANGES_MAX = 10000 };

struct tzchange {
    int64_t at;     // Unix seconds
    int32_t offset; // from then on, seconds east of UTC
};

// When summer time begins or ends in a year.
struct tzrule_date {
    uint8_t kind;             // 'M', 'J' or 'n'
    int month, week, weekday; // 'M': weekday 0 is Sunday, week 5 the last
    int day;                  // 'J': 1..365 without February 29; 'n': 0..365
    int32_t time;             // seconds after midnight, local; may be negative or beyond a day
};

struct tzfile {
    int32_t first;            // offset before the first change
    struct tzchange *changes; // ascending
    uint32_t count;
    bool has_rule; // behind the last change
    bool has_summer;
    int32_t standard, summer; // offsets of the rule
    struct tzrule_date begin, end;
};

// 0, ERR_CORRUPT or ERR_NOMEM.
int tzfile_read(bytes data, struct tzfile *ret_tz);
void tzfile_free(struct tzfile *tz);
// Seconds east of UTC in force at that moment.
int32_t tzfile_offset(const struct tzfile *tz, int64_t unix_s);
