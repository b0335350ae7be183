// Time zones and calendar steps. Zones come from the system's tzdata through our own reader
// (tzfile.h); nothing here touches the process's TZ. Zones are immutable once loaded and live until
// the process ends, so that plans can point to them.
#pragma once
#include "base/bytes.h"

struct query_zone;

enum query_cal_unit { QUERY_CAL_DAY, QUERY_CAL_WEEK, QUERY_CAL_MONTH };

// Loads a zone by its name ("Europe/Berlin"), "UTC", or a fixed offset ("+02:00"). Cached, at most 512
// distinct ones. Thread-safe. ERR_NOENT for no such zone, ERR_INVALID for an odd name, ERR_CORRUPT,
// ERR_LIMIT, ERR_NOMEM.
int query_zone_get(str name, const struct query_zone **ret_zone);
str query_zone_name(const struct query_zone *zone); // NULL: "UTC"
// Seconds east of UTC in force at that moment. NULL zone: 0.
int32_t query_zone_offset(const struct query_zone *zone, int64_t unix_s);

// The start of the calendar unit (in groups of n units: days counted from 1970-01-01, weeks from
// Monday 1969-12-29, months from January 1970) that holds ns, as Unix ns. Clamped at the ends of int64.
int64_t query_calendar_floor(const struct query_zone *zone, enum query_cal_unit unit, uint32_t n, int64_t ns);
// The start of the next one.
int64_t query_calendar_next(const struct query_zone *zone, enum query_cal_unit unit, uint32_t n, int64_t ns);

// floor(v / width) * width, width > 0, exact; clamped at INT64_MIN.
int64_t query_bucket_int(int64_t v, int64_t width);
double query_bucket_double(double v, double width);

// `auto`: the smallest step of 1 2 5 10 15 30 s and min, 1 2 3 6 12 h, 1 7 d that makes <= 100 buckets
// of [from, to). Days and weeks are calendar steps: *ret_unit and *ret_count are set then, *ret_width
// is 0; otherwise *ret_width is in ns.
void query_bucket_auto(int64_t from, int64_t to, int64_t *ret_width, enum query_cal_unit *ret_unit,
                       uint32_t *ret_count);

// Parts of a moment in the zone: hour 0-23, weekday 1-7 (Monday is 1), day of the month 1-31.
struct query_civil {
    int64_t year;
    int month, day, hour, minute, second, weekday;
    int32_t offset_s;
};
struct query_civil query_civil_at(const struct query_zone *zone, int64_t ns);
