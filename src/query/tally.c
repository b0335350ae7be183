#include "query/tally.h"

#include "base/hash.h"

#include <math.h>

// ---- fields ----

static int slots_grow(struct tally *t)
{
    uint32_t n = t->slots ? (t->mask + 1) * 2 : 64;
    uint32_t *more = exec_zalloc(t->x, (size_t)n * 4);
    if (!more)
        return exec_nomem(t->x);
    if (t->slots)
        exec_free(t->x, t->slots, ((size_t)t->mask + 1) * 4);
    t->slots = more;
    t->mask = n - 1;
    for (uint32_t k = 0; k < t->n; k++) {
        uint32_t i = (uint32_t)hash64_str(t->fields[k].name) & t->mask;
        while (t->slots[i])
            i = (i + 1) & t->mask;
        t->slots[i] = k + 1;
    }
    return 0;
}

// The slot of the name: it is there, or free.
static uint32_t slot_of(const struct tally *t, str name)
{
    uint32_t i = (uint32_t)hash64_str(name) & t->mask;
    while (t->slots[i] && !str_eq(t->fields[t->slots[i] - 1].name, name))
        i = (i + 1) & t->mask;
    return i;
}

bool tally_field_has(const struct tally *t, str name) { return t->slots && t->slots[slot_of(t, name)]; }

int tally_field_get(struct tally *t, str name, uint32_t max, uint32_t *ret)
{
    int rc = 0;
    if (!t->slots || t->n * 2 > t->mask)
        rc = slots_grow(t);
    if (rc < 0)
        return rc;
    uint32_t i = slot_of(t, name);
    if (t->slots[i]) {
        *ret = t->slots[i] - 1;
        return 0;
    }
    rc = exec_grow(t->x, (void **)&t->fields, &t->cap, t->n, sizeof *t->fields);
    if (rc < 0)
        return rc;
    t->fields[t->n] = (struct tally_field){ .name = name, .max = max, .values.values.x = t->x };
    *ret = t->n++;
    t->slots[i] = t->n;
    return 0;
}

static int counts_room(struct tally *t, struct tally_field *f)
{
    while (f->counts_cap < f->values.values.n) {
        uint32_t before = f->counts_cap;
        int rc = exec_grow(t->x, (void **)&f->counts, &f->counts_cap, f->counts_cap, 2 * sizeof *f->counts);
        if (rc < 0)
            return rc;
        memset(f->counts + 2 * (size_t)before, 0, 2 * (size_t)(f->counts_cap - before) * sizeof *f->counts);
    }
    return 0;
}

static void values_drop(struct tally *t, struct tally_field *f)
{
    intern_field_free(&f->values);
    exec_free(t->x, f->counts, (size_t)f->counts_cap * 2 * sizeof *f->counts);
    f->counts = NULL;
    f->counts_cap = 0;
}

// ---- ranges of numbers ----

// Numbers in order, by sign, exponent and five bits of the mantissa.
enum { RANGE_BITS = 17, PAGE_RANGES = 256, PAGES = (1 << RANGE_BITS) / PAGE_RANGES };

struct tally_page {
    struct tally_range {
        double least, most; // that occurred
        uint64_t counts[2];
    } ranges[PAGE_RANGES];
};

static uint32_t range_of(double d)
{
    uint64_t bits;
    d += 0.0; // -0 is 0
    memcpy(&bits, &d, 8);
    bits = bits >> 63 ? ~bits : bits | 1ull << 63;
    return (uint32_t)(bits >> (64 - RANGE_BITS));
}

static int range_add(struct tally *t, struct tally_field *f, double d, unsigned set, uint64_t rows)
{
    if (isnan(d))
        return 0;
    uint32_t k = range_of(d);
    struct tally_page **page = &f->pages[k / PAGE_RANGES];
    if (!*page) {
        *page = exec_alloc(t->x, sizeof **page);
        if (!*page)
            return exec_nomem(t->x);
        for (int i = 0; i < PAGE_RANGES; i++)
            (*page)->ranges[i] = (struct tally_range){ INFINITY, -INFINITY, { 0, 0 } };
    }
    struct tally_range *r = &(*page)->ranges[k % PAGE_RANGES];
    r->least = d < r->least ? d : r->least;
    r->most = d > r->most ? d : r->most;
    r->counts[set] += rows;
    f->rows[set] += rows;
    return 0;
}

static bool is_number(const struct qval *v, double *ret)
{
    if (v->type == QVAL_INT || v->type == QVAL_DURATION)
        *ret = (double)v->i;
    else if (v->type == QVAL_DOUBLE)
        *ret = v->d;
    else
        return false;
    return true;
}

static uint32_t numbers_in(const struct tally_field *f)
{
    uint32_t n = 0;
    double d;
    for (uint32_t i = 0; i < f->values.values.n; i++)
        n += is_number(&f->values.values.values[i], &d);
    return n;
}

static void number_type(struct tally_field *f, uint8_t type)
{
    f->durations |= type == QVAL_DURATION;
    f->doubles |= type == QVAL_DOUBLE;
}

// From here on the field's numbers are counted in ranges, those so far too.
static int ranges_begin(struct tally *t, struct tally_field *f)
{
    struct tally_field old = *f;
    int rc = 0;
    f->pages = exec_zalloc(t->x, PAGES * sizeof(struct tally_page *));
    if (!f->pages)
        return exec_nomem(t->x);
    f->values = (struct intern_field){ .values.x = t->x };
    f->counts = NULL;
    f->counts_cap = 0;
    for (uint32_t i = 0; i < old.values.values.n && rc == 0; i++) {
        const struct qval *v = &old.values.values.values[i];
        uint64_t counts[2] = { 0, 0 };
        double d;
        uint32_t id;
        if (i < old.counts_cap)
            memcpy(counts, old.counts + 2 * (size_t)i, sizeof counts);
        if (is_number(v, &d)) {
            number_type(f, v->type);
            for (unsigned set = 0; set < 2 && rc == 0; set++)
                rc = counts[set] ? range_add(t, f, d, set, counts[set]) : 0;
            continue;
        }
        rc = intern_value(&f->values.values, v, UINT32_MAX - 1, &id);
        if (rc == 0)
            rc = counts_room(t, f);
        if (rc == 0)
            memcpy(f->counts + 2 * (size_t)id, counts, sizeof counts);
    }
    values_drop(t, &old);
    return rc;
}

// ---- rows ----

// In order: set 0 are the rows of `in`, 1 the rest.
static unsigned set_of(const uint64_t *in, uint32_t i) { return !bit_get(in, i); }

static bool number_vec(const struct cvec *v)
{
    return (v->kind == CVEC_I64 && v->type != QVAL_TIME) || v->kind == CVEC_F64 || v->kind == CVEC_U32;
}

static int numbers_count(struct tally *t, struct tally_field *f, const struct cvec *v, const uint64_t *sel,
                         const uint64_t *in, uint32_t n)
{
    int rc = 0;
    number_type(f, v->kind == CVEC_F64 ? QVAL_DOUBLE : v->kind == CVEC_I64 ? v->type : QVAL_INT);
    for (uint32_t w = 0; w < BITS_WORDS(n) && rc == 0; w++) {
        for (uint64_t rows = sel[w] & (v->present ? v->present[w] : UINT64_MAX); rows && rc == 0; rows &= rows - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(rows);
            double d = v->kind == CVEC_F64 ? v->f64[i] : v->kind == CVEC_I64 ? (double)v->i64[i] : (double)v->u32[i];
            rc = range_add(t, f, d, set_of(in, i), 1);
        }
    }
    return rc;
}

// Two values at most: no look-up a row.
static int bools_count(struct tally *t, struct tally_field *f, const struct cvec *v, const uint64_t *sel,
                       const uint64_t *in, uint32_t n)
{
    uint64_t counts[2][2] = { { 0 } };
    for (uint32_t w = 0; w < BITS_WORDS(n); w++) {
        for (uint64_t rows = sel[w] & (v->present ? v->present[w] : UINT64_MAX); rows; rows &= rows - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(rows);
            counts[v->kind == CVEC_ROOT ? v->u64[i] == 0 : v->u8[i] != 0][set_of(in, i)]++;
        }
    }
    for (int b = 0; b < 2; b++) {
        struct qval q = qval_bool(b);
        uint32_t id;
        if (counts[b][0] + counts[b][1] == 0)
            continue;
        int rc = intern_value(&f->values.values, &q, f->max, &id);
        if (rc == 0)
            rc = counts_room(t, f);
        if (rc < 0)
            return rc;
        for (int set = 0; set < 2; set++)
            f->counts[2 * (size_t)id + set] += counts[b][set];
    }
    return 0;
}

// Values of any type, row by row: what is a number goes into its range.
static int mixed_count(struct tally *t, struct tally_field *f, const struct cvec *v, const uint32_t *index, uint32_t n,
                       const uint64_t *in)
{
    int rc = 0;
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        struct qval q = cvec_get(v, index[k]);
        double d;
        uint32_t id;
        if (is_number(&q, &d)) {
            number_type(f, q.type);
            rc = range_add(t, f, d, set_of(in, index[k]), 1);
            continue;
        }
        rc = intern_value(&f->values.values, &q, f->max, &id);
        if (rc == 0)
            rc = counts_room(t, f);
        if (rc == 0)
            f->counts[2 * (size_t)id + set_of(in, index[k])]++;
    }
    return rc;
}

static int values_count(struct tally *t, struct tally_field *f, const struct cvec *v, const uint32_t *index, uint32_t n,
                        const uint64_t *in)
{
    uint32_t *ids = exec_scratch(t->x, n, 4), max = t->ranges && number_vec(v) ? TALLY_NUMBERS : f->max;
    if (!ids)
        return exec_nomem(t->x);
    int rc = intern_rows(&f->values, v, index, n, max, ids);
    if (rc == 0)
        rc = counts_room(t, f);
    for (uint32_t k = 0; k < n && rc == 0; k++)
        f->counts[2 * (size_t)ids[k] + set_of(in, index[k])]++;
    return rc;
}

int tally_vec(struct tally *t, uint32_t field, const struct cvec *v, const uint64_t *sel, const uint64_t *in,
              uint32_t n)
{
    struct tally_field *f = &t->fields[field];
    struct exec *x = t->x;
    int rc = 0;
    if (f->over || v->kind == CVEC_NONE)
        return 0;
    if (f->pages && number_vec(v))
        return numbers_count(t, f, v, sel, in, n);
    struct arena_mark mark = arena_mark(&x->scratch);
    if (v->kind == CVEC_BOOL || v->kind == CVEC_ROOT) {
        rc = bools_count(t, f, v, sel, in, n);
    } else {
        uint32_t *index = exec_scratch(x, n, 4), rows_n = 0;
        if (!index)
            return exec_nomem(x);
        for (uint32_t w = 0; w < BITS_WORDS(n); w++) {
            for (uint64_t rows = sel[w] & (v->present ? v->present[w] : UINT64_MAX); rows; rows &= rows - 1)
                index[rows_n++] = w * 64 + (uint32_t)__builtin_ctzll(rows);
        }
        if (rows_n > 0)
            rc = f->pages ? mixed_count(t, f, v, index, rows_n, in) : values_count(t, f, v, index, rows_n, in);
    }
    arena_rewind(&x->scratch, mark);
    if (rc != ERR_LIMIT)
        return rc;
    // Too many: numbers in ranges take little; other values are too many to say something.
    if (t->ranges && !f->pages && (number_vec(v) || numbers_in(f) > TALLY_NUMBERS)) {
        rc = ranges_begin(t, f);
        return rc < 0 ? rc : tally_vec(t, field, v, sel, in, n);
    }
    f->over = true;
    values_drop(t, f);
    return 0;
}

// ---- batches ----

static int count_block(struct tally *t, struct exec_segment *s, const uint64_t *sel, const uint64_t *in, uint32_t n)
{
    const struct tally_segment *of;
    int rc = tally_vars_find(t, s, sel, n);
    if (rc == 0)
        rc = tally_segment_get(t, s, &of);
    for (uint32_t k = 0; rc == 0 && k < of->n; k++) {
        const struct tally_place *p = &of->places[k];
        struct arena_mark mark = arena_mark(&t->x->scratch);
        struct cvec v;
        if (t->fields[p->field].over)
            continue;
        rc = chain_vec(t->x, s, TABLE_ROWS, p->chain, sel, n, &v);
        if (rc == 0)
            rc = tally_vec(t, p->field, &v, sel, in, n);
        arena_rewind(&t->x->scratch, mark);
    }
    return rc;
}

struct by_block {
    struct tally *t;
    const uint64_t *in;
};

static int count_refs(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n)
{
    struct by_block *g = ctx;
    struct exec *x = g->t->x;
    uint32_t rows = segment_block_rows(s->seg, TABLE_ROWS, s->block[TABLE_ROWS]);
    uint64_t *sel = exec_bits(x, rows, false), *in = exec_bits(x, rows, false);
    if (!sel || !in)
        return exec_nomem(x);
    for (uint32_t i = 0; i < n; i++) {
        bit_set(sel, at[i]);
        if (bit_get(g->in, index[i]))
            bit_set(in, at[i]);
    }
    return count_block(g->t, s, sel, in, rows);
}

int tally_batch(struct tally *t, struct vbatch *b, const struct query_ref *const *refs, uint32_t refs_n, bool records,
                const uint64_t *in)
{
    int rc = 0;
    uint32_t all = bits_count(b->sel, b->n), some = 0;
    for (size_t w = 0; w < BITS_WORDS(b->n); w++)
        some += (uint32_t)__builtin_popcountll(b->sel[w] & in[w]);
    t->rows[0] += some;
    t->rows[1] += all - some;
    for (uint32_t i = 0; i < refs_n && rc == 0; i++) {
        struct cvec v;
        rc = vbatch_field(b, refs[i], &v);
        if (rc == 0)
            rc = tally_vec(t, i, &v, b->sel, in, b->n);
    }
    if (rc < 0 || !records)
        return rc;
    if (b->kind == VBATCH_BLOCK)
        return count_block(t, b->seg, b->sel, in, b->n);
    struct by_block g = { t, in };
    return b->kind == VBATCH_REFS ? vbatch_by_block(b, b->sel, count_refs, &g) : 0;
}

// ---- the end ----

// The rows of a list count for each of its elements, once each.
static int list_explode(struct tally *t, struct tally_field *f, uint32_t list, struct intern *seen)
{
    const struct qval *v = &f->values.values.values[list];
    struct value whole = { .type = VALUE_LIST, .s = v->s }, e;
    struct value_reader r;
    uint64_t left, counts[2] = { f->counts[2 * (size_t)list], f->counts[2 * (size_t)list + 1] };
    int rc = value_open(&whole, &r, &left) < 0 ? 1 : 0;
    for (; left > 0 && rc == 0 && value_read(&r, &e) == 0; left--) {
        struct qval q = qval_of_value(&e);
        uint32_t id, before = seen->n;
        if (q.type == QVAL_MISSING || q.type == QVAL_LIST || q.type == QVAL_MAP)
            continue;
        rc = intern_value(seen, &q, UINT32_MAX - 1, &id);
        if (rc < 0 || seen->n == before) // the list has it twice
            continue;
        rc = intern_value(&f->values.values, &q, f->max + f->max, &id);
        if (rc == 0)
            rc = counts_room(t, f);
        for (int set = 0; set < 2 && rc == 0; set++)
            f->counts[2 * (size_t)id + set] += counts[set];
    }
    return rc > 0 ? 0 : rc;
}

static int field_finish(struct tally *t, struct tally_field *f)
{
    uint32_t whole = f->values.values.n;
    int rc = 0;
    for (uint32_t i = 0; i < whole; i++) {
        for (int set = 0; set < 2; set++) {
            if (f->values.values.values[i].type != QVAL_MISSING)
                f->rows[set] += f->counts[2 * (size_t)i + set];
        }
    }
    for (uint32_t i = 0; i < whole && rc == 0; i++) {
        if (f->values.values.values[i].type != QVAL_LIST)
            continue;
        struct intern seen = { .x = t->x };
        rc = list_explode(t, f, i, &seen);
        intern_free(&seen);
    }
    if (rc == ERR_LIMIT) {
        f->over = true;
        values_drop(t, f);
        return 0;
    }
    if (rc == 0 && t->ranges && !f->pages && numbers_in(f) > TALLY_NUMBERS) {
        uint64_t rows[2] = { f->rows[0], f->rows[1] };
        rc = ranges_begin(t, f);
        memcpy(f->rows, rows, sizeof rows);
    }
    return rc;
}

int tally_finish(struct tally *t)
{
    int rc = 0;
    for (uint32_t i = 0; i < t->n && rc == 0; i++) {
        rc = t->fields[i].over ? 0 : field_finish(t, &t->fields[i]);
        if (rc == 0)
            rc = exec_poll(t->x);
    }
    return rc;
}

void tally_free(struct tally *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct tally_field *f = &t->fields[i];
        values_drop(t, f);
        for (int p = 0; f->pages && p < PAGES; p++)
            exec_free(t->x, f->pages[p], sizeof(struct tally_page));
        exec_free(t->x, f->pages, PAGES * sizeof(struct tally_page *));
    }
    exec_free(t->x, t->fields, t->cap * sizeof *t->fields);
    if (t->slots)
        exec_free(t->x, t->slots, ((size_t)t->mask + 1) * 4);
    t->fields = NULL;
    t->n = 0;
}

// ---- tenths ----

// A number above `below` and at most `at`, with as few digits as possible; whole: without a fraction.
static double round_bound(double below, double at, bool whole)
{
    int power = at == 0 ? 0 : (int)floor(log10(fabs(at)));
    for (int digits = 0; digits < 17 && at != 0; digits++) {
        double scale = pow(10, power - digits), c = floor(at / scale) * scale;
        if (whole && scale < 1)
            break;
        if (c > below && c <= at)
            return c;
    }
    return at;
}

uint32_t tally_tenths(const struct tally_field *f, struct tally_tenth ret[10])
{
    uint64_t rest = 0, before = 0, next = 1; // next: the tenth whose begin is looked for
    double most = 0;
    uint32_t n = 0;
    bool any = false;
    for (int p = 0; p < PAGES; p++) {
        for (int i = 0; f->pages[p] && i < PAGE_RANGES; i++)
            rest += f->pages[p]->ranges[i].counts[1];
    }
    for (int p = 0; p < PAGES; p++) {
        for (int i = 0; f->pages[p] && i < PAGE_RANGES; i++) {
            const struct tally_range *r = &f->pages[p]->ranges[i];
            if (r->counts[0] + r->counts[1] == 0)
                continue;
            if (!any)
                ret[n++] = (struct tally_tenth){ 0 };
            if (any && rest > 0 && before * 10 >= next * rest && n < 10) {
                double bound = round_bound(most, r->least, !f->doubles);
                ret[n - 1].has_to = true;
                ret[n - 1].to = bound;
                ret[n++] = (struct tally_tenth){ .has_from = true, .from = bound };
                next = before * 10 / rest + 1;
            }
            any = true;
            most = r->most;
            before += r->counts[1];
            ret[n - 1].counts[0] += r->counts[0];
            ret[n - 1].counts[1] += r->counts[1];
        }
    }
    return n;
}
