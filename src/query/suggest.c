#include "query/suggest.h"

static char low(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

unsigned suggest_distance(str a, str b, unsigned max)
{
    if (a.len > SUGGEST_WORD_MAX || b.len > SUGGEST_WORD_MAX || a.len > b.len + max || b.len > a.len + max)
        return max + 1;
    uint8_t rows[3][SUGGEST_WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= a.len; i++) {
        uint8_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *upup = rows[(i + 1) % 3];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = low(a.ptr[i - 1]) == low(b.ptr[j - 1]);
            uint8_t v = (uint8_t)(up[j - 1] + !same);
            if (up[j] + 1 < v)
                v = (uint8_t)(up[j] + 1);
            if (row[j - 1] + 1 < v)
                v = (uint8_t)(row[j - 1] + 1);
            if (i > 1 && j > 1 && low(a.ptr[i - 1]) == low(b.ptr[j - 2]) && low(a.ptr[i - 2]) == low(b.ptr[j - 1]) &&
                upup[j - 2] + 1 < v)
                v = (uint8_t)(upup[j - 2] + 1);
            row[j] = v;
        }
    }
    unsigned d = rows[a.len % 3][b.len];
    return d <= max ? d : max + 1;
}

void suggest_offer(struct suggest *s, str candidate)
{
    unsigned d = suggest_distance(s->word, candidate, SUGGEST_DISTANCE_MAX);
    // Two edits make any two-letter word out of any other.
    if (d > SUGGEST_DISTANCE_MAX || d >= candidate.len || d >= s->word.len)
        return;
    for (int i = 0; i < s->count; i++)
        if (str_eq(s->best[i].text, candidate))
            return;
    int room = (int)(sizeof s->best / sizeof *s->best), at = s->count;
    while (at > 0 && s->best[at - 1].distance > d)
        at--;
    if (at == room)
        return;
    if (s->count < room)
        s->count++;
    for (int i = s->count - 1; i > at; i--)
        s->best[i] = s->best[i - 1];
    s->best[at].text = candidate;
    s->best[at].distance = d;
}

void suggest_give(const struct suggest *s, struct query_error *err)
{
    for (int i = 0; i < s->count; i++)
        query_error_suggest(err, s->best[i].text);
}
