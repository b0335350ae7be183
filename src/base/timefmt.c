#include "base/timefmt.h"

#include "base/clock.h"
#include "base/numfmt.h"

// Days from the civil calendar by counting years from March, so that the leap day is the last of the
// year; eras of 400 years have 146,097 days.
int64_t time_days_of_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void time_civil_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = yoe + era * 400 + (*ret_month <= 2);
}

static void put_digits(char *out, uint64_t v, int n)
{
    while (n--) {
        out[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

int fmt_rfc3339(char out[32], int64_t unix_ns)
{
    int64_t s = unix_ns / NS_PER_S, ns = unix_ns % NS_PER_S;
    if (ns < 0)
        s--, ns += NS_PER_S;
    int64_t days = s / 86400, rest = s % 86400;
    if (rest < 0)
        days--, rest += 86400;
    int64_t year;
    int month, day;
    time_civil_of_days(days, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00.000000000Z", TIME_RFC3339_LEN);
    put_digits(out, (uint64_t)year, 4);
    put_digits(out + 5, (uint64_t)month, 2);
    put_digits(out + 8, (uint64_t)day, 2);
    put_digits(out + 11, (uint64_t)(rest / 3600), 2);
    put_digits(out + 14, (uint64_t)(rest / 60 % 60), 2);
    put_digits(out + 17, (uint64_t)(rest % 60), 2);
    put_digits(out + 20, (uint64_t)ns, 9);
    return TIME_RFC3339_LEN;
}

// n digits at s[at], or -1.
static int read_digits(str s, size_t at, size_t n)
{
    if (at + n > s.len)
        return -1;
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[at + i];
        if (c < '0' || c > '9')
            return -1;
        v = v * 10 + (c - '0');
    }
    return v;
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool parse_date(str s, int64_t *ret_days)
{
    if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-')
        return false;
    int year = read_digits(s, 0, 4), month = read_digits(s, 5, 2), day = read_digits(s, 8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *ret_days = time_days_of_civil(year, month, day);
    return true;
}

// "Z" or "+hh:mm" at the end, in seconds east.
static bool read_offset(str s, int *ret_offset)
{
    if (s.len == 1 && (s.ptr[0] == 'Z' || s.ptr[0] == 'z')) {
        *ret_offset = 0;
        return true;
    }
    if (s.len != 6 || (s.ptr[0] != '+' && s.ptr[0] != '-') || s.ptr[3] != ':')
        return false;
    int h = read_digits(s, 1, 2), m = read_digits(s, 4, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return false;
    *ret_offset = (h * 3600 + m * 60) * (s.ptr[0] == '-' ? -1 : 1);
    return true;
}

bool parse_rfc3339(str s, int64_t *ret_unix_ns)
{
    int64_t days;
    if (s.len < 20 || !parse_date(str_slice(s, 0, 10), &days))
        return false;
    if ((s.ptr[10] != 'T' && s.ptr[10] != 't' && s.ptr[10] != ' ') || s.ptr[13] != ':' || s.ptr[16] != ':')
        return false;
    int h = read_digits(s, 11, 2), m = read_digits(s, 14, 2), sec = read_digits(s, 17, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
        return false;
    size_t i = 19;
    int64_t ns = 0;
    if (s.ptr[i] == '.') {
        int64_t unit = NS_PER_S / 10;
        size_t first = ++i;
        for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++, unit /= 10)
            ns += (s.ptr[i] - '0') * unit;
        if (i == first)
            return false;
    }
    int offset;
    if (!read_offset(str_slice(s, i, s.len), &offset))
        return false;
    int64_t at = days * 86400 + h * 3600 + m * 60 + sec - offset, v;
    // One second more and back, so that the last second before the epoch of int64 does not overflow.
    if (at < 0) {
        at++;
        ns -= NS_PER_S;
    }
    if (__builtin_mul_overflow(at, NS_PER_S, &v) || __builtin_add_overflow(v, ns, &v))
        return false;
    *ret_unix_ns = v;
    return true;
}

int fmt_duration(char out[32], int64_t ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = { { "d", 86400ull * NS_PER_S }, { "h", 3600ull * NS_PER_S }, { "m", 60ull * NS_PER_S } };
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    char *o = out;
    if (ns < 0)
        *o++ = '-';
    bool any = false;
    for (int i = 0; i < 3; i++) {
        if (v < units[i].ns)
            continue;
        o += fmt_u64(o, v / units[i].ns);
        *o++ = units[i].unit[0];
        v %= units[i].ns;
        any = true;
    }
    if (any && v == 0)
        return (int)(o - out);
    uint64_t unit = any || v >= NS_PER_S ? NS_PER_S : v >= NS_PER_MS ? NS_PER_MS : v >= NS_PER_US ? NS_PER_US : 1;
    o += fmt_u64(o, v / unit);
    uint64_t rest = v % unit;
    if (rest) {
        char digits[9];
        int n = unit == NS_PER_S ? 9 : unit == NS_PER_MS ? 6 : 3;
        put_digits(digits, rest, n);
        while (digits[n - 1] == '0')
            n--;
        *o++ = '.';
        memcpy(o, digits, (size_t)n);
        o += n;
    }
    const char *name = unit == (uint64_t)NS_PER_S    ? "s"
                       : unit == (uint64_t)NS_PER_MS ? "ms"
                       : unit == (uint64_t)NS_PER_US ? "us"
                                                     : "ns";
    size_t n = strlen(name);
    memcpy(o, name, n);
    return (int)(o + n - out);
}
