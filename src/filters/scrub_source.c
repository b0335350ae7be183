// Sources of rules: which values of a tree they are for.
#include "filters/scrub_internal.h"

enum { NESTING_MAX = 16, DEEP_MAX = 2 };

enum segment_kind { KEY, ANY, DEEP, TYPE };
enum type {
    T_STRING,
    T_NUMBER,
    T_BOOLEAN,
    T_OBJECT,
    T_ARRAY,
    T_ERROR,
    T_STACK,
    T_FRAME,
    T_HTTP,
    T_USER,
    T_MESSAGE,
    T_THREAD,
    T_BREADCRUMB,
    T_SPAN,
};
struct segment {
    enum segment_kind kind;
    enum type type;
    str key;
};

struct scrub_source {
    enum { PATH, NOT, AND, OR } kind;
    const struct scrub_source *left, *right;
    struct segment segments[SCRUB_SEGMENTS_MAX];
    unsigned n;
};

static const struct {
    str name;
    enum type type;
} types[] = { { STR_INIT("string"), T_STRING },
              { STR_INIT("number"), T_NUMBER },
              { STR_INIT("boolean"), T_BOOLEAN },
              { STR_INIT("object"), T_OBJECT },
              { STR_INIT("array"), T_ARRAY },
              { STR_INIT("error"), T_ERROR },
              { STR_INIT("exception"), T_ERROR },
              { STR_INIT("stack"), T_STACK },
              { STR_INIT("stacktrace"), T_STACK },
              { STR_INIT("frame"), T_FRAME },
              { STR_INIT("http"), T_HTTP },
              { STR_INIT("request"), T_HTTP },
              { STR_INIT("user"), T_USER },
              { STR_INIT("message"), T_MESSAGE },
              { STR_INIT("logentry"), T_MESSAGE },
              { STR_INIT("thread"), T_THREAD },
              { STR_INIT("breadcrumb"), T_BREADCRUMB },
              { STR_INIT("span"), T_SPAN } };

// ---- reading

struct reader {
    str text;
    size_t i;
    struct arena *arena;
    struct err *err;
};

static void space(struct reader *r)
{
    while (r->i < r->text.len && (r->text.ptr[r->i] == ' ' || r->text.ptr[r->i] == '\t'))
        r->i++;
}

static bool takes(struct reader *r, str word)
{
    space(r);
    if (!str_starts(str_slice(r->text, r->i, r->text.len), word))
        return false;
    r->i += word.len;
    return true;
}

static bool key_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-' || (c & 0x80);
}

static str word(struct reader *r)
{
    size_t from = r->i;
    while (r->i < r->text.len && key_char(r->text.ptr[r->i]))
        r->i++;
    return str_slice(r->text, from, r->i);
}

static int quoted(struct reader *r, str *ret)
{
    ptrdiff_t end = str_find_char(r->text, '\'', r->i);
    if (end < 0)
        return scrub_error(r->err, ERR_INVALID, r->i, "the quote is not closed", NULL);
    *ret = str_slice(r->text, r->i, (size_t)end);
    r->i = (size_t)end + 1;
    return 0;
}

static int segment(struct reader *r, struct segment *s)
{
    char c = r->i < r->text.len ? r->text.ptr[r->i] : 0;
    if (c == '*') {
        r->i++;
        bool deep = r->i < r->text.len && r->text.ptr[r->i] == '*';
        r->i += deep;
        s->kind = deep ? DEEP : ANY;
        return 0;
    }
    if (c == '\'') {
        r->i++;
        s->kind = KEY;
        return quoted(r, &s->key);
    }
    size_t from = r->i;
    r->i += c == '$';
    str name = word(r);
    if (!name.len)
        return scrub_error(r->err, ERR_INVALID, r->i, "a source is expected here",
                           "a path like extra.note, **.email or $string");
    if (c != '$') {
        s->kind = KEY;
        s->key = name;
        return 0;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq(types[i].name, name)) {
            s->kind = TYPE;
            s->type = types[i].type;
            return 0;
        }
    return scrub_error(
        r->err, ERR_INVALID, from, "there is no such type of value",
        "$string $number $boolean $object $array $error $stack $frame $http $user $message $thread $breadcrumb $span");
}

static int path(struct reader *r, struct scrub_source *s)
{
    unsigned deep = 0;
    int code;
    s->kind = PATH;
    do {
        if (s->n == SCRUB_SEGMENTS_MAX)
            return scrub_error(r->err, ERR_LIMIT, r->i, "the path has more than 16 parts", NULL);
        if ((code = segment(r, &s->segments[s->n])) < 0)
            return code;
        deep += s->segments[s->n++].kind == DEEP;
        if (deep > DEEP_MAX)
            return scrub_error(r->err, ERR_LIMIT, r->i - 2, "** stands more than twice in one path", NULL);
    } while (r->i < r->text.len && r->text.ptr[r->i] == '.' && r->i++ < r->text.len);
    return 0;
}

static int any_of(struct reader *r, unsigned depth, const struct scrub_source **ret);

static int term(struct reader *r, unsigned depth, const struct scrub_source **ret)
{
    struct scrub_source *s;
    if (depth > NESTING_MAX)
        return scrub_error(r->err, ERR_LIMIT, r->i, "the source is nested too deeply", NULL);
    if (takes(r, STR("("))) {
        int code = any_of(r, depth + 1, ret);
        if (code == 0 && !takes(r, STR(")")))
            code = scrub_error(r->err, ERR_INVALID, r->i, "the parenthesis is not closed", NULL);
        return code;
    }
    if (!(s = arena_zalloc(r->arena, sizeof *s)))
        return err_set(r->err, ERR_NOMEM, NULL, "out of memory");
    *ret = s;
    if (takes(r, STR("!"))) {
        s->kind = NOT;
        return term(r, depth + 1, &s->left);
    }
    return path(r, s);
}

static int joined(struct reader *r, unsigned depth, bool all, const struct scrub_source **ret)
{
    const struct scrub_source *left;
    int code = all ? term(r, depth, &left) : joined(r, depth, true, &left);
    while (code == 0 && takes(r, all ? STR("&&") : STR("||"))) {
        struct scrub_source *s = arena_zalloc(r->arena, sizeof *s);
        if (!s)
            return err_set(r->err, ERR_NOMEM, NULL, "out of memory");
        s->kind = all ? AND : OR;
        s->left = left;
        code = all ? term(r, depth, &s->right) : joined(r, depth, true, &s->right);
        left = s;
    }
    if (code == 0)
        *ret = left;
    return code;
}

static int any_of(struct reader *r, unsigned depth, const struct scrub_source **ret)
{
    return joined(r, depth, false, ret);
}

int scrub_source_parse(str text, size_t *at, struct arena *arena, const struct scrub_source **ret, struct err *err)
{
    struct reader r = { text, *at, arena, err };
    int code = any_of(&r, 0, ret);
    *at = r.i;
    return code;
}

// ---- matching

static bool key_is(const struct scrub_place *p, unsigned i, str key) { return str_eq(p->path[i]->key, key); }

// An element of the list `name`, or of its `values`.
static bool element_of(const struct scrub_place *p, unsigned i, str name)
{
    if (p->path[i]->key.ptr || i == 0)
        return false;
    return key_is(p, i - 1, name) || (i > 1 && key_is(p, i - 1, STR("values")) && key_is(p, i - 2, name));
}

static bool type_is(enum type type, const struct scrub_place *p, unsigned i)
{
    const struct json_node *node = p->path[i];
    switch (type) {
    case T_STRING:
        return node->type == JSON_STRING;
    case T_NUMBER:
        return node->type == JSON_NUMBER;
    case T_BOOLEAN:
        return node->type == JSON_TRUE || node->type == JSON_FALSE;
    case T_OBJECT:
        return node->type == JSON_OBJECT;
    case T_ARRAY:
        return node->type == JSON_ARRAY;
    case T_ERROR:
        return element_of(p, i, STR("exception"));
    case T_STACK:
        return key_is(p, i, STR("stacktrace"));
    case T_FRAME:
        return element_of(p, i, STR("frames"));
    case T_HTTP:
        return i == 0 && key_is(p, i, STR("request"));
    case T_USER:
        return i == 0 && key_is(p, i, STR("user"));
    case T_MESSAGE:
        return (i == 0 && (key_is(p, i, STR("message")) || key_is(p, i, STR("logentry")))) ||
               (i == 1 && (key_is(p, 0, STR("logentry")) || key_is(p, 0, STR("message"))));
    case T_THREAD:
        return element_of(p, i, STR("threads"));
    case T_BREADCRUMB:
        return element_of(p, i, STR("breadcrumbs"));
    case T_SPAN:
        return element_of(p, i, STR("spans"));
    }
    return false;
}

static bool index_is(uint32_t index, str key)
{
    int64_t n;
    return key.len && key.ptr[0] >= '0' && key.ptr[0] <= '9' && json_number_int(key, &n) && n == index;
}

static bool segment_is(const struct segment *s, const struct scrub_place *p, unsigned i)
{
    if (s->kind == KEY) {
        bool element = !p->path[i]->key.ptr || (i > 0 && p->path[i - 1]->type == JSON_ARRAY); // also of a pair, by both
        return (p->path[i]->key.ptr && key_is(p, i, s->key)) || (element && index_is(p->index[i], s->key));
    }
    return s->kind == ANY || type_is(s->type, p, i);
}

// The first n segments against the first `depth` steps of the way, from behind; before the first one may be anything.
static bool path_match(const struct scrub_source *s, unsigned n, const struct scrub_place *p, unsigned depth)
{
    for (; n > 0 && s->segments[n - 1].kind != DEEP; n--, depth--)
        if (depth == 0 || !segment_is(&s->segments[n - 1], p, depth - 1))
            return false;
    if (n == 0)
        return true;
    unsigned least = n == s->n; // at the end it is what lies below
    for (unsigned k = least; k <= depth; k++)
        if (path_match(s, n - 1, p, depth - k))
            return true;
    return false;
}

bool scrub_source_match(const struct scrub_source *s, const struct scrub_place *at, bool *specific)
{
    bool a, b;
    switch (s->kind) {
    case PATH:
        if (!path_match(s, s->n, at, at->depth))
            return false;
        *specific |= s->segments[s->n - 1].kind == KEY;
        return true;
    case NOT:
        b = false;
        return !scrub_source_match(s->left, at, &b);
    case AND:
        return scrub_source_match(s->left, at, specific) && scrub_source_match(s->right, at, specific);
    default:
        a = scrub_source_match(s->left, at, specific);
        b = scrub_source_match(s->right, at, specific);
        return a || b;
    }
}

bool scrub_source_negates(const struct scrub_source *s)
{
    return s->kind == NOT || (s->kind != PATH && (scrub_source_negates(s->left) || scrub_source_negates(s->right)));
}
