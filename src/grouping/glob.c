#include "grouping/glob.h"

#include "base/must.h"

enum { STATES_MAX = GLOB_PATTERN_MAX + 8, WORDS = (STATES_MAX + 63) / 64 };

enum op {
    OP_CHAR,  // c
    OP_ANY,   // one
    OP_CLASS, // one of the set
    OP_STAR,  // any number, as OP_ANY
    OP_ALL,   // any number of anything
    OP_LOOP,  // anything, and out of it behind a /
    OP_MIDDLE // a /, then the next state (OP_LOOP) or the one behind it
};

struct state {
    uint8_t op, c;
    uint16_t set; // OP_CLASS: of the sequence's sets
};

struct glob_sequence {
    const struct state *states;
    const uint64_t (*sets)[4];
    str prefix, suffix; // literal ends
    uint16_t n;
    uint8_t shape; // enum shape: what needs no following of states
};

enum shape { SHAPE_STATES, SHAPE_EXACT, SHAPE_PREFIX };

static uint8_t fold(unsigned flags, uint8_t c)
{
    if (flags & GLOB_PATH && c == '\\')
        return '/';
    return flags & (GLOB_PATH | GLOB_NOCASE) && c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

// --- braces: a pattern into plain ones

struct expansion {
    char text[GLOB_ALTERNATIVES_MAX][GLOB_PATTERN_MAX];
    uint16_t len[GLOB_ALTERNATIVES_MAX];
    unsigned n;
};

// The length of what stands for itself at p: an escape, a class, or one byte.
static size_t unit_len(str p, size_t i, bool escapes)
{
    if (escapes && p.ptr[i] == '\\' && i + 1 < p.len)
        return 2;
    if (p.ptr[i] != '[')
        return 1;
    size_t k = i + 1;
    if (k < p.len && (p.ptr[k] == '!' || p.ptr[k] == '^'))
        k++;
    if (k < p.len && p.ptr[k] == ']')
        k++;
    while (k < p.len && p.ptr[k] != ']')
        k++;
    return k < p.len ? k - i + 1 : 1;
}

static int pattern_error(struct err *err, str pattern, const char *what)
{
    err_set(err, ERR_INVALID, "bad_glob", "the pattern \"%.*s\" %s", STR_ARG(str_slice(pattern, 0, 80)), what);
    err_set_hint(err, "* any text, ? one character, [a-z] one of, {a,b} either; \\ before one that is meant as it is");
    return ERR_INVALID;
}

static int append(struct expansion *x, unsigned from, str text)
{
    for (unsigned i = from; i < x->n; i++) {
        if (x->len[i] + text.len > GLOB_PATTERN_MAX)
            return ERR_LIMIT;
        memcpy(x->text[i] + x->len[i], text.ptr, text.len);
        x->len[i] = (uint16_t)(x->len[i] + text.len);
    }
    return 0;
}

// One level of braces, which is what people write: each so-far pattern goes on with each alternative.
static int braces_expand(str p, size_t *i, bool escapes, struct expansion *x)
{
    struct expansion before = *x;
    size_t start = ++*i;
    x->n = 0;
    for (;; *i += unit_len(p, *i, escapes)) {
        if (*i >= p.len || p.ptr[*i] == '{')
            return ERR_INVALID;
        if (p.ptr[*i] != ',' && p.ptr[*i] != '}')
            continue;
        str alternative = str_slice(p, start, *i);
        if (x->n + before.n > GLOB_ALTERNATIVES_MAX)
            return ERR_LIMIT;
        unsigned first = x->n;
        memcpy(x->text[first], before.text, before.n * sizeof before.text[0]);
        memcpy(&x->len[first], before.len, before.n * sizeof before.len[0]);
        x->n += before.n;
        int r = append(x, first, alternative);
        if (r < 0)
            return r;
        start = *i + 1;
        if (p.ptr[*i] == '}')
            break;
    }
    ++*i;
    return 0;
}

static int expand(str p, bool escapes, struct expansion *x)
{
    x->n = 1;
    x->len[0] = 0;
    for (size_t i = 0; i < p.len;) {
        int r;
        if (p.ptr[i] == '}')
            return ERR_INVALID;
        if (p.ptr[i] == '{') {
            r = braces_expand(p, &i, escapes, x);
        } else {
            size_t len = unit_len(p, i, escapes);
            r = append(x, 0, str_slice(p, i, i + len));
            i += len;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

// --- a plain pattern into states

struct builder {
    struct state states[STATES_MAX];
    uint64_t sets[GLOB_PATTERN_MAX][4];
    unsigned n, sets_n, flags;
};

static void put(struct builder *b, enum op op, uint8_t c)
{
    must(b->n < STATES_MAX);
    b->states[b->n++] = (struct state){ .op = (uint8_t)op, .c = c };
}

static void class_put(struct builder *b, str unit)
{
    uint64_t *set = b->sets[b->sets_n];
    size_t i = 1, end = unit.len - 1;
    bool negated = unit.ptr[1] == '!' || unit.ptr[1] == '^';
    memset(set, 0, sizeof b->sets[0]);
    for (i += negated; i < end; i++) {
        uint8_t from = (uint8_t)unit.ptr[i], to = from;
        if (i + 2 < end && unit.ptr[i + 1] == '-') {
            to = (uint8_t)unit.ptr[i + 2];
            i += 2;
        }
        for (unsigned c = from; c <= to; c++) {
            uint8_t f = fold(b->flags, (uint8_t)c);
            set[f / 64] |= 1ull << f % 64;
        }
    }
    if (negated)
        for (int w = 0; w < 4; w++)
            set[w] = ~set[w];
    put(b, OP_CLASS, 0);
    b->states[b->n - 1].set = (uint16_t)b->sets_n++;
}

// The stars at i, as gitignore reads them: ** is whole directories when it stands between slashes.
static size_t stars_put(struct builder *b, str p, size_t i)
{
    size_t end = i;
    while (end < p.len && p.ptr[end] == '*')
        end++;
    bool path = b->flags & GLOB_PATH, whole = end - i == 2 && (i == 0 || fold(b->flags, (uint8_t)p.ptr[i - 1]) == '/');
    bool slash = end < p.len && fold(b->flags, (uint8_t)p.ptr[end]) == '/';
    if (!whole || (end < p.len && !slash)) {
        put(b, OP_STAR, 0);
        return end;
    }
    if (i == 0 && end == p.len) {
        put(b, OP_ALL, 0);
        return end;
    }
    if (i == 0) {
        put(b, OP_LOOP, 0); // the first state may be passed over
        return end + 1;
    }
    if (!slash) { // the / before it stands already
        put(b, path ? OP_ALL : OP_STAR, 0);
        return end;
    }
    b->n--;
    put(b, OP_MIDDLE, 0);
    put(b, OP_LOOP, 0);
    return end + 1;
}

static void build(struct builder *b, str p)
{
    bool path = b->flags & GLOB_PATH;
    b->n = b->sets_n = 0;
    for (size_t i = 0; i < p.len;) {
        size_t len = unit_len(p, i, !path);
        if (p.ptr[i] == '*') {
            i = stars_put(b, p, i);
            continue;
        }
        if (p.ptr[i] == '?')
            put(b, OP_ANY, 0);
        else if (p.ptr[i] == '[' && len > 1)
            class_put(b, str_slice(p, i, i + len));
        else
            put(b, OP_CHAR, fold(b->flags, (uint8_t)p.ptr[i + len - 1]));
        i += len;
    }
}

static int sequence_finish(const struct builder *b, struct arena *arena, struct glob_sequence *ret)
{
    struct state *states = arena_alloc_array(arena, b->n ? b->n : 1, sizeof *states);
    uint64_t(*sets)[4] = arena_alloc_array(arena, b->sets_n ? b->sets_n : 1, sizeof *sets);
    char *text = arena_alloc_bytes(arena, b->n ? b->n : 1);
    unsigned head = 0, tail = b->n;
    if (!states || !sets || !text)
        return ERR_NOMEM;
    memcpy(states, b->states, b->n * sizeof *states);
    memcpy(sets, b->sets, b->sets_n * sizeof *sets);
    for (unsigned i = 0; i < b->n; i++)
        text[i] = (char)states[i].c;
    while (head < b->n && states[head].op == OP_CHAR)
        head++;
    while (tail > head && states[tail - 1].op == OP_CHAR)
        tail--;
    *ret = (struct glob_sequence){
        states,      (const uint64_t(*)[4])sets, str_of(text, head), str_of(text + tail, b->n - tail), (uint16_t)b->n,
        SHAPE_STATES
    };
    bool newline = b->flags & GLOB_NEWLINE && !(b->flags & GLOB_PATH);
    if (head == b->n)
        ret->shape = SHAPE_EXACT;
    else if (tail - head == 1 && tail == b->n && (states[head].op == OP_ALL || (states[head].op == OP_STAR && newline)))
        ret->shape = SHAPE_PREFIX;
    return 0;
}

int glob_parse(str pattern, unsigned flags, struct arena *arena, struct glob *ret_glob, struct err *err)
{
    if (pattern.len > GLOB_PATTERN_MAX)
        return err_set(err, ERR_LIMIT, "bad_glob", "a pattern is longer than %d bytes", GLOB_PATTERN_MAX);
    struct expansion x;
    struct builder b = { .flags = flags };
    int r = expand(pattern, !(flags & GLOB_PATH), &x);
    if (r == ERR_LIMIT)
        return pattern_error(err, pattern, "has too many alternatives in braces");
    if (r < 0)
        return pattern_error(err, pattern, "has braces that do not match, or braces in braces");
    struct glob_sequence *sequences = arena_alloc_array(arena, x.n, sizeof *sequences);
    if (!sequences)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (unsigned i = 0; i < x.n; i++) {
        build(&b, str_of(x.text[i], x.len[i]));
        if ((r = sequence_finish(&b, arena, &sequences[i])) < 0)
            return err_set(err, r, NULL, "out of memory");
    }
    *ret_glob = (struct glob){ sequences, (uint8_t)x.n, (uint8_t)flags };
    return 0;
}

// --- matching

struct live {
    uint64_t bits[WORDS];
};

static void live_add(struct live *l, const struct glob_sequence *s, unsigned i)
{
    // What takes nothing at all is passed over at once.
    for (; i <= s->n; i++) {
        l->bits[i / 64] |= 1ull << i % 64;
        if (i == s->n || (s->states[i].op != OP_STAR && s->states[i].op != OP_ALL))
            return;
    }
}

static bool any_takes(unsigned flags, uint8_t c)
{
    return flags & GLOB_PATH ? c != '/' : flags & GLOB_NEWLINE || c != '\n';
}

static void step(const struct glob_sequence *s, unsigned flags, uint8_t c, const struct live *now, struct live *next)
{
    *next = (struct live){ 0 };
    for (unsigned w = 0; w <= s->n / 64u; w++)
        for (uint64_t bits = now->bits[w]; bits; bits &= bits - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
            if (i == s->n)
                continue;
            switch ((enum op)s->states[i].op) {
            case OP_CHAR:
                if (s->states[i].c == c)
                    live_add(next, s, i + 1);
                break;
            case OP_ANY:
                if (any_takes(flags, c))
                    live_add(next, s, i + 1);
                break;
            case OP_CLASS:
                if (s->sets[s->states[i].set][c / 64] >> c % 64 & 1 && any_takes(flags | GLOB_NEWLINE, c))
                    live_add(next, s, i + 1);
                break;
            case OP_STAR:
                if (any_takes(flags, c))
                    live_add(next, s, i);
                break;
            case OP_ALL:
                live_add(next, s, i);
                break;
            case OP_LOOP:
                next->bits[i / 64] |= 1ull << i % 64;
                if (c == '/')
                    live_add(next, s, i + 1);
                break;
            case OP_MIDDLE:
                if (c == '/') {
                    next->bits[(i + 1) / 64] |= 1ull << (i + 1) % 64;
                    live_add(next, s, i + 2);
                }
            }
        }
}

static bool states_match(const struct glob_sequence *s, unsigned flags, str value, bool rooted)
{
    struct live a = { 0 }, b;
    live_add(&a, s, 0);
    if (s->n && s->states[0].op == OP_LOOP)
        live_add(&a, s, 1);
    if (rooted) {
        step(s, flags, '/', &a, &b);
        a = b;
    }
    for (size_t i = 0; i < value.len; i++) {
        step(s, flags, fold(flags, (uint8_t)value.ptr[i]), &a, &b);
        uint64_t any = 0;
        for (unsigned w = 0; w <= s->n / 64u; w++)
            any |= b.bits[w];
        if (!any)
            return false;
        a = b;
    }
    return a.bits[s->n / 64] >> s->n % 64 & 1;
}

static bool starts(unsigned flags, str value, str prefix)
{
    if (value.len < prefix.len)
        return false;
    if (!(flags & (GLOB_PATH | GLOB_NOCASE)))
        return prefix.len == 0 || memcmp(value.ptr, prefix.ptr, prefix.len) == 0;
    for (size_t i = 0; i < prefix.len; i++)
        if (fold(flags, (uint8_t)value.ptr[i]) != (uint8_t)prefix.ptr[i])
            return false;
    return true;
}

static bool sequence_match(const struct glob_sequence *s, unsigned flags, str value, bool rooted)
{
    str prefix = s->prefix, suffix = s->suffix;
    if (rooted && prefix.len) {
        if (prefix.ptr[0] != '/')
            return false;
        prefix = str_slice(prefix, 1, prefix.len);
    }
    if (!starts(flags, value, prefix))
        return false;
    if (s->shape == SHAPE_EXACT)
        return value.len == prefix.len;
    if (s->shape == SHAPE_PREFIX)
        return true;
    if (suffix.len > value.len || !starts(flags, str_slice(value, value.len - suffix.len, value.len), suffix))
        return rooted && suffix.len == value.len + 1 && states_match(s, flags, value, rooted);
    return states_match(s, flags, value, rooted);
}

bool glob_match(const struct glob *g, str value)
{
    if (value.len > GLOB_VALUE_MAX)
        value.len = GLOB_VALUE_MAX;
    for (unsigned i = 0; i < g->n; i++) {
        if (sequence_match(&g->sequences[i], g->flags, value, false))
            return true;
        if (g->flags & GLOB_PATH && !(value.len && fold(g->flags, (uint8_t)value.ptr[0]) == '/') &&
            sequence_match(&g->sequences[i], g->flags, value, true))
            return true;
    }
    return false;
}

str glob_prefix(const struct glob *g) { return g->n == 1 ? g->sequences[0].prefix : (str){ 0 }; }
