// Times as text: RFC 3339 in UTC with nine digits, and back. Proleptic Gregorian calendar.
#pragma once
#include "base/bytes.h"

enum { TIME_RFC3339_LEN = 30 };

// "2026-01-01T00:00:00.123456789Z": always 30 bytes (int64 ns spans the years 1677 to 2262).
int fmt_rfc3339(char out[32], int64_t unix_ns);
// RFC 3339 date-time with any offset, 't'/'z' and a space for the T allowed, up to 9 fraction digits
// kept (more are cut), second 60 is the next second. False when it is none or out of range of int64 ns.
bool parse_rfc3339(str s, int64_t *ret_unix_ns);
// "2026-01-01" alone. Days since 1970-01-01.
bool parse_date(str s, int64_t *ret_days);

// Calendar arithmetic: days since 1970-01-01. month 1-12, day 1-31.
int64_t time_days_of_civil(int64_t year, int month, int day);
void time_civil_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

// A duration for people: "1.5s", "20ms", "1m30s", "2h", "3d4h"; at most 31 bytes.
int fmt_duration(char out[32], int64_t ns);
