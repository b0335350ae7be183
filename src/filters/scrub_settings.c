// Scrub rules as people write them, and as they are kept: JSON, and lines that are read here.
#include "filters/scrub_internal.h"

#include "base/mem.h"

#include <stdio.h>

int scrub_settings_member(void *settings, str name, struct json_reader *r)
{
    struct scrub_settings *s = settings;
    if (str_eq(name, STR("addresses")))
        return json_bool(r, &s->addresses);
    return str_eq(name, STR("rules")) ? json_text(r, &s->rules) : ERR_INVALID;
}

int scrub_settings_read(str json, struct arena *arena, struct scrub_settings *settings, struct err *err)
{
    struct scrub_settings s = *settings;
    struct json_reader r;
    str name;
    if (!json.len)
        return 0;
    json_reader_init(&r, json, arena, 8);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1)
        rc = str_eq(name, STR("secret")) ? json_text(&r, &s.secret) : scrub_settings_member(&s, name, &r);
    if (rc == 0)
        rc = json_done(&r);
    if (rc < 0)
        return json_reader_err(&r, rc, err);
    *settings = s;
    return 0;
}

void scrub_settings_put(struct json_writer *w, const struct scrub_settings *s)
{
    json_put_key(w, STR("addresses"));
    json_put_bool(w, s->addresses);
    json_put_key(w, STR("rules"));
    json_put_str(w, s->rules);
}

// ---- rules

// Errors come with the byte of the line where they are.
int scrub_error(struct err *err, int code, size_t column, const char *what, const char *hint)
{
    err_set(err, code, code == ERR_LIMIT ? "too_long" : "bad_scrub_rule", "%s", what);
    err_set_place(err, "rules");
    if (hint)
        err_set_hint(err, "%s", hint);
    if (err) {
        err->column = (int)column + 1;
        err->length = 1;
    }
    return code;
}

static size_t space_end(str line, size_t i)
{
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
        i++;
    return i;
}

static str word_at(str line, size_t i)
{
    size_t from = i;
    while (i < line.len && line.ptr[i] != ' ' && line.ptr[i] != '\t')
        i++;
    return str_slice(line, from, i);
}

static int method_read(str line, size_t *at, struct scrub_rule *rule, struct err *err)
{
    static const str names[] = { [SCRUB_REMOVE] = STR_INIT("remove"),
                                 [SCRUB_MASK] = STR_INIT("mask"),
                                 [SCRUB_HASH] = STR_INIT("hash"),
                                 [SCRUB_REPLACE] = STR_INIT("replace") };
    str word = word_at(line, *at);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(word, names[i])) {
            rule->method = (enum scrub_method)i;
            *at += word.len;
            return 0;
        }
    return scrub_error(err, ERR_INVALID, *at, "a rule begins with what is done", "remove, mask, hash or replace");
}

// What stands between two `mark`s from *at on; a backslash takes the next character.
static int between(str line, size_t *at, char mark, bool unescape, struct arena *arena, str *ret, struct err *err)
{
    size_t i = *at + 1, n = 0;
    char *text = arena_alloc(arena, line.len);
    if (!text)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (; i < line.len && line.ptr[i] != mark; i++) {
        if (line.ptr[i] == '\\' && i + 1 < line.len) {
            if (!unescape && line.ptr[i + 1] != mark)
                text[n++] = '\\';
            i++;
        }
        text[n++] = line.ptr[i];
    }
    if (i == line.len)
        return scrub_error(err, ERR_INVALID, *at, mark == '/' ? "the / is not closed" : "the quote is not closed",
                           NULL);
    *ret = str_of(text, n);
    *at = i + 1;
    return 0;
}

static int regex_new(struct scrub_rule *rule, str pattern, size_t column, struct err *err)
{
    struct query_regex_error fault;
    int r = query_regex_new(pattern, &rule->regex, &fault);
    if (r == ERR_NOMEM)
        return err_set(err, r, NULL, "out of memory");
    if (r < 0)
        return scrub_error(err, fault.fault == QUERY_REGEX_TOO_BIG ? ERR_LIMIT : ERR_INVALID, column + fault.off,
                           fault.message, NULL);
    rule->group = query_regex_group_count(rule->regex) > 0;
    return 0;
}

static int type_read(str line, size_t *at, struct arena *arena, struct scrub_rule *rule, struct err *err)
{
    static const char hint[] =
        "@anything @password @ip @email @creditcard @usssn @iban @imei @mac @uuid @userpath @pemkey "
        "@urlauth @bearer, or /REGEX/";
    str word = word_at(line, *at), pattern;
    size_t from = *at;
    if (word.len && word.ptr[0] == '/') {
        int r = between(line, at, '/', false, arena, &pattern, err);
        if (r == 0 && !pattern.len)
            return scrub_error(err, ERR_INVALID, from, "the regular expression is empty", NULL);
        return r < 0 ? r : regex_new(rule, pattern, from + 1, err);
    }
    rule->type = word.len && word.ptr[0] == '@' ? scrub_type_find(str_slice(word, 1, word.len)) : NULL;
    if (!rule->type)
        return scrub_error(err, ERR_INVALID, from, "what is looked for is expected here", hint);
    *at += word.len;
    return rule->type->pattern ? regex_new(rule, str_z(rule->type->pattern), from, err) : 0;
}

static int rule_read(str line, struct arena *arena, struct scrub_rule *rule, struct err *err)
{
    size_t at = 0;
    int r = method_read(line, &at, rule, err);
    rule->with = STR("[Filtered]");
    rule->text = line;
    if (r < 0)
        return r;
    at = space_end(line, at);
    if ((r = type_read(line, &at, arena, rule, err)) < 0)
        return r;
    at = space_end(line, at);
    if (str_eq(word_at(line, at), STR("with"))) {
        if (rule->method != SCRUB_REPLACE)
            return scrub_error(err, ERR_INVALID, at, "only replace has a text", NULL);
        at = space_end(line, at + 4);
        if (at == line.len || line.ptr[at] != '"')
            return scrub_error(err, ERR_INVALID, at, "a text in double quotes is expected here", NULL);
        if ((r = between(line, &at, '"', true, arena, &rule->with, err)) < 0)
            return r;
        at = space_end(line, at);
    }
    if (str_eq(word_at(line, at), STR("from"))) {
        at = space_end(line, at + 4);
        if ((r = scrub_source_parse(line, &at, arena, &rule->source, err)) < 0)
            return r;
        rule->below = !scrub_source_negates(rule->source);
        at = space_end(line, at);
    }
    if (at < line.len)
        return scrub_error(err, ERR_INVALID, at, "this is not understood", "METHOD TYPE with \"TEXT\" from SOURCE");
    if (rule->type == &scrub_anything && !rule->source)
        return scrub_error(err, ERR_INVALID, line.len, "that would take everything", "say where: from extra.note");
    return 0;
}

static int at_line(struct err *err, int line, size_t indent)
{
    char words[sizeof err->message];
    if (!err || err->code == ERR_NOMEM)
        return err ? err->code : ERR_NOMEM;
    memcpy(words, err->message, sizeof words);
    err->line = line;
    err->column += (int)indent;
    snprintf(err->message, sizeof err->message, "line %d: %.*s", line, (int)sizeof words - 20, words);
    return err->code;
}

static int rules_read(struct scrub_rules *s, str text, struct err *err)
{
    int line = 0, r = 0;
    struct err own = { 0 };
    if (text.len > SCRUB_TEXT_MAX)
        return scrub_error(err, ERR_LIMIT, 0, "the rules are longer than 32 KiB", NULL);
    for (size_t pos = 0; pos < text.len && r == 0;) {
        ptrdiff_t end = str_find_char(text, '\n', pos);
        str whole = str_slice(text, pos, end < 0 ? text.len : (size_t)end), entry = str_trim(whole);
        pos += whole.len + 1;
        line++;
        if (!entry.len || entry.ptr[0] == '#')
            continue;
        size_t indent = (size_t)(entry.ptr - whole.ptr);
        if (s->n == SCRUB_RULES_MAX)
            r = scrub_error(&own, ERR_LIMIT, 0, "there are more than 100 rules", NULL);
        else
            r = rule_read(entry, &s->arena, &s->rules[s->n++], &own);
        if (r < 0 && r != ERR_NOMEM)
            at_line(&own, line, indent);
    }
    if (r < 0 && err)
        *err = own;
    return r;
}

int scrub_rules_new(const struct scrub_settings *settings, struct scrub_rules **ret_rules, struct err *err)
{
    enum { ARENA_MAX = 4 << 20 };
    struct scrub_rules *s = mem_zalloc(sizeof *s);
    str text;
    if (!s)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    s->shares = 1;
    s->addresses = settings->addresses;
    arena_init(&s->arena, ARENA_MAX);
    int r = arena_dup(&s->arena, settings->secret, &s->secret);
    if (r == 0 && settings->rules.len && settings->rules.len <= SCRUB_TEXT_MAX) {
        s->rules = arena_zalloc(&s->arena, SCRUB_RULES_MAX * sizeof *s->rules);
        r = s->rules ? arena_dup(&s->arena, settings->rules, &text) : ERR_NOMEM;
    } else {
        text = settings->rules;
    }
    if (r < 0)
        err_set(err, ERR_NOMEM, NULL, "out of memory");
    else
        r = rules_read(s, text, err);
    if (r < 0) {
        scrub_rules_free(s);
        return r;
    }
    *ret_rules = s;
    return 0;
}

struct scrub_rules *scrub_rules_share(struct scrub_rules *s)
{
    s->shares++;
    return s;
}

void scrub_rules_free(struct scrub_rules *s)
{
    if (!s || --s->shares > 0)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        query_regex_free(s->rules[i].regex);
    arena_free(&s->arena);
    mem_free(s);
}
