#include "gen.h"

void gen_queue_init(struct gen_queue *q, const struct gen_options *o, struct payload_set *out)
{
    *q = (struct gen_queue){ .options = o, .out = out };
    for (int r = 0; r < SHOP_RESOURCES; r++)
        for (int s = 0; s < SHOP_SCOPES; s++)
            fragment_init(&q->scopes[r][s]);
    fragment_init(&q->request);
    fragment_init(&q->section);
}

// One ResourceSpans (ResourceLogs, ResourceMetrics: the same numbers) into the request.
static void gen_queue_section(struct gen_queue *q, int resource)
{
    struct buf message;
    buf_init(&message, 1 << 16);
    fragment_clear(&q->section);
    shop_resource(&message, resource / SHOP_INSTANCES, resource % SHOP_INSTANCES);
    pb_put_str(&q->section.bytes, 1, buf_view(&message));
    for (int s = 0; s < SHOP_SCOPES; s++) {
        struct fragment *records = &q->scopes[resource][s];
        if (!records->records)
            continue;
        struct fragment scope;
        fragment_init(&scope);
        buf_clear(&message);
        shop_scope(&message, s);
        pb_put_str(&scope.bytes, 1, buf_view(&message));
        // The records are fields of the scope already: append them as they are.
        uint32_t base = (uint32_t)scope.bytes.len;
        for (size_t i = 0; i < records->patch_count; i++)
            records->patches[i] += base << PATCH_SHIFT;
        buf_append(&scope.bytes, records->bytes.ptr, records->bytes.len);
        struct fragment view = *records;
        view.bytes = scope.bytes;
        fragment_nest(&q->section, 2, &view);
        fragment_free(&scope);
        fragment_clear(records);
    }
    fragment_nest(&q->request, 1, &q->section);
    q->queued_total -= q->queued[resource];
    q->queued[resource] = 0;
    buf_free(&message);
}

static void gen_queue_flush(struct gen_queue *q)
{
    if (q->request.records)
        payload_set_add(q->out, &q->request, q->options->encoding);
    fragment_clear(&q->request);
}

static void gen_queue_flush_all(struct gen_queue *q)
{
    for (int r = 0; r < SHOP_RESOURCES; r++) {
        if (!q->queued[r])
            continue;
        gen_queue_section(q, r);
        if (!q->options->collector)
            gen_queue_flush(q);
    }
    gen_queue_flush(q);
}

void gen_queue_add(struct gen_queue *q, int resource, int scope, const struct fragment *record)
{
    fragment_nest(&q->scopes[resource][scope], 2, record);
    q->queued[resource] += record->records;
    q->queued_total += record->records;
    if (q->options->collector && q->queued_total >= q->options->batch) {
        gen_queue_flush_all(q);
    } else if (!q->options->collector && q->queued[resource] >= q->options->batch) {
        gen_queue_section(q, resource);
        gen_queue_flush(q);
    }
}

void gen_queue_finish(struct gen_queue *q)
{
    gen_queue_flush_all(q);
    for (int r = 0; r < SHOP_RESOURCES; r++)
        for (int s = 0; s < SHOP_SCOPES; s++)
            fragment_free(&q->scopes[r][s]);
    fragment_free(&q->request);
    fragment_free(&q->section);
}
