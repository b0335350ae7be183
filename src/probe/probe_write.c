// A probe as JSON: see probe.h.
#include "base/timefmt.h"
#include "probe/names_internal.h"

static void put_text(struct json_writer *w, str name, str s)
{
    if (!s.len)
        return;
    json_put_key(w, name);
    json_put_str(w, s);
}

static void put_uint(struct json_writer *w, str name, uint64_t v)
{
    json_put_key(w, name);
    json_put_uint(w, v);
}

static void put_program(struct json_writer *w, const struct probe_program *p)
{
    json_put_object(w);
    put_text(w, STR("text"), p->text);
    if (p->tree.len) {
        json_put_key(w, STR("tree"));
        json_put_raw(w, p->tree);
    }
    if (p->code.len) {
        json_put_key(w, STR("code"));
        json_put_base64(w, p->code);
    }
    json_put_object_end(w);
}

static void put_where(struct json_writer *w, const struct probe_where *at)
{
    json_put_key(w, STR("where"));
    json_put_object(w);
    put_text(w, STR("file"), at->file);
    if (at->line)
        put_uint(w, STR("line"), at->line);
    if (at->column)
        put_uint(w, STR("column"), at->column);
    put_text(w, STR("function"), at->function);
    put_text(w, STR("module"), at->module);
    if (at->kind == PROBE_AT_FUNCTION)
        put_text(w, STR("at"), probe_point_name(at->point));
    put_text(w, STR("exception"), at->exception);
    if (at->kind == PROBE_AT_EXCEPTION) {
        json_put_key(w, STR("uncaught"));
        json_put_bool(w, at->uncaught);
    }
    json_put_object_end(w);
}

static void put_hit(struct json_writer *w, const struct probe *p)
{
    static const char *const signs[] = { "", "==", ">=", "%" };
    char text[16];
    size_t n = strlen(signs[p->hit_op]), digits = 0;
    char number[12];
    if (p->hit_op == PROBE_HIT_ALL)
        return;
    memcpy(text, signs[p->hit_op], n);
    for (uint32_t v = p->hit_n; v || !digits; v /= 10)
        number[digits++] = (char)('0' + v % 10);
    while (digits)
        text[n++] = number[--digits];
    put_text(w, STR("hit"), str_of(text, n));
}

static void put_log(struct json_writer *w, const struct probe *p)
{
    json_put_key(w, STR("log"));
    json_put_object(w);
    put_text(w, STR("level"), probe_level_name(p->log.level));
    put_text(w, STR("template"), p->log.text);
    json_put_key(w, STR("parts"));
    json_put_array(w);
    for (size_t i = 0; i < p->log.n_parts; i++) {
        const struct probe_part *part = &p->log.parts[i];
        json_put_object(w);
        if (part->is_expr) {
            json_put_key(w, STR("expr"));
            put_program(w, &part->expr);
        } else {
            json_put_key(w, STR("text"));
            json_put_str(w, part->text);
        }
        json_put_object_end(w);
    }
    json_put_array_end(w);
    json_put_object_end(w);
}

static void put_metric(struct json_writer *w, const struct probe *p)
{
    json_put_key(w, STR("metric"));
    json_put_object(w);
    put_text(w, STR("kind"), probe_metric_names[p->metric.kind]);
    put_text(w, STR("name"), p->metric.name);
    if (p->metric.has_value) {
        json_put_key(w, STR("value"));
        put_program(w, &p->metric.value);
    }
    if (p->metric.n_by) {
        json_put_key(w, STR("by"));
        json_put_object(w);
        for (size_t i = 0; i < p->metric.n_by; i++) {
            json_put_key(w, p->metric.by[i].name);
            put_program(w, &p->metric.by[i].value);
        }
        json_put_object_end(w);
    }
    json_put_object_end(w);
}

static void put_scope(struct json_writer *w, const struct probe *p)
{
    json_put_key(w, STR("scope"));
    json_put_object(w);
    put_text(w, STR("service"), p->scope.service);
    put_text(w, STR("version"), p->scope.version);
    put_text(w, STR("environment"), p->scope.environment);
    put_text(w, STR("host"), p->scope.host);
    if (p->scope.pid)
        put_uint(w, STR("pid"), p->scope.pid);
    if (p->scope.n_processes) {
        json_put_key(w, STR("processes"));
        json_put_array(w);
        for (size_t i = 0; i < p->scope.n_processes; i++)
            json_put_str(w, p->scope.processes[i]);
        json_put_array_end(w);
    }
    json_put_key(w, STR("instances"));
    if (p->scope.spread == PROBE_ON_ALL)
        json_put_str(w, STR("all"));
    else if (p->scope.spread == PROBE_ON_COUNT)
        json_put_uint(w, p->scope.instances);
    else {
        char text[8];
        size_t n = 0;
        if (p->scope.instances >= 100)
            text[n++] = '1';
        if (p->scope.instances >= 10)
            text[n++] = (char)('0' + p->scope.instances / 10 % 10);
        text[n++] = (char)('0' + p->scope.instances % 10);
        text[n++] = '%';
        json_put_str(w, str_of(text, n));
    }
    json_put_object_end(w);
}

void probe_write(struct json_writer *w, const struct probe *p)
{
    char time[32];
    json_put_object(w);
    put_text(w, STR("id"), p->id);
    put_uint(w, STR("revision"), p->revision);
    put_text(w, STR("kind"), probe_kind_name(p->kind));
    put_where(w, &p->where);
    put_text(w, STR("match"), probe_match_names[p->match]);
    put_text(w, STR("source_hash"), p->source_hash);
    put_text(w, STR("line_hash"), p->line_hash);
    put_text(w, STR("function"), p->follow_function);
    if (p->has_condition) {
        json_put_key(w, STR("if"));
        put_program(w, &p->condition);
    }
    put_hit(w, p);
    json_put_key(w, STR("sample"));
    json_put_double(w, p->sample);
    put_text(w, STR("keep"), probe_keep_names[p->keep]);
    if (p->keep_ms)
        put_uint(w, STR("keep_ms"), p->keep_ms);
#define PUT(member, name, value, least, most, what) put_uint(w, STR(name), p->member);
    PROBE_LIMIT_TABLE(PUT)
#undef PUT
    json_put_key(w, STR("locals"));
    json_put_bool(w, p->locals);
    json_put_key(w, STR("args"));
    json_put_bool(w, p->args);
    json_put_key(w, STR("exprs"));
    json_put_array(w);
    for (size_t i = 0; i < p->n_exprs; i++)
        put_program(w, &p->exprs[i]);
    json_put_array_end(w);
    if (p->has_log)
        put_log(w, p);
    if (p->has_metric)
        put_metric(w, p);
    put_scope(w, p);
    if (p->expires_ns)
        put_text(w, STR("expires"), str_of(time, (size_t)fmt_rfc3339(time, p->expires_ns)));
    put_uint(w, STR("grant"), p->grant);
    json_put_key(w, STR("rate"));
    json_put_double(w, p->rate);
    put_uint(w, STR("burst"), p->burst);
    json_put_key(w, STR("paused"));
    json_put_bool(w, p->paused);
    if (p->count_only) {
        json_put_key(w, STR("count_only"));
        json_put_bool(w, true);
    }
    json_put_object_end(w);
}
