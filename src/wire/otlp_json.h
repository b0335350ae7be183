// Reading OTLP/JSON: protobuf's JSON mapping with OTLP's exceptions (ids in hex, enums as numbers).
// Every function that reads notes where the request is malformed before it returns a negative code.
#pragma once
#include "base/json.h"
#include "wire/otlp_internal.h"

struct otlp_json {
    struct otlp_decoder *d;
    struct json_reader r;
};

// A member's two spellings; snake is empty where both are the same.
struct otlp_json_name {
    str camel, snake;
};
#define OTLP_JSON_NAME(camel, snake)     \
    {                                    \
        STR_INIT(camel), STR_INIT(snake) \
    }

// Malformed where the reader stands.
int otlp_json_bad(struct otlp_json *j, int rc);

// Enters an object.
int otlp_json_object(struct otlp_json *j);
// Next member that is known and not null: 1 and its index in names. 0 after the last.
int otlp_json_member(struct otlp_json *j, const struct otlp_json_name *names, size_t names_n, int *ret_index);
int otlp_json_array(struct otlp_json *j);
int otlp_json_element(struct otlp_json *j); // 1, or 0 after the last
int otlp_json_skip(struct otlp_json *j);

int otlp_json_str(struct otlp_json *j, str *ret_s);
int otlp_json_bool(struct otlp_json *j, bool *ret_b);
// Integers: numbers or strings.
int otlp_json_u64(struct otlp_json *j, uint64_t *ret_u);
int otlp_json_i64(struct otlp_json *j, int64_t *ret_i);
int otlp_json_u32(struct otlp_json *j, uint32_t *ret_u);
// Numbers, or "NaN", "Infinity", "-Infinity" and numbers as strings.
int otlp_json_double(struct otlp_json *j, double *ret_d);
// Hex into arena memory; what is no hex rejects the record and reads as empty.
int otlp_json_id(struct otlp_json *j, bytes *ret_id);
// A number, or one of names (after prefix).
int otlp_json_enum(struct otlp_json *j, str prefix, const char *const *names, size_t names_n, uint64_t *ret_v);

// AnyValue; appended to d->enc, or as a value.
int otlp_json_encode_value(struct otlp_json *j, unsigned depth);
int otlp_json_value(struct otlp_json *j, struct value *ret_v);
// An array of KeyValue: appended to d->enc as a MAP; appended to the record's attributes; or as an array in
// the arena with room for `extra` more.
int otlp_json_encode_map(struct otlp_json *j, unsigned depth);
int otlp_json_record_attrs(struct otlp_json *j);
int otlp_json_attrs(struct otlp_json *j, enum attr_level level, uint32_t extra, struct attr **ret_attrs,
                    uint32_t *ret_n);
// Puts the number of elements before what d->enc holds from `at` on.
void otlp_json_insert_count(struct otlp_decoder *d, size_t at, uint64_t n);

// One record message each.
int otlp_json_span(struct otlp_json *j);
int otlp_json_log(struct otlp_json *j);
int otlp_json_metric(struct otlp_json *j);
