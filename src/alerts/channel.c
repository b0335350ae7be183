// Channels: where messages go. What they hold (webhooks' URLs, keys) is as good as a password: it is not shown again.
#include "alerts/alerts_internal.h"
#include "base/hex.h"
#include "base/must.h"
#include "base/timefmt.h"

#include <sodium.h>

static const str words[] = { STR_INIT("webhook"), STR_INIT("slack"), STR_INIT("mail") };

str alert_channel_word(enum alert_channel_type t) { return words[t]; }

static int bad(struct err *err, const char *member, const char *why)
{
    err_set(err, ERR_INVALID, "bad_channel", "%s %s", member, why);
    err_set_place(err, "%s", member);
    return ERR_INVALID;
}

static bool url_ok(str url)
{
    struct net_client *c = NULL;
    size_t begin = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0;
    if (!begin)
        return false;
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= 0x20 || (unsigned char)url.ptr[i] >= 0x7f ||
            strchr("\"<>\\^`{|}#@", url.ptr[i]))
            return false;
    size_t end = begin;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?')
        end++;
    if (net_client_new(str_slice(url, 0, end), NULL, &c, NULL) < 0)
        return false;
    net_client_free(c);
    return true;
}

static bool mails_ok(str list)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < list.len; i++) // it stands in a header as it is
        if ((unsigned char)list.ptr[i] < 0x20)
            return false;
    for (; at <= list.len; n++) {
        ptrdiff_t comma = str_find_char(list, ',', at);
        size_t end = comma < 0 ? list.len : (size_t)comma;
        if (!smtp_address_ok(str_trim(str_slice(list, at, end))))
            return false;
        at = end + 1;
    }
    return n <= ALERT_MAIL_TO_MAX;
}

int alert_channel_read(const struct json_node *root, struct arena *arena, struct alert_channel *ret, struct err *err)
{
    struct alert_channel c = { 0 };
    str type = json_get_text(root, STR("type"));
    bool known = false;
    if (!json_is(root, JSON_OBJECT))
        return bad(err, "the channel", "must be an object");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(type, words[i])) {
            c.type = (enum alert_channel_type)i;
            known = true;
        }
    c.name = str_trim(json_get_text(root, STR("name")));
    c.target = str_trim(json_get_text(root, STR("target")));
    c.secret = json_get_text(root, STR("secret"));
    if (!known)
        return bad(err, "type", "must be webhook, slack or mail");
    if (c.name.len == 0 || c.name.len > ALERT_NAME_MAX)
        return bad(err, "name", "is missing or too long");
    if (c.target.len > ALERT_TEXT_MAX || c.secret.len > 256)
        return bad(err, c.secret.len > 256 ? "secret" : "target", "is too long");
    if (c.target.len && c.type == CHANNEL_MAIL && !mails_ok(c.target))
        return bad(err, "target", "must be at most 20 mail addresses with commas between them");
    if (c.target.len && c.type != CHANNEL_MAIL && !url_ok(c.target))
        return bad(err, "target", "must be an https:// or http:// URL");
    *ret = c;
    return 0;
}

// Of a URL its host: what stands behind it is the password of most chats.
static str shown(const struct alert_channel *c)
{
    if (c->type == CHANNEL_MAIL)
        return c->target;
    ptrdiff_t slash = str_find_char(c->target, '/', str_starts(c->target, STR("https://")) ? 8 : 7);
    return slash < 0 ? c->target : str_slice(c->target, 0, (size_t)slash);
}

static void put_time(struct json_writer *w, str key, int64_t ns)
{
    char text[32];
    if (!ns)
        return;
    json_put_key(w, key);
    json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, ns)));
}

void alert_channel_put(struct json_writer *w, const struct alert_channel *c)
{
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, c->id);
    json_put_key(w, STR("name"));
    json_put_str(w, c->name);
    json_put_key(w, STR("type"));
    json_put_str(w, words[c->type]);
    json_put_key(w, STR("target"));
    json_put_str(w, shown(c));
    json_put_key(w, STR("created_by"));
    json_put_str(w, c->created_by);
    put_time(w, STR("created"), c->created);
    put_time(w, STR("last_sent"), c->last_sent);
    put_time(w, STR("last_failed"), c->last_failed);
    if (c->trouble.len) {
        json_put_key(w, STR("trouble"));
        json_put_str(w, c->trouble);
    }
    json_put_object_end(w);
}

// ---- in the database -----------------------------------------------------------------------------------

#define CHANNEL_COLUMNS "id, name, type, target, secret, created_by, created_ns, sent_ns, failed_ns, trouble"

static int channel_of_row(sqlite3_stmt *s, struct arena *arena, struct alert_channel *ret, struct err *err)
{
    bool failed = false;
    struct alert_channel c = { .id = sqlite3_column_int64(s, 0),
                               .name = alerts_text(arena, s, 1, &failed),
                               .type = (enum alert_channel_type)(sqlite3_column_int(s, 2) & 3) % 3,
                               .target = alerts_text(arena, s, 3, &failed),
                               .secret = alerts_text(arena, s, 4, &failed),
                               .created_by = alerts_text(arena, s, 5, &failed),
                               .created = sqlite3_column_int64(s, 6),
                               .last_sent = sqlite3_column_int64(s, 7),
                               .last_failed = sqlite3_column_int64(s, 8),
                               .trouble = alerts_text(arena, s, 9, &failed) };
    if (failed)
        return alerts_nomem(err);
    *ret = c;
    return 0;
}

static int channels_of(struct alerts *a, int64_t id, struct arena *arena, struct alert_channel **ret, size_t *ret_n,
                       struct err *err)
{
    struct alert_channel *list = arena_alloc_array(arena, ALERT_CHANNELS_MAX, sizeof *list);
    sqlite3_stmt *s;
    size_t n = 0;
    if (!list)
        return alerts_nomem(err);
    pthread_mutex_lock(&a->db.lock);
    int r = id ? db_query(&a->db, &s, err, "SELECT " CHANNEL_COLUMNS " FROM channel WHERE id = ?", "i", id)
               : db_query(&a->db, &s, err, "SELECT " CHANNEL_COLUMNS " FROM channel ORDER BY name", "");
    while (r == 1 && n < ALERT_CHANNELS_MAX) {
        int e = channel_of_row(s, arena, &list[n], err);
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

int alerts_channels(struct alerts *a, struct arena *arena, struct alert_channel **ret_list, size_t *ret_n,
                    struct err *err)
{
    return channels_of(a, 0, arena, ret_list, ret_n, err);
}

int channel_load(struct alerts *a, int64_t id, struct arena *arena, struct alert_channel *ret, struct err *err)
{
    struct alert_channel *list;
    size_t n = 0;
    int r = id > 0 ? channels_of(a, id, arena, &list, &n, err) : 0;
    if (r < 0)
        return r;
    if (n == 0)
        return err_set(err, ERR_NOENT, "no_channel", "there is no such channel");
    *ret = list[0];
    return 0;
}

static int add(struct alerts *a, str actor, const struct alert_channel *c, int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *s;
    uint8_t random[24];
    char secret[48];
    int r = db_query(&a->db, &s, err, "SELECT count(*) FROM channel", "");
    if (r < 0)
        return r;
    int64_t n = sqlite3_column_int64(s, 0);
    db_done(s);
    if (n >= ALERT_CHANNELS_MAX)
        return err_set(err, ERR_LIMIT, "too_many_channels", "there are %d channels already", ALERT_CHANNELS_MAX);
    if (c->target.len == 0)
        return bad(err, "target", "is missing");
    randombytes_buf(random, sizeof random);
    hex_encode(secret, random, sizeof random);
    r = db_run(&a->db, NULL, err,
               "INSERT INTO channel (name, type, target, secret, created_by, created_ns, sent_ns, failed_ns, trouble)"
               " VALUES (?, ?, ?, ?, ?, ?, 0, 0, '')",
               "tittti", c->name, (int64_t)c->type, c->target,
               c->secret.len ? c->secret : str_of(secret, sizeof secret), actor, alerts_now(a));
    if (r == 0)
        *ret_id = sqlite3_last_insert_rowid(a->db.handle);
    return r;
}

static int change(struct alerts *a, const struct alert_channel *c, struct err *err)
{
    int changes = 0;
    int r = db_run(&a->db, &changes, err, "UPDATE channel SET name = ?, trouble = '' WHERE id = ? AND type = ?", "tii",
                   c->name, c->id, (int64_t)c->type);
    if (r == 0 && !changes)
        return err_set(err, ERR_NOENT, "no_channel", "there is no such channel of this type");
    if (r == 0 && c->target.len)
        r = db_run(&a->db, NULL, err, "UPDATE channel SET target = ? WHERE id = ?", "ti", c->target, c->id);
    if (r == 0 && c->secret.len)
        r = db_run(&a->db, NULL, err, "UPDATE channel SET secret = ? WHERE id = ?", "ti", c->secret, c->id);
    return r;
}

int alerts_channel_save(struct alerts *a, str actor, const struct alert_channel *c, struct arena *arena,
                        struct alert_channel *ret_saved, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    int64_t id = c->id;
    if (c->type == CHANNEL_MAIL && !a->o.smtp) {
        err_set(err, ERR_UNSUPPORTED, "no_mail", "this server sends no mail");
        err_set_hint(err, "start it with --smtp and --mail-from");
        return ERR_UNSUPPORTED;
    }
    int r = db_begin(&a->db, err);
    if (r < 0)
        return r;
    r = id ? change(a, c, err) : add(a, actor, c, &id, err);
    if (r == ERR_EXIST)
        err_set(err, r, "channel_exists", "there is a channel of that name already");
    r = db_finish(&a->db, r, err);
    return r < 0 ? r : channel_load(a, id, arena, ret_saved, err);
}

int alerts_channel_remove(struct alerts *a, str actor, int64_t id, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    struct arena arena;
    struct alert_rule *rules;
    size_t n = 0;
    int changes = 0;
    arena_init(&arena, ALERT_ARENA_MAX);
    int r = alerts_rules(a, &arena, &rules, &n, err);
    for (size_t i = 0; i < n && r == 0; i++)
        for (size_t k = 0; k < rules[i].channels_n && r == 0; k++)
            if (rules[i].channels[k] == id)
                r = err_set(err, ERR_BUSY, "channel_in_use", "the rule \"%.*s\" uses it", STR_ARG(rules[i].name));
    arena_free(&arena);
    if (r < 0 || (r = db_begin(&a->db, err)) < 0)
        return r;
    r = db_run(&a->db, &changes, err, "DELETE FROM channel WHERE id = ?", "i", id);
    if (r == 0 && !changes)
        r = err_set(err, ERR_NOENT, "no_channel", "there is no such channel");
    return db_finish(&a->db, r, err);
}

int alerts_channel_test(struct alerts *a, str actor, int64_t id, struct err *err)
{
    MAGIC_CHECK(a, ALERTS_MAGIC);
    struct arena arena;
    struct alert_channel c;
    bool final;
    arena_init(&arena, ALERT_ARENA_MAX);
    struct message_item item = { .firing = { .kind = STR("test"),
                                             .time = alerts_now(a),
                                             .title = STR("A test message from Clew"),
                                             .text = arena_printf(&arena, "%.*s asked for it", STR_ARG(actor)) } };
    struct alert_rule rule = { .name = STR("Test") };
    struct message m = { .rule = &rule, .time = item.firing.time, .items = &item, .items_n = 1 };
    int r = channel_load(a, id, &arena, &c, err);
    if (r == 0)
        r = deliver_send(a, &c, &m, &final, err);
    arena_free(&arena);
    return r;
}
