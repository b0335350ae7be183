#include "monitors/schedule.h"
#include "base/clock.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "query/calendar.h"

#include <strings.h>

enum { MINUTE_S = 60, HOUR_S = 3600, STEPS_MAX = 20000, EVERY_MAX = 100000, TEXT_LEN_MAX = 255 };

static const str unit_words[UNITS] = { STR_INIT("minute"), STR_INIT("hour"),  STR_INIT("day"),
                                       STR_INIT("week"),   STR_INIT("month"), STR_INIT("year") };

str schedule_unit_word(enum schedule_unit u) { return unit_words[u]; }

// ---- reading -------------------------------------------------------------------------------------------

static int bad(struct err *err, str text, const char *why)
{
    text = utf8_cut(text, 80);
    err_set(err, ERR_INVALID, "bad_schedule", "\"%.*s\" is no schedule: %s", STR_ARG(text), why);
    err_set_hint(err, "five fields: minute hour day month weekday, as in \"*/10 8-18 * * mon-fri\"");
    return ERR_INVALID;
}

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                           "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct field {
    int least, most;
    const char *const *names;
    int names_n, first_name; // what the first name stands for
};
static const struct field fields[] = { { 0, 59, NULL, 0, 0 },
                                       { 0, 23, NULL, 0, 0 },
                                       { 1, 31, NULL, 0, 0 },
                                       { 1, 12, month_names, 12, 1 },
                                       { 0, 7, weekday_names, 7, 0 } };

static bool read_number(const struct field *f, str text, int *ret)
{
    int n = 0;
    for (int i = 0; i < f->names_n; i++)
        if (text.len == 3 && strncasecmp(text.ptr, f->names[i], 3) == 0) {
            *ret = f->first_name + i;
            return true;
        }
    if (text.len == 0 || text.len > 4)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
    }
    *ret = n;
    return true;
}

// "*", "5", "1-5", each with "/2" behind it.
static bool read_range(const struct field *f, str text, uint64_t *bits)
{
    int first = f->least, last = f->most, step = 1;
    ptrdiff_t slash = str_find_char(text, '/', 0);
    str range = slash < 0 ? text : str_slice(text, 0, (size_t)slash);
    const struct field plain = { 0, 0, NULL, 0, 0 };
    if (slash >= 0 && (!read_number(&plain, str_slice(text, (size_t)slash + 1, text.len), &step) || step < 1))
        return false;
    ptrdiff_t dash = str_find_char(range, '-', 0);
    if (dash > 0) {
        if (!read_number(f, str_slice(range, 0, (size_t)dash), &first) ||
            !read_number(f, str_slice(range, (size_t)dash + 1, range.len), &last))
            return false;
        if (f->most == 7 && last == 0 && first > 0) // fri-sun
            last = 7;
    } else if (!str_eq(range, STR("*")) && !str_eq(range, STR("?"))) {
        if (!read_number(f, range, &first))
            return false;
        last = slash < 0 ? first : f->most; // "5/10": from 5 on
    }
    if (first < f->least || last > f->most || first > last)
        return false;
    for (int i = first; i <= last; i += step)
        *bits |= 1ull << i;
    return true;
}

static bool read_field(const struct field *f, str text, uint64_t *ret_bits)
{
    *ret_bits = 0;
    for (size_t at = 0; at <= text.len;) {
        ptrdiff_t comma = str_find_char(text, ',', at);
        size_t end = comma < 0 ? text.len : (size_t)comma;
        if (!read_range(f, str_slice(text, at, end), ret_bits))
            return false;
        at = end + 1;
    }
    return true;
}

static str nickname(str text)
{
    static const struct {
        str name, fields;
    } names[] = { { STR_INIT("@hourly"), STR_INIT("0 * * * *") },   { STR_INIT("@daily"), STR_INIT("0 0 * * *") },
                  { STR_INIT("@midnight"), STR_INIT("0 0 * * *") }, { STR_INIT("@weekly"), STR_INIT("0 0 * * 0") },
                  { STR_INIT("@monthly"), STR_INIT("0 0 1 * *") },  { STR_INIT("@yearly"), STR_INIT("0 0 1 1 *") },
                  { STR_INIT("@annually"), STR_INIT("0 0 1 1 *") } };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(text, names[i].name))
            return names[i].fields;
    return text;
}

int schedule_crontab(str text, struct schedule *ret, struct err *err)
{
    struct schedule s = { .kind = SCHEDULE_CRONTAB };
    uint64_t bits[5];
    bool any[5];
    int n = 0;
    text = str_trim(text);
    if (text.len > TEXT_LEN_MAX)
        return bad(err, text, "it is too long");
    str rest = nickname(text);
    for (size_t at = 0; at < rest.len; n++) {
        size_t end = at;
        while (end < rest.len && rest.ptr[end] != ' ' && rest.ptr[end] != '\t')
            end++;
        str word = str_slice(rest, at, end);
        if (n == 5)
            return bad(err, text, "it has more than five fields");
        if (!read_field(&fields[n], word, &bits[n]))
            return bad(err, text,
                       (const char *const[]){ "the minute", "the hour", "the day", "the month", "the weekday" }[n]);
        any[n] = word.ptr[0] == '*' || word.ptr[0] == '?';
        for (at = end; at < rest.len && (rest.ptr[at] == ' ' || rest.ptr[at] == '\t');)
            at++;
    }
    if (n < 5)
        return bad(err, text, "it has fewer than five fields");
    s.minutes = bits[0];
    s.hours = (uint32_t)bits[1];
    s.days = (uint32_t)bits[2];
    s.months = (uint32_t)bits[3];
    s.weekdays = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f);
    s.any_hour = any[1];
    s.any_day = any[2];
    s.any_weekday = any[4];
    *ret = s;
    return 0;
}

int schedule_interval(int64_t every, str unit, struct schedule *ret, struct err *err)
{
    struct schedule s = { .kind = SCHEDULE_INTERVAL, .every = every, .unit = UNITS };
    for (int i = 0; i < UNITS; i++)
        if (str_eq(unit, unit_words[i]))
            s.unit = (enum schedule_unit)i;
    if (every < 1 || every > EVERY_MAX || s.unit == UNITS)
        return err_set(err, ERR_INVALID, "bad_schedule",
                       "an interval is a number from 1 and minute, hour, day, week, month or year");
    *ret = s;
    return 0;
}

int schedule_zone(struct schedule *s, str name, struct err *err)
{
    if (name.len == 0 || query_zone_get(name, &s->zone) == 0)
        return 0;
    name = utf8_cut(name, 64);
    err_set(err, ERR_INVALID, "bad_timezone", "there is no time zone \"%.*s\"", STR_ARG(name));
    err_set_hint(err, "an IANA name, as in \"Europe/Berlin\"; none means UTC");
    return ERR_INVALID;
}

// ---- the next time -------------------------------------------------------------------------------------

static bool day_fits(const struct schedule *s, const struct query_civil *c)
{
    bool day = s->days >> c->day & 1, weekday = s->weekdays >> (c->weekday % 7) & 1;
    // Both restricted: either is enough (POSIX).
    return s->any_day || s->any_weekday ? day && weekday : day || weekday;
}

static bool clock_fits(const struct schedule *s, int hour, int minute)
{
    return s->hours >> hour & 1 && s->minutes >> minute & 1;
}

// Is there something due in the local minutes that the clock was put forward over at t?
static bool gap_holds(const struct schedule *s, int64_t t)
{
    int32_t before = query_zone_offset(s->zone, t - 1), now = query_zone_offset(s->zone, t);
    if (now <= before || s->any_hour)
        return false;
    for (int64_t local = t + before; local < t + now; local += MINUTE_S) {
        int64_t in_day = ((local % 86400) + 86400) % 86400;
        if (clock_fits(s, (int)(in_day / HOUR_S), (int)(in_day % HOUR_S / MINUTE_S)))
            return true;
    }
    return false;
}

// Has this local time been already, before the clock was put back?
static bool is_repeat(const struct schedule *s, int64_t t)
{
    int32_t now = query_zone_offset(s->zone, t), before = query_zone_offset(s->zone, t - 3 * HOUR_S);
    int64_t first = t + now - before;
    return !s->any_hour && before > now && query_zone_offset(s->zone, first) == before;
}

static int64_t crontab_next(const struct schedule *s, int64_t after_s)
{
    int64_t t = after_s - ((after_s % MINUTE_S) + MINUTE_S) % MINUTE_S + MINUTE_S;
    for (int i = 0; i < STEPS_MAX; i++) {
        struct query_civil c = query_civil_at(s->zone, t * NS_PER_S);
        if (!(s->months >> c.month & 1))
            t = query_calendar_next(s->zone, QUERY_CAL_MONTH, 1, t * NS_PER_S) / NS_PER_S;
        else if (!day_fits(s, &c))
            t = query_calendar_next(s->zone, QUERY_CAL_DAY, 1, t * NS_PER_S) / NS_PER_S;
        else if (gap_holds(s, t) || (clock_fits(s, c.hour, c.minute) && !is_repeat(s, t)))
            return t;
        else if (!(s->hours >> c.hour & 1))
            t += HOUR_S - c.minute * MINUTE_S - c.second;
        else
            t += MINUTE_S;
    }
    return INT64_MAX;
}

static int64_t months_later(const struct schedule *s, int64_t t, int64_t months)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct query_civil c = query_civil_at(s->zone, t * NS_PER_S);
    int64_t month = c.year * 12 + c.month - 1 + months, year = month / 12;
    int m = (int)(month % 12), days = lengths[m];
    if (m == 1 && year % 4 == 0 && (year % 100 || year % 400 == 0))
        days = 29;
    int day = c.day < days ? c.day : days;
    int64_t local = time_days_of_civil(year, m + 1, day) * 86400 + c.hour * HOUR_S + c.minute * MINUTE_S + c.second;
    return local - query_zone_offset(s->zone, local - c.offset_s);
}

int64_t schedule_next(const struct schedule *s, int64_t after)
{
    static const int64_t seconds[] = { MINUTE_S, HOUR_S, 86400, 7 * 86400 };
    int64_t after_s = after / NS_PER_S, t, wait;
    if (s->kind == SCHEDULE_CRONTAB)
        t = crontab_next(s, after_s);
    else if (s->unit <= UNIT_WEEK)
        return __builtin_mul_overflow(s->every * seconds[s->unit], NS_PER_S, &wait) ||
                       __builtin_add_overflow(after, wait, &t)
                   ? INT64_MAX
                   : t;
    else
        t = months_later(s, after_s, s->unit == UNIT_MONTH ? s->every : s->every * 12);
    return t > INT64_MAX / NS_PER_S ? INT64_MAX : t * NS_PER_S;
}
