// The audit trail: reading it, and checking its chain.
#include "api/api_internal.h"

#include "base/mem.h"
#include "meta/audit.h"

enum { AUDIT_TEXT_MAX = 512 };

void api_audit_list(struct api_call *call)
{
    struct meta_audit_entry *list;
    struct err err;
    uint64_t before = 0, limit = 100;
    size_t n;
    str containing;
    if (!api_whole_workspace(call) || !api_param(call, STR("containing"), &containing) ||
        !api_param_uint(call, STR("before"), 1, INT64_MAX, &before) ||
        !api_param_uint(call, STR("limit"), 1, 1000, &limit))
        return;
    if (containing.len > AUDIT_TEXT_MAX) {
        api_reply_error(call->req, 400, "bad_argument", "containing is longer than any entry");
        return;
    }
    if (meta_audit_list(call->api->options.meta, (int64_t)before, containing, limit, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("entries"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("seq"));
        json_put_int(&w, list[i].seq);
        json_put_key(&w, STR("time"));
        api_put_time(&w, list[i].time_ns);
        json_put_key(&w, STR("actor"));
        json_put_str(&w, str_z(list[i].actor));
        json_put_key(&w, STR("action"));
        json_put_str(&w, str_z(list[i].action));
        json_put_key(&w, STR("target"));
        json_put_str(&w, str_z(list[i].target));
        json_put_key(&w, STR("detail"));
        json_put_str(&w, str_z(list[i].detail));
        json_put_key(&w, STR("hash"));
        json_put_hex(&w, bytes_of(list[i].hash, 32));
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    mem_free(list);
    api_reply_json_take(call->req, 200, &body);
}

void api_audit_verify(struct api_call *call)
{
    struct meta_audit_report report = { 0 };
    struct err err = { 0 };
    struct buf body;
    struct json_writer w;
    if (!api_whole_workspace(call))
        return;
    int r = meta_audit_verify(call->api->options.meta, NULL, &report, &err);
    if (r < 0 && r != ERR_CORRUPT) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("holds"));
    json_put_bool(&w, r == 0);
    json_put_key(&w, STR("entries"));
    json_put_int(&w, report.entries);
    json_put_key(&w, STR("head"));
    json_put_hex(&w, bytes_of(report.head, 32));
    if (r < 0) {
        json_put_key(&w, STR("message"));
        json_put_str(&w, str_z(err.message));
    }
    if (report.bad_seq) {
        json_put_key(&w, STR("bad_seq"));
        json_put_int(&w, report.bad_seq);
    }
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
