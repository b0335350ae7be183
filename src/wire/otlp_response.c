#include "wire/otlp_response.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/pb.h"

#include <stdio.h>

int otlp_response_encode(enum otlp_signal signal, enum otlp_format format, const struct otlp_result *result,
                         struct buf *out)
{
    static const char *const counts[] = { "rejectedSpans", "rejectedLogRecords", "rejectedDataPoints" };
    bool partial = result->rejected || result->message[0];
    if (format == OTLP_PROTOBUF) {
        if (partial) {
            size_t at = pb_begin(out, 1);
            if (result->rejected)
                pb_put_varint(out, 1, result->rejected);
            if (result->message[0])
                pb_put_str(out, 2, str_z(result->message));
            pb_end(out, at);
        }
        return out->error;
    }
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    if (partial) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)result->rejected);
        json_put_key(&w, STR("partialSuccess"));
        json_put_object(&w);
        if (result->rejected) {
            json_put_key(&w, str_z(counts[signal]));
            json_put_str(&w, str_z(number)); // int64 is a string in proto3's JSON
        }
        if (result->message[0]) {
            json_put_key(&w, STR("errorMessage"));
            json_put_str(&w, str_z(result->message));
        }
        json_put_object_end(&w);
    }
    json_put_object_end(&w);
    return out->error;
}

#define RETRY_INFO_TYPE "type.googleapis.com/google.rpc.RetryInfo"

static void status_pb(int code, str message, int64_t delay_ns, struct buf *out)
{
    pb_put_varint(out, 1, (uint64_t)code);
    if (message.len)
        pb_put_str(out, 2, message);
    if (delay_ns <= 0)
        return;
    size_t any = pb_begin(out, 3);
    pb_put_str(out, 1, STR(RETRY_INFO_TYPE));
    size_t info = pb_begin(out, 2), duration = pb_begin(out, 1);
    if (delay_ns / NS_PER_S)
        pb_put_varint(out, 1, (uint64_t)(delay_ns / NS_PER_S));
    if (delay_ns % NS_PER_S)
        pb_put_varint(out, 2, (uint64_t)(delay_ns % NS_PER_S));
    pb_end(out, duration);
    pb_end(out, info);
    pb_end(out, any);
}

// google.protobuf.Duration in JSON: seconds with no, three, six or nine decimals and an "s".
static void put_duration(struct json_writer *w, int64_t ns)
{
    char text[40];
    long long s = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (rest == 0)
        snprintf(text, sizeof text, "%llds", s);
    else if (rest % NS_PER_MS == 0)
        snprintf(text, sizeof text, "%lld.%03llds", s, rest / NS_PER_MS);
    else if (rest % NS_PER_US == 0)
        snprintf(text, sizeof text, "%lld.%06llds", s, rest / NS_PER_US);
    else
        snprintf(text, sizeof text, "%lld.%09llds", s, rest);
    json_put_str(w, str_z(text));
}

static void status_json(int code, str message, int64_t delay_ns, struct buf *out)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_int(&w, code);
    json_put_key(&w, STR("message"));
    json_put_str(&w, message);
    if (delay_ns > 0) {
        json_put_key(&w, STR("details"));
        json_put_array(&w);
        json_put_object(&w);
        json_put_key(&w, STR("@type"));
        json_put_str(&w, STR(RETRY_INFO_TYPE));
        json_put_key(&w, STR("retryDelay"));
        put_duration(&w, delay_ns);
        json_put_object_end(&w);
        json_put_array_end(&w);
    }
    json_put_object_end(&w);
}

int otlp_status_encode(enum otlp_format format, int code, str message, int64_t retry_delay_ns, struct buf *out)
{
    if (format == OTLP_PROTOBUF)
        status_pb(code, message, retry_delay_ns, out);
    else
        status_json(code, message, retry_delay_ns, out);
    return out->error;
}
