#include "owners/rules.h"

#include "base/mem.h"
#include "grouping/glob.h"
#include "owners/code_path.h"

#include <stdarg.h>
#include <stdio.h>

enum { RULES_ARENA_MAX = 32 << 20, WORD_MAX = 512, VALUE_MAX = 4096 };

enum matcher { MATCH_PATH, MATCH_MODULE, MATCH_URL, MATCH_TAG, MATCH_CODEOWNERS };

struct rule {
    enum matcher matcher;
    uint32_t section; // of CODEOWNERS
    str text;         // as people see it
    str tag;
    struct glob globs[2]; // the file itself; what is below it as a directory
    uint32_t globs_n;
    struct owner *owners;
    uint32_t owners_n; // 0: a line that takes owners away
};

struct owner_rules {
    struct arena arena;
    struct rule *rules, *lines; // lines: of CODEOWNERS
    size_t rules_n, lines_n;
};

// ---- reading -------------------------------------------------------------------------------------------

struct reading {
    struct owner_rules *r;
    const char *place;
    int line;
    struct err *err;
};

__attribute__((format(printf, 3, 4))) static int bad(struct reading *o, const char *hint, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(o->err, ERR_INVALID, "bad_owner_rule", "line %d: %s", o->line, text);
    err_set_place(o->err, "%s", o->place);
    err_set_hint(o->err, "%s", hint);
    if (o->err)
        o->err->line = o->line;
    return ERR_INVALID;
}

static int no_memory(struct reading *o) { return err_set(o->err, ERR_NOMEM, "memory", "out of memory"); }

static str skip_blank(str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = str_slice(s, 1, s.len);
    return s;
}

// The next word; a backslash keeps a blank in it. In quotes: what stands between them.
static str word_next(str *rest, char out[WORD_MAX], bool *ret_long)
{
    str s = skip_blank(*rest);
    size_t n = 0, i = 0;
    bool quoted = false;
    *ret_long = false;
    for (; i < s.len && (quoted || (s.ptr[i] != ' ' && s.ptr[i] != '\t')); i++) {
        if (s.ptr[i] == '"') {
            quoted = !quoted;
            continue;
        }
        if (s.ptr[i] == '\\' && i + 1 < s.len && (s.ptr[i + 1] == ' ' || s.ptr[i + 1] == '#'))
            i++;
        if (n < WORD_MAX)
            out[n++] = s.ptr[i];
        else
            *ret_long = true;
    }
    *rest = str_slice(s, i, s.len);
    return str_of(out, n);
}

static const char owner_hint[] =
    "an owner is a sign-in name, an e-mail address, or #team (CODEOWNERS: @name, @org/team)";

static int owner_read(struct reading *o, str word, struct owner *ret)
{
    ret->kind = OWNER_USER;
    if (word.ptr[0] == '#' || (word.ptr[0] == '@' && str_find_char(word, '/', 0) > 0))
        ret->kind = OWNER_TEAM;
    str name = word.ptr[0] == '#' || word.ptr[0] == '@' ? str_slice(word, 1, word.len) : word;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] <= ' ' || strchr("<>\"'`", name.ptr[i]))
            name.len = 0;
    if (!name.len || name.len > 127)
        return bad(o, owner_hint, "\"%.*s\" is no owner", STR_ARG(str_slice(word, 0, 60)));
    return arena_dup(&o->r->arena, name, &ret->name) < 0 ? no_memory(o) : 0;
}

// The words after a pattern; comments: # with something before it that is not one of its letters begins no team.
static int owners_read(struct reading *o, str rest, bool codeowners, struct owner *list, uint32_t *ret_n)
{
    char word_text[WORD_MAX];
    bool too_long;
    for (*ret_n = 0;; ++*ret_n) {
        str word = word_next(&rest, word_text, &too_long);
        if (!word.len || (codeowners && word.ptr[0] == '#') || str_eq(word, STR("#")))
            return 0;
        if (too_long || *ret_n == OWNER_RULE_OWNERS)
            return bad(o, "split the line in two", "a line names at most %d owners", OWNER_RULE_OWNERS);
        int r = owner_read(o, word, &list[*ret_n]);
        if (r < 0)
            return r;
    }
}

static int owners_keep(struct reading *o, struct rule *rule, const struct owner *list, uint32_t n)
{
    rule->owners = arena_alloc_array(&o->r->arena, n ? n : 1, sizeof *list);
    if (!rule->owners)
        return no_memory(o);
    for (uint32_t i = 0; i < n; i++) {
        rule->owners[i] = list[i];
        rule->owners[i].rule = rule->text;
    }
    rule->owners_n = n;
    return 0;
}

static int glob_add(struct reading *o, struct rule *rule, str pattern, unsigned flags)
{
    struct err why = { 0 };
    int r = glob_parse(pattern, flags, &o->r->arena, &rule->globs[rule->globs_n], &why);
    if (r == ERR_NOMEM)
        return no_memory(o);
    if (r < 0)
        return bad(o, why.hint, "%s", why.message);
    rule->globs_n++;
    return 0;
}

// As gitignore reads it: one with a slash before its end stands at the root, others anywhere; a directory is what is in it.
static int globs_of_path(struct reading *o, struct rule *rule, str pattern)
{
    char text[WORD_MAX + 16];
    bool directory = pattern.len > 1 && pattern.ptr[pattern.len - 1] == '/';
    if (directory)
        pattern.len--;
    bool rooted = str_find_char(pattern, '/', 0) >= 0;
    if (pattern.len && pattern.ptr[0] == '/')
        pattern = str_slice(pattern, 1, pattern.len);
    if (!pattern.len)
        pattern = STR("**");
    const char *before = rooted ? "/" : "**/";
    bool files = str_eq(pattern, STR("*")) || str_ends(pattern, STR("/*")); // GitHub: not what is in directories below
    int r = 0;
    if (!directory) {
        snprintf(text, sizeof text, "%s%.*s", before, STR_ARG(pattern));
        r = glob_add(o, rule, str_z(text), GLOB_PATH);
    }
    if (r == 0 && (directory || !files || !rooted)) {
        snprintf(text, sizeof text, "%s%.*s/**", before, STR_ARG(pattern));
        r = glob_add(o, rule, str_z(text), GLOB_PATH);
    }
    return r;
}

static const char matcher_hint[] =
    "a rule is TYPE:PATTERN OWNER..., and TYPE is path, module, url, tags.KEY or codeowners";

static int matcher_read(struct reading *o, str type, struct rule *rule)
{
    static const struct {
        str name;
        enum matcher matcher;
    } matchers[] = { { STR_INIT("path"), MATCH_PATH },
                     { STR_INIT("module"), MATCH_MODULE },
                     { STR_INIT("url"), MATCH_URL },
                     { STR_INIT("codeowners"), MATCH_CODEOWNERS } };
    for (size_t i = 0; i < sizeof matchers / sizeof matchers[0]; i++)
        if (str_eq(type, matchers[i].name)) {
            rule->matcher = matchers[i].matcher;
            return 0;
        }
    if (!str_starts(type, STR("tags.")) || type.len == 5)
        return bad(o, matcher_hint, "\"%.*s\" is no type of a rule", STR_ARG(str_slice(type, 0, 60)));
    rule->matcher = MATCH_TAG;
    return arena_dup(&o->r->arena, str_slice(type, 5, type.len), &rule->tag) < 0 ? no_memory(o) : 0;
}

static int rule_read(struct reading *o, str line, struct rule *rule)
{
    struct owner owners[OWNER_RULE_OWNERS];
    char text[WORD_MAX];
    bool too_long;
    uint32_t n;
    str word = word_next(&line, text, &too_long);
    ptrdiff_t colon = str_find_char(word, ':', 0);
    if (too_long || colon <= 0 || (size_t)colon + 1 == word.len)
        return bad(o, matcher_hint, "\"%.*s\" is no rule", STR_ARG(str_slice(word, 0, 60)));
    *rule = (struct rule){ 0 };
    int r = matcher_read(o, str_slice(word, 0, (size_t)colon), rule);
    str pattern = str_slice(word, (size_t)colon + 1, word.len);
    if (r == 0 && arena_dup(&o->r->arena, word, &rule->text) < 0)
        r = no_memory(o);
    if (r == 0)
        r = rule->matcher == MATCH_CODEOWNERS ? globs_of_path(o, rule, pattern)
                                              : glob_add(o, rule, pattern, GLOB_NOCASE | GLOB_NEWLINE);
    if (r == 0)
        r = owners_read(o, line, false, owners, &n);
    if (r == 0 && n == 0)
        return bad(o, owner_hint, "the rule names no owner");
    return r < 0 ? r : owners_keep(o, rule, owners, n);
}

// GitLab: "[Section][2] @default", "^[Optional]": lines below that name nobody are the defaults'.
struct section {
    uint32_t number;
    struct owner owners[OWNER_RULE_OWNERS];
    uint32_t n;
};

static bool section_head(str line, str *ret_rest)
{
    if (line.len && line.ptr[0] == '^')
        line = str_slice(line, 1, line.len);
    ptrdiff_t end = line.len && line.ptr[0] == '[' ? str_find_char(line, ']', 0) : -1;
    if (end < 2)
        return false;
    line = str_slice(line, (size_t)end + 1, line.len);
    if (line.len && line.ptr[0] == '[' && (end = str_find_char(line, ']', 0)) > 0)
        line = str_slice(line, (size_t)end + 1, line.len);
    if (line.len && line.ptr[0] != ' ' && line.ptr[0] != '\t') // a class of letters: "[a-z].c"
        return false;
    *ret_rest = line;
    return true;
}

static int line_read(struct reading *o, str line, const struct section *s, struct rule *rule)
{
    struct owner owners[OWNER_RULE_OWNERS];
    char text[WORD_MAX];
    bool too_long;
    uint32_t n;
    bool without = line.ptr[0] == '!'; // GitLab: has no owner
    if (without)
        line = str_slice(line, 1, line.len);
    str pattern = word_next(&line, text, &too_long);
    if (too_long || !pattern.len)
        return bad(o, "a line is a path and its owners", "the path is missing or too long");
    *rule = (struct rule){ .matcher = MATCH_CODEOWNERS, .section = s->number };
    rule->text = arena_printf(&o->r->arena, "codeowners:%.*s", STR_ARG(pattern));
    if (!rule->text.ptr)
        return no_memory(o);
    int r = globs_of_path(o, rule, pattern);
    if (r == 0)
        r = owners_read(o, line, true, owners, &n);
    if (r < 0)
        return r;
    if (without)
        n = 0;
    else if (n == 0)
        return owners_keep(o, rule, s->owners, s->n);
    return owners_keep(o, rule, owners, n);
}

static bool line_next(str *text, int *number, str *ret_line)
{
    if (!text->len)
        return false;
    ptrdiff_t end = str_find_char(*text, '\n', 0);
    *ret_line = str_trim(str_slice(*text, 0, end < 0 ? text->len : (size_t)end));
    *text = end < 0 ? (str){ 0 } : str_slice(*text, (size_t)end + 1, text->len);
    ++*number;
    return true;
}

static int text_check(struct reading *o, str text)
{
    if (text.len > OWNER_RULES_TEXT) {
        err_set(o->err, ERR_LIMIT, "rules_too_long", "the text is longer than %d bytes", OWNER_RULES_TEXT);
        err_set_place(o->err, "%s", o->place);
        return ERR_LIMIT;
    }
    return 0;
}

static int too_many(struct reading *o)
{
    bad(o, "globs take many files together", "there are more than %d rules", OWNER_RULES_MAX);
    if (o->err)
        o->err->code = ERR_LIMIT;
    return ERR_LIMIT;
}

static int rules_read(struct reading *o, str text)
{
    struct owner_rules *r = o->r;
    str line;
    int rc = text_check(o, text);
    while (rc == 0 && line_next(&text, &o->line, &line)) {
        if (!line.len || line.ptr[0] == '#')
            continue;
        rc = r->rules_n == OWNER_RULES_MAX ? too_many(o) : rule_read(o, line, &r->rules[r->rules_n]);
        r->rules_n += rc == 0;
    }
    return rc;
}

static int codeowners_read(struct reading *o, str text)
{
    struct owner_rules *r = o->r;
    struct section section = { 0 };
    str line, rest;
    int rc = text_check(o, text);
    while (rc == 0 && line_next(&text, &o->line, &line)) {
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (section_head(line, &rest)) {
            section.number++;
            rc = owners_read(o, rest, true, section.owners, &section.n);
            continue;
        }
        rc = r->lines_n == OWNER_RULES_MAX ? too_many(o) : line_read(o, line, &section, &r->lines[r->lines_n]);
        r->lines_n += rc == 0;
    }
    return rc;
}

int owner_rules_parse(str rules, str codeowners, struct owner_rules **ret_rules, struct err *err)
{
    struct owner_rules *r = mem_zalloc(sizeof *r);
    if (!r)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    arena_init(&r->arena, RULES_ARENA_MAX);
    r->rules = arena_alloc_array(&r->arena, OWNER_RULES_MAX, sizeof *r->rules);
    r->lines = arena_alloc_array(&r->arena, OWNER_RULES_MAX, sizeof *r->lines);
    struct reading own = { .r = r, .place = "rules", .err = err }, file = { .r = r, .place = "codeowners", .err = err };
    int rc = r->rules && r->lines ? rules_read(&own, rules) : no_memory(&own);
    if (rc == 0)
        rc = codeowners_read(&file, codeowners);
    if (rc < 0) {
        owner_rules_free(r);
        return rc;
    }
    *ret_rules = r;
    return 0;
}

void owner_rules_free(struct owner_rules *r)
{
    if (!r)
        return;
    arena_free(&r->arena);
    mem_free(r);
}

bool owner_rules_empty(const struct owner_rules *r) { return r->rules_n == 0 && r->lines_n == 0; }

// ---- matching ------------------------------------------------------------------------------------------

struct subject {
    const struct sentry_frame *frames[CODE_FRAMES_MAX];
    struct {
        str values[2 + CODE_PATH_SUFFIXES]; // of a path
        size_t n, code;                     // from code on: as the repository could name it
    } paths[CODE_FRAMES_MAX];
    size_t frames_n;
    const struct sentry_event *e;
    str url;
};

static str slashes(str p, struct arena *arena)
{
    str copy = p;
    if (!p.len || memchr(p.ptr, '\\', p.len) == NULL)
        return p;
    if (arena_dup(arena, p, &copy) < 0)
        return p;
    for (size_t i = 0; i < copy.len; i++)
        if (copy.ptr[i] == '\\')
            ((char *)copy.ptr)[i] = '/';
    return copy;
}

static bool is_rooted(const struct sentry_frame *f)
{
    str p = f->filename.len ? f->filename : f->abs_path;
    return p.len && (p.ptr[0] == '/' || (p.len > 2 && p.ptr[1] == ':'));
}

static int subject_frame(struct subject *s, size_t i, str prefix, struct arena *arena)
{
    const struct sentry_frame *f = s->frames[i];
    str path, *out = s->paths[i].values;
    size_t n = 0;
    int r = code_path(f, arena, &path);
    if (r < 0)
        return r;
    if (f->filename.len && f->filename.len < VALUE_MAX)
        out[n++] = slashes(f->filename, arena);
    if (f->abs_path.len && f->abs_path.len < VALUE_MAX)
        out[n++] = slashes(f->abs_path, arena);
    s->paths[i].code = n;
    for (uint32_t k = 0; k < f->code_n && k < CODE_PATH_MAPPED; k++)
        out[n++] = f->code[k].path;
    if (f->code_n) {
        s->paths[i].n = n;
        return 0;
    }
    if (path.len && prefix.len && !is_rooted(f)) {
        out[n] = arena_printf(arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(path));
        n += out[n].ptr != NULL;
    } else if (path.len && is_rooted(f)) {
        // Where the repository begins in it, nobody says.
        n += code_path_suffixes(path, &out[n]);
    } else if (path.len) {
        out[n++] = path;
    }
    s->paths[i].n = n;
    return 0;
}

static bool any_matches(const struct rule *rule, const str *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t g = 0; g < rule->globs_n; g++)
            if (glob_match(&rule->globs[g], values[i]))
                return true;
    return false;
}

static bool code_matches(const struct rule *rule, const struct subject *s, size_t frame)
{
    size_t from = s->paths[frame].code;
    return any_matches(rule, s->paths[frame].values + from, s->paths[frame].n - from);
}

static bool rule_matches(const struct rule *rule, const struct subject *s)
{
    str value = { 0 };
    for (size_t i = 0; i < s->frames_n; i++) {
        if (rule->matcher == MATCH_PATH && any_matches(rule, s->paths[i].values, s->paths[i].n))
            return true;
        if (rule->matcher == MATCH_MODULE && s->frames[i]->module.len && any_matches(rule, &s->frames[i]->module, 1))
            return true;
        if (rule->matcher == MATCH_CODEOWNERS && code_matches(rule, s, i))
            return true;
    }
    if (rule->matcher == MATCH_URL)
        value = s->url;
    else if (rule->matcher == MATCH_TAG)
        value = sentry_tag(s->e->tags, rule->tag);
    return value.len && any_matches(rule, &value, 1);
}

struct found {
    struct owner *list;
    size_t n;
};

static void found_add(struct found *f, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->owners_n; i++) {
        const struct owner *o = &rule->owners[i];
        size_t k = 0;
        while (k < f->n && (f->list[k].kind != o->kind || !str_ieq(f->list[k].name, o->name)))
            k++;
        if (k == f->n && f->n < OWNERS_MAX)
            f->list[f->n++] = *o;
    }
}

// The last line of each section that matches this frame. False: none does.
static bool lines_match(const struct owner_rules *r, const struct subject *s, size_t frame, struct found *f)
{
    uint32_t done = UINT32_MAX; // sections stand in order: this one has its line
    bool any = false;
    for (size_t i = r->lines_n; i-- > 0;) {
        if (r->lines[i].section == done || !code_matches(&r->lines[i], s, frame))
            continue;
        done = r->lines[i].section;
        found_add(f, &r->lines[i]);
        any = true;
    }
    return any;
}

int owner_rules_match(const struct owner_rules *r, const struct sentry_event *e, str prefix, struct arena *arena,
                      struct owner **ret_owners, size_t *ret_n)
{
    struct subject *s = arena_zalloc(arena, sizeof *s);
    struct found f = { .list = arena_alloc_array(arena, OWNERS_MAX, sizeof *f.list) };
    int rc = 0;
    if (!s || !f.list)
        return ERR_NOMEM;
    s->e = e;
    s->url = json_get_text(e->request, STR("url"));
    if (!s->url.len)
        s->url = sentry_tag(e->tags, STR("url"));
    s->frames_n = code_frames(e, s->frames);
    for (size_t i = 0; i < s->frames_n && rc == 0; i++)
        rc = subject_frame(s, i, prefix, arena);
    if (rc < 0)
        return rc;
    for (size_t i = r->rules_n; i-- > 0;)
        if (rule_matches(&r->rules[i], s))
            found_add(&f, &r->rules[i]);
    for (size_t i = 0; i < s->frames_n && !lines_match(r, s, i, &f); i++)
        ;
    *ret_owners = f.list;
    *ret_n = f.n;
    return 0;
}
