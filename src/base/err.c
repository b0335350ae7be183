#include "base/err.h"

#include "base/must.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *err_text(int code)
{
    switch (code) {
#define ERR_TEXT_CASE(name, value, text) \
    case name:                           \
        return text;
        ERR_TABLE(ERR_TEXT_CASE)
#undef ERR_TEXT_CASE
    case 0:
        return "no error";
    default:
        return "unknown error";
    }
}

int err_of_errno(int sys_errno)
{
    switch (sys_errno) {
    case ENOMEM:
        return ERR_NOMEM;
    case ENOSPC:
    case EDQUOT:
        return ERR_NOSPC;
    case ENOENT:
        return ERR_NOENT;
    case EEXIST:
        return ERR_EXIST;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case EROFS:
        return ERR_READONLY;
    case EAGAIN:
        return ERR_AGAIN;
    case EBUSY:
        return ERR_BUSY;
    case EINVAL:
        return ERR_INVALID;
    case ECONNRESET:
    case EPIPE:
        return ERR_CLOSED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    default:
        return ERR_IO;
    }
}

int err_set(struct err *err, int code, const char *slug, const char *fmt, ...)
{
    if (!err)
        return code;
    memset(err, 0, sizeof *err);
    err->code = code;
    snprintf(err->slug, sizeof err->slug, "%s", slug ? slug : "error");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    return code;
}

void err_set_place(struct err *err, const char *fmt, ...)
{
    if (!err)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->place, sizeof err->place, fmt, ap);
    va_end(ap);
}

void err_set_hint(struct err *err, const char *fmt, ...)
{
    if (!err)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
}

_Noreturn void must_fail(const char *expr, const char *file, int line)
{
    fprintf(stderr, "clew: %s:%d: this must hold and does not: %s\n", file, line, expr);
    abort();
}
