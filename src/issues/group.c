#include "issues/group.h"

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { DETAIL_FORMAT = 1, USER_LABEL_MAX = 80 };

struct detail *detail_new(void)
{
    struct detail *d = mem_zalloc(sizeof *d);
    if (d)
        d->handled = -1;
    return d;
}

void detail_free(struct detail *d)
{
    if (!d)
        return;
    mem_free((char *)(uintptr_t)d->title.ptr);
    series_free(&d->series);
    people_free(&d->people);
    shares_free(&d->releases);
    shares_free(&d->environments);
    shares_free(&d->services);
    for (unsigned i = 0; i < d->top_n; i++)
        mem_free(d->top[i].label);
    mem_free(d->top);
    mem_free(d);
}

size_t detail_bytes(const struct detail *d)
{
    return sizeof *d + d->title.len + d->type.len + d->value.len + d->culprit.len + d->platform.len +
           d->series.cap * sizeof d->series.cells[0] + people_bytes(&d->people) + shares_bytes(&d->releases) +
           shares_bytes(&d->environments) + shares_bytes(&d->services) +
           d->top_cap * (sizeof d->top[0] + USER_LABEL_MAX / 4);
}

static int texts_set(struct detail *d, str title, str type, str value, str culprit, str platform)
{
    const str in[] = { utf8_cut(title, ISSUE_TEXT_MAX), utf8_cut(type, ISSUE_TEXT_MAX), utf8_cut(value, ISSUE_TEXT_MAX),
                       utf8_cut(culprit, ISSUE_TEXT_MAX), utf8_cut(platform, ISSUE_TEXT_MAX) };
    str *const out[] = { &d->title, &d->type, &d->value, &d->culprit, &d->platform };
    uint64_t hash = 0;
    size_t n = 1;
    for (int i = 0; i < 5; i++) {
        hash = hash64_int(hash + hash64_str(in[i]) + in[i].len);
        n += in[i].len;
    }
    if (d->title.ptr && d->texts == hash)
        return 0;
    char *p = mem_alloc(n), *before = (char *)(uintptr_t)d->title.ptr;
    if (!p)
        return ERR_NOMEM;
    char *at = p;
    for (int i = 0; i < 5; i++) {
        if (in[i].len)
            memcpy(at, in[i].ptr, in[i].len);
        *out[i] = str_of(at, in[i].len);
        at += in[i].len;
    }
    d->texts = hash;
    mem_free(before);
    return 0;
}

static int top_room(struct detail *d)
{
    if (d->top_n < d->top_cap)
        return 0;
    uint8_t cap = d->top_cap ? d->top_cap * 2 : 1;
    struct top_user *p = mem_reallocarray(d->top, cap, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    d->top = p;
    d->top_cap = cap;
    return 0;
}

// Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (2005): exact
// while there is room, then never too few.
static int top_add(struct detail *d, uint64_t hash, str label, uint64_t events, int64_t last)
{
    struct top_user *u = NULL;
    for (unsigned i = 0; i < d->top_n && !u; i++)
        if (d->top[i].hash == hash)
            u = &d->top[i];
    if (!u) {
        label = utf8_cut(label, USER_LABEL_MAX);
        char *copy = mem_alloc(label.len + 1);
        if (!copy || (d->top_n < ISSUE_TOP_USERS && top_room(d) < 0)) {
            mem_free(copy);
            return ERR_NOMEM;
        }
        memcpy(copy, label.ptr, label.len);
        copy[label.len] = 0;
        uint64_t least = 0;
        if (d->top_n < ISSUE_TOP_USERS) {
            u = &d->top[d->top_n++];
        } else {
            u = &d->top[0];
            for (unsigned i = 1; i < d->top_n; i++)
                if (d->top[i].events < u->events)
                    u = &d->top[i];
            least = u->events;
            mem_free(u->label);
        }
        *u = (struct top_user){ .hash = hash, .events = least, .last = last, .label = copy };
    }
    u->events += events;
    u->last = last > u->last ? last : u->last;
    return 0;
}

static uint8_t score_of(const struct event *e)
{
    return (uint8_t)(8 * e->has_stack + 4 * e->has_trace + 2 * (e->user.len > 0) + (e->release.len > 0));
}

static void sample_set(struct sample *s, const struct event *e, uint8_t score)
{
    if (e->id.len != 32 || !hex_decode(s->event, e->id))
        memset(s->event, 0, sizeof s->event);
    s->time = e->time;
    s->score = score;
}

static const uint8_t none[16];
static bool sample_is(const struct sample *s) { return memcmp(s->event, none, sizeof none) != 0; }

static void samples_add(struct detail *d, const struct event *e)
{
    uint8_t score = score_of(e);
    if (!sample_is(&d->first) || e->time < d->first.time)
        sample_set(&d->first, e, score);
    if (!sample_is(&d->latest) || e->time >= d->latest.time)
        sample_set(&d->latest, e, score);
    if (!sample_is(&d->recommended) || score > d->recommended.score ||
        (score == d->recommended.score && e->time >= d->recommended.time))
        sample_set(&d->recommended, e, score);
}

static uint64_t user_hash(const struct event *e) { return hash64_int(hash64_str(e->user) + hash64_str(e->user_kind)); }

int detail_add(struct detail *d, const struct event *e)
{
    uint32_t minute = minute_of(e->time);
    int r = 0;
    if (!d->title.ptr || e->time >= d->latest.time) {
        r = texts_set(d, e->title, e->type, e->value, e->culprit, e->platform);
        d->severity = e->severity;
        d->handled = e->handled;
    }
    samples_add(d, e);
    if (r == 0)
        r = series_add(&d->series, minute, 1);
    if (r == 0 && e->user.len)
        r = people_add(&d->people, user_hash(e), minute, minute);
    if (r == 0 && e->user.len)
        r = top_add(d, user_hash(e), e->user, 1, e->time);
    if (r == 0 && e->release.len)
        r = shares_add(&d->releases, ISSUE_RELEASES_MAX, e->release, 1, e->time, e->time);
    if (r == 0 && e->environment.len)
        r = shares_add(&d->environments, ISSUE_ENVIRONMENTS_MAX, e->environment, 1, e->time, e->time);
    if (r == 0 && e->service.len)
        r = shares_add(&d->services, ISSUE_SERVICES_MAX, e->service, 1, e->time, e->time);
    return r;
}

int detail_merge(struct detail *d, const struct detail *o)
{
    int r = 0;
    if (!d->title.ptr || o->latest.time >= d->latest.time) {
        r = texts_set(d, o->title, o->type, o->value, o->culprit, o->platform);
        d->severity = o->severity;
        d->handled = o->handled;
    }
    if (!sample_is(&d->first) || (sample_is(&o->first) && o->first.time < d->first.time))
        d->first = o->first;
    if (!sample_is(&d->latest) || o->latest.time >= d->latest.time)
        d->latest = o->latest;
    if (!sample_is(&d->recommended) || o->recommended.score > d->recommended.score ||
        (o->recommended.score == d->recommended.score && o->recommended.time >= d->recommended.time))
        d->recommended = o->recommended;
    for (uint32_t i = 0; i < o->series.n && r == 0; i++)
        r = series_add(&d->series, o->series.cells[i].minute, o->series.cells[i].n);
    if (r == 0)
        r = people_merge(&d->people, &o->people);
    for (unsigned i = 0; i < o->top_n && r == 0; i++)
        r = top_add(d, o->top[i].hash, str_z(o->top[i].label), o->top[i].events, o->top[i].last);
    if (r == 0)
        r = shares_merge(&d->releases, ISSUE_RELEASES_MAX, &o->releases);
    if (r == 0)
        r = shares_merge(&d->environments, ISSUE_ENVIRONMENTS_MAX, &o->environments);
    if (r == 0)
        r = shares_merge(&d->services, ISSUE_SERVICES_MAX, &o->services);
    return r;
}

// ---- on disk -------------------------------------------------------------------------------------------

static void put_text(struct buf *b, str s)
{
    buf_varint(b, s.len);
    buf_str(b, s);
}

static void put_sample(struct buf *b, const struct sample *s)
{
    buf_append(b, s->event, sizeof s->event);
    buf_le64(b, (uint64_t)s->time);
    buf_byte(b, s->score);
}

void detail_encode(const struct detail *d, struct buf *b)
{
    const str texts[] = { d->title, d->type, d->value, d->culprit, d->platform };
    buf_byte(b, DETAIL_FORMAT);
    for (int i = 0; i < 5; i++)
        put_text(b, texts[i]);
    buf_byte(b, d->severity);
    buf_byte(b, (uint8_t)(d->handled + 1));
    put_sample(b, &d->first);
    put_sample(b, &d->latest);
    put_sample(b, &d->recommended);
    series_encode(&d->series, b);
    people_encode(&d->people, b);
    shares_encode(&d->releases, b);
    shares_encode(&d->environments, b);
    shares_encode(&d->services, b);
    buf_byte(b, d->top_n);
    for (unsigned i = 0; i < d->top_n; i++) {
        buf_le64(b, d->top[i].hash);
        buf_varint(b, d->top[i].events);
        buf_le64(b, (uint64_t)d->top[i].last);
        put_text(b, str_z(d->top[i].label));
    }
}

static bool take(bytes *at, size_t n, const uint8_t **ret)
{
    if (at->len < n)
        return false;
    *ret = at->ptr;
    *at = bytes_of(at->ptr + n, at->len - n);
    return true;
}

static bool take_sample(bytes *at, struct sample *s)
{
    const uint8_t *p;
    if (!take(at, 25, &p))
        return false;
    memcpy(s->event, p, 16);
    s->time = (int64_t)le64_get(p + 16);
    s->score = p[24];
    return true;
}

static int take_top(bytes *at, struct detail *d)
{
    const uint8_t *p;
    uint64_t events;
    str label;
    if (!take(at, 1, &p) || *p > ISSUE_TOP_USERS)
        return ERR_CORRUPT;
    for (unsigned n = *p; n > 0; n--) {
        if (!take(at, 8, &p))
            return ERR_CORRUPT;
        uint64_t hash = le64_get(p);
        if (!issue_varint(at, &events) || !take(at, 8, &p) || !issue_text(at, USER_LABEL_MAX, &label))
            return ERR_CORRUPT;
        int r = top_add(d, hash, label, events, (int64_t)le64_get(p));
        if (r < 0)
            return r;
    }
    return at->len ? ERR_CORRUPT : 0;
}

static int decode(bytes at, struct detail *d)
{
    const uint8_t *p;
    str texts[5];
    if (!take(&at, 1, &p) || *p != DETAIL_FORMAT)
        return ERR_CORRUPT;
    for (int i = 0; i < 5; i++)
        if (!issue_text(&at, ISSUE_TEXT_MAX, &texts[i]))
            return ERR_CORRUPT;
    if (texts_set(d, texts[0], texts[1], texts[2], texts[3], texts[4]) < 0)
        return ERR_NOMEM;
    if (!take(&at, 2, &p) || p[1] > 2)
        return ERR_CORRUPT;
    d->severity = p[0];
    d->handled = (int8_t)(p[1] - 1);
    if (!take_sample(&at, &d->first) || !take_sample(&at, &d->latest) || !take_sample(&at, &d->recommended))
        return ERR_CORRUPT;
    int r = series_decode(&d->series, &at);
    if (r == 0)
        r = people_decode(&d->people, &at);
    if (r == 0)
        r = shares_decode(&d->releases, &at);
    if (r == 0)
        r = shares_decode(&d->environments, &at);
    if (r == 0)
        r = shares_decode(&d->services, &at);
    return r < 0 ? r : take_top(&at, d);
}

int detail_decode(bytes blob, struct detail **ret_detail)
{
    struct detail *d = detail_new();
    int r = d ? decode(blob, d) : ERR_NOMEM;
    if (r < 0)
        detail_free(d);
    else
        *ret_detail = d;
    return r;
}
