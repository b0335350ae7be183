// Patterns to programs: RE2's syntax, by recursive descent into a small tree, then Thompson's construction. Repetitions are copies, so what
// a pattern costs is bounded by the states it may have.
#include "base/mem.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "probe/regex.h"

enum { NODES_MAX = 2 * PROBE_REGEX_TEXT_MAX + 16, WORK_MAX = 65536 };

enum flag { FOLD = 1, DOT_ALL = 2, MULTILINE = 4 };

struct range {
    uint32_t first, last;
};

enum kind { EMPTY, SET, ASSERT, JOIN, EITHER, REPEAT };

struct node {
    enum kind kind;
    unsigned a, b;     // JOIN, EITHER: nodes; REPEAT: a; ASSERT: a; SET: ranges a..a+b
    unsigned min, max; // REPEAT; max 0xffff: any number
};

struct compiler {
    str text;
    size_t at;
    struct err *err;
    struct node nodes[NODES_MAX];
    unsigned n_nodes;
    struct range ranges[PROBE_REGEX_RANGES_MAX];
    unsigned n_ranges;
    uint8_t states[PROBE_REGEX_STATES_MAX][8];
    unsigned n_states;
    unsigned depth, flags, work;
    bool only_flags; // the atom read last was (?i) or such: nothing that could be repeated
};

static int fail_at(struct compiler *c, size_t at, const char *what)
{
    int column = 1;
    err_set(c->err, ERR_INVALID, "bad_regex", "the pattern has %s", what);
    for (size_t i = 0; i < at && i < c->text.len; i++)
        column += ((unsigned char)c->text.ptr[i] & 0xc0) != 0x80;
    if (c->err)
        c->err->line = 1, c->err->column = column;
    return ERR_INVALID;
}

static int too_big(struct compiler *c)
{
    return err_set(c->err, ERR_LIMIT, "regex_too_big", "the pattern needs more than %d states", PROBE_REGEX_STATES_MAX);
}

static char peek(const struct compiler *c, size_t ahead)
{
    return c->at + ahead < c->text.len ? c->text.ptr[c->at + ahead] : 0;
}
static bool take(struct compiler *c, const char *text)
{
    if (!str_starts(str_slice(c->text, c->at, c->text.len), str_z(text)))
        return false;
    c->at += strlen(text);
    return true;
}

static int node(struct compiler *c, enum kind kind, unsigned a, unsigned b, unsigned *ret)
{
    if (c->n_nodes == NODES_MAX)
        return too_big(c);
    c->nodes[c->n_nodes] = (struct node){ .kind = kind, .a = a, .b = b };
    *ret = c->n_nodes++;
    return 0;
}

// --- sets of characters: built at the end of the ranges, then sorted and merged there
static int add_range(struct compiler *c, uint32_t first, uint32_t last)
{
    if (c->n_ranges == PROBE_REGEX_RANGES_MAX)
        return too_big(c);
    c->ranges[c->n_ranges++] = (struct range){ first, last };
    return 0;
}

static int add_variants(struct compiler *c, uint32_t cp)
{
    uint32_t all[] = { unicode_fold(cp), unicode_upper(cp), unicode_lower(cp), unicode_upper(unicode_fold(cp)) };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof all / sizeof *all; i++)
        r = all[i] == cp ? 0 : add_range(c, all[i], all[i]);
    // The two whose simple folding is an ASCII letter: KELVIN SIGN and LATIN SMALL LETTER LONG S.
    if (r == 0 && (cp | 0x20) == 'k')
        r = add_range(c, 0x212A, 0x212A);
    if (r == 0 && (cp | 0x20) == 's')
        r = add_range(c, 0x17F, 0x17F);
    return r;
}

// Other cases of what is in the set: of all of a small range, of the ASCII letters of a large one.
static int fold_set(struct compiler *c, unsigned from)
{
    enum { SMALL = 256 };
    unsigned n = c->n_ranges;
    for (unsigned i = from; i < n; i++) {
        struct range s = c->ranges[i];
        bool small = s.last - s.first < SMALL;
        for (uint32_t cp = small || s.first > 'A' ? s.first : 'A'; cp <= s.last && (small || cp <= 'z'); cp++) {
            int r = add_variants(c, cp);
            if (r)
                return r;
        }
    }
    return 0;
}

static void sort_set(struct compiler *c, unsigned from)
{
    unsigned out = from;
    for (unsigned i = from + 1; i < c->n_ranges; i++) {
        struct range s = c->ranges[i];
        unsigned j = i;
        for (; j > from && c->ranges[j - 1].first > s.first; j--)
            c->ranges[j] = c->ranges[j - 1];
        c->ranges[j] = s;
    }
    for (unsigned i = from; i < c->n_ranges; i++) {
        if (out > from && c->ranges[i].first <= c->ranges[out - 1].last + 1) {
            if (c->ranges[i].last > c->ranges[out - 1].last)
                c->ranges[out - 1].last = c->ranges[i].last;
        } else {
            c->ranges[out++] = c->ranges[i];
        }
    }
    c->n_ranges = out;
}

// The set from `from` becomes its complement.
static int negate_set(struct compiler *c, unsigned from)
{
    sort_set(c, from);
    uint32_t next = 0;
    unsigned n = c->n_ranges;
    for (unsigned i = from; i < n; i++) {
        struct range s = c->ranges[i];
        c->ranges[i] = (struct range){ next, s.first };
        next = s.last + 1;
    }
    // Each became [next, first): empty when they touch.
    unsigned out = from;
    for (unsigned i = from; i < n; i++)
        if (c->ranges[i].first < c->ranges[i].last)
            c->ranges[out++] = (struct range){ c->ranges[i].first, c->ranges[i].last - 1 };
    c->n_ranges = out;
    return next <= UNICODE_MAX ? add_range(c, next, UNICODE_MAX) : 0;
}

static int add_named(struct compiler *c, str ranges, bool negated)
{
    unsigned from = c->n_ranges;
    for (size_t i = 0; i + 1 < ranges.len; i += 2) {
        int r = add_range(c, (unsigned char)ranges.ptr[i], (unsigned char)ranges.ptr[i + 1]);
        if (r)
            return r;
    }
    return negated ? negate_set(c, from) : 0;
}

static bool perl_class(char letter, str *ret)
{
    switch (letter | 0x20) {
    case 'd':
        *ret = STR("09");
        return true;
    case 'w':
        *ret = STR("09AZ__az");
        return true;
    case 's':
        *ret = STR("\t\n\f\r  ");
        return true;
    default:
        return false;
    }
}

static int hex_digit(char ch)
{
    return ch >= '0' && ch <= '9' ? ch - '0' : (ch | 0x20) >= 'a' && (ch | 0x20) <= 'f' ? (ch | 0x20) - 'a' + 10 : -1;
}

// Behind \x: two digits, or any number in braces.
static int hex_escape(struct compiler *c, size_t from, uint32_t *ret)
{
    bool braces = take(c, "{");
    uint32_t v = 0;
    unsigned n = 0;
    for (; hex_digit(peek(c, 0)) >= 0 && (braces ? n < 8 : n < 2); n++, c->at++)
        v = v << 4 | (uint32_t)hex_digit(peek(c, 0));
    if (n == 0 || (braces ? !take(c, "}") : n != 2) || v > UNICODE_MAX)
        return fail_at(c, from, "an escape that is no character");
    *ret = v;
    return 0;
}

// A character behind a backslash that stands for itself or another one.
static int escape(struct compiler *c, uint32_t *ret)
{
    static const char names[] = "ntrfva", values[] = "\n\t\r\f\v\a";
    size_t from = c->at - 1;
    char ch = peek(c, 0);
    const char *known = ch ? strchr(names, ch) : NULL;
    if (c->at >= c->text.len)
        return fail_at(c, from, "a backslash at its end");
    c->at++;
    if (known) {
        *ret = (unsigned char)values[known - names];
        return 0;
    }
    if (ch == 'x')
        return hex_escape(c, from, ret);
    if (ch >= '0' && ch <= '9')
        return fail_at(c, from, "a back-reference (or an octal escape), which there is not");
    if ((ch | 0x20) == 'p')
        return fail_at(c, from, "\\p{..}, which there is not: write the characters, as in [\xC3\xA4-\xC3\xBC]");
    if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z')
        return fail_at(c, from, "an escape that there is not");
    if ((unsigned char)ch >= 0x80)
        return fail_at(c, from, "a backslash before a letter");
    *ret = (unsigned char)ch;
    return 0;
}

static int character(struct compiler *c, uint32_t *ret)
{
    if (take(c, "\\"))
        return escape(c, ret);
    unsigned len;
    bool ok;
    *ret = utf8_decode(c->text.ptr + c->at, c->text.ptr + c->text.len, &len, &ok);
    if (!ok)
        return fail_at(c, c->at, "bytes that are no UTF-8");
    c->at += len;
    return 0;
}

static int posix_class(struct compiler *c, bool *ret_taken)
{
    static const struct {
        const char *name;
        str ranges;
    } classes[] = { { "alnum:]", STR_INIT("09AZaz") },
                    { "alpha:]", STR_INIT("AZaz") },
                    { "ascii:]", STR_INIT("\x00\x7f") },
                    { "blank:]", STR_INIT("\t\t  ") },
                    { "cntrl:]", STR_INIT("\x00\x1f\x7f\x7f") },
                    { "digit:]", STR_INIT("09") },
                    { "graph:]", STR_INIT("!~") },
                    { "lower:]", STR_INIT("az") },
                    { "print:]", STR_INIT(" ~") },
                    { "punct:]", STR_INIT("!/:@[`{~") },
                    { "space:]", STR_INIT("\t\r  ") },
                    { "upper:]", STR_INIT("AZ") },
                    { "word:]", STR_INIT("09AZ__az") },
                    { "xdigit:]", STR_INIT("09AFaf") } };
    size_t from = c->at;
    *ret_taken = false;
    if (!take(c, "[:"))
        return 0;
    bool negated = take(c, "^");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (take(c, classes[i].name)) {
            *ret_taken = true;
            return add_named(c, classes[i].ranges, negated);
        }
    }
    return fail_at(c, from, "a class that there is not");
}

static int bracket(struct compiler *c)
{
    size_t from = c->at - 1;
    unsigned set = c->n_ranges;
    bool negated = take(c, "^"), first = true, taken;
    int r;
    for (; first || peek(c, 0) != ']'; first = false) {
        str ranges;
        uint32_t low, high;
        if (c->at >= c->text.len)
            return fail_at(c, from, "a [ that is not closed");
        if ((r = posix_class(c, &taken)) != 0)
            return r;
        if (taken)
            continue;
        if (peek(c, 0) == '\\' && perl_class(peek(c, 1), &ranges)) {
            char letter = peek(c, 1);
            c->at += 2;
            if ((r = add_named(c, ranges, letter < 'a')) != 0)
                return r;
            continue;
        }
        size_t at = c->at;
        if ((r = character(c, &low)) != 0)
            return r;
        high = low;
        if (peek(c, 0) == '-' && c->at + 1 < c->text.len && peek(c, 1) != ']') {
            c->at++;
            if ((r = character(c, &high)) != 0)
                return r;
        }
        if (high < low)
            return fail_at(c, at, "a range that runs backwards");
        if ((r = add_range(c, low, high)) != 0)
            return r;
    }
    c->at++;
    if (c->flags & FOLD && (r = fold_set(c, set)) != 0)
        return r;
    if (negated)
        return negate_set(c, set);
    sort_set(c, set);
    return 0;
}

static int set_node(struct compiler *c, unsigned from, unsigned *ret)
{
    return node(c, SET, from, c->n_ranges - from, ret);
}

static int literal(struct compiler *c, uint32_t cp, unsigned *ret)
{
    unsigned from = c->n_ranges;
    int r = add_range(c, cp, cp);
    if (r == 0 && c->flags & FOLD)
        r = fold_set(c, from);
    sort_set(c, from);
    return r ? r : set_node(c, from, ret);
}

static int either(struct compiler *c, unsigned *ret);

// Behind "(?": flags, maybe with a group; or a name.
static int group(struct compiler *c, size_t from, unsigned *ret)
{
    unsigned saved = c->flags, flags = saved;
    bool on = true, inside = false;
    int r;
    if (take(c, "P<") || (peek(c, 0) == '<' && peek(c, 1) != '=' && peek(c, 1) != '!' && take(c, "<"))) {
        size_t start = c->at;
        while ((peek(c, 0) | 0x20) >= 'a' ? (peek(c, 0) | 0x20) <= 'z'
                                          : peek(c, 0) == '_' || hex_digit(peek(c, 0)) >= 0)
            c->at++;
        if (c->at == start || !take(c, ">"))
            return fail_at(c, from, "a group whose name is none");
        inside = true;
    } else {
        for (;; c->at++) {
            char ch = peek(c, 0);
            unsigned bit = ch == 'i' ? FOLD : ch == 's' ? DOT_ALL : ch == 'm' ? MULTILINE : 0;
            if (bit)
                flags = on ? flags | bit : flags & ~bit;
            else if (ch == '-' && on)
                on = false;
            else if (ch != 'U')
                break;
        }
        inside = take(c, ":");
        if (!inside && !take(c, ")"))
            return fail_at(c, from,
                           peek(c, 0) == '=' || peek(c, 0) == '!' || peek(c, 0) == '<'
                               ? "look-around, which there is not"
                               : "a group of an unknown kind");
    }
    c->flags = flags;
    if (!inside) { // for the rest of the group around
        c->only_flags = true;
        return node(c, EMPTY, 0, 0, ret);
    }
    if ((r = either(c, ret)) != 0)
        return r;
    c->flags = saved;
    c->only_flags = false;
    return take(c, ")") ? 0 : fail_at(c, from, "a ( that is not closed");
}

static int round_bracket(struct compiler *c, unsigned *ret)
{
    size_t from = c->at - 1;
    unsigned saved = c->flags;
    int r;
    if (++c->depth > PROBE_REGEX_DEPTH_MAX)
        return fail_at(c, from, "too many groups in one another");
    if (take(c, "?")) {
        r = group(c, from, ret);
    } else {
        r = either(c, ret);
        if (r == 0 && !take(c, ")"))
            r = fail_at(c, from, "a ( that is not closed");
        c->flags = saved;
        c->only_flags = false;
    }
    c->depth--;
    return r;
}

static int backslash(struct compiler *c, unsigned *ret)
{
    static const char letters[] = "AzbB";
    static const uint8_t asserts[] = { PROBE_REGEX_TEXT_START, PROBE_REGEX_TEXT_END, PROBE_REGEX_WORD,
                                       PROBE_REGEX_NOT_WORD };
    char ch = peek(c, 0);
    const char *known = ch ? strchr(letters, ch) : NULL;
    unsigned from = c->n_ranges;
    str ranges;
    uint32_t cp;
    if (known) {
        c->at++;
        return node(c, ASSERT, asserts[known - letters], 0, ret);
    }
    if (ch && perl_class(ch, &ranges)) {
        c->at++;
        int r = add_named(c, ranges, ch < 'a');
        return r ? r : set_node(c, from, ret);
    }
    int r = escape(c, &cp);
    return r ? r : literal(c, cp, ret);
}

// {n}, {n,} or {n,m} here; what looks otherwise is text, as everywhere.
static bool counted(const struct compiler *c, unsigned *ret_min, unsigned *ret_max, size_t *ret_len)
{
    size_t i = 1, start;
    unsigned v[2] = { 0, 0xffff };
    if (peek(c, 0) != '{')
        return false;
    for (unsigned k = 0; k < 2; k++) {
        unsigned n = 0;
        for (start = i; peek(c, i) >= '0' && peek(c, i) <= '9' && i - start < 5; i++)
            n = n * 10 + (unsigned)(peek(c, i) - '0');
        if (i > start)
            v[k] = n;
        else if (k == 0)
            return false;
        if (k == 0 && peek(c, i) != ',') {
            v[1] = v[0];
            break;
        }
        i += k == 0;
    }
    if (peek(c, i) != '}')
        return false;
    *ret_min = v[0], *ret_max = v[1], *ret_len = i + 1;
    return true;
}

static int atom(struct compiler *c, unsigned *ret)
{
    unsigned from = c->n_ranges;
    uint32_t cp;
    int r;
    c->only_flags = false;
    if (take(c, "("))
        return round_bracket(c, ret);
    if (take(c, "["))
        return (r = bracket(c)) != 0 ? r : set_node(c, from, ret);
    if (take(c, "\\"))
        return backslash(c, ret);
    if (take(c, ".")) {
        r = c->flags & DOT_ALL ? add_range(c, 0, UNICODE_MAX) : add_range(c, '\n', '\n');
        if (r == 0 && !(c->flags & DOT_ALL))
            r = negate_set(c, from);
        return r ? r : set_node(c, from, ret);
    }
    if (take(c, "^"))
        return node(c, ASSERT, c->flags & MULTILINE ? PROBE_REGEX_LINE_START : PROBE_REGEX_TEXT_START, 0, ret);
    if (take(c, "$"))
        return node(c, ASSERT, c->flags & MULTILINE ? PROBE_REGEX_LINE_END : PROBE_REGEX_TEXT_END, 0, ret);
    unsigned min, max;
    size_t len;
    if (memchr("*+?", peek(c, 0), 3) || counted(c, &min, &max, &len))
        return fail_at(c, c->at, "a repetition of nothing");
    r = character(c, &cp);
    return r ? r : literal(c, cp, ret);
}

static int repeated(struct compiler *c, unsigned *ret)
{
    int r = atom(c, ret);
    for (bool again = false; r == 0; again = true) {
        unsigned min = 0, max = 0xffff;
        size_t from = c->at, len = 1;
        if (peek(c, 0) == '+')
            min = 1;
        else if (peek(c, 0) == '?')
            max = 1;
        else if (peek(c, 0) != '*' && !counted(c, &min, &max, &len))
            return 0;
        if (c->only_flags)
            return fail_at(c, from, "a repetition of nothing");
        if (again)
            return fail_at(c, from, "a repetition of a repetition");
        if (min > PROBE_REGEX_REPEAT_MAX || (max != 0xffff && (max > PROBE_REGEX_REPEAT_MAX || max < min)))
            return fail_at(c, from, "a number of repetitions that cannot be");
        c->at += len;
        take(c, "?"); // lazy: matches as well
        unsigned of = *ret;
        if ((r = node(c, REPEAT, of, 0, ret)) == 0)
            c->nodes[*ret].min = min, c->nodes[*ret].max = max;
    }
    return r;
}

static int quoted(struct compiler *c, unsigned *ret)
{
    int r = node(c, EMPTY, 0, 0, ret);
    while (r == 0 && c->at < c->text.len && !take(c, "\\E")) {
        unsigned len, one, left = *ret;
        bool ok;
        uint32_t cp = utf8_decode(c->text.ptr + c->at, c->text.ptr + c->text.len, &len, &ok);
        if (!ok)
            return fail_at(c, c->at, "bytes that are no UTF-8");
        c->at += len;
        r = literal(c, cp, &one);
        if (r == 0)
            r = node(c, JOIN, left, one, ret);
    }
    return r;
}

static int sequence(struct compiler *c, unsigned *ret)
{
    int r = node(c, EMPTY, 0, 0, ret);
    while (r == 0 && c->at < c->text.len && peek(c, 0) != '|' && peek(c, 0) != ')') {
        unsigned left = *ret, right;
        r = take(c, "\\Q") ? quoted(c, &right) : repeated(c, &right);
        if (r == 0)
            r = node(c, JOIN, left, right, ret);
    }
    return r;
}

static int either(struct compiler *c, unsigned *ret)
{
    int r = sequence(c, ret);
    while (r == 0 && take(c, "|")) {
        unsigned left = *ret, right;
        r = sequence(c, &right);
        if (r == 0)
            r = node(c, EITHER, left, right, ret);
    }
    return r;
}

// --- states
static int state(struct compiler *c, unsigned op, unsigned flag, unsigned x, unsigned y)
{
    if (c->n_states == PROBE_REGEX_STATES_MAX)
        return too_big(c);
    uint8_t *s = c->states[c->n_states++];
    memset(s, 0, 8);
    s[0] = (uint8_t)op, s[1] = (uint8_t)flag;
    le16_put(s + 2, (uint16_t)x);
    le16_put(s + 4, (uint16_t)y);
    return 0;
}
static void land(struct compiler *c, unsigned at, unsigned field)
{
    le16_put(c->states[at] + field, (uint16_t)c->n_states);
}

static int emit(struct compiler *c, unsigned n);

static int emit_repeat(struct compiler *c, const struct node *node)
{
    int r = 0;
    unsigned last = 0; // the split before, plus one; each keeps the one before it where it will jump to
    for (unsigned i = 0; r == 0 && i < node->min; i++)
        r = emit(c, node->a);
    if (r)
        return r;
    if (node->max == 0xffff) { // split past; one; back
        unsigned at = c->n_states;
        if ((r = state(c, PROBE_REGEX_SPLIT, 0, at + 1, 0)) || (r = emit(c, node->a)) ||
            (r = state(c, PROBE_REGEX_JUMP, 0, at, 0)))
            return r;
        land(c, at, 4);
        return 0;
    }
    for (unsigned i = node->min; i < node->max; i++) {
        unsigned at = c->n_states;
        if ((r = state(c, PROBE_REGEX_SPLIT, 0, at + 1, last)) || (r = emit(c, node->a)))
            return r;
        last = at + 1;
    }
    while (last) {
        unsigned at = last - 1;
        last = le16_get(c->states[at] + 4);
        land(c, at, 4);
    }
    return 0;
}

static int emit(struct compiler *c, unsigned n)
{
    const struct node *node = &c->nodes[n];
    unsigned split, jump;
    int r;
    if (++c->work > WORK_MAX) // copies of what makes no states
        return too_big(c);
    switch (node->kind) {
    case SET:
        return state(c, PROBE_REGEX_SET, 0, node->a, node->b);
    case ASSERT:
        return state(c, PROBE_REGEX_ASSERT, node->a, 0, 0);
    case JOIN:
        r = emit(c, node->a);
        return r ? r : emit(c, node->b);
    case EITHER:
        split = c->n_states;
        if ((r = state(c, PROBE_REGEX_SPLIT, 0, split + 1, 0)) || (r = emit(c, node->a)))
            return r;
        jump = c->n_states;
        if ((r = state(c, PROBE_REGEX_JUMP, 0, 0, 0)))
            return r;
        land(c, split, 4);
        if ((r = emit(c, node->b)))
            return r;
        land(c, jump, 2);
        return 0;
    case REPEAT:
        return emit_repeat(c, node);
    default:
        return 0;
    }
}

static int compile(struct compiler *c, struct buf *out)
{
    unsigned root;
    int r = either(c, &root);
    if (r == 0 && c->at < c->text.len)
        r = fail_at(c, c->at, "a ) that closes nothing");
    if (r == 0)
        r = emit(c, root);
    if (r == 0)
        r = state(c, PROBE_REGEX_MATCH, 0, 0, 0);
    if (r)
        return r;
    buf_le16(out, (uint16_t)c->n_states);
    buf_le16(out, (uint16_t)c->n_ranges);
    buf_le32(out, 0);
    buf_append(out, c->states, c->n_states * sizeof c->states[0]);
    buf_append(out, c->ranges, c->n_ranges * sizeof c->ranges[0]);
    return out->error;
}

int probe_regex_compile(str pattern, struct buf *out, struct err *err)
{
    if (pattern.len > PROBE_REGEX_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "regex_too_big", "a pattern of more than %d bytes", PROBE_REGEX_TEXT_MAX);
    struct compiler *c = mem_zalloc(sizeof *c);
    if (!c)
        return err_set(err, ERR_NOMEM, "memory", "no memory to read the pattern");
    c->text = pattern;
    c->err = err;
    int r = compile(c, out);
    mem_free(c);
    return r;
}
