// Traces: trees of about ten spans that cross services by client/server pairs and end in database
// calls; two in a hundred traces fail somewhere below and carry an exception event.
#include "gen.h"

#include "base/hash.h"

#include <stdio.h>

enum span_role { ROLE_SERVER, ROLE_CLIENT, ROLE_DB, ROLE_INTERNAL };
enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3 };
enum { TRACE_SPANS_MIN = 5, TRACE_SPANS_MAX = 15, TRACE_SPACING_NS = 100000, DB_PORT = 5432 };
enum { USERS = 10000, PRODUCTS = 50000 };

struct node {
    enum span_role role;
    int service, instance, op, parent; // parent: index, -1 for the root
    int callee;                        // of a client span
    int64_t start_ns, duration_ns;
    uint64_t id;
    bool error;
};

struct trace {
    struct node nodes[TRACE_SPANS_MAX];
    int count;
    uint8_t id[16];
    uint32_t user, product;
};

static int trace_add(struct rng *r, struct trace *t, enum span_role role, int service, int parent)
{
    struct node *n = &t->nodes[t->count];
    *n = (struct node){ .role = role, .service = service, .parent = parent, .callee = -1 };
    n->id = rng_next(r);
    n->op = (int)rng_below(r, SHOP_OPS);
    n->instance = (int)rng_below(r, SHOP_INSTANCES);
    if (parent >= 0) {
        const struct node *p = &t->nodes[parent];
        if (role != ROLE_SERVER)
            n->instance = p->instance;
        n->start_ns = p->start_ns + (int64_t)((double)p->duration_ns * (0.02 + 0.5 * rng_unit(r)));
        int64_t room = p->start_ns + p->duration_ns - n->start_ns;
        double median = role == ROLE_DB ? 1.5e6 : role == ROLE_INTERNAL ? 4e5 : (double)room * 0.6;
        n->duration_ns = (int64_t)rng_lognormal(r, median, 0.8);
        if (n->duration_ns > room)
            n->duration_ns = (int64_t)((double)room * (0.5 + 0.49 * rng_unit(r)));
    }
    return t->count++;
}

// A service that `service` calls, or -1.
static int pick_callee(struct rng *r, int service)
{
    uint32_t calls = shop_services[service].calls;
    int n = __builtin_popcount(calls);
    if (!n)
        return -1;
    for (uint32_t skip = rng_below(r, (uint32_t)n); skip; skip--)
        calls &= calls - 1;
    return __builtin_ctz(calls);
}

static void trace_grow(struct rng *r, struct trace *t, int want)
{
    while (t->count < want) {
        // The later of two: requests go deep rather than wide.
        int parent = (int)rng_below(r, (uint32_t)t->count), other = (int)rng_below(r, (uint32_t)t->count);
        if (other > parent)
            parent = other;
        if (t->nodes[parent].role != ROLE_SERVER)
            continue;
        int service = t->nodes[parent].service, callee = pick_callee(r, service);
        double what = rng_unit(r);
        if (what < 0.6 && callee >= 0 && t->count + 2 <= want) {
            int client = trace_add(r, t, ROLE_CLIENT, service, parent);
            t->nodes[client].callee = callee;
            int server = trace_add(r, t, ROLE_SERVER, callee, client);
            t->nodes[client].op = t->nodes[server].op;
        } else if (what < 0.85 && shop_services[service].table.len) {
            trace_add(r, t, ROLE_DB, service, parent);
        } else {
            trace_add(r, t, ROLE_INTERNAL, service, parent);
        }
    }
}

static void trace_make(struct rng *r, struct trace *t, int want, int64_t start_ns)
{
    *t = (struct trace){ .user = rng_skewed(r, USERS), .product = rng_skewed(r, PRODUCTS) };
    le64_put(t->id, rng_next(r));
    le64_put(t->id + 8, rng_next(r));
    int root = trace_add(r, t, ROLE_SERVER, rng_chance(r, 0.7) ? 0 : 1, -1);
    t->nodes[root].start_ns = start_ns;
    t->nodes[root].duration_ns = (int64_t)rng_lognormal(r, 4e7, 0.9);
    trace_grow(r, t, want);
    if (rng_chance(r, 0.02)) {
        for (int i = t->count - 1; i >= 0; i = t->nodes[i].parent)
            t->nodes[i].error = true;
    }
}

// "GET /carts/{id}" -> method, route
static void split_route(str route, str *method, str *path)
{
    ptrdiff_t space = str_find_char(route, ' ', 0);
    *method = str_slice(route, 0, (size_t)space);
    *path = str_slice(route, (size_t)space + 1, route.len);
}

// "/carts/{id}" -> "/carts/104711"
static void path_of_route(const struct trace *t, str route, char *path, size_t size)
{
    ptrdiff_t brace = str_find_char(route, '{', 0);
    if (brace < 0) {
        snprintf(path, size, "%.*s", STR_ARG(route));
    } else {
        str tail = str_slice(route, (size_t)brace + 4, route.len);
        snprintf(path, size, "%.*s%u%.*s", (int)brace, route.ptr, 100000 + t->product, STR_ARG(tail));
    }
}

static void server_attributes(struct rng *r, const struct trace *t, const struct node *n, struct buf *b)
{
    str method, route;
    split_route(shop_services[n->service].routes[n->op], &method, &route);
    char path[128], client[32];
    path_of_route(t, route, path, sizeof path);
    snprintf(client, sizeof client, "10.%d.%d.%d", n->service, n->instance, t->user % 250);
    attr_put_str(b, 9, STR("http.request.method"), method);
    attr_put_str(b, 9, STR("http.route"), route);
    attr_put_str(b, 9, STR("url.path"), str_z(path));
    attr_put_int(b, 9, STR("http.response.status_code"), n->error ? 500 : rng_chance(r, 0.03) ? 404 : 200);
    attr_put_str(b, 9, STR("client.address"), str_z(client));
    static const str agents[] = {
        STR_INIT("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        STR_INIT("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"),
        STR_INIT(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"),
    };
    attr_put_str(b, 9, STR("user_agent.original"), n->parent < 0 ? agents[t->user % 3] : STR("shop-client/2.1"));
    attr_put_int(b, 9, STR("server.port"), 8080 + n->service);
    if (n->parent < 0) {
        char user[32];
        snprintf(user, sizeof user, "user-%u", t->user);
        attr_put_str(b, 9, STR("user.id"), str_z(user));
    }
}

static void client_attributes(const struct trace *t, const struct node *n, struct buf *b)
{
    str method, route;
    const struct shop_service *callee = &shop_services[n->callee];
    split_route(callee->routes[n->op], &method, &route);
    attr_put_str(b, 9, STR("http.request.method"), method);
    char path[128], url[256];
    path_of_route(t, route, path, sizeof path);
    snprintf(url, sizeof url, "http://%.*s.shop.svc:%d%s", STR_ARG(callee->name), 8080 + n->callee, path);
    attr_put_str(b, 9, STR("url.full"), str_z(url));
    attr_put_str(b, 9, STR("server.address"), callee->name);
    attr_put_int(b, 9, STR("server.port"), 8080 + n->callee);
    attr_put_int(b, 9, STR("http.response.status_code"), n->error ? 500 : 200);
    attr_put_str(b, 9, STR("peer.service"), callee->name);
    attr_put_str(b, 9, STR("network.protocol.version"), STR("1.1"));
}

static void db_attributes(struct rng *r, const struct node *n, struct buf *b, str operation)
{
    str table = shop_services[n->service].table;
    char text[256];
    snprintf(text, sizeof text,
             operation.ptr[0] == 'S'
                 ? "SELECT id, data, state, created_at, updated_at FROM %.*s WHERE id = $1 AND deleted_at IS NULL"
                 : "INSERT INTO %.*s (id, data, state) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
             STR_ARG(table));
    attr_put_str(b, 9, STR("db.system.name"), STR("postgresql"));
    attr_put_str(b, 9, STR("db.namespace"), STR("shop"));
    attr_put_str(b, 9, STR("db.collection.name"), table);
    attr_put_str(b, 9, STR("db.operation.name"), operation);
    attr_put_str(b, 9, STR("db.query.text"), str_z(text));
    attr_put_str(b, 9, STR("server.address"), STR("db-1.shop.svc"));
    attr_put_int(b, 9, STR("server.port"), DB_PORT);
    attr_put_int(b, 9, STR("db.response.returned_rows"), rng_skewed(r, 40));
}

static void internal_attributes(struct rng *r, const struct trace *t, const struct node *n, struct buf *b, str function)
{
    char file[96];
    snprintf(file, sizeof file, "/srv/app/services/%.*s/src/handlers/requests.c",
             STR_ARG(shop_services[n->service].name));
    attr_put_str(b, 9, STR("code.function.name"), function);
    attr_put_str(b, 9, STR("code.file.path"), str_z(file));
    attr_put_int(b, 9, STR("code.line.number"), 40 + n->op * 17);
    attr_put_int(b, 9, STR("thread.id"), rng_below(r, 16));
    attr_put_int(b, 9, STR("app.items"), rng_skewed(r, 20));
    attr_put_double(b, 9, STR("app.total"), (double)(t->product % 5000) / 4);
    attr_put_bool(b, 9, STR("app.cached"), rng_chance(r, 0.6));
}

static void span_event(const struct node *n, struct fragment *f, struct fragment *event)
{
    fragment_clear(event);
    buf_varint(&event->bytes, PB_TAG(1, PB_FIXED64));
    fragment_patch_here(event, PATCH_TIME);
    buf_le64(&event->bytes, (uint64_t)(n->start_ns + n->duration_ns / 2));
    if (n->error) {
        pb_put_str(&event->bytes, 2, STR("exception"));
        attr_put_str(&event->bytes, 3, STR("exception.type"), STR("TimeoutError"));
        attr_put_str(&event->bytes, 3, STR("exception.message"), STR("upstream did not answer in time"));
        attr_put_str(&event->bytes, 3, STR("exception.stacktrace"),
                     STR("TimeoutError: upstream did not answer in time\n    at call (client.js:88)\n    at handle "
                         "(server.js:41)"));
    } else {
        pb_put_str(&event->bytes, 2, STR("cache.miss"));
        attr_put_int(&event->bytes, 3, STR("cache.shard"), n->op);
    }
    fragment_nest(f, 11, event);
}

static void span_encode(struct rng *r, const struct trace *t, const struct node *n, struct fragment *f,
                        struct fragment *event)
{
    static const str functions[SHOP_OPS] = { STR_INIT("validate"), STR_INIT("render"), STR_INIT("load_settings"),
                                             STR_INIT("apply_discounts"), STR_INIT("serialize") };
    static const str operations[SHOP_OPS] = { STR_INIT("SELECT"), STR_INIT("SELECT"), STR_INIT("SELECT"),
                                              STR_INIT("INSERT"), STR_INIT("SELECT") };
    struct buf *b = &f->bytes;
    fragment_clear(f);
    f->records = 1;
    buf_varint(b, PB_TAG(1, PB_LEN));
    buf_varint(b, 16);
    buf_append(b, t->id, 8);
    fragment_patch_here(f, PATCH_ID);
    buf_append(b, t->id + 8, 8);
    buf_varint(b, PB_TAG(2, PB_LEN));
    buf_varint(b, 8);
    fragment_patch_here(f, PATCH_ID);
    buf_le64(b, n->id);
    if (n->parent >= 0) {
        buf_varint(b, PB_TAG(4, PB_LEN));
        buf_varint(b, 8);
        fragment_patch_here(f, PATCH_ID);
        buf_le64(b, t->nodes[n->parent].id);
    }
    char name[96];
    str table = shop_services[n->service].table;
    if (n->role == ROLE_DB) {
        snprintf(name, sizeof name, "%.*s %.*s", STR_ARG(operations[n->op]), STR_ARG(table));
        pb_put_str(b, 5, str_z(name));
    } else if (n->role == ROLE_INTERNAL) {
        pb_put_str(b, 5, functions[n->op]);
    } else {
        pb_put_str(b, 5, shop_services[n->role == ROLE_CLIENT ? n->callee : n->service].routes[n->op]);
    }
    pb_put_varint(b, 6, n->role == ROLE_SERVER ? KIND_SERVER : n->role == ROLE_INTERNAL ? KIND_INTERNAL : KIND_CLIENT);
    buf_varint(b, PB_TAG(7, PB_FIXED64));
    fragment_patch_here(f, PATCH_TIME);
    buf_le64(b, (uint64_t)n->start_ns);
    buf_varint(b, PB_TAG(8, PB_FIXED64));
    fragment_patch_here(f, PATCH_TIME);
    buf_le64(b, (uint64_t)(n->start_ns + n->duration_ns));
    switch (n->role) {
    case ROLE_SERVER:
        server_attributes(r, t, n, b);
        break;
    case ROLE_CLIENT:
        client_attributes(t, n, b);
        break;
    case ROLE_DB:
        db_attributes(r, n, b, operations[n->op]);
        break;
    case ROLE_INTERNAL:
        internal_attributes(r, t, n, b, functions[n->op]);
        break;
    }
    if (n->error || rng_chance(r, 0.01))
        span_event(n, f, event);
    if (n->error) {
        size_t status = pb_begin(b, 15);
        pb_put_str(b, 2, STR("upstream did not answer in time"));
        pb_put_varint(b, 3, 2);
        pb_end(b, status);
    }
    pb_put_fixed32(b, 16, n->parent >= 0 && n->role == ROLE_SERVER ? 0x301 : 0x101);
}

static void trace_sample(struct gen_facts *facts, const struct trace *t)
{
    memcpy(facts->sample_traces[facts->sample_count], t->id, 16);
    facts->sample_spans[facts->sample_count++] = (uint32_t)t->count;
}

void gen_traces(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts)
{
    static const int scope_of[] = { [ROLE_SERVER] = SHOP_SCOPE_HTTP,
                                    [ROLE_CLIENT] = SHOP_SCOPE_HTTP,
                                    [ROLE_DB] = SHOP_SCOPE_DB,
                                    [ROLE_INTERNAL] = SHOP_SCOPE_OWN };
    struct rng r = { o->seed };
    struct gen_queue q;
    struct fragment span, event;
    fragment_init(&span);
    fragment_init(&event);
    gen_queue_init(&q, o, out);
    uint64_t key = hash64_int(o->run_key), made = 0;
    uint64_t sample_every = o->records / 40 + 1, sample_next = 0;
    while (made < o->records) {
        int want = TRACE_SPANS_MIN + (int)rng_below(&r, TRACE_SPANS_MAX - TRACE_SPANS_MIN + 1);
        if ((uint64_t)want > o->records - made)
            want = (int)(o->records - made);
        struct trace t;
        trace_make(&r, &t, want, o->start_ns + gen_time(o, facts->traces, TRACE_SPACING_NS));
        le64_put(t.id, le64_get(t.id) ^ key);
        for (int i = 0; i < t.count; i++)
            t.nodes[i].id ^= key;
        if (made >= sample_next &&
            facts->sample_count < (int)(sizeof facts->sample_spans / sizeof facts->sample_spans[0])) {
            trace_sample(facts, &t);
            sample_next += sample_every;
        }
        for (int i = 0; i < t.count; i++) {
            const struct node *n = &t.nodes[i];
            span_encode(&r, &t, n, &span, &event);
            gen_queue_add(&q, n->service * SHOP_INSTANCES + n->instance, scope_of[n->role], &span);
            facts->by_service[n->service]++;
            facts->errors += n->error;
        }
        made += (uint64_t)t.count;
        facts->traces++;
    }
    gen_queue_finish(&q);
    fragment_free(&span);
    fragment_free(&event);
    out->span_ns = gen_time(o, facts->traces, TRACE_SPACING_NS);
}
