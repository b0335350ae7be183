// Which parts become one. A *level* is a size in powers of MERGE_INPUTS_MIN; what merges must be neighbours in age
// of one source and class, none of which is of a higher level than the run asks for, so that a row moves up
// a level each time it is rewritten and there are few levels. No input may be more than a quarter of the result, or
// a large part would be rewritten again and again for a few rows more.
#include "store/merge.h"

const struct merge_limits merge_limits_default = {
    .rows_max = 50u << 20,
    .bytes_max = 2ull << 30,
    .traces_max = 4u << 20,
    .columns_max = 64u << 10,
    .resources_max = 64u << 10,
};

static bool same_kind(const struct part_facts *a, const struct part_facts *b)
{
    return a->source == b->source && a->retention_class == b->retention_class;
}

static unsigned level_of(uint64_t rows)
{
    unsigned level = 0;
    for (; rows >= 4096; rows /= MERGE_INPUTS_MIN)
        level++;
    return level;
}

struct sums {
    uint64_t rows, bytes, traces, columns, resources;
};

static bool add_within(struct sums *s, const struct part_facts *p, const struct merge_limits *limits)
{
    struct sums t = { s->rows + p->rows, s->bytes + p->bytes, s->traces + p->traces, s->columns + p->columns,
                      s->resources + p->resources };
    if (t.rows > limits->rows_max || t.bytes > limits->bytes_max || t.traces > limits->traces_max ||
        t.columns > limits->columns_max || t.resources > limits->resources_max)
        return false;
    *s = t;
    return true;
}

// The longest run of neighbours from `first` on that are of at most its level.
static uint32_t run_from(const struct part_facts *const *parts, uint32_t parts_n, const bool *busy, uint32_t first,
                         unsigned level, const struct merge_limits *limits, uint32_t *ret_pick)
{
    struct sums sums = { 0 };
    uint64_t largest = 0;
    uint32_t n = 0;
    for (uint32_t i = first; i < parts_n && n < MERGE_INPUTS_MAX; i++) {
        if (!same_kind(parts[i], parts[first]))
            continue; // of another source: no neighbour, and not in the way
        if ((busy && busy[i]) || level_of(parts[i]->rows) > level || !add_within(&sums, parts[i], limits))
            break;
        ret_pick[n++] = i;
        largest = parts[i]->rows > largest ? parts[i]->rows : largest;
    }
    return largest <= sums.rows / 4 ? n : 0;
}

uint32_t merge_pick(const struct part_facts *const *parts, uint32_t parts_n, const bool *busy,
                    const struct merge_limits *limits, uint32_t ret_pick[MERGE_INPUTS_MAX])
{
    // Small ones first: they cost least and slow queries most.
    for (unsigned level = 0; level < 16; level++) {
        for (uint32_t first = 0; first < parts_n; first++) {
            if (level_of(parts[first]->rows) > level)
                continue;
            uint32_t n = run_from(parts, parts_n, busy, first, level, limits, ret_pick);
            if (n >= MERGE_INPUTS_MIN)
                return n;
        }
    }
    return 0;
}

uint64_t merge_debt_rows(const struct part_facts *const *parts, uint32_t parts_n, const struct merge_limits *limits)
{
    // What is picked first, again and again with the result in its place, as the background would do it.
    if (parts_n < MERGE_INPUTS_MIN || parts_n > 4096)
        return 0;
    struct part_facts copy[256];
    const struct part_facts *now[256];
    uint32_t n = parts_n < 256 ? parts_n : 256; // the newest are the ones that merge
    for (uint32_t i = 0; i < n; i++) {
        copy[i] = *parts[parts_n - n + i];
        now[i] = &copy[i];
    }
    uint64_t debt = 0;
    uint32_t pick[MERGE_INPUTS_MAX];
    for (uint32_t picked; (picked = merge_pick(now, n, NULL, limits, pick));) {
        struct part_facts *into = (struct part_facts *)(uintptr_t)now[pick[0]];
        debt += into->rows;
        for (uint32_t k = 1; k < picked; k++) {
            const struct part_facts *p = now[pick[k]];
            debt += p->rows;
            into->rows += p->rows;
            into->bytes += p->bytes;
            into->traces += p->traces;
        }
        uint32_t kept = 0;
        for (uint32_t i = 0, k = 1; i < n; i++) {
            if (k < picked && i == pick[k])
                k++;
            else
                now[kept++] = now[i];
        }
        n = kept;
    }
    return debt;
}
