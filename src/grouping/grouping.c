#include "grouping/grouping.h"

#include "base/mem.h"
#include "base/must.h"
#include "grouping/grouping_internal.h"

enum { RULES_MEMORY_MAX = 16 << 20, THREADS_MAX = 256 };

int grouping_rules_parse(str fingerprint_rules, str stack_rules, struct grouping_rules **ret_rules, struct err *err)
{
    if (fingerprint_rules.len > GROUPING_TEXT_MAX || stack_rules.len > GROUPING_TEXT_MAX) {
        err_set(err, ERR_LIMIT, "rules_too_long", "rules of one kind are longer than %d bytes", GROUPING_TEXT_MAX);
        err_set_place(err, fingerprint_rules.len > GROUPING_TEXT_MAX ? "fingerprint rules" : "stack-trace rules");
        return ERR_LIMIT;
    }
    struct grouping_rules *rules = mem_zalloc(sizeof *rules);
    str texts[2];
    if (!rules)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    rules->magic = GROUPING_MAGIC;
    rules->users = 1;
    arena_init(&rules->arena, RULES_MEMORY_MAX);
    // Rules point into their text.
    int r = arena_dup(&rules->arena, fingerprint_rules, &texts[0]);
    if (r == 0)
        r = arena_dup(&rules->arena, stack_rules, &texts[1]);
    if (r == 0)
        r = builtin_stack_rules(rules, err);
    if (r == 0)
        r = stack_rules_parse(texts[1], false, rules, err);
    if (r == 0)
        r = fingerprint_rules_parse(texts[0], false, rules, err);
    if (r == 0)
        r = fingerprint_rules_parse(str_z(builtin_fingerprint_rules), true, rules, err);
    if (r == 0)
        r = patterns_finish(rules);
    if (r < 0) {
        if (r == ERR_NOMEM)
            err_set(err, r, NULL, "out of memory");
        grouping_rules_free(rules);
        return r;
    }
    *ret_rules = rules;
    return 0;
}

struct grouping_rules *grouping_rules_share(struct grouping_rules *rules)
{
    MAGIC_CHECK(rules, GROUPING_MAGIC);
    rules->users++;
    return rules;
}

void grouping_rules_free(struct grouping_rules *rules)
{
    if (!rules)
        return;
    MAGIC_CHECK(rules, GROUPING_MAGIC);
    if (--rules->users)
        return;
    rules->magic = 0;
    arena_free(&rules->arena);
    mem_free(rules);
}

// --- the event

// "Type: value" for a type that the SDK left out.
static void type_complete(struct gexception *x)
{
    size_t i = 0;
    while (i < x->value.len && ((x->value.ptr[i] | 0x20) >= 'a'
                                    ? (x->value.ptr[i] | 0x20) <= 'z'
                                    : x->value.ptr[i] == '_' || (x->value.ptr[i] >= '0' && x->value.ptr[i] <= '9')))
        i++;
    if (x->type.len || !i || i >= x->value.len || x->value.ptr[i] != ':' || str_find_char(x->value, '\n', 0) >= 0)
        return;
    x->type = str_slice(x->value, 0, i);
    x->value = str_trim(str_slice(x->value, i + 1, x->value.len));
}

static int exceptions_read(struct run *run)
{
    uint32_t n = run->event->exceptions_n;
    struct gexception *all = arena_zalloc(run->arena, (n ? n : 1) * sizeof *all);
    int r = all ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        const struct sentry_exception *x = &run->event->exceptions[i];
        all[i] = (struct gexception){ .sent = x, .type = x->type, .value = x->value };
        all[i].has_stack = json_is(json_get(x->node, STR("stacktrace")), JSON_OBJECT);
        type_complete(&all[i]);
        r = frames_read(run, &x->stack, &all[i].stack);
        if (r == 0)
            r = frames_classify(run, &all[i].stack, &all[i]);
    }
    run->exceptions = all;
    run->exceptions_n = n;
    return r;
}

static int threads_read(struct run *run)
{
    uint32_t n, k = 0;
    const struct json_node *t = sentry_list(json_get(run->event->node, STR("threads")), &n);
    n = n < THREADS_MAX ? n : THREADS_MAX;
    struct gthread *all = arena_zalloc(run->arena, (n ? n : 1) * sizeof *all);
    int r = all ? 0 : ERR_NOMEM;
    for (; r == 0 && t && k < n; t = t->next) {
        const struct json_node *node = json_get(t, STR("stacktrace"));
        struct sentry_stack stack = { 0 };
        struct gthread *g = &all[k++];
        g->crashed = json_is(json_get(t, STR("crashed")), JSON_TRUE);
        g->current = json_is(json_get(t, STR("current")), JSON_TRUE);
        g->has_stack = json_is(node, JSON_OBJECT);
        // Only one of them can count: the others are not read.
        if (!g->has_stack || !(n == 1 || g->crashed || g->current))
            continue;
        r = sentry_stack_read(node, run->arena, &stack);
        if (r == 0)
            r = frames_read(run, &stack, &g->stack);
        if (r == 0)
            r = frames_classify(run, &g->stack, NULL);
    }
    run->threads = all;
    run->threads_n = k;
    return r;
}

static int stacks_read(struct run *run)
{
    const struct json_node *own = json_get(run->event->node, STR("stacktrace"));
    int r = exceptions_read(run);
    if (r == 0)
        r = threads_read(run);
    if (r < 0)
        return r;
    run->has_stack = json_is(own, JSON_OBJECT);
    struct gstack stack;
    // The event's stack is its own, or that of a thread: marked in both cases.
    r = frames_read(run, &run->event->stack, &stack);
    if (r == 0)
        r = frames_classify(run, &stack, NULL);
    if (run->has_stack && run->event->stack.n)
        run->stack = stack;
    return r;
}

int strategy_add(struct run *run, const char *name, struct component *app, struct component *system,
                 struct component *other)
{
    static const char *const ids[VARIANTS] = { "app", "system", "default" };
    static const char no_stack[] = "ignored: it has no stack that counts, and the other variant has";
    struct component *all[VARIANTS] = { app, system, other };
    char hashes[2][MD5_HEX_LEN];
    if (app && system && app->contributes && system->contributes) {
        for (int v = 0; v < 2; v++) {
            struct md5 m;
            md5_init(&m);
            component_hash(all[v], &m);
            md5_hex(&m, hashes[v]);
        }
        if (memcmp(hashes[0], hashes[1], MD5_HEX_LEN) == 0)
            component_ignore(system, "ignored: it is the same as the app variant");
    }
    if (app && system) {
        bool has[2] = { component_has_stack(app), component_has_stack(system) };
        bool alone = strcmp(app->id, "stacktrace") == 0; // then the component is the stack itself, and not in it
        for (int v = 0; !alone && v < 2; v++)
            if (!has[v] && has[!v])
                component_ignore(all[v], no_stack);
    }
    const char *winner = run->winner;
    for (unsigned v = 0; v < VARIANTS; v++) {
        if (!all[v])
            continue;
        if (all[v]->contributes) {
            if (winner)
                component_ignore(all[v], arena_printf(run->arena, "ignored: %s counts", winner).ptr);
            else
                run->winner = name;
        }
        if (!run->roots[v] && !(run->roots[v] = component_new(run->arena, ids[v])))
            return ERR_NOMEM;
        all[v]->next = NULL;
        component_add(run->roots[v], all[v]);
    }
    return 0;
}

int grouping_compute(struct run *run)
{
    static int (*const strategies[])(struct run *) = { exception_components, thread_components, event_stack_components,
                                                       plain_components };
    run->platform = run->event->platform.len ? run->event->platform : STR("other");
    run->checksum = json_get_text(run->event->node, STR("checksum"));
    int r = stacks_read(run);
    if (r == 0 && !run->checksum.len)
        r = fingerprint_choose(run);
    bool needed = run->explain || !(run->custom || run->checksum.len);
    for (size_t i = 0; r == 0 && needed && i < sizeof strategies / sizeof strategies[0]; i++)
        if (run->explain || !run->winner)
            r = strategies[i](run);
    for (unsigned v = 0; r == 0 && v < VARIANTS; v++)
        if (run->roots[v])
            component_settle(run->roots[v]);
    return r;
}

bool variant_hash(const struct run *run, unsigned variant, char ret_hex[GROUPING_HASH_LEN])
{
    const struct component *root = run->roots[variant];
    struct md5 m;
    if (!root || !root->contributes || run->custom || run->checksum.len)
        return false;
    md5_init(&m);
    if (!run->hybrid)
        component_hash(root, &m);
    for (uint32_t i = 0; run->hybrid && i < run->fingerprint_n; i++) {
        if (fingerprint_is_default(run->fingerprint[i]))
            component_hash(root, &m);
        else
            md5_add(&m, run->resolved[i]);
    }
    md5_hex(&m, ret_hex);
    return true;
}

static bool is_hash(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return s.len == GROUPING_HASH_LEN;
}

void other_hash(const struct run *run, char ret_hex[GROUPING_HASH_LEN])
{
    struct md5 m;
    md5_init(&m);
    if (is_hash(run->checksum)) {
        memcpy(ret_hex, run->checksum.ptr, GROUPING_HASH_LEN);
        return;
    }
    if (run->checksum.len)
        md5_add(&m, run->checksum);
    for (uint32_t i = 0; run->custom && i < run->fingerprint_n; i++)
        md5_add(&m, run->resolved[i]);
    md5_hex(&m, ret_hex);
}

int grouping_run(const struct grouping_rules *rules, const struct sentry_event *e, struct arena *arena,
                 struct grouping *ret_grouping)
{
    MAGIC_CHECK(rules, GROUPING_MAGIC);
    struct run run = { .rules = rules, .event = e, .arena = arena };
    struct grouping g = { 0 };
    int r = grouping_compute(&run);
    char *hex = r == 0 ? arena_alloc_bytes(arena, (size_t)GROUPING_HASH_LEN * GROUPING_HASHES_MAX) : NULL;
    if (!hex)
        return r < 0 ? r : ERR_NOMEM;
    // The application's first; what all frames say comes last.
    static const unsigned order[VARIANTS] = { VARIANT_APP, VARIANT_DEFAULT, VARIANT_SYSTEM };
    for (unsigned i = 0; i < VARIANTS; i++) {
        char *at = hex + g.hashes_n * GROUPING_HASH_LEN;
        bool is = variant_hash(&run, order[i], at);
        for (uint32_t k = 0; k < g.hashes_n && is; k++)
            is = memcmp(g.hashes[k].ptr, at, GROUPING_HASH_LEN) != 0;
        if (is)
            g.hashes[g.hashes_n++] = str_of(at, GROUPING_HASH_LEN);
    }
    if (!g.hashes_n) {
        other_hash(&run, hex);
        g.hashes[g.hashes_n++] = str_of(hex, GROUPING_HASH_LEN);
    }
    g.title = fingerprint_title(&run);
    g.main_exception = run.main_exception;
    *ret_grouping = g;
    return 0;
}
