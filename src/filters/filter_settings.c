// Filters as people write them, and as they are kept: JSON.
#include "filters/filters_internal.h"

#include "base/mem.h"

#include <stdio.h>

static const str switches[FILTER_SWITCHES] = { STR_INIT("health_checks"),    STR_INIT("web_crawlers"),
                                               STR_INIT("localhost"),        STR_INIT("browser_extensions"),
                                               STR_INIT("hydration_errors"), STR_INIT("chunk_load_errors") };
static const str lists[FILTER_LISTS] = { STR_INIT("errors"), STR_INIT("releases"), STR_INIT("addresses"),
                                         STR_INIT("logs") };

struct filter_settings filter_settings_default(void)
{
    return (struct filter_settings){ .on = { [FILTER_SWITCH_HEALTH_CHECKS] = true,
                                             [FILTER_SWITCH_HYDRATION_ERRORS] = true,
                                             [FILTER_SWITCH_CHUNK_LOAD_ERRORS] = true } };
}

static int browsers_read(struct filter_settings *s, struct json_reader *r)
{
    uint32_t bits = 0;
    str name;
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1) {
        if ((rc = json_text(r, &name)) < 0)
            break;
        unsigned i = 0;
        while (i < USER_AGENT_FAMILIES_N && !str_eq(user_agent_family_name((enum user_agent_family)i), name))
            i++;
        if (i == USER_AGENT_FAMILIES_N)
            return ERR_INVALID;
        bits |= 1u << i;
    }
    if (rc == 0)
        s->browsers = bits;
    return rc;
}

int filter_settings_member(void *settings, str name, struct json_reader *r)
{
    struct filter_settings *s = settings;
    for (int i = 0; i < FILTER_SWITCHES; i++)
        if (str_eq(name, switches[i]))
            return json_bool(r, &s->on[i]);
    for (int i = 0; i < FILTER_LISTS; i++)
        if (str_eq(name, lists[i]))
            return json_text(r, &s->lists[i]);
    return str_eq(name, STR("legacy_browsers")) ? browsers_read(s, r) : ERR_INVALID;
}

int filter_settings_read(str json, struct arena *arena, struct filter_settings *settings, struct err *err)
{
    struct filter_settings s = *settings;
    struct json_reader r;
    str name;
    if (!json.len)
        return 0;
    json_reader_init(&r, json, arena, 8);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1)
        rc = filter_settings_member(&s, name, &r);
    if (rc == 0)
        rc = json_done(&r);
    if (rc < 0)
        return json_reader_err(&r, rc, err);
    *settings = s;
    return 0;
}

void filter_settings_put(struct json_writer *w, const struct filter_settings *s)
{
    for (int i = 0; i < FILTER_SWITCHES; i++) {
        json_put_key(w, switches[i]);
        json_put_bool(w, s->on[i]);
    }
    json_put_key(w, STR("legacy_browsers"));
    json_put_array(w);
    for (unsigned i = 0; i < USER_AGENT_FAMILIES_N; i++)
        if (s->browsers >> i & 1)
            json_put_str(w, user_agent_family_name((enum user_agent_family)i));
    json_put_array_end(w);
    for (int i = 0; i < FILTER_LISTS; i++) {
        json_put_key(w, lists[i]);
        json_put_str(w, s->lists[i]);
    }
}

void filter_settings_words(const struct filter_settings *s, char *out, size_t size)
{
    struct buf words;
    buf_init(&words, 4096);
    for (int i = 0; i < FILTER_SWITCHES; i++)
        if (s->on[i])
            buf_printf(&words, "%s%.*s", words.len ? ", " : "", STR_ARG(switches[i]));
    for (unsigned i = 0; i < USER_AGENT_FAMILIES_N; i++)
        if (s->browsers >> i & 1)
            buf_printf(&words, "%sold %.*s", words.len ? ", " : "",
                       STR_ARG(user_agent_family_name((enum user_agent_family)i)));
    for (int i = 0; i < FILTER_LISTS; i++)
        if (s->lists[i].len)
            buf_printf(&words, "%s%.*s (%zu bytes)", words.len ? ", " : "", STR_ARG(lists[i]), s->lists[i].len);
    snprintf(out, size, "%.*s", STR_ARG(words.len ? buf_view(&words) : STR("nothing is filtered")));
    buf_free(&words);
}

// ---- the lists

// The next entry of a text, without the space around it; *line counts.
static bool entry_next(str text, size_t *pos, int *line, str *ret_entry, int *ret_column)
{
    while (*pos < text.len) {
        ptrdiff_t end = str_find_char(text, '\n', *pos);
        str whole = str_slice(text, *pos, end < 0 ? text.len : (size_t)end);
        str entry = str_trim(whole);
        *pos += whole.len + 1;
        ++*line;
        if (entry.len && entry.ptr[0] != '#') {
            *ret_entry = entry;
            *ret_column = (int)(entry.ptr - whole.ptr) + 1;
            return true;
        }
    }
    return false;
}

static int entry_bad(struct err *err, int code, enum filter_list list, int line, int column, const char *what)
{
    char words[sizeof err->message];
    size_t n = strlen(what) < sizeof words - 1 ? strlen(what) : sizeof words - 1;
    memcpy(words, what, n); // it may be err's own
    words[n] = 0;
    err_set(err, code, code == ERR_LIMIT ? "too_long" : "bad_filter", "line %d: %s", line, words);
    err_set_place(err, "%.*s", STR_ARG(lists[list]));
    if (err) {
        err->line = line;
        err->column = column;
        err->length = 1;
    }
    return code;
}

static int list_read(struct filters *f, enum filter_list list, str text, struct err *err)
{
    enum { FLAGS = GLOB_NOCASE | GLOB_NEWLINE };
    size_t pos = 0;
    int line = 0, column = 1;
    str entry;
    if (text.len > FILTERS_TEXT_MAX)
        return entry_bad(err, ERR_LIMIT, list, 1, 1, "the list is longer than 16 KiB");
    void *into = list == FILTER_LIST_ADDRESSES
                     ? (void *)(f->networks = arena_alloc_array(&f->arena, FILTERS_LINES_MAX, sizeof *f->networks))
                     : (f->globs[list] = arena_alloc_array(&f->arena, FILTERS_LINES_MAX, sizeof **f->globs));
    if (!into)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    while (entry_next(text, &pos, &line, &entry, &column)) {
        struct err of_glob = { 0 };
        int r = 0;
        if (f->n[list] == FILTERS_LINES_MAX)
            return entry_bad(err, ERR_LIMIT, list, line, column, "there are more than 200 entries");
        if (list == FILTER_LIST_ADDRESSES && !network_read(entry, &f->networks[f->n[list]])) {
            entry_bad(err, ERR_INVALID, list, line, column, "this is neither an address nor a network");
            err_set_hint(err, "as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32");
            return ERR_INVALID;
        }
        if (list != FILTER_LIST_ADDRESSES)
            r = glob_parse(entry, FLAGS, &f->arena, &f->globs[list][f->n[list]], &of_glob);
        if (r == ERR_NOMEM)
            return err_set(err, r, NULL, "out of memory");
        if (r < 0)
            return entry_bad(err, r, list, line, column, of_glob.message);
        f->n[list]++;
    }
    return 0;
}

int filters_new(const struct filter_settings *settings, struct filters **ret_filters, struct err *err)
{
    enum { ARENA_MAX = 64 << 20 };
    struct filters *f = mem_zalloc(sizeof *f);
    int r = 0;
    if (!f)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    f->shares = 1;
    arena_init(&f->arena, ARENA_MAX);
    memcpy(f->on, settings->on, sizeof f->on);
    f->browsers = settings->browsers;
    for (int i = 0; i < FILTER_LISTS && r == 0; i++)
        if (settings->lists[i].len)
            r = list_read(f, (enum filter_list)i, settings->lists[i], err);
    if (r < 0) {
        filters_free(f);
        return r;
    }
    *ret_filters = f;
    return 0;
}

struct filters *filters_share(struct filters *f)
{
    f->shares++;
    return f;
}

void filters_free(struct filters *f)
{
    if (!f || --f->shares > 0)
        return;
    arena_free(&f->arena);
    mem_free(f);
}
