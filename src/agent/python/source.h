// What the text of a Python file says of its functions, of the lines that a probe can stand on, and of the names that a line can see.
// Read as text, without the process and without running anything: a scanner of tokens and indentation, which no text can make fail.
#pragma once
#include "base/buf.h"
#include "base/bytes.h"

enum py_scope_kind { PY_MODULE, PY_FUNCTION, PY_CLASS };
enum py_name_kind {
    PY_ARG,
    PY_LOCAL,
    PY_CLOSURE,
    PY_GLOBAL,
    PY_DECLARED
}; // DECLARED: by global or nonlocal, so not its own

struct py_scope {
    enum py_scope_kind kind;
    int parent; // index; -1 of the module
    str name;
    int line, end; // where its head begins, and its last line
    int body;      // the first line behind its head
    int indent;
};
struct py_name {
    int scope;
    enum py_name_kind kind;
    str name;
};
struct py_line {
    int line, scope; // where a statement of a function begins that leaves code
};

struct py_source {
    str text;
    struct buf scopes, names, lines; // arrays of the above, in the order of the text
};

// text must outlive it. ERR_NOMEM, or ERR_LIMIT for a file with more than can be kept.
int py_source_read(struct py_source *s, str text);
void py_source_free(struct py_source *s);

static inline const struct py_scope *py_scopes(const struct py_source *s, size_t *ret_n)
{
    *ret_n = s->scopes.len / sizeof(struct py_scope);
    return (const struct py_scope *)s->scopes.ptr;
}
static inline const struct py_line *py_lines(const struct py_source *s, size_t *ret_n)
{
    *ret_n = s->lines.len / sizeof(struct py_line);
    return (const struct py_line *)s->lines.ptr;
}
// "Class.method", "outer.<locals>.inner", as the interpreter has it.
int py_qualified(const struct py_source *s, const struct py_scope *of, struct buf *out);
// Each name that is visible at this line, once: arguments, locals, closures, globals.
void py_visible(const struct py_source *s, int line, void (*each)(void *ctx, str name, enum py_name_kind kind),
                void *ctx);
// The line itself when a probe can stand on it, else those around it, the nearest first. Returns how many of `most` there are.
int py_nearest(const struct py_source *s, int line, int *out, int most);
// The text from one line to another, both included.
str py_text(const struct py_source *s, int first, int last);
