// JSON (RFC 8259), both ways, without a tree.
//
// Reader: pull, one token at a time, strict: no comments, no trailing commas, no leading zeros, no bare
// NaN, UTF-8 only, one value a document. Depth is capped. Texts are views into the input where it holds
// no escapes, else copies in the caller's arena. Numbers stay text ("64-bit exact"); accessors convert.
// A reader is a plain value: copy it to remember a place, copy it back to return there.
// Duplicate member names are not looked for: the caller sees both, in order.
//
// Two levels of use: json_next() gives every token; the json_object()/json_member()/... helpers walk a
// document whose shape is known. Errors: ERR_MALFORMED, ERR_TRUNCATED (input ends early), ERR_LIMIT
// (depth), ERR_NOMEM (arena), ERR_INVALID (well-formed, but not the type that was asked for);
// json_reader_err() turns one into words with line and column. After an error the reader is dead.
//
// Writer: streams into a struct buf, puts commas and escapes itself. Errors stick to the buffer.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum { JSON_DEPTH_MAX = 256 };

enum json_type {
    JSON_END, // after the document's value: only white space was left
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_token {
    enum json_type type;
    str text; // KEY, STRING: decoded; NUMBER: as written; else empty
};

struct json_reader {
    const char *p, *end, *start;
    struct arena *arena;
    const char *why; // of the last error, a phrase; NULL when its code says all
    uint64_t is_object[JSON_DEPTH_MAX / 64];
    uint32_t lossy; // lone surrogate escapes read as U+FFFD
    uint16_t depth, depth_max;
    uint8_t expect; // of the grammar, internal
};

// arena: for texts with escapes. depth_max: open objects and arrays, at most JSON_DEPTH_MAX.
void json_reader_init(struct json_reader *r, str text, struct arena *arena, unsigned depth_max);
int json_next(struct json_reader *r, struct json_token *ret_token);
// Kind of the next token without taking it (JSON_END also where the text ends or is malformed).
enum json_type json_peek(const struct json_reader *r);
// Skips one whole value (checking it); ret_raw (may be NULL): its text, as written.
int json_skip(struct json_reader *r, str *ret_raw);
// Passes over the array or object that is a member's value, several times faster, without checking it: for
// one that will be read later through a copy of the reader. ERR_TRUNCATED when it does not end.
int json_pass(struct json_reader *r);
// Bytes from the start of the text to where the reader stands (at an error: where that is).
static inline size_t json_offset(const struct json_reader *r) { return (size_t)(r->p - r->start); }
// Fills err (place "line L, column C") and returns code.
int json_reader_err(const struct json_reader *r, int code, struct err *err);

// Enters an object; then json_member() gives 1 and a name before each value, 0 after the closing brace.
int json_object(struct json_reader *r);
int json_member(struct json_reader *r, str *ret_name);
// Enters an array; then json_element() gives 1 before each value, 0 after the closing bracket.
int json_array(struct json_reader *r);
int json_element(struct json_reader *r);
// One value of a known type.
int json_text(struct json_reader *r, str *ret_s);
int json_bool(struct json_reader *r, bool *ret_b);
int json_int(struct json_reader *r, int64_t *ret_i); // a whole number within int64, also written 1e3 or 5.0
int json_double(struct json_reader *r, double *ret_d);
// Takes the value if it is null.
bool json_null(struct json_reader *r);
// The document is over.
int json_done(struct json_reader *r);

// Length of the number at p by JSON's grammar, 0 if there is none.
size_t json_number_len(const char *p, const char *end);
// Numbers as text: false when it is not one, not whole, or out of range.
bool json_number_int(str number, int64_t *ret_i);
bool json_number_uint(str number, uint64_t *ret_u);
// Correctly rounded; beyond the range of double: infinity.
bool json_number_double(str number, double *ret_d);

struct json_writer {
    struct buf *out;
    uint64_t lossy; // bytes of invalid UTF-8 written as U+FFFD
    uint32_t depth; // open objects and arrays; any depth
    bool comma;     // a value stands before this place
};

static inline void json_writer_init(struct json_writer *w, struct buf *out) { *w = (struct json_writer){ .out = out }; }
void json_put_object(struct json_writer *w);
void json_put_object_end(struct json_writer *w);
void json_put_array(struct json_writer *w);
void json_put_array_end(struct json_writer *w);
// A member's name; its value follows.
void json_put_key(struct json_writer *w, str name);
void json_put_str(struct json_writer *w, str s);
void json_put_int(struct json_writer *w, int64_t i);
void json_put_uint(struct json_writer *w, uint64_t u);
// Shortest text that reads back the same; "NaN", "Infinity", "-Infinity" as strings.
void json_put_double(struct json_writer *w, double d);
void json_put_bool(struct json_writer *w, bool b);
void json_put_null(struct json_writer *w);
// Well-formed JSON that the caller has made.
void json_put_raw(struct json_writer *w, str json);
// Lower-case hexadecimal and base64 strings of bytes.
void json_put_hex(struct json_writer *w, bytes b);
void json_put_base64(struct json_writer *w, bytes b);

// Appends s with JSON's escapes but without the quotes; returns the bytes that became U+FFFD.
uint64_t json_escape(struct buf *out, str s);
