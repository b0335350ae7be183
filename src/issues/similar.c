#include "issues/similar.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

// Shares of the score. A stack says more than words do, where there is one.
#define TYPE_SHARE 0.3
#define CULPRIT_SHARE 0.3
#define WORDS_SHARE 0.4
#define STACK_SHARE 0.65
#define ENOUGH 0.45

enum { WORD_MAX = 64 }; // bytes that tell it apart

// ---- words ---------------------------------------------------------------------------------------------

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint32_t make_set(uint64_t *v, uint32_t n)
{
    uint32_t kept = 0;
    if (n)
        qsort(v, n, sizeof *v, by_value);
    for (uint32_t i = 0; i < n; i++)
        if (!kept || v[kept - 1] != v[i])
            v[kept++] = v[i];
    return kept;
}

void similar_words(str message, struct similar_words *ret_words)
{
    struct similar_words w = { .n = 0 };
    for (size_t i = 0; i < message.len && w.n < SIMILAR_WORDS_MAX;) {
        char lower[WORD_MAX];
        size_t n = 0;
        bool number = false;
        if (!is_letter(message.ptr[i]) && !is_digit(message.ptr[i])) {
            i++;
            continue;
        }
        for (; i < message.len && (is_letter(message.ptr[i]) || is_digit(message.ptr[i])); i++) {
            char c = message.ptr[i];
            number |= is_digit(c);
            if (n < sizeof lower)
                lower[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        w.words[w.n++] = number ? 0 : hash64(lower, n);
    }
    w.n = make_set(w.words, w.n);
    *ret_words = w;
}

static uint32_t in_both(const uint64_t *a, uint32_t a_n, const uint64_t *b, uint32_t b_n)
{
    uint32_t n = 0;
    for (uint32_t i = 0, k = 0; i < a_n && k < b_n;) {
        if (a[i] == b[k]) {
            n++;
            i++;
            k++;
        } else if (a[i] < b[k]) {
            i++;
        } else {
            k++;
        }
    }
    return n;
}

// ---- alike ---------------------------------------------------------------------------------------------

struct similar similar_by_text(const struct similar_text *a, const struct similar_text *b)
{
    struct similar s = { .type = a->type.len && str_eq(a->type, b->type),
                         .culprit = a->culprit.len && str_eq(a->culprit, b->culprit) };
    uint32_t both = in_both(a->words.words, a->words.n, b->words.words, b->words.n);
    uint32_t either = a->words.n + b->words.n - both;
    if (both >= 2)
        s.words = both * 100 / either;
    s.score = (s.type ? TYPE_SHARE : 0) + (s.culprit ? CULPRIT_SHARE : 0) + WORDS_SHARE * s.words / 100;
    return s;
}

void similar_by_stack(struct similar *s, const uint64_t *a, uint32_t a_n, const uint64_t *b, uint32_t b_n)
{
    uint64_t x[SIMILAR_FRAMES_MAX], y[SIMILAR_FRAMES_MAX];
    if (!a_n || !b_n)
        return;
    a_n = a_n < SIMILAR_FRAMES_MAX ? a_n : SIMILAR_FRAMES_MAX;
    b_n = b_n < SIMILAR_FRAMES_MAX ? b_n : SIMILAR_FRAMES_MAX;
    memcpy(x, a, a_n * sizeof *x);
    memcpy(y, b, b_n * sizeof *y);
    a_n = make_set(x, a_n);
    b_n = make_set(y, b_n);
    s->frames = in_both(x, a_n, y, b_n);
    s->frames_of = a_n + b_n - s->frames;
    s->score = STACK_SHARE * s->frames / s->frames_of + (1 - STACK_SHARE) * s->score;
}

bool similar_enough(const struct similar *s) { return s->score >= ENOUGH; }

void similar_pick(struct similar_picks *p, int64_t id, double score)
{
    uint32_t at = p->n;
    if (score <= 0 || (at == SIMILAR_CANDIDATES_MAX && p->best[at - 1].score >= score))
        return;
    if (at < SIMILAR_CANDIDATES_MAX)
        p->n++;
    else
        at--;
    for (; at > 0 && p->best[at - 1].score < score; at--)
        p->best[at] = p->best[at - 1];
    p->best[at] = (struct similar_pick){ id, score };
}
