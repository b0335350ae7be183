// Takes the secrets of one capture away wherever else they stand: see redact.h. Part of the hit path.
//
// Texts are searched for all secrets at once: a window of four bytes that begins one of them is found in a
// bitmap, and only then compared.
#include "probe/redact.h"

enum { WINDOW = 4, WHOLE_MIN = 2 };

static uint32_t window_hash(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, WINDOW);
    return v * 0x9e3779b1u >> 20; // 12 bits
}

static void build_index(struct probe_space *s)
{
    memset(s->first, 0xff, sizeof(s->first));
    memset(s->windows, 0, sizeof(s->windows));
    for (uint32_t i = 0; i < s->n_secrets; i++) {
        uint32_t h;
        if (s->secrets[i].len < WINDOW)
            continue;
        h = window_hash(s->secrets[i].p);
        s->windows[h >> 6] |= 1ull << (h & 63);
        s->next[i] = s->first[h & 255];
        s->first[h & 255] = (uint16_t)i;
    }
    s->indexed = true;
}

// The longest secret that begins at p; 0: none. What is compared is no longer than what is there, since the end of a
// captured text may have been cut off in the middle of one.
static size_t secret_at(const struct probe_space *s, const uint8_t *p, size_t left, bool cut)
{
    uint32_t h = window_hash(p);
    size_t longest = 0;
    if (!(s->windows[h >> 6] >> (h & 63) & 1))
        return 0;
    for (uint16_t i = s->first[h & 255]; i != UINT16_MAX; i = s->next[i]) {
        const struct probe_secret *e = &s->secrets[i];
        size_t len = e->len, full = e->full;
        if (len > left) {
            if (!cut)
                continue;
            len = left;
        }
        if (memcmp(p, e->p, len) != 0)
            continue;
        full = full > left ? left : full;
        longest = full > longest ? full : longest;
    }
    return longest;
}

static bool is_secret(const struct probe_space *s, const uint8_t *p, size_t n)
{
    for (uint32_t i = 0; i < s->n_secrets; i++)
        if (s->secrets[i].len < WINDOW && s->secrets[i].len == n && memcmp(s->secrets[i].p, p, n) == 0)
            return true;
    return false;
}

// *ret_all: one of them was the whole text.
static unsigned blank(struct probe_space *s, uint8_t *p, size_t n, bool cut, bool *ret_all)
{
    unsigned found = 0;
    *ret_all = false;
    if (!s->indexed)
        build_index(s);
    for (size_t at = 0; at + WINDOW <= n;) {
        size_t len = secret_at(s, p + at, n - at, cut);
        if (!len) {
            at++;
            continue;
        }
        memset(p + at, '*', len);
        *ret_all = len == n;
        at += len;
        found++;
    }
    if (!found && n >= WHOLE_MIN && n < WINDOW && is_secret(s, p, n)) {
        *ret_all = true;
        found = 1;
    }
    return found;
}

// The value in [from, to) becomes its absence; PAD keeps the length.
static void take_away(uint8_t *from, uint8_t *to)
{
    if (to - from < 4) {
        from[0] = (from[0] & PROBE_FLAG_KIND) | PROBE_FLAG_SHAPE;
        memset(from + 1, PROBE_VALUE_PAD, (size_t)(to - from) - 1);
        return;
    }
    from[0] = PROBE_VALUE_MISSING;
    from[1] = PROBE_WHY_REDACTED;
    from[2] = PROBE_RULE_ALIAS;
    from[3] = 0;
    memset(from + 4, PROBE_VALUE_PAD, (size_t)(to - from) - 4);
}

static bool is_secret_id(const struct probe_space *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->n_secret_ids; i++)
        if (s->secret_ids[i] == id)
            return true;
    return false;
}

static bool is_secret_int(const struct probe_space *s, int64_t v)
{
    for (uint32_t i = 0; i < s->n_secret_ints; i++)
        if (s->secret_ints[i] == v)
            return true;
    return false;
}

static bool is_text(unsigned kind)
{
    return kind >= PROBE_VALUE_BIG && kind <= PROBE_VALUE_BYTES && kind != PROBE_VALUE_FLOAT;
}

unsigned probe_redact_sweep(struct probe_space *space, uint8_t *value, size_t n)
{
    struct probe_value_reader r;
    unsigned found = 0;
    probe_value_reader_init(&r, bytes_of(value, n));
    for (;;) {
        struct probe_token t;
        bool all = false;
        if (probe_value_next(&r, &t) < 0) {
            memset(value, PROBE_VALUE_PAD, n);
            return found + 1;
        }
        if (t.type == PROBE_TOKEN_DONE)
            return found;
        if (t.type == PROBE_TOKEN_OPEN && is_secret_id(space, t.id)) {
            unsigned depth = r.depth - 1u;
            size_t at = t.at;
            while (r.depth > depth)
                if (probe_value_next(&r, &t) < 0)
                    break; // seen above when the reader goes on
            if (r.depth == depth) {
                take_away(value + at, (uint8_t *)r.p);
                found++;
            }
        } else if (t.type == PROBE_TOKEN_VALUE) {
            if (t.kind == PROBE_VALUE_REF)
                all = is_secret_id(space, t.id);
            else if (t.kind == PROBE_VALUE_INT)
                all = !(t.flags & PROBE_FLAG_SHAPE) && is_secret_int(space, t.i);
            else if (is_text(t.kind) && t.text.len) {
                unsigned places = 1;
                if (space->overflow)
                    all = true;
                else
                    places = blank(space, (uint8_t *)t.text.ptr, t.text.len, t.flags & PROBE_FLAG_CUT, &all);
                found += all ? 0 : places;
            }
            if (all) {
                take_away(value + t.at, (uint8_t *)r.p);
                found++;
            }
        }
    }
}

unsigned probe_redact_sweep_text(struct probe_space *space, char *text, size_t n)
{
    bool all;
    unsigned found;
    if (space->overflow) {
        memset(text, '*', n);
        return n > 0;
    }
    found = blank(space, (uint8_t *)text, n, true, &all);
    if (all && n < WINDOW)
        memset(text, '*', n);
    return found;
}
