// A hit of a probe that counts: which series it belongs to, and by how much. What cannot be known is an error and counts nowhere.
#include "ext.h"
#include <math.h>

enum { ERROR_ROOM = 256 };

static void part_put(struct probe_series_key *key, const struct probe_val *v, unsigned later)
{
    uint8_t b = v->b;
    switch (v->kind) {
    case PROBE_VAL_NULL:
        probe_series_part(key, PROBE_PART_NULL, NULL, 0, later);
        break;
    case PROBE_VAL_BOOL:
        probe_series_part(key, PROBE_PART_BOOL, &b, 1, later);
        break;
    case PROBE_VAL_INT:
        probe_series_part(key, PROBE_PART_INT, &v->i, 8, later);
        break;
    case PROBE_VAL_STR:
        probe_series_part(key, PROBE_PART_TEXT, v->s.ptr, v->s.len, later);
        break;
    default: // FLOAT, BIG
        probe_series_part(key, PROBE_PART_FLOAT, &v->f, 8, later);
    }
}

static const char *number_of(const struct ext_site *s, const struct probe_val *v, double *ret)
{
    if (v->kind == PROBE_VAL_INT)
        *ret = (double)v->i;
    else if (v->kind == PROBE_VAL_FLOAT || v->kind == PROBE_VAL_BIG)
        *ret = v->f;
    else
        return "the value is no number";
    if (!isfinite(*ret))
        return "the value is no finite number";
    return s->order.flags & CLEW_RISING && *ret < 0 ? "the value of a counter is below 0" : NULL;
}

bool ext_count(struct ext_site *s, struct ext_hit *h, bool *ret_slow)
{
    struct probe_slot *slot = &ext.ring.slots[s->order.slot];
    struct probe_series_key key;
    char text[ERROR_ROOM];
    size_t len = 0, n_by = 0, at = 0;
    double value = 0;
    const char *wrong = NULL;
    key.len = 0;
    for (size_t i = 0; i < s->n_programs; i++)
        n_by += s->programs[i].role == CLEW_BY;
    for (size_t i = 0; i < s->n_programs && !wrong; i++) {
        struct ext_program *p = &s->programs[i];
        struct probe_val v;
        if (p->role != CLEW_BY && p->role != CLEW_VALUE)
            continue;
        int reason = ext_program_scalar(p, h, &v, text, sizeof text, &len);
        if (reason) {
            *ret_slow |= reason == PROBE_FAULT_TIME || reason == PROBE_FAULT_STEPS;
            probe_slot_error(slot, str_of(text, len));
            return false;
        }
        if (p->role == CLEW_BY)
            part_put(&key, &v, (unsigned)(n_by - ++at));
        else
            wrong = number_of(s, &v, &value);
    }
    if (s->order.flags & CLEW_DURATIONS) {
        value = (double)h->event->duration_ns / 1e9;
        if (h->event->duration_ns < 0)
            wrong = "the call had begun before the probe was placed";
    }
    if (wrong) {
        probe_slot_error(slot, str_z(wrong));
        return false;
    }
    probe_series_add(s->series, &key, value, s->order.flags & CLEW_BUCKETS);
    return true;
}
