#include "agent/node/seen.h"
#include "agent/node/map.h"
#include "agent/node/resolve.h"
#include "agent/python/seen.h"

#include <sodium.h>

static bool follows(const struct probe *p)
{
    return p->match == PROBE_MATCH_FOLLOW && p->line_hash.len && p->where.kind == PROBE_AT_LINE;
}

bool node_seen_asks(const struct probe *p)
{
    return (p->match == PROBE_MATCH_EXACT && p->source_hash.len) || follows(p);
}

// A mark of byte order is part of the file, and not of the text that the engine keeps.
static bool is_text(str text, str want)
{
    uint8_t hash[SOURCE_HASH];
    char hex[SOURCE_HASH * 2 + 1];
    struct buf marked;
    source_hash(text, hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if (str_eq(want, str_z(hex)))
        return true;
    buf_init(&marked, SCAN_SOURCE_MAX + 3);
    buf_str(&marked, STR("\xef\xbb\xbf")), buf_str(&marked, text);
    source_hash(buf_view(&marked), hash);
    buf_free(&marked);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return str_eq(want, str_z(hex));
}

// A function of that name, or the member of a class: "place", "Cart.place".
static bool is_called(const struct scan_function *f, str function)
{
    str name = f->original.len ? f->original : f->name, owner = f->owner_original.len ? f->owner_original : f->owner;
    return str_eq(name, function) ||
           (owner.len && function.len == owner.len + 1 + name.len && str_starts(function, owner) &&
            function.ptr[owner.len] == '.' && str_eq(str_slice(function, owner.len + 1, function.len), name));
}

static bool may_stand(const struct scan *s, const struct edit_probe *e, uint32_t line)
{
    uint32_t column = e->probe->where.column;
    const struct scan_place *p =
        e->view ? map_place_of(e->view, e->source, line, column) : js_place_of(s, line, column);
    str function = e->probe->follow_function;
    if (!p || s->scopes[p->scope].function == 0)
        return false;
    return !function.len || is_called(&s->functions[s->scopes[p->scope].function], function);
}

bool node_seen_check(const struct scan *scan, str text, struct edit_probe *e)
{
    const struct probe *p = e->probe;
    uint32_t want = p->where.line, best = 0, far = 0, line = 1;
    if (!node_seen_asks(p) || is_text(text, p->source_hash))
        return true;
    if (!follows(p))
        return false;
    for (size_t at = 0; at < text.len; line++) {
        ptrdiff_t found = str_find_char(text, '\n', at);
        size_t end = found < 0 ? text.len : (size_t)found;
        uint32_t away = line > want ? line - want : want - line;
        char hex[SEEN_HASH_HEX + 1];
        if (!best || away < far) {
            seen_line_hash(str_slice(text, at, end), hex);
            if (str_eq(p->line_hash, str_z(hex)) && may_stand(scan, e, line))
                best = line, far = away;
        }
        at = end + 1;
    }
    e->moved = best != want ? best : 0;
    return best != 0;
}
