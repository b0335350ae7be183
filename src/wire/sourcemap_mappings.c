// The `mappings` of a source map: from base64 VLQ to blocks of differences, and look-ups in those.
//
// Format of a segment behind the first of its block: varint (lines since the last one << 2 | kind), varint column (since
// the last segment when it is on the same line), then by kind: nothing (no source); source, line and column as
// zigzag differences; the same and the name's. A segment without a source leaves the last ones as they were.
#include "wire/sourcemap_internal.h"

#include "base/mem.h"

#include <stdlib.h>

enum { KIND_BARE, KIND_SOURCE, KIND_NAMED };
enum { SEGMENT_BYTES_MAX = 16, VLQ_DIGITS_MAX = 7 };

void mappings_init(struct mappings *m, uint32_t segments_max)
{
    *m = (struct mappings){ .n_max = segments_max };
    buf_init(&m->bytes, (size_t)segments_max * SEGMENT_BYTES_MAX);
    buf_init(&m->blocks, (segments_max / BLOCK + 1) * sizeof(struct sourcemap_block));
}

void mappings_free(struct mappings *m)
{
    buf_free(&m->bytes);
    buf_free(&m->blocks);
}

static uint32_t zigzag(uint32_t to, uint32_t from)
{
    int32_t d = (int32_t)(to - from);
    return (uint32_t)d << 1 ^ (uint32_t)(d >> 31);
}

static uint8_t *put(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

int mappings_add(struct mappings *m, const struct segment *s)
{
    if (m->n == m->n_max)
        return ERR_LIMIT;
    if (m->in_block == BLOCK || m->n == 0) {
        // A bare segment at the front still carries what the next ones differ from.
        bool bare = s->source == SOURCEMAP_NONE;
        struct sourcemap_block b = { s->line, s->column, SOURCEMAP_NONE, 0, 0, SOURCEMAP_NONE, (uint32_t)m->bytes.len };
        if (!bare)
            b.source = s->source, b.source_line = s->source_line, b.source_column = s->source_column, b.name = s->name;
        m->last = (struct segment){ s->line, s->column, 0, 0, 0, 0 };
        if (!bare)
            m->last = *s;
        if (s->name == SOURCEMAP_NONE || bare)
            m->last.name = 0;
        m->in_block = 1;
        m->n++;
        return buf_append(&m->blocks, &b, sizeof b);
    }
    enum { SEGMENT_MAX = 6 * 5 };
    if (buf_reserve(&m->bytes, SEGMENT_MAX) < 0)
        return m->bytes.error;
    uint8_t *start = m->bytes.ptr + m->bytes.len, *p = start;
    unsigned kind = s->source == SOURCEMAP_NONE ? KIND_BARE : s->name == SOURCEMAP_NONE ? KIND_SOURCE : KIND_NAMED;
    uint32_t lines = s->line - m->last.line;
    p = put(p, (uint64_t)lines << 2 | kind);
    p = put(p, lines ? s->column : s->column - m->last.column);
    if (kind != KIND_BARE) {
        p = put(p, zigzag(s->source, m->last.source));
        p = put(p, zigzag(s->source_line, m->last.source_line));
        p = put(p, zigzag(s->source_column, m->last.source_column));
        m->last.source = s->source, m->last.source_line = s->source_line, m->last.source_column = s->source_column;
    }
    if (kind == KIND_NAMED) {
        p = put(p, zigzag(s->name, m->last.name));
        m->last.name = s->name;
    }
    m->last.line = s->line;
    m->last.column = s->column;
    m->bytes.len += (size_t)(p - start);
    m->in_block++;
    m->n++;
    return 0;
}

// ---- base64 VLQ ----------------------------------------------------------------------------------------

// Value of a base64 digit, plus one; 0: none.
static const uint8_t digits[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

// The sums as the format has them: what each number of a segment adds to.
struct sums {
    int64_t column, source, line, source_column, name;
};

// One number; NULL: it is none, or beyond 32 bits.
static const char *vlq(const char *p, const char *end, int64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VLQ_DIGITS_MAX; i++) {
        unsigned d = p < end ? digits[(uint8_t)*p++] : 0;
        if (!d--)
            return NULL;
        v |= (uint64_t)(d & 31) << (5 * i);
        if (!(d & 32)) {
            if (v > UINT32_MAX)
                return NULL;
            *ret = v & 1 ? -(int64_t)(v >> 1) : (int64_t)(v >> 1);
            return p;
        }
    }
    return NULL;
}

static uint32_t position(int64_t v) { return (uint32_t)v; }

static bool in_range(int64_t v) { return v >= 0 && v <= SOURCEMAP_POSITION_MAX; }

// One segment; the sums go on. NULL: malformed.
static const char *segment_read(const char *p, const char *end, struct sums *sums, struct segment *ret,
                                const struct mappings_section *section)
{
    int64_t v[5];
    unsigned n = 0;
    while (p < end && *p != ',' && *p != ';') {
        if (n == 5 || !(p = vlq(p, end, &v[n])))
            return NULL;
        n++;
    }
    if (n != 1 && n != 4 && n != 5)
        return NULL;
    sums->column += v[0];
    if (!in_range(sums->column))
        return NULL;
    ret->column = position(sums->column);
    ret->source = ret->name = SOURCEMAP_NONE;
    ret->source_line = ret->source_column = 0;
    if (n == 1)
        return p;
    sums->source += v[1], sums->line += v[2], sums->source_column += v[3];
    if (n == 5)
        sums->name += v[4];
    if (sums->source < 0 || sums->source >= section->source_n || !in_range(sums->line) ||
        !in_range(sums->source_column))
        return p; // it points nowhere: as one without a source
    ret->source = section->source + (uint32_t)sums->source;
    ret->source_line = position(sums->line);
    ret->source_column = position(sums->source_column);
    if (n == 5 && sums->name >= 0 && sums->name < section->name_n)
        ret->name = section->name + (uint32_t)sums->name;
    return p;
}

static bool before(uint32_t line, uint32_t column, uint32_t than_line, uint32_t than_column)
{
    return line < than_line || (line == than_line && column < than_column);
}

// Adds it behind the mark of the section's beginning.
static int section_add(struct mappings *m, const struct segment *s)
{
    int r = 0;
    if (m->bounded) {
        m->bounded = false;
        if (m->n && (!s || before(m->bound.line, m->bound.column, s->line, s->column)))
            r = mappings_add(m, &m->bound);
    }
    return r < 0 || !s ? r : mappings_add(m, s);
}

struct ordered {
    struct segment s;
    uint32_t at;
};

static int order(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->s.column != y->s.column)
        return x->s.column < y->s.column ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

// A generated line whose segments are out of order. The sums are those of its beginning.
static int line_sorted(struct mappings *m, const char *p, const char *end, uint32_t line, uint32_t shift,
                       struct sums sums, const struct mappings_section *section)
{
    struct buf all;
    struct ordered o = { .at = 0 };
    int r = 0;
    buf_init(&all, (size_t)SOURCEMAP_LINE_MAX * sizeof o);
    while (r == 0 && p < end && *p != ';') {
        if (*p == ',') {
            p++;
            continue;
        }
        p = segment_read(p, end, &sums, &o.s, section); // was read once
        o.s.line = line;
        o.s.column += shift;
        if (before(line, o.s.column, section->end_line, section->end_column))
            r = buf_append(&all, &o, sizeof o);
        o.at++;
    }
    size_t n = all.len / sizeof o;
    if (r == 0 && n)
        qsort(all.ptr, n, sizeof o, order);
    for (size_t i = 0; i < n && r == 0; i++)
        r = section_add(m, &((struct ordered *)all.ptr)[i].s);
    buf_free(&all);
    return r;
}

// What mappings_add has changed since can be undone.
struct undo {
    size_t bytes, blocks;
    struct segment last;
    uint32_t n, in_block;
    bool bounded;
};

static struct undo undo_of(const struct mappings *m)
{
    return (struct undo){ m->bytes.len, m->blocks.len, m->last, m->n, m->in_block, m->bounded };
}

static void undo(struct mappings *m, const struct undo *u)
{
    m->bytes.len = u->bytes, m->blocks.len = u->blocks;
    m->last = u->last, m->n = u->n, m->in_block = u->in_block, m->bounded = u->bounded;
}

// One generated line, from *p to its end.
static int line_decode(struct mappings *m, const char **p, const char *end, uint32_t line, uint32_t shift,
                       struct sums *sums, const struct mappings_section *section)
{
    const char *start = *p, *q = start;
    struct sums at_start = *sums;
    struct undo back = undo_of(m);
    struct segment s = { .line = line };
    uint32_t last = 0;
    bool sorted = true;
    int r = 0;
    while (q < end && *q != ';' && r == 0) {
        if (*q == ',') {
            q++;
            continue;
        }
        if (!(q = segment_read(q, end, sums, &s, section)))
            return ERR_MALFORMED;
        if (s.column > SOURCEMAP_POSITION_MAX - shift)
            return ERR_MALFORMED;
        s.column += shift;
        sorted &= s.column >= last;
        last = s.column;
        if (sorted && before(line, s.column, section->end_line, section->end_column))
            r = section_add(m, &s);
    }
    *p = q;
    if (r < 0 || sorted)
        return r;
    undo(m, &back);
    return line_sorted(m, start, end, line, shift, at_start, section);
}

int mappings_decode(struct mappings *m, str text, const struct mappings_section *section, struct err *err)
{
    const char *p = text.ptr, *end = p + text.len;
    struct sums sums = { 0 };
    uint32_t line = section->line, shift = section->column;
    int r = 0;
    m->bound = (struct segment){ line, shift, SOURCEMAP_NONE, 0, 0, SOURCEMAP_NONE };
    m->bounded = true;
    while (p < end && r == 0) {
        if (*p == ';') {
            if (line++ >= SOURCEMAP_POSITION_MAX)
                return err_set(err, ERR_LIMIT, NULL, "the source map has too many lines");
            shift = 0;
            sums.column = 0;
            p++;
            continue;
        }
        r = line_decode(m, &p, end, line, shift, &sums, section);
    }
    if (r == 0)
        r = section_add(m, NULL);
    if (r == ERR_MALFORMED) {
        err_set(err, r, NULL, "the source map's mappings are malformed");
        err_set_place(err, "generated line %u", line - section->line + 1);
    } else if (r < 0) {
        err_set(err, r, NULL, r == ERR_LIMIT ? "the source map has too many segments" : "out of memory");
    }
    return r;
}

// ---- look-ups ------------------------------------------------------------------------------------------

static inline uint64_t get(const uint8_t **p)
{
    uint64_t v = *(*p)++;
    if (__builtin_expect(v < 0x80, 1))
        return v;
    v &= 0x7f;
    for (unsigned shift = 7;; shift += 7) {
        uint8_t b = *(*p)++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
}

static uint32_t get_zigzag(const uint8_t **p)
{
    uint32_t v = (uint32_t)get(p);
    return v >> 1 ^ -(v & 1);
}

static void block_begin(struct sourcemap_cursor *c)
{
    const struct sourcemap_block *b = &c->map->blocks[c->block];
    bool source = b->source != SOURCEMAP_NONE, named = b->name != SOURCEMAP_NONE;
    c->p = c->map->segments + b->at;
    c->left = c->block + 1 < c->map->blocks_n ? BLOCK : c->map->segments_n - c->block * BLOCK;
    c->source = source ? b->source : 0;
    c->name = named ? b->name : 0;
    c->place = (struct sourcemap_place){ b->source_line, b->source_column, b->source, b->name, b->line, b->column };
}

static void block_next(struct sourcemap_cursor *c)
{
    const uint8_t *p = c->p;
    uint64_t head = get(&p);
    uint32_t lines = (uint32_t)(head >> 2), column = (uint32_t)get(&p), kind = head & 3;
    c->place.generated_line += lines;
    c->place.generated_column = lines ? column : c->place.generated_column + column;
    c->place.source = c->place.name = SOURCEMAP_NONE;
    if (kind != KIND_BARE) {
        c->place.source = c->source += get_zigzag(&p);
        c->place.line += get_zigzag(&p);
        c->place.column += get_zigzag(&p);
    }
    if (kind == KIND_NAMED)
        c->place.name = c->name += get_zigzag(&p);
    c->p = p;
}

void sourcemap_walk(const struct sourcemap *map, struct sourcemap_cursor *ret_cursor)
{
    *ret_cursor = (struct sourcemap_cursor){ .map = map, .block = UINT32_MAX };
}

bool sourcemap_next(struct sourcemap_cursor *c)
{
    if (c->left) {
        block_next(c);
    } else {
        if (++c->block >= c->map->blocks_n)
            return false;
        block_begin(c);
    }
    c->left--;
    return true;
}

bool sourcemap_find(const struct sourcemap *map, uint32_t line, uint32_t column, struct sourcemap_place *ret_place)
{
    // The last block that begins before the place: what begins at the place may begin in it, or with the next one.
    uint32_t low = 0, high = map->blocks_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (before(map->blocks[mid].line, map->blocks[mid].column, line, column))
            low = mid + 1;
        else
            high = mid;
    }
    struct sourcemap_cursor c = { .map = map, .block = (low ? low - 1 : 0) - 1 };
    struct sourcemap_place best = { .source = SOURCEMAP_NONE };
    while (sourcemap_next(&c) && !before(line, column, c.place.generated_line, c.place.generated_column)) {
        if (c.place.generated_line == line)
            best = c.place;
        if (c.place.generated_line == line && c.place.generated_column == column)
            break;
    }
    if (best.source == SOURCEMAP_NONE)
        return false;
    *ret_place = best;
    return true;
}
