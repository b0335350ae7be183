// Rows into cells. What depends on a resource, a name or a shape is found out once and remembered for the rows of a
// call; a row costs a few look-ups in small tables.
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "red/red_internal.h"
#include "store/rows.h"
#include "wire/record.h"

enum { MEMO_RESOURCES = 1024, MEMO_OPERATIONS = 4096, MEMO_SHAPES = 256, MEMO_PEERS = 1024 };
enum { AHEAD = 8 };

struct resource_memo {
    uint32_t ord, project; // ord + 1
    struct red_key *series;
    uint32_t instance; // hash; 0: unknown
    struct cell *cell; // to which the instance was added
};

struct operation_memo {
    uint32_t series, name; // id + 1
    uint8_t kind;
    struct red_key *key;
};

// Where a client span of this shape says whom it calls.
struct shape_memo {
    uint32_t ord; // + 1
    uint16_t name_at, system_at;
    uint32_t name_column, system_column;
    bool name, system, url; // there are such columns; the name is a URL, of which the host counts
    uint8_t type;           // enum red_node
};

struct peer_memo {
    uint32_t shape, name, system; // + 1
    uint32_t peer;                // key's id + 1; 0: not known
};

struct counting {
    struct counts *c;
    const struct segment *s;
    struct reader *r;
    struct rows rows;
    const struct dict *names;
    uint32_t second; // now
    struct resource_memo resources[MEMO_RESOURCES];
    struct operation_memo operations[MEMO_OPERATIONS];
    struct shape_memo shapes[MEMO_SHAPES];
    struct peer_memo peers[MEMO_PEERS];
};

// ---- keys ----------------------------------------------------------------------------------------------

static str attribute(const struct record_entity *e, str key)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        if (str_eq(e->attrs[i].key, key) && e->attrs[i].value.type == VALUE_STR)
            return e->attrs[i].value.s;
    return (str){ 0 };
}

static str first_of(const struct record_entity *e, const char *const *keys)
{
    str s = { 0 };
    for (; *keys && s.len == 0; keys++)
        s = attribute(e, str_z(*keys));
    return s;
}

static int series_of(struct counting *k, uint32_t i, struct resource_memo **ret_memo)
{
    static const char *const environments[] = { "deployment.environment.name", "deployment.environment", NULL };
    static const char *const instances[] = { "service.instance.id", "k8s.pod.name", "container.id", "host.name", NULL };
    uint32_t ord = k->rows.resource[i], project = k->rows.project[i];
    struct resource_memo *m = &k->resources[ord & (MEMO_RESOURCES - 1)];
    *ret_memo = m;
    if (m->ord == ord + 1 && m->project == project)
        return 0;
    const struct record_entity *e = segment_resource(k->s, ord);
    str service = attribute(e, STR("service.name")), instance = first_of(e, instances);
    struct red_key like = { .kind = RED_SERIES,
                            .project = project,
                            .service = service.len ? service : SERVICE_UNKNOWN,
                            .version = attribute(e, STR("service.version")),
                            .environment = first_of(e, environments) };
    struct red_key *series;
    int r = keys_intern(&k->c->keys, &like, &series);
    if (r == 0)
        r = key_describe(series, attribute(e, STR("telemetry.sdk.language")),
                         attribute(e, STR("process.runtime.version")));
    if (r < 0)
        return r;
    key_touch(series, k->second / MINUTE_S);
    uint32_t hash = instance.len ? (uint32_t)hash64_str(instance) : 0;
    *m = (struct resource_memo){ ord + 1, project, series, instance.len && !hash ? 1 : hash, NULL };
    return 0;
}

static int operation_of(struct counting *k, uint32_t i, const struct red_key *series, struct red_key **ret_key)
{
    uint32_t name = k->rows.name[i];
    uint8_t kind = k->rows.kind[i];
    struct operation_memo *m = &k->operations[(name * 31 + series->id * 8 + kind) & (MEMO_OPERATIONS - 1)];
    if (m->series != series->id + 1 || m->name != name + 1 || m->kind != kind) {
        struct red_key like = { .kind = RED_OPERATION,
                                .type = kind,
                                .project = series->project,
                                .service = series->service,
                                .version = series->version,
                                .environment = series->environment,
                                .name = dict_get(k->names, name) };
        struct red_key *key;
        int r = keys_intern(&k->c->keys, &like, &key);
        if (r < 0)
            return r;
        key_touch(key, k->second / MINUTE_S);
        *m = (struct operation_memo){ series->id + 1, name + 1, kind, key };
    }
    *ret_key = m->key;
    return 0;
}

// ---- peers ---------------------------------------------------------------------------------------------

// Best first; the current names and those before them.
static const struct {
    str key;
    bool url;
} peer_names[] = {
    { STR_INIT("peer.service"), false },
    { STR_INIT("server.address"), false },
    { STR_INIT("net.peer.name"), false },
    { STR_INIT("http.host"), false },
    { STR_INIT("url.full"), true },
    { STR_INIT("http.url"), true },
    { STR_INIT("network.peer.address"), false },
    { STR_INIT("net.sock.peer.name"), false },
    { STR_INIT("net.sock.peer.addr"), false },
    { STR_INIT("net.peer.ip"), false },
};
static const struct {
    str key;
    uint8_t type;
} peer_systems[] = {
    { STR_INIT("db.system.name"), RED_DATABASE },
    { STR_INIT("db.system"), RED_DATABASE },
    { STR_INIT("messaging.system"), RED_MESSAGING },
};

enum {
    PEER_NAMES = sizeof peer_names / sizeof peer_names[0],
    PEER_SYSTEMS = sizeof peer_systems / sizeof peer_systems[0]
};

static const struct shape_memo *shape_of(struct counting *k, uint32_t ord)
{
    struct shape_memo *m = &k->shapes[ord & (MEMO_SHAPES - 1)];
    if (m->ord == ord + 1)
        return m;
    *m = (struct shape_memo){ .ord = ord + 1, .type = RED_EXTERNAL };
    struct shape shape = segment_shape(k->s, TABLE_ROWS, ord);
    size_t best_name = PEER_NAMES, best_system = PEER_SYSTEMS;
    for (uint32_t i = 0; i < shape.n; i++) {
        struct column c = segment_column(k->s, TABLE_ROWS, shape.columns[i]);
        if (c.level != ATTR_RECORD || c.type != VALUE_STR)
            continue;
        for (size_t n = 0; n < best_name; n++)
            if (str_eq(c.key, peer_names[n].key)) {
                best_name = n;
                m->name = true;
                m->url = peer_names[n].url;
                m->name_at = (uint16_t)i;
                m->name_column = shape.columns[i];
            }
        for (size_t n = 0; n < best_system; n++)
            if (str_eq(c.key, peer_systems[n].key)) {
                best_system = n;
                m->system = true;
                m->system_at = (uint16_t)i;
                m->system_column = shape.columns[i];
                m->type = peer_systems[n].type;
            }
    }
    return m;
}

// "https://user@host:port/path" -> "host"
static str host_of(str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    str s = scheme < 0 ? url : str_slice(url, (size_t)scheme + 3, url.len);
    size_t end = 0;
    while (end < s.len && s.ptr[end] != '/' && s.ptr[end] != '?' && s.ptr[end] != '#')
        end++;
    s = str_slice(s, 0, end);
    ptrdiff_t at = str_find_char(s, '@', 0);
    s = at < 0 ? s : str_slice(s, (size_t)at + 1, s.len);
    if (str_starts(s, STR("["))) {
        ptrdiff_t close = str_find_char(s, ']', 0);
        return close < 0 ? s : str_slice(s, 0, (size_t)close + 1);
    }
    ptrdiff_t colon = str_find_char(s, ':', 0);
    return colon < 0 ? s : str_slice(s, 0, (size_t)colon);
}

// An address of this machine, a number, or the path of a socket says less of a database than its kind does.
static bool says_little(str name)
{
    if (str_ieq(name, STR("localhost")) || str_starts(name, STR("/")) || str_starts(name, STR("@")) ||
        str_find_char(name, ':', 0) >= 0)
        return true;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '.' && (name.ptr[i] < '0' || name.ptr[i] > '9'))
            return false;
    return true;
}

static str text_at(struct counting *k, uint32_t column, uint32_t word)
{
    const struct dict *d = reader_dict(k->r, TABLE_ROWS, COL_FIXED + column);
    return d ? dict_get(d, word) : (str){ 0 };
}

// The id of the peer's key + 1; 0 when the span does not say whom it calls.
static int peer_of(struct counting *k, uint32_t i, uint32_t *ret_peer, uint8_t *ret_type)
{
    uint32_t ord = k->rows.shape[i];
    const struct shape_memo *sm = shape_of(k, ord);
    *ret_type = sm->type;
    *ret_peer = 0;
    if (!sm->name && !sm->system)
        return 0;
    const uint64_t *words = &k->rows.values[k->rows.value_at[i]];
    uint32_t name = sm->name ? (uint32_t)words[sm->name_at] : 0,
             system = sm->system ? (uint32_t)words[sm->system_at] : 0;
    struct peer_memo *m = &k->peers[(ord * 17 + name * 31 + system) & (MEMO_PEERS - 1)];
    if (m->shape != ord + 1 || m->name != name + 1 || m->system != system + 1) {
        str text = sm->name ? text_at(k, sm->name_column, name) : (str){ 0 };
        struct red_key like = { .kind = RED_PEER, .type = sm->type, .name = sm->url ? host_of(text) : text },
                       *key = NULL;
        if (sm->system)
            like.system = text_at(k, sm->system_column, system);
        if (like.system.len && (like.name.len == 0 || says_little(like.name)))
            like.name = like.system;
        if (like.name.len) {
            int r = keys_intern(&k->c->keys, &like, &key);
            if (r < 0)
                return r;
            key_touch(key, k->second / MINUTE_S);
        }
        *m = (struct peer_memo){ ord + 1, name + 1, system + 1, key ? key->id + 1 : 0 };
    }
    *ret_peer = m->peer;
    return 0;
}

// ---- calls ---------------------------------------------------------------------------------------------

static int edge_of(struct counts *c, uint32_t caller_id, uint32_t callee_id, bool peer, struct red_key **ret_edge)
{
    struct edge_memo *m = &c->edges[(caller_id * 31 + callee_id) & (MEMO_EDGES - 1)];
    *ret_edge = m->edge;
    if (m->caller == caller_id + 1 && m->callee == callee_id + 1)
        return 0;
    const struct red_key *caller = keys_get(&c->keys, caller_id), *callee = keys_get(&c->keys, callee_id);
    *ret_edge = NULL;
    if (!caller || !callee)
        return 0;
    struct red_key like = { .kind = RED_EDGE,
                            .type = peer ? callee->type : RED_SERVICE,
                            .project = caller->project,
                            .callee_project = peer ? 0 : callee->project,
                            .service = caller->service,
                            .environment = caller->environment,
                            .name = peer ? callee->name : callee->service,
                            .system = peer ? callee->system : (str){ 0 } };
    int r = keys_intern(&c->keys, &like, ret_edge);
    if (r == 0)
        *m = (struct edge_memo){ caller_id + 1, callee_id + 1, *ret_edge };
    return r;
}

static int call(void *ctx, const struct waiting *client, const struct waiting *server)
{
    struct counts *c = ctx;
    const struct waiting *counted = server ? server : client;
    struct red_key *edge;
    struct cell *cell;
    int r = edge_of(c, client->series, server ? server->series : client->peer - 1, !server, &edge);
    if (r < 0 || !edge)
        return r;
    if (edge->delta != c->delta.serial) // the first of this delta
        key_touch(edge, clock_unix_ns() / MINUTE_NS);
    r = delta_cell(&c->delta, edge, counted->minute, &cell);
    if (r == 0)
        r = durations_add(&c->delta.arena, &cell->durations, counted->bin, 1);
    if (r < 0)
        return r;
    cell->requests++;
    cell->errors += counted->flags & WAITING_ERROR;
    return 0;
}

// ---- rows ----------------------------------------------------------------------------------------------

static uint32_t minute_of(int64_t time, int64_t received)
{
    if (time < received - TIME_EARLY_NS || time > received + TIME_LATE_NS)
        time = received;
    return time < 0 ? 0 : (uint32_t)(time / MINUTE_NS);
}

static int cell_of(struct counting *k, uint32_t i, struct resource_memo *m, uint32_t minute, struct cell **ret_cell)
{
    struct cell *c;
    int64_t time = k->rows.time[i];
    int r = delta_cell(&k->c->delta, m->series, minute, &c);
    if (r == 0 && m->cell != c) {
        if (m->instance)
            r = cell_instance(&k->c->delta.arena, c, m->instance);
        m->cell = c;
    }
    if (r < 0)
        return r;
    if (time > c->last)
        c->last = time;
    if (time < m->series->first) {
        m->series->first = time;
        m->series->dirty = true;
    }
    *ret_cell = c;
    return 0;
}

static int count_entry(struct counting *k, uint32_t i, struct cell *c, const struct red_key *series, uint16_t bin)
{
    struct arena *a = &k->c->delta.arena;
    struct red_key *key = NULL;
    struct cell *o;
    bool error = k->rows.status[i] == STATUS_ERROR;
    int r = operation_of(k, i, series, &key);
    if (r == 0)
        r = delta_cell(&k->c->delta, key, c->minute, &o);
    if (r == 0)
        r = durations_add(a, &o->durations, bin, 1);
    if (r == 0)
        r = durations_add(a, &c->durations, bin, 1);
    if (r < 0)
        return r;
    o->requests++;
    o->errors += error;
    c->requests++;
    c->errors += error;
    return 0;
}

static int count_span(struct counting *k, uint32_t i, const uint64_t *ids)
{
    const struct rows *rows = &k->rows;
    struct resource_memo *m;
    struct cell *c;
    uint8_t kind = rows->kind[i];
    uint32_t minute = minute_of(rows->time[i], rows->received[i]);
    int r = series_of(k, i, &m);
    if (r == 0)
        r = cell_of(k, i, m, minute, &c);
    if (r < 0)
        return r;
    bool server = kind == SPAN_KIND_SERVER || kind == SPAN_KIND_CONSUMER;
    bool client = kind == SPAN_KIND_CLIENT || kind == SPAN_KIND_PRODUCER, entry = server || rows->parent[i] == 0;
    if (!entry && !client)
        return 0;
    uint16_t bin = durations_bin(rows->duration[i]);
    if (entry && (r = count_entry(k, i, c, m->series, bin)) < 0)
        return r;
    if (!ids[i])
        return 0;
    struct waiting w = { .id = ids[i],
                         .series = m->series->id,
                         .minute = minute,
                         .bin = bin,
                         .flags = rows->status[i] == STATUS_ERROR ? WAITING_ERROR : 0,
                         .seen = k->second };
    if (server)
        return window_server(&k->c->window, &w);
    uint8_t type;
    if ((r = peer_of(k, i, &w.peer, &type)) < 0)
        return r;
    // Databases send no spans of their own: what calls one need not wait to be sure.
    if (type == RED_DATABASE && w.peer)
        return call(k->c, &w, NULL);
    return window_client(&k->c->window, &w);
}

static int count_log(struct counting *k, uint32_t i)
{
    struct resource_memo *m;
    struct cell *c;
    int r = series_of(k, i, &m);
    if (r == 0)
        r = cell_of(k, i, m, minute_of(k->rows.time[i], k->rows.received[i]), &c);
    if (r < 0)
        return r;
    c->logs++;
    c->log_errors += k->rows.severity[i] >= SEVERITY_ERROR;
    return 0;
}

// What each row of spans is known by in the window; 0: it has no place there. Spans without a trace have none.
static void ids_of(const struct counting *k, uint32_t from, uint64_t *ids)
{
    const struct rows *rows = &k->rows;
    uint8_t trace[16];
    uint32_t last = TRACE_NONE;
    for (uint32_t i = from; i < rows->n; i++) {
        uint8_t kind = rows->kind[i];
        bool client = kind == SPAN_KIND_CLIENT || kind == SPAN_KIND_PRODUCER;
        bool server = kind == SPAN_KIND_SERVER || kind == SPAN_KIND_CONSUMER;
        uint64_t span = client ? rows->span[i] : server ? rows->parent[i] : 0;
        ids[i] = 0;
        if (span == 0 || rows->trace[i] == TRACE_NONE)
            continue;
        if (rows->trace[i] != last) {
            last = rows->trace[i];
            if (segment_trace(k->s, last, trace) < 0)
                memset(trace, 0, sizeof trace);
        }
        ids[i] = window_id(trace, span);
    }
}

static int count_block(struct counting *k, uint32_t from, bool spans)
{
    static _Thread_local uint64_t ids[BLOCK_ROWS];
    int r = 0;
    if (spans)
        ids_of(k, from, ids);
    for (uint32_t i = from; i < k->rows.n && r == 0; i++) {
        if (spans && i + AHEAD < k->rows.n && ids[i + AHEAD])
            window_prefetch(&k->c->window, ids[i + AHEAD]);
        r = spans ? count_span(k, i, ids) : count_log(k, i);
    }
    *(spans ? &k->c->spans : &k->c->logs) += k->rows.n - from;
    return r;
}

int counts_add(struct counts *c, pthread_mutex_t *state, const struct segment *s, uint64_t first)
{
    struct counting *k = mem_zalloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->c = c;
    k->s = s;
    k->second = (uint32_t)(clock_unix_ns() / NS_PER_S);
    int r = reader_open(s, &k->r);
    uint32_t blocks = segment_blocks(s, TABLE_ROWS);
    for (uint32_t b = (uint32_t)(first / BLOCK_ROWS); b < blocks && r == 0; b++) {
        uint32_t from = b == first / BLOCK_ROWS ? (uint32_t)(first % BLOCK_ROWS) : 0;
        r = reader_seek(k->r, TABLE_ROWS, b);
        if (r == 0)
            r = reader_rows(k->r, TABLE_ROWS, &k->rows);
        if (r < 0)
            break;
        k->names = reader_dict(k->r, TABLE_ROWS, COL_NAME);
        pthread_mutex_lock(state);
        r = count_block(k, from, segment_info(s)->source == RECORD_SPANS);
        pthread_mutex_unlock(state);
    }
    if (k->r)
        reader_close(k->r);
    mem_free(k);
    return r;
}

void counts_init(struct counts *c)
{
    *c = (struct counts){ 0 };
    delta_init(&c->delta);
    window_init(&c->window, call, c);
}

void counts_free(struct counts *c)
{
    window_free(&c->window);
    delta_free(&c->delta);
    keys_free(&c->keys);
}

void counts_forget(struct counts *c, int64_t before_minute)
{
    keys_forget(&c->keys, before_minute);
    memset(c->edges, 0, sizeof c->edges);
}
