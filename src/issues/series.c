#include "issues/series.h"

#include "base/err.h"
#include "base/mem.h"

void series_free(struct series *s)
{
    mem_free(s->cells);
    *s = (struct series){ 0 };
}

// Index of the first cell that starts at this minute or later.
static uint32_t lower(const struct series *s, uint32_t minute)
{
    uint32_t lo = 0, hi = s->n;
    if (hi && s->cells[hi - 1].minute < minute) // mostly the newest is meant
        return hi;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (s->cells[mid].minute < minute)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int room(struct series *s)
{
    if (s->n < s->cap)
        return 0;
    uint32_t cap = s->cap ? s->cap * 2 : 2;
    struct series_cell *p = mem_reallocarray(s->cells, cap, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    s->cells = p;
    s->cap = cap;
    return 0;
}

static uint32_t width_at(uint32_t minute, uint32_t now)
{
    uint32_t age = now > minute ? now - minute : 0;
    return age > SERIES_DAY_AGE    ? SERIES_DAY
           : age > SERIES_HOUR_AGE ? SERIES_HOUR
           : age > SERIES_TEN_AGE  ? SERIES_TEN
                                   : SERIES_MINUTE;
}

// Two neighbours, where the sum fits.
static bool join(struct series_cell *into, const struct series_cell *c)
{
    uint32_t n;
    if (__builtin_add_overflow(into->n, c->n, &n))
        return false;
    into->n = n;
    return true;
}

// The start of the widest cell around the minute that is old enough as a whole. Cells of all widths lie within each other,
// so that starts are in the order of the minutes.
static uint32_t coarse(uint32_t minute, uint32_t now)
{
    static const uint32_t widths[] = { SERIES_DAY, SERIES_HOUR, SERIES_TEN };
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        uint32_t start = minute - minute % widths[i];
        if (start <= UINT32_MAX - widths[i] && width_at(start + widths[i] - 1, now) >= widths[i])
            return start;
    }
    return minute;
}

void series_coarsen(struct series *s, uint32_t now)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        struct series_cell c = { coarse(s->cells[i].minute, now), s->cells[i].n };
        if (kept && s->cells[kept - 1].minute == c.minute && join(&s->cells[kept - 1], &c))
            continue;
        s->cells[kept++] = c;
    }
    s->n = kept;
}

// The oldest half in cells of a day, and of what is still too much pairs.
static void shrink(struct series *s)
{
    uint32_t kept = 0, half = s->n / 2;
    for (uint32_t i = 0; i < s->n; i++) {
        struct series_cell c = s->cells[i];
        if (i < half)
            c.minute -= c.minute % SERIES_DAY;
        if (kept && s->cells[kept - 1].minute == c.minute && join(&s->cells[kept - 1], &c))
            continue;
        s->cells[kept++] = c;
    }
    s->n = kept;
    for (kept = 0; s->n >= SERIES_CELLS_MAX && kept + 1 < s->n;) {
        if (join(&s->cells[kept], &s->cells[kept + 1])) {
            memmove(&s->cells[kept + 1], &s->cells[kept + 2], (s->n - kept - 2) * sizeof s->cells[0]);
            s->n--;
        } else {
            kept++;
        }
    }
}

static int add_cell(struct series *s, uint32_t minute, uint32_t n)
{
    uint32_t i = lower(s, minute);
    if (i < s->n && s->cells[i].minute == minute) {
        struct series_cell c = { minute, n };
        if (join(&s->cells[i], &c))
            return 0;
    }
    if (s->n >= SERIES_CELLS_MAX) {
        shrink(s);
        i = lower(s, minute);
    }
    int r = room(s);
    if (r < 0)
        return r;
    memmove(&s->cells[i + 1], &s->cells[i], (s->n - i) * sizeof s->cells[0]);
    s->cells[i] = (struct series_cell){ minute, n };
    s->n++;
    return 0;
}

int series_add(struct series *s, uint32_t minute, uint64_t n)
{
    int r = 0;
    for (; n > UINT32_MAX && r == 0; n -= UINT32_MAX)
        r = add_cell(s, minute, UINT32_MAX);
    return r < 0 ? r : add_cell(s, minute, (uint32_t)n);
}

uint32_t series_align(uint32_t minute, uint32_t now) { return minute - minute % width_at(minute, now); }

uint32_t series_edge(uint32_t minute, uint32_t now)
{
    uint32_t width = width_at(minute, now), start = minute - minute % width;
    return start > UINT32_MAX - width ? UINT32_MAX : start + width;
}

uint64_t series_sum(const struct series *s, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    for (uint32_t i = lower(s, from); i < s->n && s->cells[i].minute < to; i++)
        sum += s->cells[i].n;
    return sum;
}

void series_spread(const struct series *s, uint32_t from, uint32_t to, uint32_t buckets, uint64_t *out)
{
    if (to <= from || !buckets)
        return;
    for (uint32_t i = lower(s, from); i < s->n && s->cells[i].minute < to; i++)
        out[(uint64_t)(s->cells[i].minute - from) * buckets / (to - from)] += s->cells[i].n;
}

void series_hours(const struct series *s, uint32_t hour, uint32_t hours, uint64_t *out)
{
    uint32_t first = hour > hours ? hour - hours : 0;
    for (uint32_t i = lower(s, first * SERIES_HOUR); i < s->n && s->cells[i].minute < hour * SERIES_HOUR; i++)
        out[s->cells[i].minute / SERIES_HOUR - first] += s->cells[i].n;
}

// ---- on disk -------------------------------------------------------------------------------------------

bool issue_varint(bytes *at, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < at->len && i < 10; i++) {
        v |= (uint64_t)(at->ptr[i] & 0x7f) << (7 * i);
        if (!(at->ptr[i] & 0x80)) {
            *at = bytes_of(at->ptr + i + 1, at->len - i - 1);
            *ret = v;
            return true;
        }
    }
    return false;
}

void series_encode(const struct series *s, struct buf *b)
{
    uint32_t before = 0;
    buf_varint(b, s->n);
    for (uint32_t i = 0; i < s->n; before = s->cells[i++].minute) {
        buf_varint(b, s->cells[i].minute - before);
        buf_varint(b, s->cells[i].n);
    }
}

int series_decode(struct series *s, bytes *at)
{
    uint64_t n, gap, count, minute = 0;
    if (!issue_varint(at, &n) || n > SERIES_CELLS_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        if (!issue_varint(at, &gap) || !issue_varint(at, &count) || count > UINT32_MAX || gap > UINT32_MAX ||
            (minute += gap) > UINT32_MAX)
            return ERR_CORRUPT;
        if (room(s) < 0)
            return ERR_NOMEM;
        s->cells[s->n++] = (struct series_cell){ (uint32_t)minute, (uint32_t)count };
    }
    return 0;
}
