// Errors: functions return 0 or a negative code of this one table. Where a person will read the
// cause, the last parameter is a struct err * (may be NULL) that carries the words.
// Programming errors do not come here: see must.h.
#pragma once
#include "base/bytes.h"

#define ERR_TABLE(X)                              \
    X(ERR_NOMEM, -1, "out of memory")             \
    X(ERR_LIMIT, -2, "a limit was reached")       \
    X(ERR_TRUNCATED, -3, "input ends too early")  \
    X(ERR_MALFORMED, -4, "input is malformed")    \
    X(ERR_CORRUPT, -5, "stored data is damaged")  \
    X(ERR_IO, -6, "input/output error")           \
    X(ERR_NOSPC, -7, "no space left on the disk") \
    X(ERR_NOENT, -8, "not found")                 \
    X(ERR_EXIST, -9, "exists already")            \
    X(ERR_BUSY, -10, "busy, try again later")     \
    X(ERR_TIMEOUT, -11, "took too long")          \
    X(ERR_CANCELLED, -12, "cancelled")            \
    X(ERR_CLOSED, -13, "closed by the peer")      \
    X(ERR_UNSUPPORTED, -14, "not supported")      \
    X(ERR_INVALID, -15, "invalid argument")       \
    X(ERR_DENIED, -16, "not allowed")             \
    X(ERR_AGAIN, -17, "would block")              \
    X(ERR_READONLY, -18, "read-only")             \
    X(ERR_STOPPING, -19, "stopping")

enum {
#define ERR_ENUM_ENTRY(name, value, text) name = value,
    ERR_TABLE(ERR_ENUM_ENTRY)
#undef ERR_ENUM_ENTRY
};

struct err {
    int code;          // of the table above
    char slug[32];     // stable, for programs: "unknown_column"
    char message[384]; // what happened, one sentence
    char place[128];   // where: file, field, URL path
    char hint[256];    // what to do about it
    int line, column;  // of a text, from 1 in code points; 0 when it has none
    int length;        // code points to underline
};

// The table's text for a code ("unknown error" for others); never NULL.
const char *err_text(int code);
// errno -> code of the table (ENOSPC/EDQUOT -> ERR_NOSPC, ENOMEM -> ERR_NOMEM, ...).
int err_of_errno(int sys_errno);
// Fills *err if it is not NULL (clearing what it held) and returns code. slug may be NULL (derived from code).
int err_set(struct err *err, int code, const char *slug, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void err_set_place(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_set_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
