// Metrics: every instance exports the same instruments every 10 s: a gauge, a counter a route, and a
// latency histogram a route. A record is one data point.
#include "gen.h"

enum { BOUNDS = 10 };
static const int64_t export_ns = 10000000000;

struct point {
    int64_t start_ns, time_ns;
};

// Start and time come first in all kinds of points (fields 2 and 3).
static void point_times(struct fragment *f, const struct point *p)
{
    buf_varint(&f->bytes, PB_TAG(2, PB_FIXED64));
    fragment_patch_here(f, PATCH_TIME);
    buf_le64(&f->bytes, (uint64_t)p->start_ns);
    buf_varint(&f->bytes, PB_TAG(3, PB_FIXED64));
    fragment_patch_here(f, PATCH_TIME);
    buf_le64(&f->bytes, (uint64_t)p->time_ns);
    f->records = 1;
}

static void histogram_point(struct rng *r, struct fragment *f, const struct point *p, str route)
{
    static const double bounds[BOUNDS] = { 5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500 };
    struct buf *b = &f->bytes;
    uint64_t counts[BOUNDS + 1], total = 0;
    fragment_clear(f);
    point_times(f, p);
    for (int i = 0; i <= BOUNDS; i++)
        total += counts[i] = rng_skewed(r, 400u >> (i / 2));
    pb_put_fixed64(b, 4, total);
    pb_put_double(b, 5, (double)total * (20 + rng_unit(r)));
    buf_varint(b, PB_TAG(6, PB_LEN));
    buf_varint(b, sizeof counts);
    buf_append(b, counts, sizeof counts);
    buf_varint(b, PB_TAG(7, PB_LEN));
    buf_varint(b, sizeof bounds);
    buf_append(b, bounds, sizeof bounds);
    attr_put_str(b, 9, STR("http.route"), route);
}

static void number_point(struct fragment *f, const struct point *p, str key, str value, double v)
{
    fragment_clear(f);
    point_times(f, p);
    pb_put_double(&f->bytes, 4, v);
    attr_put_str(&f->bytes, 7, key, value);
}

// Metric { name = 1; unit = 3; data = field { data_points = 1; temporality = 2; monotonic = 3 } }
static void metric_close(struct fragment *metric, str name, str unit, uint32_t field, struct fragment *data)
{
    fragment_clear(metric);
    pb_put_str(&metric->bytes, 1, name);
    pb_put_str(&metric->bytes, 3, unit);
    if (field != 5)
        pb_put_varint(&data->bytes, 2, 2);
    if (field == 7)
        pb_put_varint(&data->bytes, 3, 1);
    fragment_nest(metric, field, data);
    fragment_clear(data);
}

void gen_metrics(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts)
{
    struct rng r = { o->seed };
    struct gen_queue q;
    struct fragment metric, data, point;
    fragment_init(&metric);
    fragment_init(&data);
    fragment_init(&point);
    gen_queue_init(&q, o, out);
    uint64_t made = 0;
    int64_t tick = 0;
    for (; made < o->records; tick++) {
        struct point p = { o->start_ns, o->start_ns + (tick + 1) * export_ns };
        for (int resource = 0; resource < SHOP_RESOURCES && made < o->records; resource++) {
            const struct shop_service *s = &shop_services[resource / SHOP_INSTANCES];
            number_point(&point, &p, STR("process.memory.type"), STR("rss"), 1e8 + 1e6 * rng_unit(&r));
            fragment_nest(&data, 1, &point);
            metric_close(&metric, STR("process.memory.usage"), STR("By"), 5, &data);
            gen_queue_add(&q, resource, SHOP_SCOPE_OWN, &metric);
            for (int op = 0; op < SHOP_OPS; op++) {
                number_point(&point, &p, STR("http.route"), s->routes[op], (double)(tick * 40 + rng_below(&r, 20)));
                fragment_nest(&data, 1, &point);
            }
            metric_close(&metric, STR("http.server.requests"), STR("{request}"), 7, &data);
            gen_queue_add(&q, resource, SHOP_SCOPE_HTTP, &metric);
            for (int op = 0; op < SHOP_OPS; op++) {
                histogram_point(&r, &point, &p, s->routes[op]);
                fragment_nest(&data, 1, &point);
            }
            metric_close(&metric, STR("http.server.request.duration"), STR("ms"), 9, &data);
            gen_queue_add(&q, resource, SHOP_SCOPE_HTTP, &metric);
            made += 1 + 2 * SHOP_OPS;
            facts->by_service[resource / SHOP_INSTANCES] += 1 + 2 * SHOP_OPS;
        }
    }
    gen_queue_finish(&q);
    fragment_free(&metric);
    fragment_free(&data);
    fragment_free(&point);
    out->span_ns = tick * export_ns;
}
