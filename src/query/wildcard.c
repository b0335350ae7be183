#include "query/wildcard.h"

bool query_wildcard_match(const struct query_wildcard *w, str value)
{
    str first = w->pieces[0], last = w->pieces[w->count - 1];
    if (w->count == 1)
        return str_eq(first, value);
    if (value.len < first.len + last.len || !str_starts(value, first) || !str_ends(value, last))
        return false;
    // Taking the leftmost place for each piece leaves the most room for those behind it.
    str rest = str_slice(value, first.len, value.len - last.len);
    for (uint32_t i = 1; i + 1 < w->count; i++) {
        ptrdiff_t at = str_find(rest, w->pieces[i]);
        if (at < 0)
            return false;
        rest = str_slice(rest, (size_t)at + w->pieces[i].len, rest.len);
    }
    return true;
}

str query_wildcard_prefix(const struct query_wildcard *w) { return w->pieces[0]; }
