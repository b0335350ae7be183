// Which of two releases is newer, for the question whether an event is from behind a fix. The one place that is asked; it
// goes by the versions in the names (semver, with or without "package@"), and where they say nothing by time.
#include "base/numfmt.h"
#include "issues/issues_internal.h"

struct version {
    str package, pre;
    uint64_t part[4];
};

static bool parse(str s, struct version *v)
{
    ptrdiff_t at = -1;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '@')
            at = (ptrdiff_t)i;
    *v = (struct version){ .package = str_slice(s, 0, at < 0 ? 0 : (size_t)at) };
    str rest = str_slice(s, (size_t)(at + 1), s.len);
    ptrdiff_t plus = str_find_char(rest, '+', 0);
    rest = plus < 0 ? rest : str_slice(rest, 0, (size_t)plus);
    ptrdiff_t dash = str_find_char(rest, '-', 0);
    if (dash >= 0) {
        v->pre = str_slice(rest, (size_t)dash + 1, rest.len);
        rest = str_slice(rest, 0, (size_t)dash);
    }
    if (rest.len && (rest.ptr[0] == 'v' || rest.ptr[0] == 'V'))
        rest = str_slice(rest, 1, rest.len);
    unsigned n = 0;
    while (n < 4) {
        ptrdiff_t dot = str_find_char(rest, '.', 0);
        if (!parse_u64(dot < 0 ? rest : str_slice(rest, 0, (size_t)dot), &v->part[n++]))
            return false;
        if (dot < 0)
            return n >= 2;
        rest = str_slice(rest, (size_t)dot + 1, rest.len);
    }
    return false;
}

static str next_identifier(str *s)
{
    ptrdiff_t dot = str_find_char(*s, '.', 0);
    str part = dot < 0 ? *s : str_slice(*s, 0, (size_t)dot);
    *s = dot < 0 ? (str){ 0 } : str_slice(*s, (size_t)dot + 1, s->len);
    return part;
}

// Semver 2.0, 11: numbers are less than words, more of them is greater.
static int compare_pre(str a, str b)
{
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0);
    while (a.len && b.len) {
        str x = next_identifier(&a), y = next_identifier(&b);
        uint64_t m, n;
        bool i = parse_u64(x, &m), j = parse_u64(y, &n);
        int c = i && j ? (m > n) - (m < n) : i != j ? (i ? -1 : 1) : str_cmp(x, y);
        if (c)
            return c;
    }
    return (a.len > 0) - (b.len > 0);
}

int release_order(str a, str b, int64_t first, int64_t resolved)
{
    struct version x, y;
    if (str_eq(a, b))
        return 0;
    if (!parse(a, &x) || !parse(b, &y) || !str_eq(x.package, y.package))
        return first > resolved ? 1 : -1;
    for (int i = 0; i < 4; i++)
        if (x.part[i] != y.part[i])
            return x.part[i] < y.part[i] ? -1 : 1;
    return compare_pre(x.pre, y.pre);
}
