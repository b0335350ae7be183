// Matchers as they are written, and the table of their patterns: each (field, pattern) once, found by how it begins, so that a frame
// is asked only what can be true of it.
#include "base/must.h"
#include "grouping/grouping_internal.h"

enum { PATTERNS_MAX = 4096 };

static const struct {
    const char *name;
    uint8_t field;
    bool stack, fingerprint;
} keys[] = {
    { "function", FIELD_FUNCTION, true, true },
    { "stack.function", FIELD_FUNCTION, true, true },
    { "module", FIELD_MODULE, true, true },
    { "stack.module", FIELD_MODULE, true, true },
    { "path", FIELD_PATH, true, true },
    { "stack.abs_path", FIELD_PATH, true, true },
    { "package", FIELD_PACKAGE, true, true },
    { "stack.package", FIELD_PACKAGE, true, true },
    { "family", FIELD_FAMILY, true, true },
    { "app", FIELD_APP, true, true },
    { "type", FIELD_TYPE, true, true },
    { "error.type", FIELD_TYPE, true, true },
    { "value", FIELD_VALUE, true, true },
    { "error.value", FIELD_VALUE, true, true },
    { "category", FIELD_CATEGORY, true, false },
    { "mechanism", FIELD_MECHANISM, true, false },
    { "error.mechanism", FIELD_MECHANISM, true, false },
    { "message", FIELD_MESSAGE, false, true },
    { "logger", FIELD_LOGGER, false, true },
    { "level", FIELD_LEVEL, false, true },
    { "sdk", FIELD_SDK, false, true },
    { "release", FIELD_RELEASE, false, true },
};

static uint8_t families_parse(str text)
{
    uint8_t families = 0;
    for (size_t i = 0; i <= text.len;) {
        ptrdiff_t comma = str_find_char(text, ',', i);
        str word = str_slice(text, i, comma < 0 ? text.len : (size_t)comma);
        families |= str_eq(word, STR("native"))       ? FAMILY_NATIVE
                    : str_eq(word, STR("javascript")) ? FAMILY_JAVASCRIPT
                    : str_eq(word, STR("other"))      ? FAMILY_OTHER
                    : str_eq(word, STR("all"))        ? FAMILY_ALL
                                                      : 0;
        i = comma < 0 ? text.len + 1 : (size_t)comma + 1;
    }
    return families;
}

static int8_t bool_parse(str text)
{
    if (str_eq(text, STR("1")) || str_eq(text, STR("yes")) || str_eq(text, STR("true")))
        return 1;
    return str_eq(text, STR("0")) || str_eq(text, STR("no")) || str_eq(text, STR("false")) ? 0 : -1;
}

static unsigned flags_of(uint8_t field, bool fingerprint)
{
    switch (field) {
    case FIELD_PATH:
    case FIELD_PACKAGE:
        return GLOB_PATH;
    case FIELD_RELEASE:
        return GLOB_PATH | GLOB_NEWLINE;
    case FIELD_MESSAGE:
    case FIELD_LEVEL:
        return GLOB_NOCASE | GLOB_NEWLINE;
    case FIELD_VALUE:
        return fingerprint ? GLOB_NOCASE | GLOB_NEWLINE : 0;
    default:
        return fingerprint ? GLOB_NEWLINE : 0;
    }
}

// The number of the pattern, which is added when it is new.
static int pattern_number(struct lex *l, struct grouping_rules *rules, struct matcher *m, unsigned flags)
{
    for (uint32_t i = 0; i < rules->patterns_n; i++)
        if (rules->patterns[i].field == m->field && str_eq(rules->patterns[i].text, m->text) &&
            rules->patterns[i].glob.flags == flags) {
            m->pattern = (uint16_t)i;
            return 0;
        }
    if (rules->patterns_n == rules->patterns_cap) {
        uint32_t cap = rules->patterns_cap ? rules->patterns_cap * 2 : 512;
        struct pattern *more = arena_alloc_array(&rules->arena, cap, sizeof *more);
        if (!more)
            return err_set(l->err, ERR_NOMEM, NULL, "out of memory");
        if (rules->patterns_n)
            memcpy(more, rules->patterns, rules->patterns_n * sizeof *more);
        rules->patterns = more;
        rules->patterns_cap = cap;
    }
    if (rules->patterns_n == PATTERNS_MAX)
        return lex_error(l, ERR_LIMIT, NULL, "there are more than %d patterns", PATTERNS_MAX);
    struct pattern *p = &rules->patterns[rules->patterns_n];
    *p = (struct pattern){ .field = m->field, .text = m->text };
    int r = glob_parse(m->text, flags, &rules->arena, &p->glob, l->err);
    if (r < 0)
        return lex_error(l, r,
                         "* any text, ? one character, [a-z] one of, {a,b} either; \\ before what is meant as it is",
                         "the pattern cannot be read, or is longer than %d bytes", GLOB_PATTERN_MAX);
    m->pattern = (uint16_t)rules->patterns_n++;
    return 0;
}

static int key_parse(struct lex *l, struct grouping_rules *rules, bool fingerprint, struct matcher *m)
{
    str key;
    size_t start = l->i;
    if (l->i < l->text.len && l->text.ptr[l->i] == '"') {
        int r = lex_quoted(l, &rules->arena, &key);
        if (r < 0)
            return r;
    } else {
        key = lex_ident(l);
    }
    if (!lex_take(l, ':'))
        return lex_error(l, ERR_INVALID,
                         fingerprint ? "MATCHER... -> VALUE..., as in  type:DatabaseError -> database"
                                     : "MATCHER... ACTION..., as in  path:**/vendor/** -app",
                         "a matcher KEY:PATTERN was expected");
    if (fingerprint && str_starts(key, STR("tags.")) && key.len > 5) {
        m->field = FIELD_TAG;
        m->tag = str_slice(key, 5, key.len);
        return 0;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (str_eq(key, str_z(keys[i].name)) && (fingerprint ? keys[i].fingerprint : keys[i].stack)) {
            m->field = keys[i].field;
            return 0;
        }
    l->i = start;
    return lex_error(
        l, ERR_INVALID,
        fingerprint ? "type, value, message, logger, level, tags.NAME, function, module, path, package, family, app, "
                      "sdk, release (also as error.type, stack.function ...)"
                    : "function, module, path, package, category, family, app, type, value, mechanism (also as "
                      "stack.function, error.type ...)",
        "there is no matcher \"%.*s\"", STR_ARG(str_slice(key, 0, 40)));
}

static int matcher_parse(struct lex *l, struct grouping_rules *rules, bool fingerprint, int8_t offset,
                         struct matcher *m)
{
    *m = (struct matcher){ .offset = offset };
    lex_space(l);
    m->negated = lex_take(l, '!');
    int r = key_parse(l, rules, fingerprint, m);
    if (r == 0)
        r = lex_argument(l, &rules->arena, &m->text);
    if (r < 0)
        return r;
    if (offset && m->field > FIELD_APP)
        return lex_error(l, ERR_INVALID, NULL, "[ ] asks the frame beside; this key is not of a frame");
    unsigned flags = flags_of(m->field, fingerprint);
    if (m->field == FIELD_FAMILY || m->field == FIELD_SDK) {
        m->families = families_parse(m->text);
        return 0;
    }
    if (m->field == FIELD_APP) {
        m->app = bool_parse(m->text);
        return m->app < 0 ? lex_error(l, ERR_INVALID, "app:yes or app:no", "app is neither yes nor no") : 0;
    }
    if (!fingerprint && m->field < FIELDS_OF_PATTERNS)
        return pattern_number(l, rules, m, flags);
    r = glob_parse(m->text, flags, &rules->arena, &m->glob, l->err);
    return r < 0
               ? lex_error(l, r,
                           "* any text, ? one character, [a-z] one of, {a,b} either; \\ before what is meant as it is",
                           "the pattern cannot be read, or is longer than %d bytes", GLOB_PATTERN_MAX)
               : 0;
}

static bool at_matcher(struct lex *l)
{
    struct lex ahead = *l;
    lex_space(&ahead);
    lex_take(&ahead, '!');
    if (ahead.i < ahead.text.len && ahead.text.ptr[ahead.i] == '"')
        return true;
    return lex_ident(&ahead).len && lex_take(&ahead, ':');
}

int matchers_parse(struct lex *l, struct grouping_rules *rules, bool fingerprint, struct matcher **ret, uint8_t *ret_n)
{
    struct matcher all[GROUPING_MATCHERS_MAX];
    size_t n = 0;
    int r;
    static const char beside[] = "[ KEY:PATTERN ] | KEY:PATTERN ... | [ KEY:PATTERN ], with spaces inside the brackets";
    lex_space(l);
    if (lex_take(l, '[')) {
        if ((r = matcher_parse(l, rules, fingerprint, -1, &all[n++])) < 0)
            return r;
        lex_space(l);
        if (!lex_take(l, ']'))
            return lex_error(l, ERR_INVALID, beside, "a ] was expected");
        lex_space(l);
        if (!lex_take(l, '|'))
            return lex_error(l, ERR_INVALID, beside, "a | was expected");
    }
    do {
        if (n + 1 >= GROUPING_MATCHERS_MAX)
            return lex_error(l, ERR_LIMIT, NULL, "a rule has more than %d matchers", GROUPING_MATCHERS_MAX - 1);
        if ((r = matcher_parse(l, rules, fingerprint, 0, &all[n++])) < 0)
            return r;
    } while (at_matcher(l));
    lex_space(l);
    if (lex_take(l, '|')) {
        lex_space(l);
        if (!lex_take(l, '['))
            return lex_error(l, ERR_INVALID, beside, "a [ was expected");
        if ((r = matcher_parse(l, rules, fingerprint, 1, &all[n++])) < 0)
            return r;
        lex_space(l);
        if (!lex_take(l, ']'))
            return lex_error(l, ERR_INVALID, beside, "a ] was expected");
    }
    struct matcher *copy = arena_alloc_array(&rules->arena, n, sizeof *copy);
    if (!copy)
        return err_set(l->err, ERR_NOMEM, NULL, "out of memory");
    memcpy(copy, all, n * sizeof *copy);
    *ret = copy;
    *ret_n = (uint8_t)n;
    return 0;
}

// --- after all rules: which rules want what of a frame, and where patterns are found

static void rule_finish(struct grouping_rules *rules, struct stack_rule *rule)
{
    rule->families = FAMILY_ALL;
    rule->pattern = -1;
    for (size_t i = 0; i < rule->matchers_n; i++) {
        struct matcher *m = &rule->matchers[i];
        if (m->field == FIELD_CATEGORY)
            for (uint32_t c = 1; c <= rules->categories_n; c++)
                if (glob_match(&m->glob, rules->categories[c]))
                    m->categories |= 1ull << c;
        if (m->field == FIELD_FAMILY && !m->negated && !m->offset)
            rule->families &= m->families;
        if (m->field < FIELDS_OF_PATTERNS && !m->negated && rule->pattern < 0)
            rule->pattern = m->pattern;
    }
    for (size_t i = 0; i < rule->matchers_n; i++) {
        struct matcher *m = &rule->matchers[i];
        if (m->field < FIELDS_OF_PATTERNS)
            rules->patterns[m->pattern].families |= m->offset || m->negated ? FAMILY_ALL : rule->families;
    }
}

// The byte that the pattern's first directory begins with, when it is **/NAME...; -1: it is not.
static int directory_byte(const struct pattern *p)
{
    if (!(p->glob.flags & GLOB_PATH) || p->text.len < 4 || !str_starts(p->text, STR("**/")))
        return -1;
    uint8_t c = (uint8_t)p->text.ptr[3];
    return strchr("*?[{\\", c) ? -1 : c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static int index_fill(struct grouping_rules *rules, struct pattern_index *index, uint8_t field)
{
    struct {
        uint16_t n, *ids;
    } lists[257 + 256] = { 0 };
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < rules->patterns_n; i++) {
            const struct pattern *p = &rules->patterns[i];
            if (p->field != field)
                continue;
            str prefix = glob_prefix(&p->glob);
            int directory = directory_byte(p);
            size_t k = directory >= 0 ? 257 + (size_t)directory : prefix.len ? (uint8_t)prefix.ptr[0] : 256;
            if (pass)
                lists[k].ids[lists[k].n] = (uint16_t)i;
            lists[k].n++;
        }
        for (size_t k = 0; !pass && k < 257 + 256; k++) {
            if (lists[k].n && !(lists[k].ids = arena_alloc_array(&rules->arena, lists[k].n, sizeof(uint16_t))))
                return ERR_NOMEM;
            lists[k].n = 0;
        }
    }
    for (size_t k = 0; k < 257; k++) {
        index->by_first[k] = lists[k].ids;
        index->by_first_n[k] = lists[k].n;
    }
    for (size_t k = 0; k < 256; k++) {
        index->by_directory[k] = lists[257 + k].ids;
        index->by_directory_n[k] = lists[257 + k].n;
    }
    return 0;
}

int patterns_finish(struct grouping_rules *rules)
{
    int r = 0;
    for (uint32_t i = 0; i < rules->stack_n; i++)
        rule_finish(rules, &rules->stack[i]);
    rules->words = (rules->patterns_n + 63) / 64;
    for (uint8_t f = 0; r == 0 && f < FIELDS_OF_PATTERNS; f++)
        r = index_fill(rules, &rules->index[f], f);
    return r;
}
