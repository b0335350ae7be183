// Deliveries: each is tried until it is taken, ever more seldom, or refused for good.
#include "alerts/alerts_internal.h"
#include "base/hex.h"
#include "issues/issues.h"
#include "meta/meta.h"
#include "os/socket.h"
#include "wire/sentry_event.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

enum {
    AT_ONCE = 20,
    BODY_MAX = 512 << 10,
    ANSWER_MAX = 64 << 10,
    CONNECT_MS = 5000,
    SILENCE_MS = 10000,
    TOTAL_MS = 30000
};

static bool may_call(void *ctx, const struct socket_address *address)
{
    const struct alerts *a = ctx;
    return a->o.private_targets || socket_address_is_public(address);
}

static struct net_client_options net_options(struct alerts *a)
{
    return (struct net_client_options){
        .connect_ms = CONNECT_MS, .silence_ms = SILENCE_MS, .total_ms = TOTAL_MS, .allow = may_call, .allow_ctx = a
    };
}

// HMAC-SHA256 of the body under the channel's secret, as hex.
static void sign(str secret, bytes body, char out[80])
{
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&state, body.ptr, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    memcpy(out, "sha256=", 7);
    hex_encode(out + 7, mac, sizeof mac);
    out[7 + 2 * sizeof mac] = 0;
}

static int headers(struct net_client *c, const struct alert_channel *channel, const struct message *m, bytes body)
{
    char text[80];
    int r = 0;
    if (channel->type != CHANNEL_WEBHOOK)
        return 0;
    sign(channel->secret, body, text);
    r = net_client_header(c, STR("X-Clew-Signature"), str_z(text));
    snprintf(text, sizeof text, "%lld", (long long)m->delivery);
    return r < 0 ? r : net_client_header(c, STR("X-Clew-Delivery"), str_z(text));
}

// What went wrong on the other side is told by its status only: the body is not for us to show.
static int status_error(int status, bool *ret_final, struct err *err)
{
    *ret_final = status >= 300 && status < 500 && status != 408 && status != 425 && status != 429;
    return err_set(err, *ret_final ? ERR_DENIED : ERR_BUSY, "webhook_status", "the receiver answered %d%s", status,
                   status / 100 == 3 ? " (redirects are not followed)" : "");
}

static int post(struct alerts *a, const struct alert_channel *channel, const struct message *m, bytes body,
                bool *ret_final, struct err *err)
{
    struct net_client_options o = net_options(a);
    struct net_client *c = NULL;
    struct net_answer answer;
    struct buf out;
    str url = channel->target;
    size_t end = str_starts(url, STR("https://")) ? 8 : 7;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?')
        end++;
    char target[ALERT_TEXT_MAX + 2];
    str rest = str_slice(url, end, url.len);
    snprintf(target, sizeof target, "%s%.*s", rest.len && rest.ptr[0] == '/' ? "" : "/", STR_ARG(rest));
    int r = net_client_new(str_slice(url, 0, end), &o, &c, err);
    if (r < 0)
        return r;
    buf_init(&out, ANSWER_MAX);
    pthread_mutex_lock(&a->sending_lock);
    a->sending = c;
    if (atomic_load(&a->stop))
        net_client_cancel(c);
    pthread_mutex_unlock(&a->sending_lock);
    r = headers(c, channel, m, body);
    if (r == 0)
        r = net_client_call(c, STR("POST"), str_z(target), STR("application/json"), body, &answer, &out, err);
    bool answered = r == 0 || out.error == ERR_LIMIT; // a long answer is an answer
    if (answered)
        r = r < 0 || answer.status / 100 == 2 ? 0 : status_error(answer.status, ret_final, err);
    pthread_mutex_lock(&a->sending_lock);
    a->sending = NULL;
    pthread_mutex_unlock(&a->sending_lock);
    net_client_free(c);
    buf_free(&out);
    return r;
}

static int mail(struct alerts *a, const struct alert_channel *channel, const struct message *m, bool *ret_final,
                struct err *err)
{
    struct net_client_options o = net_options(a);
    str to[ALERT_MAIL_TO_MAX];
    struct smtp_mail mail = { .from = str_z(a->mail_from), .to = to };
    struct buf text;
    o.allow = NULL; // the operator named this server
    if (!a->o.smtp) {
        *ret_final = true;
        return err_set(err, ERR_UNSUPPORTED, "no_mail", "this server sends no mail: it was started without --smtp");
    }
    for (size_t at = 0; at <= channel->target.len && mail.to_n < ALERT_MAIL_TO_MAX;) {
        ptrdiff_t comma = str_find_char(channel->target, ',', at);
        size_t end = comma < 0 ? channel->target.len : (size_t)comma;
        to[mail.to_n++] = str_trim(str_slice(channel->target, at, end));
        at = end + 1;
    }
    buf_init(&text, BODY_MAX);
    message_mail(a, m, channel->target, &text);
    mail.message = buf_view(&text);
    int r = text.error ? alerts_nomem(err) : smtp_send(a->o.smtp, &o, &mail, err);
    *ret_final = r == ERR_INVALID || r == ERR_DENIED;
    buf_free(&text);
    return r;
}

int deliver_send(struct alerts *a, const struct alert_channel *c, const struct message *m, bool *ret_final,
                 struct err *err)
{
    struct buf body;
    *ret_final = false;
    if (c->type == CHANNEL_MAIL)
        return mail(a, c, m, ret_final, err);
    buf_init(&body, BODY_MAX);
    if (c->type == CHANNEL_SLACK)
        message_slack(a, m, &body);
    else
        message_webhook(a, m, &body);
    int r = body.error ? alerts_nomem(err) : post(a, c, m, buf_bytes(&body), ret_final, err);
    if (r == ERR_DENIED || r == ERR_INVALID)
        *ret_final = true;
    buf_free(&body);
    return r;
}

// ---- from the database ---------------------------------------------------------------------------------

struct due {
    int64_t id, rule, channel, attempts;
};

static int due_list(struct alerts *a, int64_t now, struct due list[AT_ONCE], size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s;
    *ret_n = 0;
    pthread_mutex_lock(&a->db.lock);
    int r = db_query(&a->db, &s, err,
                     "SELECT id, rule, channel, attempts FROM delivery WHERE state = 'waiting' AND due_ns <= ?"
                     " ORDER BY due_ns LIMIT ?",
                     "ii", now, (int64_t)AT_ONCE);
    while (r == 1 && *ret_n < AT_ONCE) {
        list[(*ret_n)++] = (struct due){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
                                         sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3) };
        r = db_next(&a->db, s, err);
    }
    if (r == 1)
        db_done(s);
    pthread_mutex_unlock(&a->db.lock);
    return r < 0 ? r : 0;
}

// What is true of its issue now, not when it fired.
static void complete(struct alerts *a, struct message_item *item, int64_t now, struct arena *arena)
{
    struct alert_firing *f = &item->firing;
    struct meta_project p;
    struct issue_row row = { 0 };
    struct issues_filter all = { .projects = &f->project, .projects_n = 1 };
    char upper[META_NAME_MAX + 1];
    if (!f->project || meta_project_get(a->o.meta, f->project, &p, NULL) < 0)
        return;
    item->project = arena_printf(arena, "%s", p.slug);
    if (!f->issue || !a->o.issues)
        return;
    for (size_t i = 0; i <= strlen(p.slug); i++)
        upper[i] = (char)toupper((unsigned char)p.slug[i]);
    item->short_id = arena_printf(arena, "%s-%lld", upper, (long long)f->issue);
    if (issues_row(a->o.issues, &all, f->issue, now - NS_PER_S, now, arena, &row, NULL) < 0)
        return;
    item->level = sentry_level_word(row.severity);
    item->state = issue_state_word(row.state);
    item->events = row.total_events;
    item->users = row.total_users;
    item->first = row.first;
    item->last = row.last;
}

static int message_load(struct alerts *a, const struct due *d, int64_t now, struct arena *arena, struct message *m,
                        struct err *err)
{
    struct message_item *items = arena_alloc_array(arena, ALERT_MESSAGE_ITEMS, sizeof *items);
    sqlite3_stmt *s;
    size_t n = 0;
    bool failed = !items;
    if (failed)
        return alerts_nomem(err);
    pthread_mutex_lock(&a->db.lock);
    int r = db_query(
        &a->db, &s, err,
        "SELECT f.id, f.kind, f.project, f.issue, f.subject, f.time_ns, f.closed_ns, f.lasting, f.value,"
        " f.title, f.text, f.over_value FROM delivery_firing x JOIN firing f ON f.id = x.firing WHERE x.delivery = ?"
        " ORDER BY f.id",
        "i", d->id);
    for (; r == 1 && !failed; r = db_next(&a->db, s, err), n++) {
        if (n >= ALERT_MESSAGE_ITEMS)
            continue;
        items[n] = (struct message_item){ .firing = { .id = sqlite3_column_int64(s, 0),
                                                      .rule = d->rule,
                                                      .kind = alerts_text(arena, s, 1, &failed),
                                                      .project = (uint32_t)sqlite3_column_int64(s, 2),
                                                      .issue = sqlite3_column_int64(s, 3),
                                                      .subject = alerts_text(arena, s, 4, &failed),
                                                      .time = sqlite3_column_int64(s, 5),
                                                      .closed = sqlite3_column_int64(s, 6),
                                                      .lasting = sqlite3_column_int64(s, 7),
                                                      .value = sqlite3_column_double(s, 8),
                                                      .title = alerts_text(arena, s, 9, &failed),
                                                      .text = alerts_text(arena, s, 10, &failed),
                                                      .has_over_value = sqlite3_column_type(s, 11) != SQLITE_NULL,
                                                      .over_value = sqlite3_column_double(s, 11) } };
    }
    if (r == 1)
        db_done(s);
    pthread_mutex_unlock(&a->db.lock);
    if (r < 0 || failed)
        return r < 0 ? r : alerts_nomem(err);
    m->delivery = d->id;
    m->time = now;
    m->items = items;
    m->items_n = n < ALERT_MESSAGE_ITEMS ? n : ALERT_MESSAGE_ITEMS;
    m->more = n - m->items_n;
    for (size_t i = 0; i < m->items_n; i++)
        complete(a, &items[i], now, arena);
    return 0;
}

// 10 s, 20 s, 40 s ... an hour.
static int64_t backoff_ns(int64_t attempts)
{
    int64_t s = attempts > 9 ? 3600 : 10LL << attempts;
    return (s > 3600 ? 3600 : s) * NS_PER_S;
}

static int outcome(struct alerts *a, const struct due *d, int r, bool final, const struct err *why, int64_t now,
                   struct err *err)
{
    int64_t attempts = d->attempts + 1;
    const char *state = r == 0 ? "sent" : final || attempts >= ALERT_ATTEMPTS_MAX ? "failed" : "waiting";
    int e = db_begin(&a->db, err);
    if (e < 0)
        return e;
    e = db_run(&a->db, NULL, err,
               "UPDATE delivery SET state = ?, attempts = ?, due_ns = ?, done_ns = ?, answer = ? WHERE id = ?"
               " AND state = 'waiting'",
               "ziiizi", state, attempts, r == 0 || final ? now : now + backoff_ns(d->attempts),
               state[0] == 'w' ? (int64_t)0 : now, r == 0 ? "taken" : why->message, d->id);
    if (e == 0)
        e = r == 0 ? db_run(&a->db, NULL, err, "UPDATE channel SET sent_ns = ?, trouble = '' WHERE id = ?", "ii", now,
                            d->channel)
                   : db_run(&a->db, NULL, err, "UPDATE channel SET failed_ns = ?, trouble = ? WHERE id = ?", "izi", now,
                            why->message, d->channel);
    e = db_finish(&a->db, e, err);
    if (e == 0 && state[0] != 'w')
        atomic_fetch_add(state[0] == 's' ? &a->sent : &a->failed, 1);
    return e;
}

static int deliver_one(struct alerts *a, const struct due *d, int64_t now, struct err *err)
{
    struct arena arena;
    struct alert_channel channel;
    struct alert_rule rule;
    struct message m = { .rule = &rule };
    struct err why = { 0 };
    bool final = true;
    arena_init(&arena, ALERT_ARENA_MAX);
    int r = alerts_rule(a, d->rule, &arena, &rule, &why);
    if (r == 0)
        r = channel_load(a, d->channel, &arena, &channel, &why);
    if (r == 0 && (r = message_load(a, d, now, &arena, &m, &why)) < 0)
        final = false;
    if (r == 0 && m.items_n)
        r = deliver_send(a, &channel, &m, &final, &why);
    arena_free(&arena);
    if (r == ERR_CANCELLED) // we stop; it waits for the next start
        return 0;
    return outcome(a, d, r, r < 0 && final, &why, now, err);
}

int deliver_due(struct alerts *a, int64_t now, int64_t *ret_next, struct err *err)
{
    struct due list[AT_ONCE];
    sqlite3_stmt *s;
    size_t n = AT_ONCE;
    int r = 0;
    while (r == 0 && n == AT_ONCE && !atomic_load(&a->stop)) {
        r = due_list(a, now, list, &n, err);
        for (size_t i = 0; i < n && r == 0 && !atomic_load(&a->stop); i++)
            r = deliver_one(a, &list[i], now, err);
    }
    if (r < 0)
        return r;
    pthread_mutex_lock(&a->db.lock);
    r = db_query(&a->db, &s, err, "SELECT min(due_ns) FROM delivery WHERE state = 'waiting'", "");
    if (r == 1) {
        *ret_next = sqlite3_column_type(s, 0) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(s, 0);
        db_done(s);
    }
    pthread_mutex_unlock(&a->db.lock);
    return r < 0 ? r : 0;
}
