// Probes in files that scripts were made of, in real processes: see mapped/build.mjs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/python/seen.h"
#include "base/buf.h"
#include "victim.h"
#include <cmocka.h>

static struct probe mapped_at(struct victim *v, const char *file, uint32_t line)
{
    struct probe p = probe_at(v, "p1", line);
    p.where.file = str_z(file);
    return p;
}

// Places one probe, and has one capture of it.
static void capture_of(struct attachment *a, struct probe *p)
{
    forget();
    p->revision++;
    apply(a, p, 1);
    until_state(a, "installed");
    until_captures(a, 1);
}

static void a_script_for_each_source(void **state)
{
    static const char *const mains[] = { "mapped/tsc/main.js", "mapped/inline/main.js" };
    for (size_t i = 0; i < node_count * 2; i++) {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        struct victim v = start(nodes[i / 2], mains[i % 2], "x");
        struct attachment *a = attach(&v);
        struct probe p = mapped_at(&v, "src/orders.ts", 18);
        struct probe_program exprs[] = { program(&arena, "sum * 2"), program(&arena, "region.name") };
        p.has_condition = true;
        p.condition = program(&arena, "sum == 18 && region.percent == 10");
        p.exprs = exprs, p.n_exprs = 2;
        capture_of(a, &p);
        assert_int_equal(seen.line, 18);
        has(seen.data, i % 2 ? "mapped/inline/orders.js\",\"line\":20" : "mapped/tsc/orders.js\",\"line\":20");
        const char *c = seen.captures[0];
        has(c, "\"function\":\"total\"");
        has(c, "mapped/src/orders.ts\",\"line\":18");
        has(c, "mapped/src/orders.ts\",\"line\":34"); // who called it
        has(c, "mapped/src/main.ts\",\"line\":6");
        has_not(c, "orders.js");
        has_not(c, "main.js");
        has(c, "\"name\":\"taxed\",\"kind\":\"local\"");
        has(c, "\"text\":\"sum * 2\",\"value\":{\"k\":\"int\",\"v\":36}");
        has(c, "\"text\":\"region.name\",\"value\":{\"k\":\"str\",\"v\":\"north\"}");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

static void one_script_of_many_sources(void **state)
{
    static const char *const mains[] = { "mapped/bundle/plain.js", "mapped/bundle/index.js",
                                         "mapped/bundle/webpack.js" };
    for (size_t i = 0; i < node_count * 3; i++) {
        struct victim v = start(nodes[i / 3], mains[i % 3], "x");
        struct attachment *a = attach(&v);
        struct probe p = mapped_at(&v, "src/rates.ts", 5);
        capture_of(a, &p);
        has(seen.captures[0], "src/rates.ts\",\"line\":5");
        has(seen.captures[0], "src/orders.ts\",\"line\":17");
        has(seen.captures[0], "\"name\":\"factor\"");
        p.where.file = STR("src/orders.ts"), p.where.line = 27;
        capture_of(a, &p);
        has(seen.captures[0], "src/orders.ts\",\"line\":27");
        // The script itself can be probed still, in its own terms.
        p.where.file = str_z(mains[i % 3]), p.where.line = i % 3 == 1 ? 29 : 28;
        capture_of(a, &p);
        has(seen.captures[0], mains[i % 3]);
        has_not(seen.captures[0], ".ts\"");
        assert_string_equal(seen.data, "");
        p.where = (struct probe_where){ .kind = PROBE_AT_FUNCTION, .file = STR("src/orders.ts") };
        p.where.function = STR("Refund.total"); // and not Order.total, which comes first
        capture_of(a, &p);
        has(seen.captures[0], "src/orders.ts\",\"line\":26");
        has(seen.captures[0], "\"name\":\"percent\",\"kind\":\"arg\"");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

// Minified: names are those of the source, wherever a person meets them.
static void names_are_those_of_the_source(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        struct victim v = start(nodes[i], "mapped/bundle/minified.js", "x");
        struct attachment *a = attach(&v);
        struct probe p = mapped_at(&v, "src/orders.ts", 36);
        struct probe_program exprs[] = { program(&arena, "orderNumber"), program(&arena, "order.items[1].price"),
                                         program(&arena, "password") };
        p.has_condition = true;
        p.condition = program(&arena, "discount == 2 && total > 0");
        p.exprs = exprs, p.n_exprs = 3;
        capture_of(a, &p);
        const char *c = seen.captures[0];
        has(c, "\"function\":\"place\"");
        has(c, "src/orders.ts\",\"line\":36");
        has(c, "src/main.ts\",\"line\":6");
        has(c, "\"name\":\"orderNumber\",\"kind\":\"arg\"");
        has(c, "\"name\":\"discount\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":2}");
        has(c, "\"name\":\"total\",\"kind\":\"local\"");
        has(c, "\"text\":\"order.items[1].price\",\"value\":{\"k\":\"int\",\"v\":14}");
        has_not(c, "hunter2"); // it has another name in the script
        p.has_condition = false, p.n_exprs = 0;
        p.where =
            (struct probe_where){ .kind = PROBE_AT_FUNCTION, .file = STR("src/orders.ts"), .function = STR("place") };
        capture_of(a, &p);
        has(seen.captures[0], "\"function\":\"place\"");
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

// What is installed is hit, whatever stood in the script before it: each change leaves V8 another script of that name, which nothing runs.
static void one_probe_after_another(void **state)
{
    enum { TIMES = 15 };
    for (size_t i = 0; i < node_count; i++) {
        struct victim v = start(nodes[i], "mapped/bundle/minified.js", "x");
        struct attachment *a = attach(&v);
        struct probe p = mapped_at(&v, "src/orders.ts", 36);
        for (int k = 0; k < TIMES; k++) {
            p.where = (struct probe_where){ .kind = PROBE_AT_FUNCTION, .file = STR("src/orders.ts") };
            if (k % 3 == 0)
                p.where.kind = PROBE_AT_LINE, p.where.line = 36;
            else
                p.where.function = k % 3 == 1 ? STR("place") : STR("Refund.total");
            capture_of(a, &p);
            has(seen.captures[0], k % 3 == 2 ? "\"function\":\"total\"" : "\"function\":\"place\"");
        }
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

static void what_cannot_be_placed_or_not_by_a_call_says_why(void **state)
{
    struct victim v = start(nodes[0], "mapped/bundle/line.js", "x");
    struct attachment *a = attach(&v);
    struct probe p = mapped_at(&v, "src/orders.ts", 32);
    apply(a, &p, 1);
    until_state(a, "installed"); // V8 would not exchange a function in a line of that length
    assert_string_equal(seen.code, "breakpoint");
    has(seen.data, "{\"generated\":");
    until_captures(a, 1);
    has(seen.captures[0], "src/orders.ts\",\"line\":32");
    forget();
    p = mapped_at(&v, "src/nothing.ts", 34);
    p.revision = 2;
    apply(a, &p, 1);
    until_code(a, "waiting", "module_not_loaded");
    works(&v);
    node_backend.detach(a);
    end(&v);
    v = start(nodes[0], "mapped/tsc/main.js", "x");
    a = attach(&v);
    forget();
    p = mapped_at(&v, "src/orders.ts", 16);
    apply(a, &p, 1);
    until_state(a, "unresolvable");
    assert_string_equal(seen.code, "no_code_at_line");
    assert_string_equal(seen.data, "{\"nearest\":[15,17]}");
    forget();
    p = mapped_at(&v, "src/orders.ts", 18);
    p.revision = 2, p.match = PROBE_MATCH_EXACT, p.source_hash = STR("00");
    apply(a, &p, 1);
    until_state(a, "mismatch");
    forget();
    // Nor where its line is in no source; and where it is, there.
    p.revision = 3, p.match = PROBE_MATCH_FOLLOW, p.line_hash = STR("00");
    apply(a, &p, 1);
    until_state(a, "mismatch");
    has(seen.data, "{\"nearest\":[17,");
    forget();
    char hash[SEEN_HASH_HEX + 1];
    seen_line_hash(STR("const taxed = sum * rate(region);"), hash);
    p.revision = 4, p.line_hash = str_z(hash);
    apply(a, &p, 1);
    until_state(a, "installed");
    assert_int_equal(seen.line, 17);
    works(&v);
    node_backend.detach(a);
    end(&v);
}

static char *ask(struct victim *v, enum resolve_what what, const char *path, int line)
{
    struct resolve_request q = { what, .path = str_z(path), .line = line };
    struct buf out;
    struct json_writer w;
    struct err err = { 0 };
    buf_init(&out, 1 << 20);
    json_writer_init(&w, &out);
    if (node_backend.resolve(&v->process, &q, &w, &err) < 0)
        fail_msg("%s: %s", path, err.message);
    char *text = strndup((char *)out.ptr, out.len);
    buf_free(&out);
    return text;
}

static void sources_are_shown(void **state)
{
    static const char *const mains[] = { "mapped/tsc/main.js", "mapped/inline/main.js", "mapped/bundle/minified.js",
                                         "mapped/bundle/webpack.js" };
    for (size_t i = 0; i < 4; i++) {
        struct victim v = start(nodes[0], mains[i], "x");
        bool webpack = i == 3;
        char *a = ask(&v, RESOLVE_SOURCE, webpack ? "src/orders.ts" : VICTIMS "/mapped/src/orders.ts", 0);
        has(a, "export class Order {");
        has(a, "\"hash\":\"");
        has(a, "\"generated\":\"" VICTIMS "/mapped/");
        has(a, "14,15,17,18,");
        has(a, "{\"name\":\"place\",\"line\":31}");
        free(a);
        a = ask(&v, RESOLVE_VARIABLES, VICTIMS "/mapped/src/orders.ts", 18);
        has(a, "{\"name\":\"region\",\"kind\":\"arg\"}");
        has(a, "{\"name\":\"taxed\",\"kind\":\"local\"}");
        free(a);
        char folder[256];
        snprintf(folder, sizeof folder, "%s/%.*s", VICTIMS, (int)(strrchr(mains[i], '/') - mains[i]), mains[i]);
        a = ask(&v, RESOLVE_FILES, folder, 0);
        has(a, "{\"name\":\"src/orders.ts\",\"path\":\"" VICTIMS "/mapped/src/orders.ts\",\"dir\":false}");
        free(a);
        end(&v);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_for_each_source),
        cmocka_unit_test(one_script_of_many_sources),
        cmocka_unit_test(names_are_those_of_the_source),
        cmocka_unit_test(one_probe_after_another),
        cmocka_unit_test(what_cannot_be_placed_or_not_by_a_call_says_why),
        cmocka_unit_test(sources_are_shown),
    };
    return victims_run("mapped", tests, sizeof tests / sizeof *tests);
}
