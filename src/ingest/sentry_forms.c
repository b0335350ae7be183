// Bodies that are no envelopes: crash reports and attachments as forms, reports of browsers, check-ins of cron jobs.
#include "base/json.h"
#include "ingest/sentry_internal.h"
#include "net/multipart.h"

#include <stdio.h>

enum { PARTS_MAX = 200, FIELDS_MAX = 200 };

// "sentry[release]" -> "release"; "sentry[tags][os]" -> "tags" and "os".
static bool bracketed(str name, str *ret_outer, str *ret_inner)
{
    static const str head = STR_INIT("sentry[");
    if (!str_starts(name, head))
        return false;
    ptrdiff_t end = str_find_char(name, ']', head.len);
    if (end < 0)
        return false;
    *ret_outer = str_slice(name, head.len, (size_t)end);
    str rest = str_slice(name, (size_t)end + 1, name.len);
    *ret_inner = (str){ 0 };
    if (rest.len > 2 && rest.ptr[0] == '[' && rest.ptr[rest.len - 1] == ']')
        *ret_inner = str_slice(rest, 1, rest.len - 1);
    return ret_outer->len > 0;
}

static struct json_node *member_add(struct arena *arena, struct json_node *object, str key, enum json_type type,
                                    str text)
{
    struct json_node *m = arena_zalloc(arena, sizeof *m);
    const struct json_node **end = &object->first;
    if (!m)
        return NULL;
    while (*end)
        end = (const struct json_node **)&(*end)->next;
    m->type = type;
    m->key = key;
    m->text = text;
    *end = m;
    object->n++;
    return m;
}

static struct json_node *member_object(struct arena *arena, struct json_node *object, str key)
{
    for (const struct json_node *m = object->first; m; m = m->next)
        if (m->type == JSON_OBJECT && str_eq(m->key, key))
            return (struct json_node *)m; // made here
    return member_add(arena, object, key, JSON_OBJECT, (str){ 0 });
}

struct form {
    const struct json_node *sent; // of the field `sentry`
    struct json_node said, extra; // of the other fields
    uint32_t fields;
};

static int field_take(struct sentry_call *call, struct form *f, const struct multipart_part *part, struct err *err)
{
    struct arena *arena = sentry_arena(call);
    str text = str_of_bytes(part->content), outer, inner;
    if (str_eq(part->name, STR("sentry"))) {
        if (text.len > call->in->options.event_max)
            return err_set(err, ERR_LIMIT, NULL, "an event is larger than %zu bytes", call->in->options.event_max);
        return json_tree_read(text, arena, SENTRY_EVENT_DEPTH, &f->sent, err);
    }
    if (f->fields++ == FIELDS_MAX || text.len > SENTRY_VALUE_MAX) {
        call->counts.dropped++;
        return 0;
    }
    struct json_node *in = &f->extra;
    str key = part->name;
    if (bracketed(part->name, &outer, &inner)) {
        in = inner.len ? member_object(arena, &f->said, outer) : &f->said;
        key = inner.len ? inner : outer;
    }
    return in && member_add(arena, in, key, JSON_STRING, text) ? 0 : ERR_NOMEM;
}

static int file_take(struct sentry_call *call, const struct multipart_part *part, str event, struct err *err)
{
    bool dump = call->target.endpoint == SENTRY_MINIDUMP && str_eq(part->name, STR("upload_file_minidump"));
    struct artifact a = { .kind = dump ? ARTIFACT_MINIDUMP : ARTIFACT_ATTACHMENT,
                          .name = part->filename.len ? part->filename : part->name,
                          .content_type = part->content_type,
                          .type = dump ? STR("event.minidump") : (str){ 0 },
                          .event = event };
    if (part->content.len > call->in->options.attachment_max)
        return err_set(err, ERR_LIMIT, NULL, "an attachment is larger than %zu bytes",
                       call->in->options.attachment_max);
    call->has_crash |= dump;
    if (dump)
        call->dump = part->content;
    return sentry_keep(call, &a, part->content);
}

int sentry_form_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                      struct err *err)
{
    struct multipart m;
    struct multipart_part part;
    struct form form = { .said = { .type = JSON_OBJECT }, .extra = { .type = JSON_OBJECT } };
    str event = { 0 };
    int r, n = 0;
    if (call->target.endpoint == SENTRY_ATTACHMENTS) {
        if (!sentry_id_text(sentry_arena(call), call->target.argument, &event))
            return ERR_NOMEM;
        if (!event.len)
            return err_set(err, ERR_MALFORMED, NULL, "the path names no event");
        sentry_id_make(call, event);
    }
    if (multipart_begin(&m, http_request_header(call->req, STR("content-type")), call->req->body) < 0)
        return err_set(err, ERR_MALFORMED, NULL, "the body is no multipart/form-data");
    // The id is known when all fields are: it is the same text that is filled in then.
    str id = str_of(call->id, SENTRY_ID_LEN);
    while ((r = multipart_next(&m, &part)) > 0) {
        if (n++ == PARTS_MAX)
            return err_set(err, ERR_LIMIT, NULL, "more than %d parts in one form", PARTS_MAX);
        r = part.filename.ptr                          ? file_take(call, &part, id, err)
            : call->target.endpoint == SENTRY_MINIDUMP ? field_take(call, &form, &part, err)
                                                       : 0;
        if (r < 0)
            return r;
    }
    if (r < 0)
        return err_set(err, r, NULL, "the form is broken in part %d", n);
    if (call->target.endpoint == SENTRY_ATTACHMENTS)
        return call->kept_n ? 0 : err_set(err, ERR_MALFORMED, NULL, "there is no file in the form");
    if (!call->has_crash)
        return err_set(err, ERR_MALFORMED, NULL, "there is no upload_file_minidump in the form");
    const struct json_node *said = form.sent ? form.sent : &form.said;
    sentry_id_make(call, json_get_text(said, STR("event_id")));
    call->crash_type = STR("Minidump");
    return sentry_crash_store(call, said, form.extra.n && !form.sent ? &form.extra : NULL, from, sink, err);
}

static str query_text(struct sentry_call *call, const char *name)
{
    str value = { 0 };
    http_query_get(&call->req->arena, call->req->query, str_z(name), &value);
    return value;
}

int sentry_report_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                        struct err *err)
{
    const struct json_node *root;
    str body = str_of_bytes(call->req->body);
    if (call->target.endpoint == SENTRY_NEL) {
        int r = sentry_json_read(call, body, &root, err);
        return r < 0 ? r : sentry_nel_records(root, from, sentry_arena(call), sink, &call->counts);
    }
    struct sentry_security_origin origin = { .release = query_text(call, "sentry_release"),
                                             .environment = query_text(call, "sentry_environment"),
                                             .user_agent = http_request_header(call->req, STR("user-agent")) };
    return sentry_security_store(call, body, &origin, from, sink, err);
}

// A check-in's JSON of what stands in the URL; the body may hold more.
static int check_read(struct sentry_call *call, const struct json_node *body, struct buf *json)
{
    static const char *const names[] = { "status", "environment", "check_in_id" };
    struct json_writer w;
    str duration = query_text(call, "duration");
    double seconds;
    json_writer_init(&w, json);
    json_put_object(&w);
    json_put_key(&w, STR("monitor_slug"));
    json_put_str(&w, call->target.argument);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        str value = query_text(call, names[i]);
        const struct json_node *sent = json_get(body, str_z(names[i]));
        if (!value.len)
            value = json_text_of(sent);
        if (!value.len && i == 2) // so that the next one can name it
            value = str_of(call->id, SENTRY_ID_LEN);
        if (value.len) {
            json_put_key(&w, str_z(names[i]));
            json_put_str(&w, value);
        }
    }
    if (json_number_double(duration, &seconds)) {
        json_put_key(&w, STR("duration"));
        json_put_raw(&w, duration);
    }
    for (const struct json_node *m = json_first_of(body, JSON_OBJECT); m; m = m->next) {
        bool known = str_eq(m->key, STR("monitor_slug")) || (duration.len && str_eq(m->key, STR("duration")));
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            known |= str_eq(m->key, str_z(names[i]));
        if (!known) {
            json_put_key(&w, m->key);
            json_put_tree(&w, m);
        }
    }
    json_put_object_end(&w);
    return json->error;
}

int sentry_cron_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                      struct err *err)
{
    const struct json_node *body = NULL, *root;
    str sent = str_trim(str_of_bytes(call->req->body)), id = query_text(call, "check_in_id");
    struct buf json;
    int r = sent.len ? sentry_json_read(call, sent, &body, err) : 0;
    if (r < 0)
        return r;
    sentry_id_make(call, id.len ? id : json_get_text(body, STR("check_in_id")));
    buf_init(&json, call->in->options.event_max);
    r = check_read(call, body, &json);
    if (r == 0)
        r = json_tree_read(buf_view(&json), sentry_arena(call), SENTRY_EVENT_DEPTH, &root, err);
    if (r == 0)
        r = sentry_check_record(root, from, sentry_arena(call), sink, &call->counts);
    if (r == ERR_MALFORMED)
        err_set(err, r, NULL, "a check-in needs a status: in_progress, ok or error");
    buf_free(&json);
    return r;
}
