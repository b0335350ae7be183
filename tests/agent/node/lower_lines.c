// One line of {"text":..} from stdin, one line out: {"code": JavaScript, "tables":.., "names":[..]}, or {"error": slug}. What the names mean is given by
// run_lowered.js, which runs the code; tests/probe/reference/compare_node.py asks both.
#include "agent/node/lower.h"
#include "base/json_tree.h"
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

struct names {
    str list[64];
    bool file[64];
    unsigned n;
};

static bool name_of(void *ctx, str name, bool file, struct buf *out)
{
    struct names *names = ctx;
    unsigned i = 0;
    while (i < names->n && (!str_eq(names->list[i], name) || names->file[i] != file))
        i++;
    must(i < 64);
    names->list[i] = name, names->file[i] = file;
    names->n = i == names->n ? i + 1 : names->n;
    buf_printf(out, "a%u", i);
    return true;
}

static void put(struct json_writer *w, const char *key, str value)
{
    json_put_key(w, str_z(key));
    json_put_str(w, value);
}

static void line(str json)
{
    struct arena arena;
    const struct json_node *root;
    struct probe_expr *e;
    struct names names = { 0 };
    struct lower_found found = { 0 };
    struct buf code, tables, out;
    struct json_writer w;
    struct err err = { 0 };
    arena_init(&arena, 8 << 20);
    buf_init(&code, 1 << 20), buf_init(&tables, 1 << 20), buf_init(&out, 4 << 20);
    struct lower l = { .ctx = &names, .name = name_of, .service = STR("shop"), .tables = &tables, .found = &found };
    must(json_tree_read(json, &arena, 64, &root, NULL) == 0);
    json_writer_init(&w, &out);
    json_put_object(&w);
    if (probe_expr_parse(json_get_text(root, STR("text")), &arena, &e, &err) < 0) {
        put(&w, "error", str_z(err.slug));
    } else {
        lower_expr(&l, e, &code);
        put(&w, "code", buf_view(&code)), put(&w, "tables", buf_view(&tables));
        json_put_key(&w, STR("names"));
        json_put_array(&w);
        for (unsigned i = 0; i < names.n; i++) {
            json_put_array(&w);
            json_put_str(&w, names.list[i]), json_put_bool(&w, names.file[i]);
            json_put_array_end(&w);
        }
        json_put_array_end(&w);
    }
    json_put_object_end(&w);
    must(!out.error && fwrite(out.ptr, 1, out.len, stdout) == out.len && putchar(10) != EOF);
    buf_free(&code), buf_free(&tables), buf_free(&out);
    arena_free(&arena);
}

int main(void)
{
    char *at = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&at, &cap, stdin)) > 0;)
        line(str_trim(str_of(at, (size_t)n)));
    free(at);
    return fflush(stdout) ? 1 : 0;
}
