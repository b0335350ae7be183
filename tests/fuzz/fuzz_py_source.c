// Text that may be anything, as a file of Python: its scopes lie in one another, its lines and names within them.
#include "agent/python/source.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *ctx, str name, enum py_name_kind kind)
{
    must(name.len > 0 && kind != PY_DECLARED);
    ++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct py_source s;
    size_t n, n_lines, seen = 0;
    if (py_source_read(&s, str_of(data, size)) < 0)
        return 0;
    const struct py_scope *scopes = py_scopes(&s, &n);
    const struct py_line *lines = py_lines(&s, &n_lines);
    for (size_t i = 0; i < n; i++) {
        struct buf name;
        must(scopes[i].parent < (int)i && scopes[i].line <= scopes[i].end + 1);
        must(i == 0 || scopes[i].end <= scopes[scopes[i].parent].end);
        buf_init(&name, 1 << 20);
        py_qualified(&s, &scopes[i], &name);
        buf_free(&name);
    }
    for (size_t i = 0; i < n_lines; i++) {
        must(lines[i].scope > 0 && (size_t)lines[i].scope < n && scopes[lines[i].scope].kind == PY_FUNCTION);
        must(i == 0 || lines[i].line > lines[i - 1].line);
        if (i < 8)
            py_visible(&s, lines[i].line, look, &seen);
    }
    py_source_free(&s);
    return 0;
}
