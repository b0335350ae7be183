// What people are told, in the three forms that channels take. Foreign text is escaped for each of them: what a person reads
// has neither control characters nor those that turn the order of text.
#include "alerts/alerts_internal.h"
#include "base/base64.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "base/visible.h"

enum { MAIL_BASE64_LINE = 57, SUBJECT_WORD = 39, SUBJECT_TEXT_MAX = 160 };

static str kind_word(const struct alert_firing *f)
{
    static const struct {
        str kind, word;
    } words[] = { { STR_INIT("new"), STR_INIT("New issue") },
                  { STR_INIT("regressed"), STR_INIT("Regressed") },
                  { STR_INIT("escalating"), STR_INIT("Escalating") },
                  { STR_INIT("events"), STR_INIT("Many events") },
                  { STR_INIT("users"), STR_INIT("Many users") },
                  { STR_INIT("query"), STR_INIT("Threshold") },
                  { STR_INIT("test"), STR_INIT("Test") } };
    if (f->lasting && f->closed)
        return STR("Over");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(f->kind, words[i].kind))
            return words[i].word;
    return f->kind;
}

static void put_url(struct buf *out, const struct alerts *a, const struct message *m, const struct message_item *item)
{
    if (item->short_id.len)
        buf_printf(out, "%s/issues/%.*s", a->url, STR_ARG(item->short_id));
    else
        buf_printf(out, "%s/alerts/%lld", a->url, (long long)m->rule->id);
}

static void put_key_str(struct json_writer *w, str key, str value)
{
    if (!value.len)
        return;
    json_put_key(w, key);
    json_put_str(w, value);
}

static void put_key_time(struct json_writer *w, str key, int64_t ns)
{
    char text[32];
    if (ns)
        put_key_str(w, key, str_of(text, (size_t)fmt_rfc3339(text, ns)));
}

static void put_issue(struct json_writer *w, const struct message_item *item)
{
    json_put_key(w, STR("issue"));
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, item->firing.issue);
    put_key_str(w, STR("short"), item->short_id);
    put_key_str(w, STR("level"), item->level);
    put_key_str(w, STR("state"), item->state);
    json_put_key(w, STR("events"));
    json_put_uint(w, item->events);
    json_put_key(w, STR("users"));
    json_put_uint(w, item->users);
    put_key_time(w, STR("first"), item->first);
    put_key_time(w, STR("last"), item->last);
    json_put_object_end(w);
}

static void put_item(struct json_writer *w, const struct alerts *a, const struct message *m,
                     const struct message_item *item)
{
    const struct alert_firing *f = &item->firing;
    struct buf url;
    buf_init(&url, 2048);
    put_url(&url, a, m, item);
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, f->id);
    put_key_str(w, STR("kind"), f->kind);
    json_put_key(w, STR("over"));
    json_put_bool(w, f->lasting && f->closed);
    put_key_time(w, STR("time"), f->time);
    put_key_str(w, STR("title"), f->title);
    put_key_str(w, STR("text"), f->text);
    put_key_str(w, STR("project"), item->project);
    put_key_str(w, STR("subject"), f->issue ? (str){ 0 } : f->subject);
    if (f->lasting) {
        json_put_key(w, STR("value"));
        json_put_double(w, f->value);
    }
    if (f->has_over_value) {
        json_put_key(w, STR("over_value"));
        json_put_double(w, f->over_value);
    }
    if (f->issue)
        put_issue(w, item);
    put_key_str(w, STR("url"), buf_view(&url));
    json_put_object_end(w);
    buf_free(&url);
}

void message_webhook(const struct alerts *a, const struct message *m, struct buf *out)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("id"));
    json_put_int(&w, m->delivery);
    put_key_time(&w, STR("time"), m->time);
    json_put_key(&w, STR("rule"));
    json_put_object(&w);
    json_put_key(&w, STR("id"));
    json_put_int(&w, m->rule->id);
    put_key_str(&w, STR("name"), m->rule->name);
    json_put_object_end(&w);
    json_put_key(&w, STR("firings"));
    json_put_array(&w);
    for (size_t i = 0; i < m->items_n; i++)
        put_item(&w, a, m, &m->items[i]);
    json_put_array_end(&w);
    if (m->more) {
        json_put_key(&w, STR("more"));
        json_put_uint(&w, m->more);
    }
    json_put_object_end(&w);
}

// ---- Slack ---------------------------------------------------------------------------------------------

// Slack's own markup begins with these three.
static void put_slack_text(struct buf *out, str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '&')
            buf_str(out, STR("&amp;"));
        else if (text.ptr[i] == '<')
            buf_str(out, STR("&lt;"));
        else if (text.ptr[i] == '>')
            buf_str(out, STR("&gt;"));
        else
            buf_byte(out, (uint8_t)text.ptr[i]);
    }
}

static void put_facts(struct buf *out, const struct message_item *item)
{
    const struct alert_firing *f = &item->firing;
    size_t before = out->len;
    visible_escape(out, f->text);
    if (f->lasting && f->closed) { // both: what it fired at, and what it is now
        if (f->has_over_value)
            buf_printf(out, "%snow %.6g", f->text.len ? "; " : "", f->over_value);
        else
            buf_printf(out, "%snow without a value", f->text.len ? "; " : "");
    }
    if (f->issue)
        buf_printf(out, "%s%llu event%s, %llu user%s%s%.*s", out->len > before ? ". " : "",
                   (unsigned long long)item->events, item->events == 1 ? "" : "s", (unsigned long long)item->users,
                   item->users == 1 ? "" : "s", item->project.len ? ", in " : "", STR_ARG(item->project));
}

static void put_slack_item(struct json_writer *w, const struct alerts *a, const struct message *m,
                           const struct message_item *item)
{
    struct buf text, title, facts;
    str word = kind_word(&item->firing);
    buf_init(&text, 16 << 10);
    buf_init(&title, 8 << 10);
    buf_init(&facts, 8 << 10);
    put_facts(&facts, item);
    buf_printf(&text, "*%.*s* <", STR_ARG(word));
    put_url(&text, a, m, item);
    buf_byte(&text, '|');
    if (item->short_id.len)
        buf_printf(&text, "%.*s ", STR_ARG(item->short_id));
    visible_escape(&title, utf8_cut(item->firing.title, 500));
    put_slack_text(&text, buf_view(&title));
    buf_str(&text, STR(">\n"));
    put_slack_text(&text, utf8_cut(buf_view(&facts), 1500));
    json_put_object(w);
    put_key_str(w, STR("type"), STR("section"));
    json_put_key(w, STR("text"));
    json_put_object(w);
    put_key_str(w, STR("type"), STR("mrkdwn"));
    put_key_str(w, STR("text"), buf_view(&text));
    json_put_object_end(w);
    json_put_object_end(w);
    buf_free(&text);
    buf_free(&title);
    buf_free(&facts);
}

// One line that says it all: a notification's text, a mail's subject.
static void put_headline(struct buf *out, const struct message *m)
{
    const struct message_item *first = &m->items[0];
    str word = kind_word(&first->firing), title = utf8_cut(first->firing.title, SUBJECT_TEXT_MAX);
    size_t others = m->items_n - 1 + m->more;
    if (first->short_id.len)
        buf_printf(out, "[%.*s] ", STR_ARG(first->short_id));
    buf_printf(out, "%.*s: ", STR_ARG(word));
    visible_escape(out, title);
    if (others)
        buf_printf(out, " (and %zu more)", others);
}

void message_slack(const struct alerts *a, const struct message *m, struct buf *out)
{
    struct json_writer w;
    struct buf headline, escaped;
    buf_init(&headline, 4096);
    buf_init(&escaped, 16 << 10);
    put_headline(&headline, m);
    put_slack_text(&escaped, buf_view(&headline));
    json_writer_init(&w, out);
    json_put_object(&w);
    put_key_str(&w, STR("text"), buf_view(&escaped));
    json_put_key(&w, STR("blocks"));
    json_put_array(&w);
    for (size_t i = 0; i < m->items_n; i++)
        put_slack_item(&w, a, m, &m->items[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    buf_free(&headline);
    buf_free(&escaped);
}

// ---- mail ----------------------------------------------------------------------------------------------

// RFC 2047: base64 words of UTF-8, cut between characters. Control characters have become visible before.
static void put_header_text(struct buf *out, str text)
{
    bool ascii = true;
    for (size_t i = 0; i < text.len; i++)
        ascii &= (unsigned char)text.ptr[i] >= 0x20 && (unsigned char)text.ptr[i] < 0x7f;
    if (ascii) {
        buf_str(out, text);
        return;
    }
    for (size_t at = 0; at < text.len;) {
        char coded[64];
        str piece = utf8_cut(str_slice(text, at, text.len), SUBJECT_WORD);
        base64_encode(coded, piece.ptr, piece.len);
        buf_printf(out, "%s=?UTF-8?B?%.*s?=", at ? "\r\n " : "", (int)base64_encoded_len(piece.len), coded);
        at += piece.len;
    }
}

static void put_mail_body(struct buf *out, const struct alerts *a, const struct message *m)
{
    for (size_t i = 0; i < m->items_n; i++) {
        const struct message_item *item = &m->items[i];
        str word = kind_word(&item->firing);
        buf_printf(out, "%.*s: ", STR_ARG(word));
        if (item->short_id.len)
            buf_printf(out, "%.*s ", STR_ARG(item->short_id));
        visible_escape(out, item->firing.title);
        buf_byte(out, '\n');
        put_facts(out, item);
        buf_str(out, STR("\n"));
        put_url(out, a, m, item);
        buf_str(out, STR("\n\n"));
    }
    if (m->more)
        buf_printf(out, "and %zu more: %s/alerts/%lld\n\n", m->more, a->url, (long long)m->rule->id);
    buf_str(out, STR("-- \nRule \""));
    visible_escape(out, m->rule->name);
    buf_printf(out, "\": %s/alerts/%lld\n", a->url, (long long)m->rule->id);
}

void message_mail(const struct alerts *a, const struct message *m, str to, struct buf *out)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct buf headline, body;
    int64_t year, s = m->time / NS_PER_S;
    int month, day;
    str from = str_z(a->mail_from);
    ptrdiff_t at = str_find_char(from, '@', 0);
    time_civil_of_days(s / 86400, &year, &month, &day);
    buf_init(&headline, 4096);
    buf_init(&body, 256 << 10);
    put_headline(&headline, m);
    put_mail_body(&body, a, m);
    buf_printf(out, "From: Clew <%.*s>\r\nTo: %.*s\r\nSubject: ", STR_ARG(from), STR_ARG(to));
    put_header_text(out, buf_view(&headline));
    buf_printf(out, "\r\nDate: %d %s %04d %02d:%02d:%02d +0000\r\n", day, months[(month - 1) % 12], (int)year,
               (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
    buf_printf(out, "Message-ID: <clew.%lld.%lld%s>\r\n", (long long)m->delivery, (long long)m->time,
               at >= 0 ? from.ptr + at : "@clew");
    buf_str(out, STR("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
    for (size_t i = 0; i < body.len; i += MAIL_BASE64_LINE) {
        char line[80];
        size_t n = body.len - i < MAIL_BASE64_LINE ? body.len - i : MAIL_BASE64_LINE;
        base64_encode(line, body.ptr + i, n);
        buf_append(out, line, base64_encoded_len(n));
        buf_str(out, STR("\r\n"));
    }
    buf_free(&headline);
    buf_free(&body);
}
