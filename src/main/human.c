#include "main/human.h"

#include "base/clock.h"
#include "base/unicode.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

static size_t char_width(uint32_t cp)
{
    if (cp < 0x300)
        return 1;
    if ((cp >= 0x300 && cp <= 0x36f) || (cp >= 0x200b && cp <= 0x200d) || (cp >= 0xfe00 && cp <= 0xfe0f))
        return 0;
    // East Asian wide and emoji, by block: the table of a terminal differs in details anyway.
    bool wide = (cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0xa4cf) || (cp >= 0xac00 && cp <= 0xd7a3) ||
                (cp >= 0xf900 && cp <= 0xfaff) || (cp >= 0xfe30 && cp <= 0xfe6f) || (cp >= 0xff00 && cp <= 0xff60) ||
                (cp >= 0xffe0 && cp <= 0xffe6) || (cp >= 0x1f300 && cp <= 0x1faff) || (cp >= 0x20000 && cp <= 0x3fffd);
    return wide ? 2 : 1;
}

void human_labelled(struct buf *out, int width, const char *label, str text)
{
    if (!text.len)
        return;
    buf_printf(out, "%-*s", width, label);
    visible_escape(out, text);
    buf_byte(out, '\n');
}

void human_plural(struct buf *out, int64_t n, const char *one)
{
    buf_printf(out, "%lld %s%s", (long long)n, one, n == 1 ? "" : "s");
}

size_t human_width(str s)
{
    size_t width = 0;
    for (const char *p = s.ptr, *end = s.ptr + s.len; p < end;) {
        unsigned len;
        bool ok;
        width += char_width(utf8_decode(p, end, &len, &ok));
        p += len;
    }
    return width;
}

void human_cut(struct buf *out, str s, size_t columns)
{
    if (human_width(s) <= columns) {
        buf_str(out, s);
        return;
    }
    size_t width = 0;
    const char *p = s.ptr, *end = s.ptr + s.len;
    while (p < end) {
        unsigned len;
        bool ok;
        size_t w = char_width(utf8_decode(p, end, &len, &ok));
        if (width + w + 1 > columns)
            break;
        width += w;
        p += len;
    }
    buf_str(out, str_of(s.ptr, (size_t)(p - s.ptr)));
    if (columns)
        buf_str(out, STR("\xe2\x80\xa6"));
}

static void put_scaled(struct buf *out, double v, const char *unit)
{
    int digits = v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
    buf_printf(out, "%.*f", digits, v);
    // 5.00 is 5: trailing zeros say nothing.
    if (digits) {
        while (out->len && out->ptr[out->len - 1] == '0')
            out->len--;
        if (out->len && out->ptr[out->len - 1] == '.')
            out->len--;
    }
    buf_str(out, str_z(unit));
}

void human_duration(struct buf *out, int64_t ns)
{
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        buf_byte(out, '-');
    if (v < 1000)
        buf_printf(out, "%lluns", (unsigned long long)v);
    else if (v < 1000000)
        put_scaled(out, (double)v / 1e3, "\xc2\xb5s");
    else if (v < (uint64_t)NS_PER_S)
        put_scaled(out, (double)v / 1e6, "ms");
    else if (v < 60 * (uint64_t)NS_PER_S)
        put_scaled(out, (double)v / 1e9, "s");
    else {
        uint64_t s = v / (uint64_t)NS_PER_S;
        if (s < 3600)
            buf_printf(out, "%llum%02llus", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
        else if (s < 86400)
            buf_printf(out, "%lluh%02llum", (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60));
        else
            buf_printf(out, "%llud%02lluh", (unsigned long long)(s / 86400), (unsigned long long)(s / 3600 % 24));
    }
}

void human_size(struct buf *out, uint64_t size)
{
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB" };
    double v = (double)size;
    int unit = 0;
    while (v >= 999.5 && unit < 5) {
        v /= 1000;
        unit++;
    }
    if (unit == 0)
        buf_printf(out, "%lluB", (unsigned long long)size);
    else
        put_scaled(out, v, units[unit]);
}

void human_time(struct buf *out, int64_t unix_ns)
{
    char text[40];
    struct tm tm;
    time_t s = (time_t)(unix_ns / NS_PER_S - (unix_ns % NS_PER_S < 0));
    int64_t rest = unix_ns - (int64_t)s * NS_PER_S;
    if (unix_ns == 0 || !localtime_r(&s, &tm) || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) == 0) {
        buf_str(out, STR("never"));
        return;
    }
    buf_printf(out, "%s.%03d", text, (int)(rest / NS_PER_MS));
}

void human_ago(struct buf *out, int64_t unix_ns, int64_t now_ns)
{
    int64_t s = (now_ns - unix_ns) / NS_PER_S;
    if (unix_ns == 0)
        buf_str(out, STR("never"));
    else if (s < 0)
        buf_str(out, STR("in the future"));
    else if (s < 60)
        buf_printf(out, "%lld s ago", (long long)s);
    else if (s < 3600)
        buf_printf(out, "%lld min ago", (long long)s / 60);
    else if (s < 2 * 86400)
        buf_printf(out, "%lld h ago", (long long)s / 3600);
    else
        buf_printf(out, "%lld days ago", (long long)s / 86400);
}
