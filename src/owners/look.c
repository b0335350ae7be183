// An issue's event is read, and what the rules and the releases say about it becomes JSON.
#include "base/hex.h"
#include "base/timefmt.h"
#include "grouping/grouping.h"
#include "meta/person.h"
#include "owners/owners_internal.h"
#include "store/store.h"
#include "symbols/symbols.h"

enum { JSON_MAX = 64 << 10 };

// ---- the event -----------------------------------------------------------------------------------------

static str resource_text(const struct event *e, str key)
{
    for (uint32_t i = 0; e->resource && i < e->resource->attrs_n; i++)
        if (e->resource->attrs[i].value.type == VALUE_STR && str_eq(e->resource->attrs[i].key, key))
            return e->resource->attrs[i].value.s;
    return (str){ 0 };
}

static int subject_read(struct owners *o, struct subject *s, struct arena *arena, struct err *err)
{
    const struct json_node *root;
    struct symbols_counts counts = { 0 };
    struct grouping grouping;
    if (!s->event.json.len)
        return err_set(err, ERR_NOENT, "no_event", "the event came without JSON of its own");
    int r = json_tree_read(s->event.json, arena, SENTRY_EVENT_DEPTH, &root, err);
    if (r == 0)
        r = sentry_event_read(root, arena, &s->sent, err);
    if (r == 0 && o->o.symbols)
        r = symbols_event_apply(o->o.symbols, s->event.project, &s->sent, SYMBOLS_ANY, arena, &counts);
    if (r == 0 && o->o.grouping) {
        struct grouping_rules *rules = o->o.grouping(o->o.grouping_ctx, s->event.project);
        if (rules)
            r = grouping_run(rules, &s->sent, arena, &grouping);
        grouping_rules_free(rules);
    }
    if (r == 0)
        r = mappings_apply(o->o.meta, s->event.project, &s->sent, arena, err);
    s->release = resource_text(&s->event, STR("release"));
    return r;
}

// The issue's first event tells with what it began; when it is not stored any more, the latest one does.
static int subject_find(struct owners *o, int64_t issue, uint32_t project, struct arena *arena, struct subject *s,
                        struct err *err)
{
    static const uint8_t none[16];
    struct query_request who = { .all_projects = true };
    struct issues_filter f = { .projects = &project, .projects_n = 1 };
    struct issue_detail d;
    struct view *view;
    int r = issues_detail(o->o.issues, &f, issue, 0, 0, arena, &d, err);
    if (r == 0 && (r = store_view(o->o.store, &view)) < 0)
        err_set(err, r, "store", "the store cannot be read: %s", err_text(r));
    if (r < 0)
        return r;
    struct event_request q = { .view = view, .who = &who, .arena = arena };
    const uint8_t *ids[] = { d.sample_first, d.row.sample_latest };
    int64_t times[] = { d.row.first, d.row.last };
    r = ERR_NOENT;
    for (int i = 0; i < 2 && r == ERR_NOENT; i++) {
        char hex[33] = "";
        if (memcmp(ids[i], none, 16) == 0)
            continue;
        hex_encode(hex, ids[i], 16);
        r = event_find(&q, str_of(hex, 32), times[i], &s->event, err);
    }
    view_unref(view);
    return r < 0 ? r : subject_read(o, s, arena, err);
}

// ---- owners --------------------------------------------------------------------------------------------

// Read anew when the text was changed since.
static int rules_match(struct owners *o, const struct meta_owner_rules *text, const struct subject *s, str prefix,
                       struct arena *arena, struct owner **ret_list, size_t *ret_n, struct err *err)
{
    int r = 0;
    *ret_n = 0;
    pthread_mutex_lock(&o->rules_lock);
    if (!o->rules || o->rules_project != s->event.project || o->rules_changed != text->changed_ns) {
        owner_rules_free(o->rules);
        o->rules = NULL;
        r = owner_rules_parse(text->rules, text->codeowners, &o->rules, err);
        o->rules_project = s->event.project;
        o->rules_changed = text->changed_ns;
    }
    if (r == 0 && (r = owner_rules_match(o->rules, &s->sent, prefix, arena, ret_list, ret_n)) < 0)
        err_set(err, r, "memory", "the event does not fit the memory that it may take");
    for (size_t i = 0; r == 0 && i < *ret_n; i++) { // they outlive the rules
        r = arena_dup(arena, (*ret_list)[i].name, &(*ret_list)[i].name);
        if (r == 0)
            r = arena_dup(arena, (*ret_list)[i].rule, &(*ret_list)[i].rule);
    }
    pthread_mutex_unlock(&o->rules_lock);
    return r;
}

// Users are those who sign in here, by login; a login may be an address.
static bool is_here(struct owners *o, struct owner *owner, struct arena *arena)
{
    struct meta_user user;
    char login[META_NAME_MAX];
    if (owner->kind == OWNER_TEAM)
        return true;
    if (owner->name.len > sizeof login)
        return false;
    for (size_t i = 0; i < owner->name.len; i++)
        login[i] = (char)(owner->name.ptr[i] >= 'A' && owner->name.ptr[i] <= 'Z' ? owner->name.ptr[i] | 0x20
                                                                                 : owner->name.ptr[i]);
    return meta_user_find(o->o.meta, str_of(login, owner->name.len), &user, NULL) == 0 && user.disabled_ns == 0 &&
           arena_dup(arena, str_z(user.login), &owner->name) == 0;
}

static void put_text(struct json_writer *w, str key, str text)
{
    if (!text.len)
        return;
    json_put_key(w, key);
    json_put_str(w, text);
}

static int json_keep(struct buf *body, struct arena *arena, str *ret, struct err *err)
{
    int r = body->error ? body->error : arena_dup(arena, buf_view(body), ret);
    buf_free(body);
    return r < 0 ? err_set(err, r, "memory", "out of memory") : 0;
}

static str kind_word(const struct owner *owner) { return owner->kind == OWNER_TEAM ? STR("team") : STR("user"); }

static int owners_json(struct owners *o, struct owner *list, size_t n, struct arena *arena, str *ret,
                       struct issue_assignee *ret_first, str *ret_rule, struct err *err)
{
    struct buf body;
    struct json_writer w;
    if (!n)
        return 0;
    buf_init(&body, JSON_MAX);
    json_writer_init(&w, &body);
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        if (is_here(o, &list[i], arena) && !ret_first->name.len) {
            *ret_first = (struct issue_assignee){ kind_word(&list[i]), list[i].name };
            *ret_rule = list[i].rule;
        }
        json_put_object(&w);
        put_text(&w, STR("kind"), kind_word(&list[i]));
        put_text(&w, STR("name"), list[i].name);
        put_text(&w, STR("rule"), list[i].rule);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    return json_keep(&body, arena, ret, err);
}

static int owners_find(struct owners *o, const struct subject *s, struct arena *arena, struct issue_causes *c,
                       struct issue_assignee *ret_first, str *ret_rule, struct err *err)
{
    struct meta_owner_rules text;
    struct meta_repository *repositories;
    struct owner *list = NULL;
    size_t n = 0, repositories_n = 0;
    int r = meta_owner_rules_get(o->o.meta, s->event.project, arena, &text, err);
    if (r < 0 || (!text.rules.len && !text.codeowners.len))
        return r;
    r = meta_repository_list(o->o.meta, s->event.project, arena, &repositories, &repositories_n, err);
    if (r == 0)
        r = rules_match(o, &text, s, repositories_n ? repositories[0].prefix : (str){ 0 }, arena, &list, &n, err);
    if (r == 0)
        r = owners_json(o, list, n, arena, &c->owners, ret_first, ret_rule, err);
    if (!text.auto_assign)
        *ret_first = (struct issue_assignee){ 0 };
    return r;
}

// ---- the suspect ---------------------------------------------------------------------------------------

static int suspect_json(const struct suspect *s, struct arena *arena, str *ret, struct err *err)
{
    struct buf body;
    struct json_writer w;
    char time[40];
    buf_init(&body, JSON_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_text(&w, STR("id"), s->id);
    put_text(&w, STR("message"), s->message);
    put_text(&w, STR("author"), s->author);
    if (s->time)
        put_text(&w, STR("time"), str_of(time, (size_t)fmt_rfc3339(time, s->time)));
    put_text(&w, STR("release"), s->release);
    put_text(&w, STR("file"), s->file);
    if (s->line > 0) {
        json_put_key(&w, STR("line"));
        json_put_int(&w, s->line);
    }
    put_text(&w, STR("by"), s->by);
    json_put_object_end(&w);
    return json_keep(&body, arena, ret, err);
}

static int suspect_find(struct owners *o, const struct subject *s, struct arena *arena, str *ret, struct err *err)
{
    struct suspect suspect;
    int r = suspect_of_blame(o, s, arena, &suspect, err);
    if (r == ERR_NOENT)
        r = suspect_of_commits(o->o.releases, s->event.project, s, arena, &suspect, err);
    if (r == ERR_NOENT)
        return 0;
    return r < 0 ? r : suspect_json(&suspect, arena, ret, err);
}

int causes_find(struct owners *o, int64_t issue, uint32_t project, struct arena *arena, struct issue_causes *ret_causes,
                struct issue_assignee *ret_first, str *ret_rule, struct err *err)
{
    struct subject *s = arena_zalloc(arena, sizeof *s);
    struct issue_causes c = { 0 };
    *ret_first = (struct issue_assignee){ 0 };
    if (!s)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    int r = subject_find(o, issue, project, arena, s, err);
    if (r == 0)
        r = owners_find(o, s, arena, &c, ret_first, ret_rule, err);
    if (r == 0)
        r = suspect_find(o, s, arena, &c.suspect, err);
    if (r == 0)
        *ret_causes = c;
    return r;
}
