#include "red/change.h"

#include <math.h>

const struct change_rule change_errors = { .requests_min = 20, .bad_min = 5, .rise_min = 0.02, .factor_min = 2 };
const struct change_rule change_slow = { .requests_min = 30, .bad_min = 10, .rise_min = 0.15, .factor_min = 2 };

#define Z 3.0
#define SCORE_MIN 10.0   // log-likelihood: of a hundred services over an hour, chance hardly reaches it
#define SCORE_MIN_AT 3.0 // for one slot only: chance reaches it once in seventy times
// A service that was not there before counts as if this many of its requests had gone well: one that fails from its
// first moment is found, one whose first request failed is not.
enum { VIRTUAL_REQUESTS = 20, RECENT_SLOTS_MIN = 3, RECENT_SLOTS_MAX = 10 };

void change_wilson(uint64_t k, uint64_t n, double *ret_low, double *ret_high)
{
    *ret_low = 0;
    *ret_high = 1;
    if (n == 0)
        return;
    double p = (double)k / (double)n, m = (double)n, z2 = Z * Z;
    double mid = p + z2 / (2 * m), half = Z * sqrt(p * (1 - p) / m + z2 / (4 * m * m)), by = 1 + z2 / m;
    *ret_low = fmax(0, (mid - half) / by);
    *ret_high = fmin(1, (mid + half) / by);
}

bool change_is_rise(uint64_t a, uint64_t A, uint64_t b, uint64_t B, double rise_min)
{
    double low, high, unused;
    if (A == 0 || B == 0)
        return false;
    change_wilson(a, A, &unused, &high);
    change_wilson(b, B, &low, &unused);
    return low > high && (double)b / (double)B - (double)a / (double)A >= rise_min;
}

// Log-likelihood of k of n at its own share.
static double likelihood(double k, double n)
{
    return (k > 0 ? k * log(k / n) : 0) + (n > k ? (n - k) * log((n - k) / n) : 0);
}

static uint64_t before_n(uint64_t n) { return n < VIRTUAL_REQUESTS ? VIRTUAL_REQUESTS : n; }

// What the newest requests say: at least half of the share that came with the change.
static bool still_there(const uint64_t *n, const uint64_t *k, size_t slots, const struct change_rule *rule,
                        const struct change *c)
{
    uint64_t rn = 0, rk = 0;
    size_t seen = 0;
    for (size_t i = slots; i-- > c->at && seen < RECENT_SLOTS_MAX;) {
        if (n[i] == 0)
            continue;
        if (seen >= RECENT_SLOTS_MIN && rn >= rule->requests_min)
            break;
        rn += n[i];
        rk += k[i];
        seen++;
    }
    double before = (double)c->k_before / (double)before_n(c->n_before),
           after = (double)c->k_after / (double)c->n_after;
    return rn > 0 && (double)rk / (double)rn >= before + (after - before) / 2;
}

// Is the change at this slot, before which nb and kb were, one that the rule asks for? With its score.
static bool rises(const struct change_rule *rule, size_t at, uint64_t nb, uint64_t kb, uint64_t na, uint64_t ka,
                  struct change *ret)
{
    uint64_t vb = before_n(nb);
    if (na < rule->requests_min || ka < rule->bad_min)
        return false;
    double before = (double)kb / (double)vb, after = (double)ka / (double)na;
    if (after - before < rule->rise_min || after < before * rule->factor_min)
        return false;
    double score = likelihood((double)kb, (double)vb) + likelihood((double)ka, (double)na) -
                   likelihood((double)(ka + kb), (double)(na + vb));
    *ret = (struct change){ at, nb, kb, na, ka, score };
    return true;
}

bool change_find(const uint64_t *n, const uint64_t *k, size_t slots, const struct change_rule *rule,
                 struct change *ret_change)
{
    struct change best = { 0 }, c;
    uint64_t n_all = 0, k_all = 0, nb = 0, kb = 0;
    bool found = false;
    for (size_t i = 0; i < slots; i++) {
        n_all += n[i];
        k_all += k[i];
    }
    for (size_t i = 0; i < slots; nb += n[i], kb += k[i], i++) {
        if (n[i] == 0 || !rises(rule, i, nb, kb, n_all - nb, k_all - kb, &c))
            continue;
        if (!found || c.score > best.score)
            best = c;
        found = true;
    }
    if (!found || best.score < SCORE_MIN ||
        !change_is_rise(best.k_before, before_n(best.n_before), best.k_after, best.n_after, rule->rise_min) ||
        !still_there(n, k, slots, rule, &best))
        return false;
    *ret_change = best;
    return true;
}

bool change_at(const uint64_t *n, const uint64_t *k, size_t slots, size_t at, const struct change_rule *rule,
               struct change *ret_change)
{
    struct change c;
    uint64_t side_n[2] = { 0 }, side_k[2] = { 0 };
    for (size_t i = 0; i < slots; i++) {
        side_n[i >= at] += n[i];
        side_k[i >= at] += k[i];
    }
    if (at >= slots || !rises(rule, at, side_n[0], side_k[0], side_n[1], side_k[1], &c) || c.score < SCORE_MIN_AT ||
        !still_there(n, k, slots, rule, &c))
        return false;
    *ret_change = c;
    return true;
}
