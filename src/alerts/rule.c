// Rules as JSON, and in the database, where they stand as the same JSON.
#include "alerts/alerts_internal.h"
#include "base/must.h"
#include "base/timefmt.h"

enum { RULE_JSON_MAX = 32 << 10, RULE_DEPTH_MAX = 16, DEFAULT_COOLDOWN_S = 1800, DEFAULT_COLLECT_S = 60 };

static const struct {
    str word;
    unsigned on;
} kinds[] = { { STR_INIT("new"), ALERT_ON_NEW },
              { STR_INIT("regressed"), ALERT_ON_REGRESSED },
              { STR_INIT("escalating"), ALERT_ON_ESCALATING },
              { STR_INIT("events"), ALERT_ON_EVENTS },
              { STR_INIT("users"), ALERT_ON_USERS } };
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const str ops[] = { STR_INIT(">"), STR_INIT(">="), STR_INIT("<"), STR_INIT("<=") };

static int bad(struct err *err, const char *member, const char *why)
{
    err_set(err, ERR_INVALID, "bad_rule", "%s %s", member, why);
    err_set_place(err, "%s", member);
    return ERR_INVALID;
}

static int read_text(const struct json_node *root, const char *member, size_t max, str *ret, struct err *err)
{
    const struct json_node *n = json_get(root, str_z(member));
    if (!n)
        return 0;
    if (n->type != JSON_STRING || n->text.len > max)
        return bad(err, member, n->type == JSON_STRING ? "is too long" : "must be a text");
    *ret = str_trim(n->text);
    return 0;
}

static int read_int(const struct json_node *root, const char *member, int64_t least, int64_t most, int64_t *ret,
                    struct err *err)
{
    const struct json_node *n = json_get(root, str_z(member));
    int64_t i;
    if (!n)
        return 0;
    if (!json_int_of(n, &i) || i < least || i > most) {
        err_set(err, ERR_INVALID, "bad_rule", "%s must be a whole number from %lld to %lld", member, (long long)least,
                (long long)most);
        err_set_place(err, "%s", member);
        return ERR_INVALID;
    }
    *ret = i;
    return 0;
}

static int read_bool(const struct json_node *root, const char *member, bool *ret, struct err *err)
{
    const struct json_node *n = json_get(root, str_z(member));
    if (n && n->type != JSON_TRUE && n->type != JSON_FALSE)
        return bad(err, member, "must be true or false");
    if (n)
        *ret = n->type == JSON_TRUE;
    return 0;
}

// [{"kind":"new"}, {"kind":"events","n":100,"window_s":3600}]
static int read_when(const struct json_node *root, struct alert_rule *r, struct err *err)
{
    const struct json_node *when = json_get(root, STR("when"));
    if (when && when->type != JSON_ARRAY)
        return bad(err, "when", "must be an array");
    for (const struct json_node *w = when ? when->first : NULL; w; w = w->next) {
        str word = json_get_text(w, STR("kind"));
        int64_t n = 0, window = 0;
        unsigned on = 0;
        for (size_t i = 0; i < KINDS; i++)
            if (str_eq(word, kinds[i].word))
                on = kinds[i].on;
        if (!on || r->on & on)
            return bad(err, "when", "holds a kind twice or an unknown one: new, regressed, escalating, events, users");
        r->on |= on;
        if (on != ALERT_ON_EVENTS && on != ALERT_ON_USERS)
            continue;
        int e = read_int(w, "n", 1, 1000000000, &n, err);
        if (e == 0)
            e = read_int(w, "window_s", ALERT_WINDOW_MIN_S, ALERT_WINDOW_MAX_S, &window, err);
        if (e < 0)
            return e;
        if (!n || !window)
            return bad(err, "when", "needs n and window_s for events and users");
        *(on == ALERT_ON_EVENTS ? &r->events_n : &r->users_n) = n;
        *(on == ALERT_ON_EVENTS ? &r->events_window_s : &r->users_window_s) = window;
    }
    return 0;
}

static int read_threshold(const struct json_node *root, struct alert_rule *r, struct err *err)
{
    const struct json_node *op = json_get(root, STR("op")), *threshold = json_get(root, STR("threshold"));
    bool found = false;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (json_is(op, JSON_STRING) && str_eq(op->text, ops[i])) {
            r->op = (enum alert_op)i;
            found = true;
        }
    if (!found)
        return bad(err, "op", "must be >, >=, < or <=");
    if (!json_is(threshold, JSON_NUMBER) || !json_number_double(threshold->text, &r->threshold))
        return bad(err, "threshold", "must be a number");
    return 0;
}

static int read_channels(const struct json_node *root, struct arena *arena, struct alert_rule *r, struct err *err)
{
    const struct json_node *list = json_get(root, STR("channels"));
    if (!list || list->type != JSON_ARRAY || list->n > ALERT_RULE_CHANNELS_MAX)
        return bad(err, "channels", "must be an array of at most 16 channels' ids");
    int64_t *ids = arena_alloc_array(arena, list->n + 1, sizeof *ids);
    if (!ids)
        return alerts_nomem(err);
    size_t n = 0;
    for (const struct json_node *c = list->first; c; c = c->next)
        if (!json_int_of(c, &ids[n++]))
            return bad(err, "channels", "must be an array of at most 16 channels' ids");
    r->channels = ids;
    r->channels_n = n;
    return 0;
}

// A filter is of issues in any case: that it says so itself must not make it look for the word.
static str without_source(str filter)
{
    str rest = str_trim(filter);
    if (!str_starts(rest, STR("issues")))
        return rest;
    rest = str_slice(rest, 6, rest.len);
    return !rest.len || rest.ptr[0] == ' ' || rest.ptr[0] == '\t' ? str_trim(rest) : str_trim(filter);
}

int alert_rule_read(const struct json_node *root, struct arena *arena, struct alert_rule *ret_rule, struct err *err)
{
    struct alert_rule r = { .enabled = true, .cooldown_s = DEFAULT_COOLDOWN_S, .collect_s = DEFAULT_COLLECT_S };
    if (!json_is(root, JSON_OBJECT))
        return bad(err, "the rule", "must be an object");
    int e = read_text(root, "name", ALERT_NAME_MAX, &r.name, err);
    if (e == 0)
        e = read_bool(root, "enabled", &r.enabled, err);
    if (e == 0)
        e = read_when(root, &r, err);
    if (e == 0)
        e = read_text(root, "filter", ALERT_TEXT_MAX, &r.filter, err);
    r.filter = without_source(r.filter);
    if (e == 0)
        e = read_text(root, "query", ALERT_TEXT_MAX, &r.query, err);
    if (e == 0)
        e = read_int(root, "window_s", ALERT_WINDOW_MIN_S, ALERT_WINDOW_MAX_S, &r.window_s, err);
    if (e == 0)
        e = read_bool(root, "recovery", &r.recovery, err);
    if (e == 0)
        e = read_int(root, "cooldown_s", 0, ALERT_WINDOW_MAX_S, &r.cooldown_s, err);
    if (e == 0)
        e = read_int(root, "collect_s", 0, 86400, &r.collect_s, err);
    if (e == 0)
        e = read_channels(root, arena, &r, err);
    if (e < 0)
        return e;
    if (r.name.len == 0)
        return bad(err, "name", "is missing");
    if (!r.on == !r.query.len)
        return bad(err, "when", "or a query: a rule has one of the two");
    if (r.query.len && (e = read_threshold(root, &r, err)) < 0)
        return e;
    if (r.query.len && !r.window_s)
        return bad(err, "window_s", "is missing");
    if (r.query.len && r.filter.len)
        return bad(err, "filter", "is for rules about issues; the query has its own");
    *ret_rule = r;
    return 0;
}

static void put_when(struct json_writer *w, const struct alert_rule *r)
{
    json_put_key(w, STR("when"));
    json_put_array(w);
    for (size_t i = 0; i < KINDS; i++) {
        if (!(r->on & kinds[i].on))
            continue;
        json_put_object(w);
        json_put_key(w, STR("kind"));
        json_put_str(w, kinds[i].word);
        if (kinds[i].on == ALERT_ON_EVENTS || kinds[i].on == ALERT_ON_USERS) {
            json_put_key(w, STR("n"));
            json_put_int(w, kinds[i].on == ALERT_ON_EVENTS ? r->events_n : r->users_n);
            json_put_key(w, STR("window_s"));
            json_put_int(w, kinds[i].on == ALERT_ON_EVENTS ? r->events_window_s : r->users_window_s);
        }
        json_put_object_end(w);
    }
    json_put_array_end(w);
    if (r->filter.len) {
        json_put_key(w, STR("filter"));
        json_put_str(w, r->filter);
    }
}

static void put_query(struct json_writer *w, const struct alert_rule *r)
{
    json_put_key(w, STR("query"));
    json_put_str(w, r->query);
    json_put_key(w, STR("op"));
    json_put_str(w, ops[r->op]);
    json_put_key(w, STR("threshold"));
    json_put_double(w, r->threshold);
    json_put_key(w, STR("window_s"));
    json_put_int(w, r->window_s);
    json_put_key(w, STR("recovery"));
    json_put_bool(w, r->recovery);
}

// What a person writes.
static void put_definition(struct json_writer *w, const struct alert_rule *r)
{
    json_put_key(w, STR("name"));
    json_put_str(w, r->name);
    json_put_key(w, STR("enabled"));
    json_put_bool(w, r->enabled);
    if (r->on)
        put_when(w, r);
    else
        put_query(w, r);
    json_put_key(w, STR("cooldown_s"));
    json_put_int(w, r->cooldown_s);
    json_put_key(w, STR("collect_s"));
    json_put_int(w, r->collect_s);
    json_put_key(w, STR("channels"));
    json_put_array(w);
    for (size_t i = 0; i < r->channels_n; i++)
        json_put_int(w, r->channels[i]);
    json_put_array_end(w);
}

static void put_time(struct json_writer *w, str key, int64_t ns)
{
    char text[32];
    if (!ns)
        return;
    json_put_key(w, key);
    json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, ns)));
}

void alert_rule_put(struct json_writer *w, const struct alert_rule *r, str project)
{
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, r->id);
    if (project.len) {
        json_put_key(w, STR("project"));
        json_put_str(w, project);
    }
    put_definition(w, r);
    put_time(w, STR("snoozed_until"), r->snoozed_until);
    json_put_key(w, STR("created_by"));
    json_put_str(w, r->created_by);
    put_time(w, STR("created"), r->created);
    put_time(w, STR("evaluated"), r->evaluated);
    if (r->trouble.len) {
        json_put_key(w, STR("trouble"));
        json_put_str(w, r->trouble);
    }
    json_put_object_end(w);
}

// ---- in the database -----------------------------------------------------------------------------------

#define RULE_COLUMNS "id, project, definition, snoozed_until, created_by, created_ns, evaluated_ns, trouble"

static int rule_of_row(struct alerts *a, sqlite3_stmt *s, struct arena *arena, struct alert_rule *ret, struct err *err)
{
    const struct json_node *root;
    bool failed = false;
    str json = alerts_text(arena, s, 2, &failed), by = alerts_text(arena, s, 4, &failed),
        trouble = alerts_text(arena, s, 7, &failed);
    if (failed)
        return alerts_nomem(err);
    if (json_tree_read(json, arena, RULE_DEPTH_MAX, &root, NULL) < 0 || alert_rule_read(root, arena, ret, NULL) < 0)
        return db_corrupt(&a->db, err, "a rule is not what was written");
    ret->id = sqlite3_column_int64(s, 0);
    ret->project = (uint32_t)sqlite3_column_int64(s, 1);
    ret->snoozed_until = sqlite3_column_int64(s, 3);
    ret->created_by = by;
    ret->created = sqlite3_column_int64(s, 5);
    ret->evaluated = sqlite3_column_int64(s, 6);
    ret->trouble = trouble;
    return 0;
}

static int rules_of(struct alerts *a, int64_t id, struct arena *arena, struct alert_rule **ret, size_t *ret_n,
                    struct err *err)
{
    struct alert_rule *list = arena_alloc_array(arena, ALERT_RULES_MAX, sizeof *list);
    sqlite3_stmt *s;
    size_t n = 0;
    if (!list)
        return alerts_nomem(err);
    pthread_mutex_lock(&a->db.lock);
    int r = id ? db_query(&a->db, &s, err, "SELECT " RULE_COLUMNS " FROM rule WHERE id = ?", "i", id)
               : db_query(&a->db, &s, err, "SELECT " RULE_COLUMNS " FROM rule ORDER BY name, id", "");
    while (r == 1 && n < ALERT_RULES_MAX) {
        int e = rule_of_row(a, s, arena, &list[n], err);
        if (e < 0) {
            db_done(s);
            r = e;
            break;
        }
        n++;
        r = db_next(&a->db, s, err);
    }
    if (r == 1)
        db_done(s);
    pthread_mutex_unlock(&a->db.lock);
    if (r < 0)
        return r;
    *ret = list;
    *ret_n = n;
    return 0;
}

int alerts_rules(struct alerts *a, struct arena *arena, struct alert_rule **ret_rules, size_t *ret_n, struct err *err)
{
    return rules_of(a, 0, arena, ret_rules, ret_n, err);
}

int alerts_rule(struct alerts *a, int64_t id, struct arena *arena, struct alert_rule *ret_rule, struct err *err)
{
    struct alert_rule *list;
    size_t n = 0;
    int r = id > 0 ? rules_of(a, id, arena, &list, &n, err) : 0;
    if (r < 0)
        return r;
    if (n == 0)
        return err_set(err, ERR_NOENT, "no_rule", "there is no such rule");
    *ret_rule = list[0];
    return 0;
}

static int count_of(struct alerts *a, const char *sql, int64_t id, int64_t *ret, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&a->db, &s, err, sql, "i", id);
    if (r < 0)
        return r;
    *ret = sqlite3_column_int64(s, 0);
    db_done(s);
    return 0;
}

static int save(struct alerts *a, str actor, const struct alert_rule *rule, str json, int64_t *ret_id, struct err *err)
{
    int64_t n = 0, now = alerts_now(a);
    int r = 0, changes = 0;
    for (size_t i = 0; i < rule->channels_n && r == 0; i++) {
        r = count_of(a, "SELECT count(*) FROM channel WHERE id = ?", rule->channels[i], &n, err);
        if (r == 0 && n == 0)
            r = err_set(err, ERR_NOENT, "no_channel", "there is no channel %lld", (long long)rule->channels[i]);
    }
    if (r < 0)
        return r;
    if (rule->id) {
        r = db_run(&a->db, &changes, err,
                   "UPDATE rule SET project = ?, name = ?, definition = ?, enabled = ?, trouble = '', evaluated_ns = 0"
                   " WHERE id = ?",
                   "ittii", (int64_t)rule->project, rule->name, json, (int64_t)rule->enabled, rule->id);
        *ret_id = rule->id;
        return r == 0 && !changes ? err_set(err, ERR_NOENT, "no_rule", "there is no such rule") : r;
    }
    r = count_of(a, "SELECT count(*) FROM rule WHERE id > ?", 0, &n, err);
    if (r == 0 && n >= ALERT_RULES_MAX)
        r = err_set(err, ERR_LIMIT, "too_many_rules", "there are %d rules already", ALERT_RULES_MAX);
    if (r == 0)
        r = db_run(&a->db, NULL, err,
                   "INSERT INTO rule (project, name, definition, enabled, snoozed_until, created_by, created_ns,"
                   " evaluated_ns, trouble) VALUES (?, ?, ?, ?, 0, ?, ?, 0, '')",
                   "ittiti", (int64_t)rule->project, rule->name, json, (int64_t)rule->enabled, actor, now);
    if (r == 0)
        *ret_id = sqlite3_last_insert_rowid(a->db.handle);
    return r;
}

int alerts_rule_save(struct alerts *a, str actor, const struct alert_rule *rule, int64_t *ret_id, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    struct buf json;
    struct json_writer w;
    int r = measure_check(a, rule, err);
    if (r < 0)
        return r;
    buf_init(&json, RULE_JSON_MAX);
    json_writer_init(&w, &json);
    json_put_object(&w);
    put_definition(&w, rule);
    json_put_object_end(&w);
    r = json.error ? err_set(err, json.error, "bad_rule", "the rule is too long") : db_begin(&a->db, err);
    if (r == 0) {
        r = save(a, actor, rule, buf_view(&json), ret_id, err);
        r = db_finish(&a->db, r, err);
    }
    buf_free(&json);
    if (r == 0)
        alerts_wake(a);
    return r;
}

static int remove_one(struct alerts *a, int64_t id, struct err *err)
{
    int changes = 0;
    int r = db_run(&a->db, &changes, err, "DELETE FROM rule WHERE id = ?", "i", id);
    if (r == 0 && !changes)
        return err_set(err, ERR_NOENT, "no_rule", "there is no such rule");
    if (r == 0) // what nobody has been told yet nobody wants to know any more
        r = db_run(&a->db, NULL, err,
                   "UPDATE delivery SET state = 'failed', answer = 'the rule was removed'"
                   " WHERE rule = ? AND state = 'waiting'",
                   "i", id);
    if (r == 0)
        r = db_run(&a->db, NULL, err, "UPDATE firing SET closed_ns = ? WHERE rule = ? AND closed_ns = 0", "ii",
                   alerts_now(a), id);
    return r;
}

int alerts_rule_remove(struct alerts *a, str actor, int64_t id, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    int r = db_begin(&a->db, err);
    return r < 0 ? r : db_finish(&a->db, remove_one(a, id, err), err);
}

int alerts_rule_snooze(struct alerts *a, str actor, int64_t id, int64_t until_ns, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    int changes = 0, r = db_begin(&a->db, err);
    if (r < 0)
        return r;
    r = db_run(&a->db, &changes, err, "UPDATE rule SET snoozed_until = ? WHERE id = ?", "ii", until_ns, id);
    if (r == 0 && !changes)
        r = err_set(err, ERR_NOENT, "no_rule", "there is no such rule");
    return db_finish(&a->db, r, err);
}
