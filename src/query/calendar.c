#include "query/calendar.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "query/tzfile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { ZONES_MAX = 512, ZONE_NAME_MAX = 64 };

struct query_zone {
    struct query_zone *next;
    char name[ZONE_NAME_MAX];
    size_t name_len;
    struct tzfile tz;
};

// ---- loading
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER; // leaf: nothing is called under it that locks
static struct query_zone *zones;                               // never freed: plans point into it
static unsigned zone_count;

static bool name_is_safe(str name)
{
    if (name.len == 0 || name.len >= ZONE_NAME_MAX || name.ptr[0] == '/' || name.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '/' && c != '_' && c != '-' && c != '+')
            return false; // no dot: no way up
    }
    return true;
}

static int read_zone_file(str name, struct tzfile *ret_tz)
{
    char path[128];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOENT : err_of_errno(errno);
    int r = ERR_NOMEM;
    size_t n = 0;
    uint8_t *data = mem_alloc(TZFILE_SIZE_MAX);
    if (!data)
        goto out;
    for (;;) {
        ssize_t got = read(fd, data + n, TZFILE_SIZE_MAX - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) { // a directory: "Europe"
            r = errno == EISDIR ? ERR_NOENT : err_of_errno(errno);
            goto out;
        }
        n += (size_t)got;
        if (got == 0 || n == TZFILE_SIZE_MAX)
            break;
    }
    r = tzfile_read(bytes_of(data, n), ret_tz);
out:
    mem_free(data);
    close(fd);
    return r;
}

// "+02:00"
static bool read_fixed_offset(str name, int32_t *ret)
{
    if (name.len != 6 || (name.ptr[0] != '+' && name.ptr[0] != '-') || name.ptr[3] != ':')
        return false;
    for (int i = 1; i < 6; i++)
        if (i != 3 && (name.ptr[i] < '0' || name.ptr[i] > '9'))
            return false;
    int h = (name.ptr[1] - '0') * 10 + name.ptr[2] - '0', m = (name.ptr[4] - '0') * 10 + name.ptr[5] - '0';
    if (h > 23 || m > 59)
        return false;
    *ret = (h * 3600 + m * 60) * (name.ptr[0] == '-' ? -1 : 1);
    return true;
}

static int load(str name, struct query_zone **ret_zone)
{
    int r;
    struct query_zone *z = mem_zalloc(sizeof *z);
    if (!z)
        return ERR_NOMEM;
    if (str_eq(name, STR("UTC")) || read_fixed_offset(name, &z->tz.first))
        r = 0;
    else if (name_is_safe(name))
        r = read_zone_file(name, &z->tz);
    else
        r = ERR_INVALID;
    if (r < 0) {
        mem_free(z);
        return r;
    }
    memcpy(z->name, name.ptr, name.len);
    z->name_len = name.len;
    *ret_zone = z;
    return 0;
}

static struct query_zone *find(str name)
{
    for (struct query_zone *z = zones; z; z = z->next)
        if (str_eq(query_zone_name(z), name))
            return z;
    return NULL;
}

int query_zone_get(str name, const struct query_zone **ret_zone)
{
    pthread_mutex_lock(&zones_lock);
    struct query_zone *z = find(name);
    int r = z ? 0 : zone_count >= ZONES_MAX ? ERR_LIMIT : load(name, &z);
    if (r == 0 && !find(name)) {
        z->next = zones;
        zones = z;
        zone_count++;
    }
    pthread_mutex_unlock(&zones_lock);
    if (r == 0)
        *ret_zone = z;
    return r;
}

str query_zone_name(const struct query_zone *zone) { return zone ? str_of(zone->name, zone->name_len) : STR("UTC"); }

int32_t query_zone_offset(const struct query_zone *zone, int64_t unix_s)
{
    return zone ? tzfile_offset(&zone->tz, unix_s) : 0;
}

// ---- calendar
static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

// The first moment whose local time is at or behind the local second `local`.
static int64_t moment_of_local(const struct query_zone *zone, int64_t local)
{
    // What is in force a day before and a day behind covers every ordinary change.
    int64_t early = local - query_zone_offset(zone, local - 86400),
            late = local - query_zone_offset(zone, local + 86400);
    int64_t first = early < late ? early : late, second = early < late ? late : early;
    if (first + query_zone_offset(zone, first) == local)
        return first;
    if (second + query_zone_offset(zone, second) == local)
        return second;
    // The clock jumps over that time: the moment of the jump.
    int64_t lo = local - 172800, hi = local + 172800;
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (mid + query_zone_offset(zone, mid) >= local)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

// Number of the unit that holds the day, counted from the one at the epoch.
static int64_t unit_of_day(enum query_cal_unit unit, int64_t day)
{
    int64_t year;
    int month, mday;
    switch (unit) {
    case QUERY_CAL_DAY:
        return day;
    case QUERY_CAL_WEEK:
        return floor_div(day + 3, 7); // 1969-12-29 was a Monday
    case QUERY_CAL_MONTH:
        time_civil_of_days(day, &year, &month, &mday);
        return (year - 1970) * 12 + month - 1;
    }
    return 0;
}

static int64_t first_day_of_unit(enum query_cal_unit unit, int64_t number)
{
    switch (unit) {
    case QUERY_CAL_DAY:
        return number;
    case QUERY_CAL_WEEK:
        return number * 7 - 3;
    case QUERY_CAL_MONTH:
        return time_days_of_civil(1970 + floor_div(number, 12), (int)(number - floor_div(number, 12) * 12) + 1, 1);
    }
    return 0;
}

static int64_t to_ns(int64_t s)
{
    int64_t ns;
    if (__builtin_mul_overflow(s, NS_PER_S, &ns))
        return s < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static int64_t group_of(const struct query_zone *zone, enum query_cal_unit unit, uint32_t n, int64_t ns)
{
    int64_t s = floor_div(ns, NS_PER_S);
    int64_t day = floor_div(s + query_zone_offset(zone, s), 86400);
    return floor_div(unit_of_day(unit, day), n);
}

int64_t query_calendar_floor(const struct query_zone *zone, enum query_cal_unit unit, uint32_t n, int64_t ns)
{
    int64_t group = group_of(zone, unit, n, ns);
    return to_ns(moment_of_local(zone, first_day_of_unit(unit, group * n) * 86400));
}

int64_t query_calendar_next(const struct query_zone *zone, enum query_cal_unit unit, uint32_t n, int64_t ns)
{
    int64_t group = group_of(zone, unit, n, ns);
    return to_ns(moment_of_local(zone, first_day_of_unit(unit, (group + 1) * n) * 86400));
}

int64_t query_bucket_int(int64_t v, int64_t width)
{
    int64_t out;
    if (__builtin_mul_overflow(floor_div(v, width), width, &out))
        return INT64_MIN;
    return out;
}

double query_bucket_double(double v, double width) { return floor(v / width) * width; }

void query_bucket_auto(int64_t from, int64_t to, int64_t *ret_width, enum query_cal_unit *ret_unit, uint32_t *ret_count)
{
    static const int64_t seconds[] = { 1,   2,   5,    10,   15,   30,    60,    120,  300,
                                       600, 900, 1800, 3600, 7200, 10800, 21600, 43200 };
    enum { BUCKETS_MAX = 100 };
    int64_t last = to > from ? to - 1 : from;
    *ret_count = 0;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        int64_t width = seconds[i] * NS_PER_S;
        if (floor_div(last, width) - floor_div(from, width) + 1 <= BUCKETS_MAX) {
            *ret_width = width;
            return;
        }
    }
    // The days are those of a zone, but a zone moves both ends alike.
    int64_t days = floor_div(last, 86400 * NS_PER_S) - floor_div(from, 86400 * NS_PER_S) + 1;
    *ret_width = 0;
    *ret_unit = days <= BUCKETS_MAX ? QUERY_CAL_DAY : QUERY_CAL_WEEK;
    *ret_count = 1;
}

struct query_civil query_civil_at(const struct query_zone *zone, int64_t ns)
{
    struct query_civil c;
    int64_t s = floor_div(ns, NS_PER_S);
    c.offset_s = query_zone_offset(zone, s);
    s += c.offset_s;
    int64_t day = floor_div(s, 86400), rest = s - day * 86400;
    time_civil_of_days(day, &c.year, &c.month, &c.day);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.weekday = (int)(day + 3 - floor_div(day + 3, 7) * 7) + 1;
    return c;
}
