// A capture as CAPTURE JSON, in the agent: see capture.h. The record may be anything.
#include "base/buf.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "probe/capture_internal.h"
#include "probe/probe.h"

int probe_capture_head(bytes record, struct probe_capture_head *ret_head)
{
    const uint8_t *h = record.ptr;
    struct probe_capture_head v = { 0 };
    uint32_t flags;
    if (record.len < PROBE_CAPTURE_HEAD)
        return ERR_TRUNCATED;
    v.length = le32_get(h + 4);
    if (le32_get(h) != PROBE_CAPTURE_MAGIC || v.length <= PROBE_CAPTURE_HEAD)
        return ERR_MALFORMED;
    if (v.length > record.len)
        return ERR_TRUNCATED;
    flags = le32_get(h + 20);
    v.slot = le32_get(h + 8);
    v.revision = le32_get(h + 12);
    v.policy_generation = le32_get(h + 16);
    v.has_trace = flags & CAPTURE_HAS_TRACE;
    v.has_span = flags & CAPTURE_HAS_SPAN;
    v.reporter = flags & CAPTURE_REPORTER_SENTRY ? PROBE_REPORTER_SENTRY
                 : flags & CAPTURE_REPORTER_NONE ? PROBE_REPORTER_NONE
                                                 : PROBE_REPORTER_UNKNOWN;
    v.cut = flags & CAPTURE_IS_CUT;
    v.time_ns = (int64_t)le64_get(h + 24);
    v.duration_ns = (int64_t)le64_get(h + 32);
    v.cost_ns = le64_get(h + 40);
    v.thread = le64_get(h + 48);
    v.dropped_before = le64_get(h + 56);
    v.redacted = le32_get(h + 64);
    v.frames_cut = le32_get(h + 68);
    v.vars_cut = le32_get(h + 72);
    memcpy(v.trace, h + 80, 16);
    memcpy(v.span, h + 96, 8);
    *ret_head = v;
    return 0;
}

// All sections, read once.
struct shape {
    struct capture_section *list;
    size_t n;
    uint8_t *any, *twice; // ids of objects
    const struct capture_section *frames[PROBE_CAPTURE_FRAMES_MAX];
    uint32_t n_frames;
};

enum {
    SECTIONS_MAX = PROBE_CAPTURE_FRAMES_MAX + PROBE_CAPTURE_VARS_MAX + PROBE_CAPTURE_EXPRS_MAX + 16,
    ID_BYTES = 65536 / 8
};

static int read_sections(bytes record, struct arena *arena, struct shape *sh)
{
    size_t at = PROBE_CAPTURE_HEAD, cap = 0;
    bool counted = false;
    // Twice: to count, then to keep.
    for (;;) {
        size_t n = 0, len;
        at = PROBE_CAPTURE_HEAD;
        for (;;) {
            struct capture_section s;
            int rc = capture_section_next(record, &at, &s);
            if (rc < 0)
                return rc;
            if (s.tag == CAPTURE_END)
                break;
            if (n == SECTIONS_MAX)
                return ERR_LIMIT;
            if (counted) {
                sh->list[n] = s;
                if (s.value.len && probe_value_ids(s.value, sh->any, sh->twice, &len) < 0)
                    return ERR_MALFORMED;
                if (s.tag == CAPTURE_FRAME) {
                    if (sh->n_frames == PROBE_CAPTURE_FRAMES_MAX)
                        return ERR_LIMIT;
                    sh->frames[sh->n_frames++] = &sh->list[n];
                }
            }
            n++;
        }
        if (counted) {
            sh->n = n;
            return 0;
        }
        cap = n ? n : 1;
        sh->list = arena_alloc_array(arena, cap, sizeof(*sh->list));
        sh->any = arena_zalloc(arena, ID_BYTES);
        sh->twice = arena_zalloc(arena, ID_BYTES);
        if (!sh->list || !sh->any || !sh->twice)
            return ERR_NOMEM;
        counted = true;
    }
}

static void put_text(struct json_writer *w, str name, str s)
{
    json_put_key(w, name);
    json_put_str(w, s);
}

static void put_uint(struct json_writer *w, str name, uint64_t v)
{
    json_put_key(w, name);
    json_put_uint(w, v);
}

static void put_value(struct json_writer *w, const struct shape *sh, bytes value)
{
    size_t len;
    json_put_key(w, STR("value"));
    probe_value_json(value, sh->twice, w, &len); // was read before
}

static void put_place(struct json_writer *w, const struct capture_section *frame)
{
    put_text(w, STR("function"), frame->text[0]);
    put_text(w, STR("file"), frame->text[1]);
    put_uint(w, STR("line"), frame->number);
}

static void put_vars(struct json_writer *w, const struct shape *sh, uint32_t frame)
{
    static const str kinds[] = { STR_INIT("arg"), STR_INIT("local"), STR_INIT("closure") };
    bool any = false;
    for (size_t i = 0; i < sh->n; i++) {
        const struct capture_section *s = &sh->list[i];
        if (s->tag != CAPTURE_VAR || s->number != frame)
            continue;
        if (!any) {
            json_put_key(w, STR("vars"));
            json_put_array(w);
        }
        any = true;
        json_put_object(w);
        put_text(w, STR("name"), s->text[0]);
        put_text(w, STR("kind"), kinds[s->kind]);
        put_value(w, sh, s->value);
        json_put_object_end(w);
    }
    if (any)
        json_put_array_end(w);
}

static void put_frames(struct json_writer *w, const struct shape *sh, const struct probe_capture_head *h)
{
    uint64_t cut = h->frames_cut;
    json_put_key(w, STR("frames"));
    json_put_array(w);
    for (uint32_t i = 0; i < sh->n_frames; i++) {
        json_put_object(w);
        put_place(w, sh->frames[i]);
        if (sh->frames[i]->text[2].len)
            put_text(w, STR("module"), sh->frames[i]->text[2]);
        json_put_key(w, STR("in_app"));
        json_put_bool(w, sh->frames[i]->kind);
        put_vars(w, sh, i);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    if (cut)
        put_uint(w, STR("frames_cut"), cut);
    if (h->vars_cut)
        put_uint(w, STR("vars_cut"), h->vars_cut);
}

// In the order of the probe, whatever order the target has.
static void put_exprs(struct json_writer *w, const struct shape *sh, const struct probe *probe)
{
    bool any = false;
    for (uint32_t e = 0; e < probe->n_exprs; e++)
        for (size_t i = 0; i < sh->n; i++) {
            const struct capture_section *s = &sh->list[i];
            if ((s->tag != CAPTURE_EXPR && s->tag != CAPTURE_EXPR_ERROR) || s->number != e)
                continue;
            if (!any) {
                json_put_key(w, STR("exprs"));
                json_put_array(w);
            }
            any = true;
            json_put_object(w);
            put_text(w, STR("text"), probe->exprs[e].text);
            if (s->tag == CAPTURE_EXPR)
                put_value(w, sh, s->value);
            else
                put_text(w, STR("error"), s->text[0]);
            json_put_object_end(w);
            break;
        }
    if (any)
        json_put_array_end(w);
}

static const struct capture_section *find(const struct shape *sh, enum capture_tag tag)
{
    for (size_t i = 0; i < sh->n; i++)
        if (sh->list[i].tag == tag)
            return &sh->list[i];
    return NULL;
}

static void put_identity(struct json_writer *w, const struct shape *sh, const struct probe_capture_head *h,
                         const struct probe *probe)
{
    const struct capture_section *thread = find(sh, CAPTURE_THREAD);
    char time[32];
    put_text(w, STR("probe"), probe->id);
    put_uint(w, STR("revision"), probe->revision);
    put_text(w, STR("kind"), probe_kind_name(probe->kind));
    put_text(w, STR("time"), str_of(time, (size_t)fmt_rfc3339(time, h->time_ns)));
    json_put_key(w, STR("thread"));
    json_put_object(w);
    put_uint(w, STR("id"), h->thread);
    if (thread)
        put_text(w, STR("name"), thread->text[0]);
    json_put_object_end(w);
    if (h->has_trace) {
        json_put_key(w, STR("trace"));
        json_put_hex(w, bytes_of(h->trace, 16));
    }
    if (h->has_span) {
        json_put_key(w, STR("span"));
        json_put_hex(w, bytes_of(h->span, 8));
    }
    if (sh->n_frames)
        put_place(w, sh->frames[0]);
}

static void put_log(struct json_writer *w, const struct probe *probe, str body)
{
    json_put_key(w, STR("log"));
    json_put_object(w);
    put_text(w, STR("level"), probe_level_name(probe->log.level));
    put_text(w, STR("body"), body);
    json_put_object_end(w);
}

static void put_rest(struct json_writer *w, const struct shape *sh, const struct probe_capture_head *h,
                     const struct probe *probe, const struct buf *body)
{
    const struct capture_section *s = find(sh, CAPTURE_RETURN);
    size_t len;
    if (s) {
        json_put_key(w, STR("return"));
        probe_value_json(s->value, sh->twice, w, &len);
    }
    s = find(sh, CAPTURE_EXCEPTION);
    if (s) {
        json_put_key(w, STR("exception"));
        json_put_object(w);
        put_text(w, STR("type"), s->text[0]);
        put_value(w, sh, s->value);
        put_text(w, STR("message"), s->text[1]);
        json_put_object_end(w);
        if (h->reporter != PROBE_REPORTER_UNKNOWN)
            put_text(w, STR("reporter"), h->reporter == PROBE_REPORTER_SENTRY ? STR("sentry") : STR("none"));
    }
    if (h->duration_ns >= 0)
        put_uint(w, STR("duration_ns"), (uint64_t)h->duration_ns);
    s = find(sh, CAPTURE_LOG);
    if (s)
        put_log(w, probe, s->text[0]);
    else if (probe->has_log && probe->log.n_parts)
        put_log(w, probe, buf_view(body));
    put_uint(w, STR("cost_ns"), h->cost_ns);
    put_uint(w, STR("bytes"), h->length);
    put_uint(w, STR("redacted"), h->redacted);
    put_uint(w, STR("dropped_before"), h->dropped_before);
    if (h->cut) {
        json_put_key(w, STR("cut"));
        json_put_str(w, STR("bytes"));
    }
}

int probe_capture_json(bytes record, const struct probe *probe, struct arena *arena, struct json_writer *out)
{
    struct probe_capture_head h;
    struct shape sh = { 0 };
    int rc = probe_capture_head(record, &h);
    if (rc == 0)
        rc = read_sections(bytes_of(record.ptr, h.length), arena, &sh);
    if (rc < 0)
        return rc;
    struct buf body;
    unsigned redacted = 0;
    buf_init(&body, PROBE_CAPTURE_LOG_MAX);
    if (probe->has_log && !find(&sh, CAPTURE_LOG))
        rc = capture_log_body(sh.list, sh.n, probe, &body, &redacted);
    if (rc < 0 && rc != ERR_LIMIT) {
        buf_free(&body);
        return rc;
    }
    h.redacted += redacted;
    json_put_object(out);
    put_identity(out, &sh, &h, probe);
    put_frames(out, &sh, &h);
    put_exprs(out, &sh, probe);
    put_rest(out, &sh, &h, probe, &body);
    json_put_object_end(out);
    buf_free(&body);
    return 0;
}

int probe_capture_metric_value(bytes record, double *ret_value)
{
    struct probe_capture_head h;
    struct capture_section s;
    size_t at = PROBE_CAPTURE_HEAD;
    int rc = probe_capture_head(record, &h);
    while (rc == 0 && (rc = capture_section_next(bytes_of(record.ptr, h.length), &at, &s)) == 0) {
        if (s.tag == CAPTURE_END)
            return ERR_NOENT;
        if (s.tag == CAPTURE_METRIC) {
            *ret_value = s.metric;
            return 0;
        }
    }
    return rc;
}
