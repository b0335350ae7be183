// Exceptions: each its type, its value (when its stack does not count) and its stack; chained ones together; of a group (RFC 79 of
// Sentry) only what differs.
#include "grouping/grouping_internal.h"
#include "grouping/message.h"

static const char stack_first[] = "ignored: the stack counts";

// Cocoa's errors have a domain and a code.
static int ns_error_component(struct run *run, const struct gexception *x, struct component **ret)
{
    const struct json_node *meta =
        json_get(json_get(json_get(x->sent->node, STR("mechanism")), STR("meta")), STR("ns_error"));
    *ret = NULL;
    if (!json_is(meta, JSON_OBJECT))
        return 0;
    struct component *c = component_new(run->arena, "ns_error");
    const struct json_node *code = json_get(meta, STR("code"));
    if (!c)
        return ERR_NOMEM;
    component_add(c, component_text(run->arena, "domain", json_get_text(meta, STR("domain"))));
    component_add(c, component_text(run->arena, "code", code ? code->text : (str){ 0 }));
    component_settle(c);
    *ret = c;
    return 0;
}

static int variant_build(struct run *run, const struct gexception *x, struct component *stack, struct component **ret)
{
    struct component *c = component_new(run->arena, "exception"), *type, *value, *ns_error;
    str text = { 0 };
    int r = c ? ns_error_component(run, x, &ns_error) : ERR_NOMEM;
    if (r == 0 && x->value.len)
        r = message_normalize(x->value, run->arena, &text);
    if (r < 0)
        return r;
    type = x->type.len ? component_text(run->arena, "type", x->type) : component_new(run->arena, "type");
    value = text.len ? component_text(run->arena, "value", text) : component_new(run->arena, "value");
    if (!type || !value)
        return ERR_NOMEM;
    if (x->sent->synthetic)
        component_ignore(type, "ignored: the SDK made it up");
    if (text.len && !str_eq(text, x->value))
        value->hint = "without values of this one event";
    if (stack->contributes && value->contributes)
        component_ignore(value, stack_first);
    if (ns_error && ns_error->contributes && value->contributes)
        component_ignore(value, "ignored: domain and code count");
    component_add(c, type);
    component_add(c, value);
    component_add(c, ns_error);
    component_add(c, stack);
    component_settle(c);
    *ret = c;
    return 0;
}

static int exception_build(struct run *run, struct gexception *x)
{
    struct component *stacks[2] = { NULL, NULL };
    int r = 0;
    if (x->has_stack)
        r = stack_components(run, &x->stack, x, stacks);
    else if (!(stacks[VARIANT_APP] = component_new(run->arena, "stacktrace")))
        r = ERR_NOMEM;
    for (unsigned v = 0; r == 0 && v < 2; v++)
        if (stacks[v])
            r = variant_build(run, x, stacks[v], &x->variants[v]);
    return r;
}

// --- groups

struct node {
    int64_t id, parent; // -1: none
    bool group;
    uint32_t first, next; // child and sibling, by index; NONE: none
};
enum { NONE = UINT32_MAX, ROOT = 0 };

static int64_t member_id(const struct json_node *mechanism, str name)
{
    int64_t id;
    return json_int_of(json_get(mechanism, name), &id) && id >= 0 ? id : -1;
}

static uint32_t by_id(const struct node *nodes, uint32_t n, int64_t id)
{
    for (uint32_t i = 0; i < n; i++)
        if (nodes[i].id == id)
            return i;
    return NONE;
}

// false: the exceptions are no tree.
static bool tree_read(const struct run *run, struct node *nodes)
{
    uint32_t n = run->exceptions_n;
    for (uint32_t i = 0; i < n; i++) {
        const struct json_node *mechanism = json_get(run->exceptions[i].sent->node, STR("mechanism"));
        nodes[i] = (struct node){ .id = -1, .first = NONE, .next = NONE };
        int64_t id = member_id(mechanism, STR("exception_id"));
        nodes[i].parent = member_id(mechanism, STR("parent_id"));
        nodes[i].group = json_is(json_get(mechanism, STR("is_exception_group")), JSON_TRUE);
        if (id < 0 || id == nodes[i].parent || by_id(nodes, i, id) != NONE)
            return false;
        nodes[i].id = id;
    }
    // The last one sent is a parent's first child.
    for (uint32_t i = 0; i < n; i++) {
        uint32_t parent = nodes[i].parent < 0 ? NONE : by_id(nodes, n, nodes[i].parent);
        if (parent != NONE) {
            nodes[i].next = nodes[parent].first;
            nodes[parent].first = i;
        }
    }
    return by_id(nodes, n, ROOT) != NONE;
}

// Those right under groups that are none themselves, in order; 0: there are none, or it never ends.
static uint32_t leaves(const struct node *nodes, uint32_t n, uint32_t root, uint32_t *ret)
{
    uint32_t todo[SENTRY_EXCEPTIONS_MAX], todo_n = 0, found = 0, steps = 0;
    todo[todo_n++] = root;
    while (todo_n) {
        uint32_t i = todo[--todo_n], children[SENTRY_EXCEPTIONS_MAX], k = 0;
        if (++steps > n)
            return 0;
        if (!nodes[i].group) {
            ret[found++] = i;
            continue;
        }
        for (uint32_t c = nodes[i].first; c != NONE; c = nodes[c].next)
            children[k++] = c;
        while (k && todo_n < SENTRY_EXCEPTIONS_MAX)
            todo[todo_n++] = children[--k];
    }
    return found;
}

static void sort_by_type(const struct run *run, uint32_t *list, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) // few, and stable: descending
        for (uint32_t k = i; k && str_cmp(run->exceptions[list[k - 1]].type, run->exceptions[list[k]].type) < 0; k--) {
            uint32_t t = list[k];
            list[k] = list[k - 1];
            list[k - 1] = t;
        }
}

static void identity(const struct gexception *x, char ret_hex[MD5_HEX_LEN])
{
    struct md5 m;
    md5_init(&m);
    for (unsigned v = 0; v < 2; v++)
        if (x->variants[v])
            component_identity(x->variants[v], &m);
    md5_hex(&m, ret_hex);
}

static uint32_t everything(uint32_t n, uint32_t *ret)
{
    for (uint32_t i = 0; i < n; i++)
        ret[i] = i;
    return n;
}

static bool has(const uint32_t *list, uint32_t n, uint32_t i)
{
    for (uint32_t k = 0; k < n; k++)
        if (list[k] == i)
            return true;
    return false;
}

// Which exceptions count, in order; all of them when they are no group.
static uint32_t choose(struct run *run, uint32_t *ret)
{
    struct node nodes[SENTRY_EXCEPTIONS_MAX];
    uint32_t n = run->exceptions_n, top[SENTRY_EXCEPTIONS_MAX], kept = 0;
    char last[MD5_HEX_LEN] = { 0 }, now[MD5_HEX_LEN];
    everything(n, ret);
    // Version 3 of the Python SDK sends what makes a group of every chain.
    bool python3 = str_eq(run->platform, STR("python")) && str_starts(run->event->sdk_version, STR("3"));
    if (n < 2 || python3 || !tree_read(run, nodes))
        return n;
    uint32_t root = by_id(nodes, n, ROOT), found = leaves(nodes, n, root, top);
    if (!found)
        return n;
    // From here on ret is overwritten.
    sort_by_type(run, top, found);
    for (uint32_t i = 0; i < found; i++) {
        identity(&run->exceptions[top[i]], now);
        if (i && memcmp(now, last, sizeof now) == 0)
            continue;
        memcpy(last, now, sizeof now);
        ret[kept++] = top[i];
    }
    if (kept > 1) {
        ret[kept++] = root;
        return kept;
    }
    // All alike: the one, and what caused it.
    run->main_exception = ret[0];
    for (uint32_t i = ret[0]; (i = nodes[i].first) != NONE; ret[kept++] = i)
        if (has(ret, kept, i)) { // a circle: no tree after all
            run->main_exception = n - 1;
            return everything(n, ret);
        }
    return kept;
}

static int chain(struct run *run, const uint32_t *list, uint32_t n, unsigned variant, struct component **ret)
{
    struct component *c = component_new(run->arena, "chained_exception");
    if (!c)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct component *x = run->exceptions[list[i]].variants[variant];
        if (x)
            x->next = NULL;
        component_add(c, x);
    }
    component_settle(c);
    *ret = c->first ? c : NULL;
    return 0;
}

int exception_components(struct run *run)
{
    uint32_t list[SENTRY_EXCEPTIONS_MAX + 1], n;
    struct component *variants[2] = { NULL, NULL };
    int r = 0;
    if (!run->exceptions_n)
        return 0;
    run->main_exception = run->exceptions_n - 1;
    for (uint32_t i = 0; r == 0 && i < run->exceptions_n; i++)
        r = exception_build(run, &run->exceptions[i]);
    if (r < 0)
        return r;
    n = choose(run, list);
    for (unsigned v = 0; r == 0 && v < 2; v++) {
        if (n == 1)
            variants[v] = run->exceptions[list[0]].variants[v];
        else
            r = chain(run, list, n, v, &variants[v]);
    }
    return r < 0 ? r : strategy_add(run, "the exception", variants[VARIANT_APP], variants[VARIANT_SYSTEM], NULL);
}
