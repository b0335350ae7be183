// An error or a message as a record of the source `events`.
#include "wire/sentry_build.h"

#include "base/mem.h"
#include "base/utf8.h"

enum { TITLE_MAX = 256 };

static str first_line(str text)
{
    text = str_trim(text);
    ptrdiff_t end = str_find_char(text, '\n', 0);
    return end < 0 ? text : str_trim(str_slice(text, 0, (size_t)end));
}

str sentry_event_title(const struct sentry_event *e, struct arena *arena)
{
    const struct sentry_exception *x = sentry_event_main(e);
    str value = utf8_cut(first_line(x ? x->value : e->message), TITLE_MAX);
    if (x && x->type.len && !x->synthetic)
        return value.len ? arena_printf(arena, "%.*s: %.*s", STR_ARG(utf8_cut(x->type, TITLE_MAX)), STR_ARG(value))
                         : utf8_cut(x->type, TITLE_MAX);
    return value.len ? value : x && x->type.len ? utf8_cut(x->type, TITLE_MAX) : STR("<no message>");
}

static str culprit_of(const struct sentry_event *e, struct arena *arena)
{
    if (e->culprit.len)
        return e->culprit;
    if (e->name.len)
        return e->name;
    const struct sentry_frame *f = sentry_stack_top(sentry_event_stack(e));
    if (!f)
        return (str){ 0 };
    str where = f->module.len ? f->module : f->filename.len ? f->filename : f->package;
    if (!f->function.len)
        return where;
    return where.len ? arena_printf(arena, "%.*s in %.*s", STR_ARG(where), STR_ARG(f->function)) : f->function;
}

enum frame_field { FRAME_FUNCTION, FRAME_FILE, FRAME_MODULE, FRAME_LINE, FRAME_IN_APP };

static struct value frame_value(const struct sentry_frame *f, enum frame_field field)
{
    str text = { 0 };
    switch (field) {
    case FRAME_FUNCTION:
        text = f->function;
        break;
    case FRAME_FILE:
        text = f->filename.len ? f->filename : f->abs_path;
        break;
    case FRAME_MODULE:
        text = f->module.len ? f->module : f->package;
        break;
    case FRAME_LINE:
        return f->line > 0 ? value_int(f->line) : (struct value){ .type = VALUE_NULL };
    case FRAME_IN_APP:
        return f->in_app >= 0 ? value_bool(f->in_app) : (struct value){ .type = VALUE_NULL };
    }
    return text.len ? value_str(text) : (struct value){ .type = VALUE_NULL };
}

// One list over the frames, innermost first; a frame that does not say has a null in its place.
static void put_frames(struct sentry_build *b, str key, const struct sentry_stack *s, enum frame_field field)
{
    str kept;
    bool any = false;
    buf_clear(&b->enc);
    buf_byte(&b->enc, VALUE_LIST);
    buf_varint(&b->enc, s->n);
    for (uint32_t i = s->n; i > 0; i--) {
        struct value v = frame_value(&s->frames[i - 1], field);
        any |= v.type != VALUE_NULL;
        value_encode(&b->enc, &v);
    }
    if (b->enc.error || !any)
        return;
    if (arena_dup(b->arena, buf_view(&b->enc), &kept) < 0)
        b->error = ERR_NOMEM;
    else
        sentry_put(b, ATTR_FIELD, key, (struct value){ .type = VALUE_LIST, .s = kept });
}

static void put_stack(struct sentry_build *b, const struct sentry_stack *s)
{
    if (!s->n)
        return;
    put_frames(b, STR("stack.function"), s, FRAME_FUNCTION);
    put_frames(b, STR("stack.file"), s, FRAME_FILE);
    put_frames(b, STR("stack.module"), s, FRAME_MODULE);
    put_frames(b, STR("stack.line"), s, FRAME_LINE);
    put_frames(b, STR("stack.in_app"), s, FRAME_IN_APP);
    const struct json_node *vars = json_get(sentry_stack_top(s)->node, STR("vars"));
    if (json_is(vars, JSON_OBJECT))
        sentry_put_node(b, ATTR_FIELD, STR("vars"), vars);
}

// A list of texts.
static void put_texts(struct sentry_build *b, str key, const str *texts, uint32_t n)
{
    str kept;
    if (!n)
        return;
    buf_clear(&b->enc);
    buf_byte(&b->enc, VALUE_LIST);
    buf_varint(&b->enc, n);
    for (uint32_t i = 0; i < n; i++) {
        struct value v = value_str(texts[i]);
        value_encode(&b->enc, &v);
    }
    if (b->enc.error || arena_dup(b->arena, buf_view(&b->enc), &kept) < 0)
        b->error = ERR_NOMEM;
    else
        sentry_put(b, ATTR_FIELD, key, (struct value){ .type = VALUE_LIST, .s = kept });
}

static void put_fields(struct sentry_build *b, const struct sentry_event *e, const struct sentry_extras *extras)
{
    const struct sentry_exception *x = sentry_event_main(e);
    uint8_t replay[16];
    str kept;
    sentry_put_text(b, ATTR_FIELD, STR("event_id"), b->from->event_id);
    sentry_put_text(b, ATTR_FIELD, STR("title"), extras->title.len ? extras->title : sentry_event_title(e, b->arena));
    sentry_put_text(b, ATTR_FIELD, STR("type"), x ? x->type : (str){ 0 });
    sentry_put_text(b, ATTR_FIELD, STR("message"), x && x->value.len ? x->value : e->message);
    sentry_put_text(b, ATTR_FIELD, STR("culprit"), culprit_of(e, b->arena));
    if (e->handled >= 0)
        sentry_put(b, ATTR_FIELD, STR("handled"), value_bool(e->handled));
    sentry_put_text(b, ATTR_FIELD, STR("platform"), e->platform);
    sentry_put_text(b, ATTR_FIELD, STR("transaction"), e->name);
    sentry_put_text(b, ATTR_FIELD, STR("mechanism"), x ? x->mechanism : (str){ 0 });
    sentry_put_text(b, ATTR_FIELD, STR("sdk.name"), e->sdk_name);
    if (extras->groups_n)
        sentry_put_text(b, ATTR_FIELD, STR("group"), extras->groups[0]);
    if (extras->groups_n > 1)
        put_texts(b, STR("groups"), extras->groups, extras->groups_n);
    if (sentry_id(e->replay, replay)) {
        if (arena_dup(b->arena, str_of(replay, sizeof replay), &kept) < 0)
            b->error = ERR_NOMEM;
        else
            sentry_put(b, ATTR_FIELD, STR("replay"), (struct value){ .type = VALUE_BYTES, .s = kept });
    }
    put_stack(b, sentry_event_stack(e));
    put_texts(b, STR("scrubbed"), extras->scrubbed, extras->scrubbed_n);
    put_texts(b, STR("scrubbed.rule"), extras->scrub_rules, extras->scrub_rules_n);
    if (extras->payload.len)
        sentry_put(b, ATTR_FIELD, STR("payload"),
                   (struct value){ .type = VALUE_BYTES, .s = str_of_bytes(extras->payload) });
}

int sentry_error_record(const struct sentry_event *e, const struct sentry_source *from,
                        const struct sentry_extras *extras, struct arena *arena, const struct record_sink *sink,
                        struct sentry_counts *counts)
{
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    sentry_build_init(b, arena, from, sink, counts);
    const struct sentry_exception *x = sentry_event_main(e);
    b->record.severity = e->severity;
    if (!e->time || !sentry_shifted(b, e->time, &b->record.time))
        b->record.time = from->received_ns;
    b->record.name = x ? x->type : (str){ 0 };
    if (!sentry_put_trace(b, e->trace))
        sentry_put_trace(b, from->trace);
    put_fields(b, e, extras);
    sentry_put_common(b, e);
    b->record.parent = 0; // of a span, not of an event
    struct sentry_sender sender = sentry_sender_of(e);
    int r = b->error ? b->error : sentry_put_section(b, &sender);
    if (r == 0)
        r = sentry_build_end(b);
    sentry_build_free(b);
    return r;
}
