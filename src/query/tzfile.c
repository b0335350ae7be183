#include "query/tzfile.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/timefmt.h"

enum { OFFSET_MAX = 26 * 3600, RULE_TIME_MAX = 167 * 3600 };

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// ---- header and data block
struct header {
    uint8_t version;
    uint32_t isut, isstd, leap, time, type, chars;
};

enum { HEADER_SIZE = 44 };

static bool read_header(bytes b, size_t at, struct header *ret)
{
    if (b.len < at || b.len - at < HEADER_SIZE || memcmp(b.ptr + at, "TZif", 4) != 0)
        return false;
    const uint8_t *p = b.ptr + at;
    struct header h = { p[4], be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40) };
    // The type numbers are bytes; the other tables cannot be larger than the file.
    if (h.time > TZFILE_CHANGES_MAX || h.type == 0 || h.type > 256 || h.chars > 65536 || h.leap > 65536 ||
        h.isstd > h.type || h.isut > h.type)
        return false;
    *ret = h;
    return true;
}

static size_t block_size(const struct header *h, size_t word)
{
    return h->time * (word + 1) + h->type * 6 + h->chars + h->leap * (word + 4) + h->isstd + h->isut;
}

static int read_block(const uint8_t *p, const struct header *h, size_t word, struct tzfile *tz)
{
    const uint8_t *indexes = p + h->time * word, *types = indexes + h->time;
    for (uint32_t i = 0; i < h->type; i++) {
        int32_t offset = (int32_t)be32(types + i * 6);
        if (offset < -OFFSET_MAX || offset > OFFSET_MAX)
            return ERR_CORRUPT;
    }
    tz->first = (int32_t)be32(types);
    tz->changes = mem_calloc(h->time ? h->time : 1, sizeof *tz->changes);
    if (!tz->changes)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < h->time; i++) {
        const uint8_t *t = p + i * word;
        int64_t at = word == 4 ? (int32_t)be32(t) : (int64_t)((uint64_t)be32(t) << 32 | be32(t + 4));
        if (indexes[i] >= h->type || (i && at <= tz->changes[i - 1].at))
            return ERR_CORRUPT;
        tz->changes[i] = (struct tzchange){ at, (int32_t)be32(types + indexes[i] * 6u) };
    }
    tz->count = h->time;
    return 0;
}

// ---- the rule behind the last change: a POSIX TZ string such as CET-1CEST,M3.5.0,M10.5.0/3
static bool take_number(str *s, int most, int *ret)
{
    int v = 0;
    size_t n = 0;
    while (n < s->len && n < 4 && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        v = v * 10 + (s->ptr[n++] - '0');
    if (n == 0 || v > most)
        return false;
    *s = str_slice(*s, n, s->len);
    *ret = v;
    return true;
}

static bool take_char(str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

// [+-]hh[:mm[:ss]]
static bool take_time(str *s, int32_t *ret)
{
    bool minus = take_char(s, '-');
    if (!minus)
        take_char(s, '+');
    int h, m = 0, sec = 0;
    if (!take_number(s, 167, &h) ||
        (take_char(s, ':') && (!take_number(s, 59, &m) || (take_char(s, ':') && !take_number(s, 59, &sec)))))
        return false;
    int32_t v = h * 3600 + m * 60 + sec;
    *ret = minus ? -v : v;
    return true;
}

// An abbreviation: letters, or anything in < >.
static bool take_zone_name(str *s)
{
    size_t n = 0;
    if (take_char(s, '<')) {
        ptrdiff_t end = str_find_char(*s, '>', 0);
        *s = str_slice(*s, end < 0 ? 0 : (size_t)end + 1, s->len);
        return end > 0;
    }
    while (n < s->len && (s->ptr[n] | 0x20) >= 'a' && (s->ptr[n] | 0x20) <= 'z')
        n++;
    *s = str_slice(*s, n, s->len);
    return n >= 3;
}

static bool take_date(str *s, struct tzrule_date *ret)
{
    struct tzrule_date d = { .kind = 'n', .time = 2 * 3600 };
    if (take_char(s, 'M')) {
        d.kind = 'M';
        if (!take_number(s, 12, &d.month) || d.month < 1 || !take_char(s, '.') || !take_number(s, 5, &d.week) ||
            d.week < 1 || !take_char(s, '.') || !take_number(s, 6, &d.weekday))
            return false;
    } else if (take_char(s, 'J')) {
        d.kind = 'J';
        if (!take_number(s, 365, &d.day) || d.day < 1)
            return false;
    } else if (!take_number(s, 365, &d.day)) {
        return false;
    }
    if (take_char(s, '/') && !take_time(s, &d.time))
        return false;
    *ret = d;
    return true;
}

static bool read_rule(str s, struct tzfile *tz)
{
    int32_t west;
    if (!take_zone_name(&s) || !take_time(&s, &west) || west > OFFSET_MAX || west < -OFFSET_MAX)
        return false;
    tz->standard = tz->summer = -west;
    tz->has_rule = true;
    if (s.len == 0)
        return true;
    if (!take_zone_name(&s))
        return false;
    tz->summer = tz->standard + 3600;
    if (s.len && s.ptr[0] != ',') {
        if (!take_time(&s, &west) || west > OFFSET_MAX || west < -OFFSET_MAX)
            return false;
        tz->summer = -west;
    }
    tz->has_summer = true;
    return take_char(&s, ',') && take_date(&s, &tz->begin) && take_char(&s, ',') && take_date(&s, &tz->end) &&
           s.len == 0;
}

int tzfile_read(bytes data, struct tzfile *ret_tz)
{
    struct header h;
    struct tzfile tz = { 0 };
    size_t at = 0, word = 4;
    if (data.len > TZFILE_SIZE_MAX || !read_header(data, 0, &h))
        return ERR_CORRUPT;
    if (h.version >= '2') { // the same once more in 64 bits, then the rule
        at = HEADER_SIZE + block_size(&h, 4);
        word = 8;
        if (!read_header(data, at, &h))
            return ERR_CORRUPT;
    }
    at += HEADER_SIZE;
    size_t size = block_size(&h, word);
    if (at > data.len || data.len - at < size)
        return ERR_CORRUPT;
    int r = read_block(data.ptr + at, &h, word, &tz);
    if (r < 0)
        goto out;
    str footer = str_slice(str_of_bytes(data), at + size, data.len);
    if (word == 8 && footer.len > 2) {
        ptrdiff_t end = str_find_char(footer, '\n', 1);
        if (footer.ptr[0] != '\n' || end < 0 || (end > 1 && !read_rule(str_slice(footer, 1, (size_t)end), &tz))) {
            r = ERR_CORRUPT;
            goto out;
        }
    }
    *ret_tz = tz;
    return 0;
out:
    tzfile_free(&tz);
    return r;
}

void tzfile_free(struct tzfile *tz)
{
    mem_free(tz->changes);
    tz->changes = NULL;
    tz->count = 0;
}

// ---- offsets
static bool is_leap(int64_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

// The rule's day in that year, days since 1970-01-01.
static int64_t rule_day(const struct tzrule_date *d, int64_t year)
{
    if (d->kind == 'n')
        return time_days_of_civil(year, 1, 1) + d->day;
    if (d->kind == 'J')
        return time_days_of_civil(year, 1, 1) + d->day - 1 + (is_leap(year) && d->day >= 60);
    int64_t first = time_days_of_civil(year, d->month, 1);
    int64_t next = d->month == 12 ? time_days_of_civil(year + 1, 1, 1) : time_days_of_civil(year, d->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; // 1970-01-01 was a Thursday
    int64_t day = first + (d->weekday - weekday + 7) % 7 + 7 * (d->week - 1);
    return day < next ? day : day - 7;
}

static int32_t rule_offset(const struct tzfile *tz, int64_t t)
{
    if (!tz->has_summer)
        return tz->standard;
    int64_t local = t + tz->standard, days = local / 86400 - (local % 86400 < 0), year;
    int month, day;
    time_civil_of_days(days, &year, &month, &day);
    int64_t begin = rule_day(&tz->begin, year) * 86400 + tz->begin.time - tz->standard;
    int64_t end = rule_day(&tz->end, year) * 86400 + tz->end.time - tz->summer;
    bool summer = begin < end ? t >= begin && t < end : !(t >= end && t < begin);
    return summer ? tz->summer : tz->standard;
}

int32_t tzfile_offset(const struct tzfile *tz, int64_t t)
{
    if (tz->count == 0 || t >= tz->changes[tz->count - 1].at) {
        if (tz->has_rule)
            return rule_offset(tz, t);
        return tz->count ? tz->changes[tz->count - 1].offset : tz->first;
    }
    uint32_t lo = 0, hi = tz->count; // the first change behind t
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (tz->changes[mid].at <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? tz->changes[lo - 1].offset : tz->first;
}
