// bucket: which arithmetic cuts the values, from the width as written and the field's type.
#include "query/plan_internal.h"

#include "base/numfmt.h"

enum { CALENDAR_UNITS_MAX = 10000 };

// "1d", "2w", "3mo": steps of the calendar. Anything else with units is a span of time.
static bool read_calendar(str s, enum query_cal_unit *ret_unit, uint32_t *ret_count)
{
    size_t n = 0;
    uint64_t count;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    str unit = str_slice(s, n, s.len);
    if (!parse_u64(str_slice(s, 0, n), &count) || count > UINT32_MAX)
        return false;
    if (str_eq(unit, STR("d")))
        *ret_unit = QUERY_CAL_DAY;
    else if (str_eq(unit, STR("w")))
        *ret_unit = QUERY_CAL_WEEK;
    else if (str_eq(unit, STR("mo")))
        *ret_unit = QUERY_CAL_MONTH;
    else
        return false;
    *ret_count = (uint32_t)count;
    return true;
}

static int bad_width(struct planner *pl, const struct query_ast_step *s, enum query_code code, const char *message,
                     const char *hint)
{
    int r = plan_fail(pl, s->value ? s->value->pos : s->name_pos, code, "%s", message);
    query_error_hint(pl->err, "%s", hint);
    return r;
}

static int bucket_of_time(struct planner *pl, const struct query_ast_step *s, const struct query_literal *lit,
                          struct query_bucket *b)
{
    if (read_calendar(lit->text, &b->unit, &b->unit_count)) {
        b->kind = QUERY_BUCKET_CALENDAR;
        if (b->unit_count < 1 || b->unit_count > CALENDAR_UNITS_MAX)
            return bad_width(pl, s, QUERY_E_BAD_ARGUMENT, "the width must be from 1 to 10,000 days, weeks or months",
                             "for example 1d, 1w, 1mo");
        return 0;
    }
    b->kind = QUERY_BUCKET_TIME;
    if (lit->readings & QR_DURATION && lit->duration > 0) {
        b->width = lit->duration;
        return 0;
    }
    if (lit->readings & QR_DURATION)
        return bad_width(pl, s, QUERY_E_BAD_ARGUMENT, "the width must be more than nothing", "for example 10s, 5m, 1d");
    if (lit->readings & QR_DOUBLE && !(lit->readings & QR_SIZE))
        return bad_width(pl, s, QUERY_E_NEEDS_UNIT, "buckets of time need a unit", "for example 10s, 5m, 1d");
    return bad_width(pl, s, QUERY_E_BAD_ARGUMENT, "this is no width for buckets of time",
                     "for example 10s, 5m, 1h, 1d, 1w, 1mo, auto");
}

static int bucket_of_value(struct planner *pl, const struct query_ast_step *s, const struct query_literal *lit,
                           enum query_type t, struct query_bucket *b)
{
    bool number = lit->readings & QR_DOUBLE, duration = lit->readings & QR_DURATION;
    if (t == QUERY_DURATION && number)
        return bad_width(pl, s, QUERY_E_NEEDS_UNIT, "buckets of durations need a unit", "for example 100ms");
    if (plan_is_number(t) && duration)
        return bad_width(pl, s, QUERY_E_NO_UNIT, "buckets of plain numbers have no unit of time",
                         "write the number alone");
    if (!number && !duration)
        return bad_width(pl, s, QUERY_E_BAD_ARGUMENT, "this is no width for buckets", "for example 100ms or 0.5");
    b->width = duration ? lit->duration : lit->readings & QR_INT ? lit->i : 0;
    b->width_d = duration ? (double)lit->duration : lit->d;
    if (!(b->width_d > 0))
        return bad_width(pl, s, QUERY_E_BAD_ARGUMENT, "the width must be more than nothing",
                         "for example 100ms or 0.5");
    b->kind = t == QUERY_DURATION                        ? QUERY_BUCKET_DURATION
              : t == QUERY_INT && lit->readings & QR_INT ? QUERY_BUCKET_INT
              : plan_is_number(t)                        ? QUERY_BUCKET_DOUBLE
                                                         : QUERY_BUCKET_ANY;
    return 0;
}

static int bucket_auto(struct planner *pl, const struct query_ast_step *s, enum query_type t, struct query_bucket *b)
{
    if (t != QUERY_TIME)
        return bad_width(pl, s, QUERY_E_BAD_ARGUMENT, "`auto` chooses a width for times only",
                         "write the width, for example 100ms");
    b->is_auto = true;
    query_bucket_auto(pl->plan->from, pl->plan->to, &b->width, &b->unit, &b->unit_count);
    b->kind = b->width ? QUERY_BUCKET_TIME : QUERY_BUCKET_CALENDAR;
    return 0;
}

static int bucket_zone(struct planner *pl, const struct query_ast_step *s, struct query_bucket *b)
{
    b->zone = pl->opt->zone;
    if (!s->tz)
        return 0;
    struct query_literal lit;
    int r = plan_literal(pl, s->tz, &lit);
    if (r < 0)
        return r;
    if (query_zone_get(lit.text, &b->zone) < 0) {
        r = plan_fail(pl, s->tz->pos, QUERY_E_BAD_ARGUMENT, "there is no time zone `%.*s`",
                      STR_ARG(str_slice(lit.text, 0, 60)));
        query_error_hint(pl->err,
                         "names are those of the IANA database: \"Europe/Berlin\", \"UTC\", or an offset \"+02:00\"");
        return r;
    }
    if (b->kind != QUERY_BUCKET_CALENDAR)
        return plan_hint(pl, s->tz->pos, "a time zone matters only to buckets of days, weeks and months");
    return 0;
}

int plan_bucket(struct planner *pl, const struct query_ast_step *s, struct query_step *step)
{
    struct query_bucket *b = &step->bucket;
    int r = s->fields ? plan_ref(pl, s->fields, &b->ref) : plan_ref_named(pl, "time", s->name_pos, &b->ref);
    if (r < 0)
        return r;
    struct query_typeinfo t = b->ref->type;
    if (t.list || (t.type != QUERY_TIME && t.type != QUERY_DURATION && t.type != QUERY_ANY && !plan_is_number(t.type)))
        return plan_fail(pl, s->fields ? s->fields->pos : s->name_pos, QUERY_E_TYPE_MISMATCH,
                         "a %.*s cannot be cut into buckets", STR_ARG(t.list ? STR("list") : query_type_name(t.type)));
    if (s->is_auto) {
        r = bucket_auto(pl, s, t.type, b);
    } else {
        struct query_literal lit;
        if ((r = plan_literal(pl, s->value, &lit)) < 0)
            return r;
        r = t.type == QUERY_TIME ? bucket_of_time(pl, s, &lit, b) : bucket_of_value(pl, s, &lit, t.type, b);
    }
    if (r < 0 || (r = bucket_zone(pl, s, b)) < 0)
        return r;
    struct query_typeinfo out = { b->kind == QUERY_BUCKET_INT      ? QUERY_INT
                                  : b->kind == QUERY_BUCKET_DOUBLE ? QUERY_DOUBLE
                                                                   : t.type,
                                  false, NULL };
    return plan_add_column(pl, s->as.len ? s->as : STR("bucket"), out, &b->slot);
}
