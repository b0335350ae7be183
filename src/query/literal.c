#include "query/literal.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "query/calendar.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ---- numbers
// Takes the `_` between digits out; false when one stands elsewhere or there is no room.
static bool without_underscores(str s, char *tmp, size_t size, str *ret)
{
    if (str_find_char(s, '_', 0) < 0) {
        *ret = s;
        return true;
    }
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '_') {
            if (i == 0 || i + 1 == s.len || !is_digit(s.ptr[i - 1]) || !is_digit(s.ptr[i + 1]))
                return false;
            continue;
        }
        if (n == size)
            return false;
        tmp[n++] = s.ptr[i];
    }
    *ret = str_of(tmp, n);
    return true;
}

static bool read_hex(str s, bool negative, int64_t *ret_i, double *ret_d, uint32_t *ret_readings)
{
    uint64_t v = 0;
    double d = 0;
    bool big = false;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '_' && i > 0 && i + 1 < s.len && s.ptr[i - 1] != '_')
            continue;
        int digit = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        big = big || v >> 60;
        v = v << 4 | (unsigned)digit;
        d = d * 16 + digit;
    }
    if (big || v > (uint64_t)INT64_MAX + negative) {
        *ret_d = negative ? -d : d;
        *ret_readings = QR_DOUBLE | QR_BIG;
        return true;
    }
    *ret_i = negative ? (int64_t)(0 - v) : (int64_t)v;
    *ret_d = (double)*ret_i;
    *ret_readings = QR_INT | QR_DOUBLE;
    return true;
}

bool query_number_read(str s, int64_t *ret_i, double *ret_d, uint32_t *ret_readings)
{
    bool negative = s.len && s.ptr[0] == '-';
    str body = str_slice(s, negative, s.len);
    if (body.len == 0 || !is_digit(body.ptr[0]))
        return false;
    if (body.len > 2 && body.ptr[0] == '0' && (body.ptr[1] | 0x20) == 'x')
        return read_hex(str_slice(body, 2, body.len), negative, ret_i, ret_d, ret_readings);
    char tmp[512];
    str plain;
    double d;
    if (!without_underscores(s, tmp, sizeof tmp, &plain) || !parse_double(plain, &d))
        return false;
    *ret_d = d;
    if (parse_i64(plain, ret_i)) {
        *ret_readings = QR_INT | QR_DOUBLE;
        return true;
    }
    bool integer = true;
    for (size_t i = negative; i < plain.len; i++)
        integer = integer && is_digit(plain.ptr[i]);
    *ret_readings = QR_DOUBLE | (integer ? QR_BIG : 0u);
    return true;
}

bool query_decimal_read(str s, int64_t *ret_i, double *ret_d, bool *ret_is_int)
{
    *ret_is_int = parse_i64(s, ret_i);
    if (*ret_is_int) {
        *ret_d = (double)*ret_i;
        return true;
    }
    return parse_double(s, ret_d);
}

// ---- numbers with units
struct unit {
    const char *name;
    int64_t factor;
};

// A decimal number without exponent, exact to 18 digits behind the point.
struct fixed {
    unsigned __int128 whole;
    uint64_t atto; // fraction in 10^-18
    bool over;
};

static bool read_fixed(str s, size_t *at, struct fixed *ret)
{
    size_t i = *at;
    if (i >= s.len || !is_digit(s.ptr[i]))
        return false;
    struct fixed f = { 0 };
    for (; i < s.len && (is_digit(s.ptr[i]) || (s.ptr[i] == '_' && i + 1 < s.len && is_digit(s.ptr[i + 1]))); i++) {
        if (s.ptr[i] == '_')
            continue;
        if (f.whole > (unsigned __int128)INT64_MAX)
            f.over = true;
        else
            f.whole = f.whole * 10 + (unsigned)(s.ptr[i] - '0');
    }
    if (i + 1 < s.len && s.ptr[i] == '.' && is_digit(s.ptr[i + 1])) {
        uint64_t unit = 100000000000000000u; // 10^17
        for (i++; i < s.len && is_digit(s.ptr[i]); i++, unit /= 10)
            f.atto += (unsigned)(s.ptr[i] - '0') * unit;
    }
    *at = i;
    *ret = f;
    return true;
}

// f * factor, cut to a whole number; *over when it is beyond int64.
static uint64_t scale_fixed(const struct fixed *f, int64_t factor, bool *over)
{
    unsigned __int128 v = f->over ? 0 : f->whole * (unsigned __int128)factor;
    v += (unsigned __int128)f->atto * (unsigned __int128)factor / 1000000000000000000u;
    if (f->over || v > (unsigned __int128)INT64_MAX + 1)
        *over = true;
    return (uint64_t)v;
}

static const struct unit *find_unit(const struct unit *units, str s, size_t at, bool any_case, size_t *ret_len)
{
    for (const struct unit *u = units; u->name; u++) {
        str name = str_z(u->name), here = str_slice(s, at, at + name.len);
        if (!(any_case ? str_ieq(here, name) : str_eq(here, name)))
            continue;
        // The unit ends where the next number begins.
        if (at + name.len < s.len && !is_digit(s.ptr[at + name.len]))
            continue;
        *ret_len = name.len;
        return u;
    }
    return NULL;
}

bool query_duration_read(str s, int64_t *ret_ns, bool *ret_overflow)
{
    static const struct unit units[] = {
        { "ns", 1 },
        { "us", NS_PER_US },
        { "\xC2\xB5s", NS_PER_US },
        { "\xCE\xBCs", NS_PER_US },
        { "ms", NS_PER_MS },
        { "s", NS_PER_S },
        { "m", 60 * NS_PER_S },
        { "h", 3600 * NS_PER_S },
        { "d", 86400 * NS_PER_S },
        { "w", 7 * 86400 * NS_PER_S },
        { NULL, 0 },
    };
    size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    bool negative = at && s.ptr[0] == '-', over = false;
    if (at == s.len)
        return false;
    uint64_t sum = 0;
    while (at < s.len) {
        struct fixed f;
        size_t n;
        const struct unit *u;
        if (!read_fixed(s, &at, &f) || !(u = find_unit(units, s, at, false, &n)))
            return false;
        at += n;
        uint64_t v = scale_fixed(&f, u->factor, &over);
        if (__builtin_add_overflow(sum, v, &sum))
            over = true;
    }
    over = over || sum > (uint64_t)INT64_MAX + negative;
    *ret_overflow = over;
    *ret_ns = over ? 0 : negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

bool query_size_read(str s, int64_t *ret_bytes, bool *ret_overflow)
{
    static const struct unit units[] = {
        { "kb", 1000 },       { "mb", 1000000 },    { "gb", 1000000000 }, { "tb", 1000000000000 },
        { "kib", 1ll << 10 }, { "mib", 1ll << 20 }, { "gib", 1ll << 30 }, { "tib", 1ll << 40 },
        { "b", 1 },           { NULL, 0 },
    };
    size_t at = s.len && s.ptr[0] == '-', n;
    bool negative = at, over = false;
    struct fixed f;
    const struct unit *u;
    if (!read_fixed(s, &at, &f) || !(u = find_unit(units, s, at, true, &n)) || at + n != s.len)
        return false;
    uint64_t v = scale_fixed(&f, u->factor, &over);
    over = over || v > (uint64_t)INT64_MAX + negative;
    *ret_overflow = over;
    *ret_bytes = over ? 0 : negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

// ---- times
// Rounds down to the unit named behind the last '/', in the zone.
static bool round_down(str unit, const struct query_zone *zone, int64_t *ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } fixed[] = { { "s", NS_PER_S }, { "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S } };
    for (size_t i = 0; i < 3; i++) {
        if (!str_eq(unit, str_z(fixed[i].name)))
            continue;
        // Zones differ from UTC by whole minutes at least since 1972, but not always by hours.
        int64_t shift = (int64_t)query_zone_offset(zone, query_bucket_int(*ns, NS_PER_S) / NS_PER_S) * NS_PER_S, local;
        if (__builtin_add_overflow(*ns, shift, &local))
            return false;
        return !__builtin_sub_overflow(query_bucket_int(local, fixed[i].ns), shift, ns);
    }
    enum query_cal_unit cal;
    if (str_eq(unit, STR("d")))
        cal = QUERY_CAL_DAY;
    else if (str_eq(unit, STR("w")))
        cal = QUERY_CAL_WEEK;
    else if (str_eq(unit, STR("mo")))
        cal = QUERY_CAL_MONTH;
    else
        return false;
    *ns = query_calendar_floor(zone, cal, 1, *ns);
    return true;
}

static bool read_relative(str s, int64_t now_ns, const struct query_zone *zone, int64_t *ret_ns)
{
    str rest = s;
    bool named = str_starts(rest, STR("now"));
    if (named)
        rest = str_slice(rest, 3, rest.len);
    str unit = { NULL, 0 };
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    if (slash >= 0) {
        unit = str_slice(rest, (size_t)slash + 1, rest.len);
        rest = str_slice(rest, 0, (size_t)slash);
    }
    int64_t ns = now_ns, shift;
    bool over;
    if (rest.len) {
        if (rest.ptr[0] != '-' && rest.ptr[0] != '+')
            return false;
        if (!query_duration_read(rest, &shift, &over) || over || __builtin_add_overflow(ns, shift, &ns))
            return false;
    } else if (!named) {
        return false;
    }
    if (slash >= 0 && !round_down(unit, zone, &ns))
        return false;
    *ret_ns = ns;
    return true;
}

bool query_time_read(str s, int64_t now_ns, const struct query_zone *zone, int64_t *ret_ns)
{
    int64_t days;
    if (parse_date(s, &days)) {
        // The day's begin in the zone: noon is the same day in every zone, floor does the rest.
        int64_t noon;
        if (__builtin_mul_overflow(days * 86400 + 43200, NS_PER_S, &noon))
            return false;
        int64_t shift = (int64_t)query_zone_offset(zone, days * 86400 + 43200) * NS_PER_S;
        if (__builtin_sub_overflow(noon, shift, &noon))
            return false;
        *ret_ns = query_calendar_floor(zone, QUERY_CAL_DAY, 1, noon);
        return true;
    }
    // A space for the T would end the word; RFC 3339 allows it, the language does not.
    if (s.len > 10 && s.ptr[10] != ' ' && parse_rfc3339(s, ret_ns))
        return true;
    return read_relative(s, now_ns, zone, ret_ns);
}

bool query_time_param(str s, int64_t now_ns, const struct query_zone *zone, int64_t *ret_ns)
{
    int64_t v, unit = s.len == 10 ? NS_PER_S : s.len == 13 ? NS_PER_MS : s.len == 16 ? NS_PER_US : s.len == 19 ? 1 : 0;
    if (unit && is_digit(s.ptr[0]) && parse_i64(s, &v))
        return !__builtin_mul_overflow(v, unit, ret_ns);
    return query_time_read(s, now_ns, zone, ret_ns);
}

bool query_id_read(str s, uint8_t ret_id[16], uint8_t *ret_nibbles)
{
    uint8_t id[16] = { 0 };
    unsigned n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '-')
            continue;
        int digit = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0 || n == 32)
            return false;
        id[n / 2] |= (uint8_t)(n % 2 ? digit : digit << 4);
        n++;
    }
    memcpy(ret_id, id, 16);
    *ret_nibbles = (uint8_t)n;
    return true;
}

// ---- escapes
static int bad_escape(const struct query_ast_value *v, str query_text, size_t i, size_t len, struct query_error *err,
                      const char *what)
{
    int r = query_fail(err, QUERY_E_BAD_ESCAPE, "%s", what);
    size_t quote = v->form != QUERY_WORD;
    query_error_at(err, query_text, v->pos.off + quote + i, len);
    query_error_hint(
        err, "escapes are \\\" \\\\ \\* \\n \\r \\t \\u{1F600}; in '..' nothing is escaped, in =~\"..\" only \\\"");
    return r;
}

// \u{hex} at raw[i] == 'u': puts the character, returns the bytes used or 0.
static size_t unescape_u(str raw, size_t i, char *out, size_t *o)
{
    if (i + 2 >= raw.len || raw.ptr[i + 1] != '{')
        return 0;
    uint32_t cp = 0;
    size_t k = i + 2;
    for (; k < raw.len && k < i + 8 && raw.ptr[k] != '}'; k++) {
        char c = raw.ptr[k];
        int digit = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0)
            return 0;
        cp = cp << 4 | (unsigned)digit;
    }
    if (k == i + 2 || k >= raw.len || raw.ptr[k] != '}' || cp > UNICODE_MAX || (cp >= 0xD800 && cp <= 0xDFFF))
        return 0;
    *o += utf8_put(out + *o, cp);
    return k + 1 - i;
}

struct decoded {
    char *text;
    size_t len;
    uint32_t *stars; // offsets in text of the wildcards
    uint32_t star_count;
};

static int decode(struct arena *arena, str query_text, const struct query_ast_value *v, struct decoded *ret,
                  struct query_error *err)
{
    str raw = v->raw;
    uint32_t stars = 0;
    for (size_t i = 0; i < raw.len && v->form != QUERY_SQUOTED; i++)
        stars += raw.ptr[i] == '*';
    // An escape is never shorter than what it stands for.
    struct decoded d = { .text = arena_alloc_bytes(arena, raw.len + 1) };
    d.stars = stars ? arena_alloc_array(arena, stars, sizeof *d.stars) : NULL;
    if (!d.text || (stars && !d.stars))
        return query_fail(err, QUERY_E_MEMORY, "no memory to read the query");
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (v->form == QUERY_SQUOTED) {
            i += c == '\'';
        } else if (c == '*') {
            if (!d.star_count || d.stars[d.star_count - 1] + 1 != d.len || raw.ptr[i - 1] != '*')
                d.stars[d.star_count++] = (uint32_t)d.len;
            else
                continue; // ** is *
        } else if (c == '\\' && v->form == QUERY_WORD) {
            c = raw.ptr[++i]; // the parser has seen that one follows
        } else if (c == '\\') {
            c = raw.ptr[++i];
            const char *known = memchr("\"\\*nrt", c, 6);
            size_t used = c == 'u' ? unescape_u(raw, i, d.text, &d.len) : 0;
            if (!known && !used)
                return bad_escape(v, query_text, i - 1, 2, err,
                                  c == 'u' ? "`\\u` needs a code point like \\u{1F600}" : "unknown escape");
            if (used) {
                i += used - 1;
                continue;
            }
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
        }
        d.text[d.len++] = c;
    }
    d.text[d.len] = 0;
    *ret = d;
    return 0;
}

static int put_wildcard(struct arena *arena, const struct decoded *d, struct query_literal *lit,
                        struct query_error *err)
{
    if (d->star_count == 0)
        return 0;
    str *pieces = arena_alloc_array(arena, d->star_count + 1, sizeof *pieces);
    struct query_wildcard *w = arena_zalloc(arena, sizeof *w);
    if (!pieces || !w)
        return query_fail(err, QUERY_E_MEMORY, "no memory to read the query");
    size_t from = 0;
    for (uint32_t i = 0; i < d->star_count; i++) {
        pieces[i] = str_of(d->text + from, d->stars[i] - from);
        from = d->stars[i] + 1;
    }
    pieces[d->star_count] = str_of(d->text + from, d->len - from);
    w->pieces = pieces;
    w->count = d->star_count + 1;
    lit->wildcard = w;
    return 0;
}

int query_literal_read(struct arena *arena, str query_text, const struct query_ast_value *v, int64_t now_ns,
                       const struct query_zone *zone, struct query_literal *ret_lit, struct query_error *err)
{
    struct query_literal lit = { .pos = v->pos, .form = v->form };
    struct decoded d = { 0 };
    int r = decode(arena, query_text, v, &d, err);
    if (r < 0)
        return r;
    lit.text = str_of(d.text, d.len);
    if ((r = put_wildcard(arena, &d, &lit, err)) < 0)
        return r;
    if (query_level_range(lit.text, &lit.level_lo, &lit.level_hi))
        lit.readings |= QR_LEVEL;
    bool over = false;
    // Quotes and escapes say: text.
    if (v->form == QUERY_WORD && !lit.wildcard && str_find_char(v->raw, '\\', 0) < 0) {
        str s = lit.text;
        uint32_t numeric = 0;
        if (query_number_read(s, &lit.i, &lit.d, &numeric)) {
            lit.readings |= numeric;
        } else if (query_duration_read(s, &lit.duration, &over)) {
            lit.readings |= over ? QR_OVER : QR_DURATION;
        } else if (query_size_read(s, &lit.i, &over)) {
            lit.d = (double)lit.i;
            lit.readings |= over ? QR_OVER : QR_SIZE | QR_INT | QR_DOUBLE;
        }
        if (query_time_read(s, now_ns, zone, &lit.time))
            lit.readings |= QR_TIME;
        if (str_eq(s, STR("true")) || str_eq(s, STR("false"))) {
            lit.readings |= QR_BOOL;
            lit.truth = s.len == 4;
        }
    }
    *ret_lit = lit;
    return 0;
}

// ---- patterns
int query_pattern_read(struct arena *arena, const struct query_ast_value *v, str *ret_pattern, struct query_error *err)
{
    char *out = arena_alloc_bytes(arena, v->raw.len + 1);
    if (!out)
        return query_fail(err, QUERY_E_MEMORY, "no memory to read the query");
    size_t n = 0;
    for (size_t i = 0; i < v->raw.len; i++) {
        char c = v->raw.ptr[i];
        if (v->form == QUERY_SQUOTED) {
            i += c == '\'';
        } else if (c == '\\' && i + 1 < v->raw.len) {
            char next = v->raw.ptr[++i];
            if (next != '"')
                out[n++] = c;
            c = next;
        }
        out[n++] = c;
    }
    *ret_pattern = str_of(out, n);
    return 0;
}

size_t query_pattern_offset(const struct query_ast_value *v, size_t off)
{
    size_t n = 0, i = 0;
    for (; i < v->raw.len && n < off; i++) {
        char c = v->raw.ptr[i];
        if (v->form == QUERY_SQUOTED) {
            i += c == '\'';
        } else if (c == '\\' && i + 1 < v->raw.len && v->raw.ptr[i + 1] == '"') {
            i++;
        } else if (c == '\\' && i + 1 < v->raw.len && n + 1 < off) {
            i++;
            n++;
        }
        n++;
    }
    return v->pos.off + 1 + i;
}

void query_put_literal(struct buf *out, str text)
{
    buf_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_byte(out, '\'');
        buf_byte(out, (uint8_t)text.ptr[i]);
    }
    buf_byte(out, '\'');
}

void query_put_value(struct buf *out, str text)
{
    bool bare = text.len > 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bare &=
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && ((c >= '0' && c <= '9') || c == '-'));
    }
    if (bare)
        buf_str(out, text);
    else
        query_put_literal(out, text);
}
