// Names of functions and classes without what differs from build to build.
//
// Native names come as compilers and debuggers print them ("void ns::f<int>(char const*) const"): what is wanted is the path of the
// function ("ns::f<T>"). On the way, what would confuse brackets stands as one byte each:
#include "grouping/grouping_internal.h"

enum { LESS = 1, CALL = 2, ARROW = 3, ANONYMOUS = 4 };
enum { NAME_MAX_LEN = 4096, GENERICS_DEPTH = 16 }; // a longer name stays as it is

struct name {
    struct arena *arena;
    str s;
    int depth;
    bool nomem;
};

static bool space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static str strip_right(str s)
{
    while (s.len && space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static str strip(str s)
{
    while (s.len && space(s.ptr[0]))
        s = str_slice(s, 1, s.len);
    return strip_right(s);
}

static bool is_word(str s, size_t i)
{
    if (i >= s.len)
        return false;
    char c = s.ptr[i];
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static str replace_all(struct name *n, str s, str what, str with)
{
    ptrdiff_t at = str_find(s, what);
    if (at < 0)
        return s;
    char *out = arena_alloc_bytes(n->arena, s.len + (s.len / what.len + 1) * with.len);
    size_t len = 0, i = 0;
    if (!out) {
        n->nomem = true;
        return s;
    }
    for (; at >= 0; at = str_find(str_slice(s, i, s.len), what)) {
        memcpy(out + len, s.ptr + i, (size_t)at);
        memcpy(out + len + (size_t)at, with.ptr, with.len);
        len += (size_t)at + with.len;
        i += (size_t)at + what.len;
    }
    memcpy(out + len, s.ptr + i, s.len - i);
    return str_of(out, len + s.len - i);
}

typedef str replacer(struct name *n, str inside, size_t start);

// What stands in brackets of one kind, outermost first, becomes what `with` makes of it; what is left open goes.
static str replace_enclosed(struct name *n, str s, char open, char close, replacer *with)
{
    if (str_find_char(s, open, 0) < 0)
        return s;
    str out = { 0 };
    char *buffer = arena_alloc_bytes(n->arena, s.len * 2 + 8);
    int depth = 0;
    size_t start = 0;
    if (!buffer) {
        n->nomem = true;
        return s;
    }
    out.ptr = buffer;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == open) {
            if (depth++ == 0)
                start = i;
        } else if (c == close) {
            if (--depth == 0) {
                str r = with(n, str_slice(s, start + 1, i), start);
                if (r.len)
                    memcpy(buffer + out.len, r.ptr, r.len);
                out.len += r.len;
            }
        } else if (depth == 0) {
            buffer[out.len++] = c;
        }
    }
    return out;
}

static str keep(struct name *n, const char *before, str inside, const char *behind)
{
    str r = arena_printf(n->arena, "%s%.*s%s", before, STR_ARG(inside), behind);
    n->nomem |= !r.ptr;
    return r;
}

static str square(struct name *n, str inside, size_t start)
{
    return str_starts(inside, STR("clone .")) ? (str){ 0 } : keep(n, "[", inside, "]");
}

static str arguments(struct name *n, str inside, size_t start)
{
    inside = strip(inside);
    return str_eq(inside, STR("anonymous namespace")) || str_eq(inside, STR("operator")) ? keep(n, "(", inside, ")")
                                                                                         : (str){ 0 };
}

// {lambda(int)#1}, lambda_<32 hex digits>, $_12: its length at i, or 0.
static size_t lambda_len(str s, size_t i)
{
    str rest = str_slice(s, i, s.len);
    if (str_starts(rest, STR("{lambda("))) {
        ptrdiff_t end = str_find(rest, STR(")#"));
        size_t k = end < 0 ? rest.len : (size_t)end + 2, digits = k;
        while (k < rest.len && rest.ptr[k] >= '0' && rest.ptr[k] <= '9')
            k++;
        return k > digits && k < rest.len && rest.ptr[k] == '}' ? k + 1 : 0;
    }
    if (str_starts(rest, STR("lambda_")) && !(i && is_word(s, i - 1))) {
        size_t k = 7;
        while (k < rest.len && k < 39 &&
               ((rest.ptr[k] >= '0' && rest.ptr[k] <= '9') || (rest.ptr[k] >= 'a' && rest.ptr[k] <= 'f')))
            k++;
        return k == 39 && !is_word(rest, k) ? k : 0;
    }
    if (str_starts(rest, STR("$_"))) {
        size_t k = 2;
        while (k < rest.len && rest.ptr[k] >= '0' && rest.ptr[k] <= '9')
            k++;
        return k > 2 && !is_word(rest, k) ? k : 0;
    }
    return 0;
}

static str lambdas(struct name *n, str s)
{
    if (str_find(s, STR("lambda")) < 0 && str_find(s, STR("$_")) < 0)
        return s;
    char *out = arena_alloc_bytes(n->arena, s.len * 3 + 1);
    size_t len = 0;
    if (!out) {
        n->nomem = true;
        return s;
    }
    for (size_t i = 0; i < s.len;) {
        size_t k = lambda_len(s, i);
        if (k) {
            memcpy(out + len, "lambda", 6);
            len += 6;
            i += k;
        } else {
            out[len++] = s.ptr[i++];
        }
    }
    return str_of(out, len);
}

// <int, char> -> <T>; Rust's <Foo as Bar> in front: Foo.
static str generics(struct name *n, str inside, size_t start)
{
    if (str_eq(inside, STR("lambda")) || lambda_len(inside, 0))
        return keep(n, "<", inside, ">");
    if (start > 0 || n->depth >= GENERICS_DEPTH)
        return STR("<T>");
    if (inside.len > 5 && inside.ptr[0] >= 'A' && inside.ptr[0] <= 'Z' &&
        str_starts(str_slice(inside, 1, inside.len), STR(" as ")))
        inside = str_slice(inside, 5, inside.len);
    n->depth++;
    inside = replace_enclosed(n, inside, '<', '>', generics);
    n->depth--;
    ptrdiff_t as = str_find(inside, STR(" as "));
    return as < 0 ? inside : str_slice(inside, 0, (size_t)as);
}

// ?A0x1234abcd:: is how MSVC writes an anonymous namespace in inlined functions.
static str anonymous_hashes(struct name *n, str s)
{
    ptrdiff_t at = str_find(s, STR("?A0x"));
    if (at < 0)
        return s;
    char *out = arena_alloc_bytes(n->arena, s.len);
    size_t len = 0;
    if (!out) {
        n->nomem = true;
        return s;
    }
    for (size_t i = 0; i < s.len;) {
        str rest = str_slice(s, i, s.len);
        bool hit = str_starts(rest, STR("?A0x")) && rest.len >= 14 && rest.ptr[12] == ':' && rest.ptr[13] == ':';
        for (size_t k = 4; hit && k < 12; k++)
            hit = (rest.ptr[k] >= '0' && rest.ptr[k] <= '9') || (rest.ptr[k] >= 'a' && rest.ptr[k] <= 'f');
        if (hit) {
            out[len++] = ANONYMOUS;
            i += 12;
        } else {
            out[len++] = s.ptr[i++];
        }
    }
    return str_of(out, len);
}

static str trailers(str s)
{
    for (;;) {
        if (s.len && s.ptr[s.len - 1] == '&')
            s.len--;
        else if (str_ends(s, STR("const")) && !(s.len > 5 && is_word(s, s.len - 6)))
            s.len -= 5;
        else
            return s;
        s = strip_right(s);
    }
}

struct tokens {
    str *all;
    size_t n;
};

// Words outside of brackets.
static struct tokens split(struct name *n, str s)
{
    static const char opens[] = "({[<", closes[] = ")}]>";
    struct tokens t = { arena_alloc_array(n->arena, s.len / 2 + 2, sizeof(str)), 0 };
    char *stack = arena_alloc_bytes(n->arena, s.len + 1), *out = arena_alloc_bytes(n->arena, s.len + 1);
    size_t depth = 0, end = 0, len = 0, begin = 0;
    if (!t.all || !stack || !out) {
        n->nomem = true;
        return (struct tokens){ 0 };
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        const char *open = c ? strchr(opens, c) : NULL;
        bool append = false;
        if (open) {
            stack[depth++] = closes[open - opens];
        } else if (depth && c == stack[depth - 1]) {
            append = --depth == 0;
        } else if (!depth && space(c)) {
            if (len > begin)
                t.all[t.n++] = str_of(out + begin, len - begin);
            begin = len;
            end = i + 1;
        } else if (!depth) {
            append = true;
        }
        if (append) {
            memcpy(out + len, s.ptr + end, i + 1 - end);
            len += i + 1 - end;
            end = i + 1;
        }
    }
    if (len > begin)
        t.all[t.n++] = str_of(out + begin, len - begin);
    return t;
}

static ptrdiff_t last_token(const struct tokens *t, str word)
{
    for (size_t i = t->n; i > 0; i--)
        if (str_eq(t->all[i - 1], word))
            return (ptrdiff_t)i - 1;
    return -1;
}

// The token that is the function: before Swift's arrow, else the last one.
static str function_token(struct name *n, struct tokens *t, str platform)
{
    if (str_find(n->s, STR("initialization expression of")) >= 0) {
        size_t of = (size_t)last_token(t, STR("of")) + 1;
        str token = of < t->n ? t->all[of] : (str){ 0 };
        if (str_eq(token, STR("static")) && of + 1 < t->n)
            token = t->all[of + 1];
        if (str_starts(token, STR(":")))
            token = str_slice(token, 1, token.len);
        return keep(n, "initializer expression of ", token, "");
    }
    if (t->n > 1 && str_eq(t->all[t->n - 1], STR("<T>"))) { // MSVC: operator new <T>
        t->n--;
        t->all[t->n - 1] = keep(n, "", t->all[t->n - 1], " <T>");
    }
    if (!t->n)
        return (str){ 0 };
    char arrow = ARROW;
    ptrdiff_t at = last_token(t, str_of(&arrow, 1));
    str token = t->all[t->n - 1];
    if (at > 0) {
        token = t->all[at - 1];
        if (str_eq(token, STR("throws")) && at > 1)
            token = t->all[at - 2];
    }
    bool swift = str_eq(platform, STR("cocoa")) || str_eq(platform, STR("swift"));
    if (str_starts(token, STR("@")) && swift)
        return str_find(n->s, STR("thunk for ")) >= 0 ? STR("thunk for closure") : STR("closure");
    if (last_token(t, STR("closure")) >= 0 && !str_eq(token, STR("closure")))
        return keep(n, "closure in ", token, "");
    return token;
}

static size_t digits_from_end(str s, const char *also)
{
    size_t i = s.len;
    while (i && ((s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9') || strchr(also, s.ptr[i - 1])))
        i--;
    return i;
}

// Rust's ::h0123456789abcdef, @@GLIBC_2.2.5, Windows' @name@8.
static str suffixes(str s)
{
    if (s.len > 19 && memcmp(s.ptr + s.len - 19, "::h", 3) == 0) {
        size_t i = s.len - 16;
        while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'z')))
            i++;
        if (i == s.len)
            s.len -= 19;
    }
    size_t i = digits_from_end(s, ".");
    if (i < s.len && str_ends(str_slice(s, 0, i), STR("@GLIBC_"))) {
        i -= 7;
        s.len = i && s.ptr[i - 1] == '@' ? i - 1 : i;
    }
    i = digits_from_end(s, "\1");
    ptrdiff_t at = str_find_char(s, '@', s.len && s.ptr[0] == '@');
    if (i < s.len && at >= 0 && (size_t)at + 1 == i)
        s = str_slice(s, s.ptr[0] == '@', (size_t)at);
    return s;
}

static bool plain(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_word(s, i) && s.ptr[i] != ':' && s.ptr[i] != '.' && s.ptr[i] != '~')
            return false;
    return !str_ends(s, STR("const"));
}

static int native_trim(str function, str platform, struct arena *arena, str *ret)
{
    static const char less[] = { LESS, 0 }, less2[] = { LESS, LESS, 0 }, call[] = { CALL, 0 }, arrow[] = { ARROW, 0 },
                      anonymous[] = { ANONYMOUS, 0 }, spaced[] = { ' ', ARROW, ' ', 0 };
    struct name n = { .arena = arena, .s = strip(function) };
    str s = n.s;
    if (str_eq(function, STR("<redacted>")) || str_eq(function, STR("<unknown>")) || function.len > NAME_MAX_LEN) {
        *ret = function;
        return 0;
    }
    if (plain(s) || str_starts(s, STR("[")) || str_starts(s, STR("+[")) || str_starts(s, STR("-["))) {
        *ret = plain(s) ? suffixes(s) : s;
        return 0;
    }
    s = trailers(strip_right(replace_enclosed(&n, s, '[', ']', square)));
    s = replace_all(&n, s, STR("operator<<"), keep(&n, "operator", str_z(less2), ""));
    s = replace_all(&n, s, STR("operator<"), keep(&n, "operator", str_z(less), ""));
    s = replace_all(&n, s, STR("operator()"), keep(&n, "operator", str_z(call), ""));
    s = replace_all(&n, s, STR("operator->"), keep(&n, "operator", str_z(arrow), ""));
    s = replace_all(&n, s, STR(" -> "), str_z(spaced));
    s = replace_all(&n, s, STR("`anonymous namespace'"), str_z(anonymous));
    s = anonymous_hashes(&n, lambdas(&n, s));
    s = replace_enclosed(&n, s, '(', ')', arguments);
    s = replace_enclosed(&n, s, '<', '>', generics);
    n.s = s;
    struct tokens t = split(&n, s);
    s = function_token(&n, &t, platform);
    s = replace_all(&n, s, str_z(less), STR("<"));
    s = replace_all(&n, s, str_z(call), STR("()"));
    s = replace_all(&n, s, str_z(arrow), STR("->"));
    s = replace_all(&n, s, str_z(anonymous), STR("`anonymous namespace'"));
    *ret = suffixes(s.len ? s : function);
    return n.nomem ? ERR_NOMEM : 0;
}

int function_trim(str function, str platform, struct arena *arena, str *ret)
{
    if (str_eq(platform, STR("csharp"))) {
        ptrdiff_t at = str_find(function, STR(" ("));
        *ret = at < 0 ? function : str_slice(function, 0, (size_t)at);
        return 0;
    }
    if (family_of(platform) == FAMILY_NATIVE)
        return native_trim(function, platform, arena, ret);
    *ret = function;
    return 0;
}
