// What is kept and what it takes. Counts the facts of the parts; reads nothing of them.
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/store_internal.h"

#define HOUR_NS (3600 * NS_PER_S)

// Adds bytes to the hours that [from, to] covers, each its share.
static void spread(double hours[STORE_USAGE_HOURS], int64_t begin, int64_t from, int64_t to, double size)
{
    double length = (double)(to - from) + 1;
    for (int i = 0; i < STORE_USAGE_HOURS; i++) {
        int64_t low = begin + i * HOUR_NS, high = low + HOUR_NS;
        int64_t a = from > low ? from : low, b = to + 1 < high ? to + 1 : high;
        if (b > a)
            hours[i] += size * (double)(b - a) / length;
    }
}

static void usage_of_part(struct store_usage *u, const struct part_facts *f)
{
    if (f->source >= RECORD_SOURCES)
        return;
    struct store_source_usage *s = &u->sources[f->source];
    if (!s->parts || f->received_min < s->received_min)
        s->received_min = f->received_min;
    if (!s->parts || f->received_max > s->received_max)
        s->received_max = f->received_max;
    s->parts++;
    s->rows += f->rows;
    s->bytes += f->bytes;
    if (f->received_max >= f->received_min)
        spread(s->hours, u->hours_from, f->received_min, f->received_max, (double)f->bytes);
}

int store_usage(struct store *s, int64_t now, struct store_usage *ret_usage)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    struct disk_space space;
    struct store_usage u = { .hours_from = now / HOUR_NS * HOUR_NS - (STORE_USAGE_HOURS - 1) * HOUR_NS,
                             .disk_cap_bytes = s->o.disk_cap_bytes };
    for (unsigned source = 0; source < RECORD_SOURCES; source++)
        u.sources[source].retention_ns = s->o.retention_ns[source];
    pthread_mutex_lock(&s->mutex);
    uint32_t n = s->parts_n;
    struct part_facts *facts = mem_calloc(n ? n : 1, sizeof *facts);
    for (uint32_t i = 0; facts && i < n; i++)
        part_facts(s->parts[i], &facts[i]);
    pthread_mutex_unlock(&s->mutex);
    if (!facts)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        usage_of_part(&u, &facts[i]);
    mem_free(facts);
    pthread_mutex_lock(&s->log_files.mutex);
    u.log_bytes = (uint64_t)s->log_files.files_n * s->log_files.next_size;
    pthread_mutex_unlock(&s->log_files.mutex);
    if (disk_space(s->disk, &space) == 0) {
        u.disk_total = space.total;
        u.disk_free = space.free;
    }
    *ret_usage = u;
    return 0;
}
