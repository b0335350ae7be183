#include "model.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// ---- one value ----

static bool is_decimal(const char *s)
{
    char *end;
    if (!*s || isspace((unsigned char)*s) || strpbrk(s, "xXnNiI+"))
        return false;
    strtod(s, &end);
    return *end == 0;
}

static bool holds(const char *op, int c) // c: -1 0 1
{
    if (strcmp(op, "=") == 0)
        return c == 0;
    if (strcmp(op, "<") == 0)
        return c < 0;
    if (strcmp(op, "<=") == 0)
        return c <= 0;
    if (strcmp(op, ">") == 0)
        return c > 0;
    return c >= 0;
}

static bool numbers(const struct model_value *v, const char *op, const struct model_literal *l)
{
    struct model_value w = { .t = l->kind == ML_INT ? M_INT : M_DOUBLE, .i = l->i, .d = l->d };
    if ((v->t == M_DOUBLE && isnan(v->d)) || (w.t == M_DOUBLE && isnan(w.d)))
        return false;
    return holds(op, model_order(v, &w));
}

static bool wildcard(const char *pattern, const char *s)
{
    if (!*pattern)
        return !*s;
    if (*pattern == '*') {
        for (;; s++) {
            if (wildcard(pattern + 1, s))
                return true;
            if (!*s)
                return false;
        }
    }
    return *s == *pattern && wildcard(pattern + 1, s + 1);
}

static bool level_holds(int severity, const char *op, const struct model_literal *l)
{
    static const char *const names[] = { "trace", "debug", "info", "warn", "error", "fatal" };
    int lo = (int)l->i, hi = (int)l->i;
    for (int k = 0; l->kind == ML_TEXT && k < 6; k++) {
        if (strcmp(names[k], l->s) == 0) {
            lo = 4 * k + 1;
            hi = lo + 3;
        }
    }
    if (strcmp(op, "=") == 0)
        return severity >= lo && severity <= hi;
    if (strcmp(op, "<") == 0)
        return severity < lo;
    if (strcmp(op, "<=") == 0)
        return severity <= hi;
    if (strcmp(op, ">") == 0)
        return severity > hi;
    return severity >= lo;
}

static bool compare(struct model *m, const struct model_value *v, const char *op, const struct model_literal *l)
{
    bool equal = strcmp(op, "=") == 0;
    char text[64];
    switch (v->t) {
    case M_INT:
    case M_DOUBLE:
        if (l->kind == ML_INT || l->kind == ML_DOUBLE)
            return numbers(v, op, l);
        if (v->t == M_INT)
            snprintf(text, sizeof text, "%lld", (long long)v->i);
        else
            snprintf(text, sizeof text, "%s", isnan(v->d) ? "NaN" : "");
        if (v->t == M_DOUBLE && !isnan(v->d))
            snprintf(text, sizeof text, "%g", v->d);
        return equal && (l->kind == ML_WILDCARD ? wildcard(l->s, text) : strcmp(l->s, text) == 0);
    case M_BOOL:
        snprintf(text, sizeof text, "%s", v->i ? "true" : "false");
        return equal && (l->kind == ML_WILDCARD ? wildcard(l->s, text) : strcmp(l->s, text) == 0);
    case M_STR:
        if (equal)
            return l->kind == ML_WILDCARD ? wildcard(l->s, v->s) : strcmp(l->s, v->s) == 0;
        if (l->kind == ML_INT || l->kind == ML_DOUBLE) {
            struct model_value n = { .t = M_DOUBLE };
            char *end;
            if (!is_decimal(v->s))
                return false;
            n.d = strtod(v->s, &end);
            if (!strpbrk(v->s, ".eE")) {
                n.t = M_INT;
                n.i = strtoll(v->s, &end, 10);
            }
            return numbers(&n, op, l);
        }
        {
            int c = strcmp(v->s, l->s);
            return holds(op, (c > 0) - (c < 0));
        }
    case M_ENUM:
        return equal && strcmp(v->s, l->s) == 0;
    case M_LEVEL:
        return level_holds((int)v->i, op, l);
    case M_DURATION:
    case M_TIME:
        return holds(op, (v->i > l->i) - (v->i < l->i));
    case M_LIST:
        for (int i = 0; i < v->n; i++) {
            if (compare(m, &v->e[i], op, l))
                return true;
        }
        return false;
    default:
        return false;
    }
}

// The regular expressions that the generator writes.
static bool regex(const char *re, const char *s)
{
    size_t n = strlen(re);
    if (re[0] == '^')
        return strncmp(s, re + 1, n - 1) == 0;
    if (re[n - 1] == '$') {
        size_t k = strlen(s);
        return k >= n - 1 && strncmp(s + k - (n - 1), re, n - 1) == 0;
    }
    return strstr(s, re) != NULL;
}

static bool token_char(char c) { return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 128; }

// Has s the token w (lower-case ASCII)?
static bool token(const char *w, const char *s)
{
    size_t n = strlen(w);
    for (size_t i = 0; s[i];) {
        size_t k = i;
        while (token_char(s[k]))
            k++;
        if (k - i == n && strncasecmp(s + i, w, n) == 0)
            return true;
        i = k > i ? k : i + 1;
    }
    return false;
}

static bool in_string(const struct model_filter *f, const char *s)
{
    switch (f->kind) {
    case MF_REGEX:
        return regex(f->text, s);
    case MF_BYTES:
        return strstr(s, f->text) != NULL;
    default:
        return token(f->text, s);
    }
}

// Strings of a value: itself, those in lists; in maps only for words and bytes.
static bool in_value(const struct model_filter *f, const struct model_value *v)
{
    if (v->t == M_STR || v->t == M_ENUM)
        return in_string(f, v->s);
    if (v->t != M_LIST && (v->t != M_MAP || f->kind == MF_REGEX))
        return false;
    for (int i = 0; i < v->n; i++) {
        if (in_value(f, &v->e[i]))
            return true;
    }
    return false;
}

static bool in_text(const struct model_filter *f, const struct model_record *r)
{
    struct model_value name = { .t = M_STR, .s = r->name };
    if (r->log)
        return in_value(f, &r->body);
    return r->name[0] && in_value(f, &name);
}

static bool in_attrs(const struct model_filter *f, const struct model_attr *a, int n)
{
    for (int i = 0; i < n; i++) {
        if (in_value(f, &a[i].v))
            return true;
    }
    return false;
}

// As a field is equal to a literal: numbers and bools of attributes also to their text.
static bool same_value(struct model *m, const struct model_value *a, const struct model_value *b)
{
    bool plain_a = a->t == M_BOOL || a->t == M_INT || a->t == M_DOUBLE;
    bool plain_b = b->t == M_BOOL || b->t == M_INT || b->t == M_DOUBLE;
    if (a->t == M_NONE || b->t == M_NONE || a->t == M_LIST || b->t == M_LIST || a->t == M_MAP || b->t == M_MAP)
        return false;
    if (plain_a && b->t == M_STR)
        return strcmp(model_print(m, a), b->s) == 0;
    if (plain_b && a->t == M_STR)
        return strcmp(model_print(m, b), a->s) == 0;
    return model_order(a, b) == 0;
}

static bool in_set(struct model *m, const struct model_filter *f, const struct model_value *v)
{
    for (int i = 0; v->t == M_LIST && i < v->n; i++) {
        if (in_set(m, f, &v->e[i]))
            return true;
    }
    for (int i = 0; i < f->set_n; i++) {
        const struct model_value *s = &f->set[i];
        for (int k = 0; s->t == M_LIST && k < s->n; k++) {
            if (same_value(m, v, &s->e[k]))
                return true;
        }
        if (same_value(m, v, s))
            return true;
    }
    return false;
}

bool model_filter_match(struct model *m, const struct model_filter *f, const struct model_record *r)
{
    struct model_value v;
    switch (f->kind) {
    case MF_AND:
        for (int i = 0; i < f->kids_n; i++) {
            if (!model_filter_match(m, f->kids[i], r))
                return false;
        }
        return true;
    case MF_OR:
        for (int i = 0; i < f->kids_n; i++) {
            if (model_filter_match(m, f->kids[i], r))
                return true;
        }
        return false;
    case MF_NOT:
        return !model_filter_match(m, f->kids[0], r);
    case MF_EVENT:
        for (int i = 0; i < r->events_n; i++) {
            struct model_record one = *r;
            one.events[0] = r->events[i];
            one.events_n = 1;
            if (model_filter_match(m, f->kids[0], &one))
                return true;
        }
        return false;
    case MF_TEXT:
        return in_text(f, r);
    case MF_ANY:
        return in_text(f, r) || in_attrs(f, r->attrs, r->attrs_n) ||
               in_attrs(f, m->scopes[r->scope].attrs, m->scopes[r->scope].attrs_n) ||
               in_attrs(f, m->resources[r->resource].attrs, m->resources[r->resource].attrs_n);
    default:
        break;
    }
    v = model_field(m, r, f->field);
    if (f->kind == MF_PRESENT)
        return v.t != M_NONE;
    if (f->kind == MF_IN)
        return in_set(m, f, &v);
    if (f->kind != MF_COMPARE)
        return in_value(f, &v);
    bool unequal = strcmp(f->op, "!=") == 0;
    bool any = false;
    for (int i = 0; i < f->lits_n; i++)
        any |= compare(m, &v, unequal ? "=" : f->op, &f->lit[i]);
    return unequal ? !any : any;
}

// ---- at random ----

static const char *const words[] = { "abc", "x", "1", "2.5", "true", "GET", "orders", "" };
static const char *const attr_fields[] = { "a", "b",    "c",       "m.y",        "attr.a", "resource.a",
                                           "l", "l[1]", "event.k", "resource.r", "n" };

static struct model_literal attr_literal(struct model *m, struct buf *out, bool order)
{
    struct model_literal l = { 0 };
    switch (model_random(m, order ? 4 : 7)) {
    case 0:
    case 1:
        l.kind = ML_INT;
        l.i = (int64_t)model_random(m, 7) - 2;
        l.s = model_text(m, "%lld", (long long)l.i);
        buf_str(out, str_z(l.s));
        break;
    case 2:
        l.kind = ML_DOUBLE;
        l.d = (double)model_random(m, 9) / 2 - 1;
        l.s = model_text(m, "%.1f", l.d);
        buf_str(out, str_z(l.s));
        break;
    case 3:
        l.kind = ML_TEXT;
        l.s = words[model_random(m, 7)];
        buf_printf(out, model_chance(m, 50) ? "\"%s\"" : "'%s'", l.s);
        break;
    case 4:
        l.kind = ML_BOOL;
        l.s = model_chance(m, 50) ? "true" : "false";
        buf_str(out, str_z(l.s));
        break;
    case 5:
        l.kind = ML_TEXT;
        l.s = "abc";
        buf_str(out, STR("abc"));
        break;
    default:
        l.kind = ML_WILDCARD;
        l.s = model_chance(m, 50) ? "a*" : "*b*";
        buf_printf(out, "\"%s\"", l.s);
        break;
    }
    return l;
}

// name: how the field is written.
static void compare_make(struct model *m, struct model_filter *f, const char *field, const char *name, struct buf *out)
{
    static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=" };
    f->kind = MF_COMPARE;
    f->field = field;
    f->op = ops[model_random(m, 6)];
    bool order = f->op[0] == '<' || f->op[0] == '>';
    buf_printf(out, "%s%s", name, f->op);
    if (!order && model_chance(m, 25)) {
        f->lits_n = 2 + (int)model_random(m, 2);
        buf_byte(out, '(');
        for (int i = 0; i < f->lits_n; i++) {
            if (i)
                buf_str(out, STR(", "));
            f->lit[i] = attr_literal(m, out, false);
        }
        buf_byte(out, ')');
        return;
    }
    f->lits_n = 1;
    f->lit[0] = attr_literal(m, out, order);
}

static void attr_compare(struct model *m, struct model_filter *f, struct buf *out)
{
    const char *field = attr_fields[model_random(m, sizeof attr_fields / sizeof *attr_fields)];
    compare_make(m, f, field, field, out);
}

// What stands inside event{..}: conditions on its only attribute.
static struct model_filter *event_make(struct model *m, int depth, struct buf *out)
{
    struct model_filter *f = arena_zalloc(&m->arena, sizeof *f);
    uint64_t dice = model_random(m, 8);
    if (depth > 0 && dice < 4) {
        f->kind = dice < 2 ? MF_AND : MF_OR;
        f->kids_n = 2;
        buf_byte(out, '(');
        f->kids[0] = event_make(m, depth - 1, out);
        buf_str(out, f->kind == MF_OR ? STR(" or ") : STR(" "));
        f->kids[1] = event_make(m, depth - 1, out);
        buf_byte(out, ')');
    } else if (depth > 0 && dice == 4) {
        f->kind = MF_NOT;
        f->kids_n = 1;
        buf_str(out, STR("not "));
        f->kids[0] = event_make(m, depth - 1, out);
    } else if (dice == 5) {
        f->kind = MF_PRESENT;
        f->field = "event.k";
        buf_str(out, STR("k:*"));
    } else {
        compare_make(m, f, "event.k", "k", out);
    }
    return f;
}

static void fixed_compare(struct model *m, bool logs, struct model_filter *f, struct buf *out)
{
    static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=" };
    static const char *const levels[] = { "trace", "info", "warn", "error", "fatal" };
    f->kind = MF_COMPARE;
    f->lits_n = 1;
    struct model_literal *l = &f->lit[0];
    l->kind = ML_TEXT;
    switch (model_random(m, 4)) {
    case 0:
        f->field = "service";
        f->op = ops[model_random(m, 2)];
        l->s = model_text(m, "svc%llu", (unsigned long long)model_random(m, 4));
        buf_printf(out, "service%s%s", f->op, l->s);
        return;
    case 1:
        f->field = "name";
        f->op = ops[model_random(m, 2)];
        l->kind = model_chance(m, 50) ? ML_WILDCARD : ML_TEXT;
        l->s = l->kind == ML_WILDCARD ? "GET *" : "GET orders";
        buf_printf(out, "name%s\"%s\"", f->op, l->s);
        return;
    case 2:
        f->op = ops[model_random(m, 6)];
        f->field = logs ? "level" : "duration";
        if (logs && model_chance(m, 70)) {
            l->s = levels[model_random(m, 5)];
            buf_printf(out, "level%s%s", f->op, l->s);
        } else if (logs) {
            l->kind = ML_INT;
            l->i = (int64_t)model_random(m, 24) + 1;
            buf_printf(out, "level%s%lld", f->op, (long long)l->i);
        } else {
            l->kind = ML_DURATION;
            l->i = (int64_t)model_random(m, 9) - 2;
            buf_printf(out, "duration%s%lldns", f->op, (long long)l->i);
        }
        return;
    default:
        if (logs) {
            f->field = "severity";
            f->op = ops[model_random(m, 6)];
            l->kind = ML_INT;
            l->i = (int64_t)model_random(m, 24);
            buf_printf(out, "severity%s%lld", f->op, (long long)l->i);
            return;
        }
        f->field = model_chance(m, 50) ? "status" : "kind";
        f->op = ops[model_random(m, 2)];
        l->s = f->field[0] == 's' ? "error" : model_chance(m, 50) ? "server" : "client";
        buf_printf(out, "%s%s%s", f->field, f->op, l->s);
        return;
    }
}

static void string_leaf(struct model *m, bool logs, struct model_filter *f, struct buf *out)
{
    static const char *const regexes[] = { "^a", "b$", "c", "^GET", "1" };
    static const char *const tokens[] = { "abc", "x", "get", "orders", "users" };
    const char *field = model_chance(m, 30) ? (logs ? "body" : "name") : attr_fields[model_random(m, 10)];
    switch (model_random(m, 5)) {
    case 0:
        f->kind = MF_REGEX;
        f->field = field;
        f->text = regexes[model_random(m, 5)];
        buf_printf(out, "%s=~\"%s\"", field, f->text);
        return;
    case 1:
        f->kind = MF_PHRASE;
        f->field = field;
        f->text = tokens[model_random(m, 5)];
        buf_printf(out, "%s:%s", field, f->text);
        return;
    case 2:
        f->kind = MF_BYTES;
        f->field = field;
        f->text = model_chance(m, 50) ? "b" : "GET";
        buf_printf(out, "%s:'%s'", field, f->text);
        return;
    case 3:
        f->kind = MF_TEXT;
        f->text = tokens[model_random(m, 5)];
        buf_str(out, str_z(f->text));
        return;
    default:
        f->kind = MF_ANY;
        f->text = tokens[model_random(m, 5)];
        buf_printf(out, "*:%s", f->text);
        return;
    }
}

// The values are collected at once: the records do not change.
static void in_make(struct model *m, bool logs, struct model_filter *f, struct buf *out)
{
    static const char *const fields[] = { "a", "b", "c", "l", "m.y", "n", "span", "name", "service" };
    const char *column = f->field = fields[model_random(m, sizeof fields / sizeof *fields)];
    bool inner_logs = model_chance(m, 50);
    f->kind = MF_IN;
    f->kids_n = 1;
    buf_printf(out, "%s in {%s ", f->field, inner_logs ? "logs" : "spans");
    f->kids[0] = model_filter_make(m, inner_logs, 1, out);
    if (model_chance(m, 30)) {
        column = fields[model_random(m, 6)];
        buf_printf(out, " | select %s as v", column);
    }
    buf_byte(out, '}');
    f->set = arena_alloc_array(&m->arena, (size_t)m->n + 1, sizeof *f->set);
    for (int i = 0; i < m->n; i++) {
        if (m->records[i].log == inner_logs && model_filter_match(m, f->kids[0], &m->records[i]))
            f->set[f->set_n++] = model_field(m, &m->records[i], column);
    }
}

struct model_filter *model_filter_make(struct model *m, bool logs, int depth, struct buf *out)
{
    struct model_filter *f = arena_zalloc(&m->arena, sizeof *f);
    uint64_t dice = model_random(m, 10);
    if (depth > 0 && dice < 4) {
        f->kind = dice < 2 ? MF_AND : MF_OR;
        f->kids_n = 2 + (int)model_random(m, 2);
        buf_byte(out, '(');
        for (int i = 0; i < f->kids_n; i++) {
            if (i)
                buf_str(out, f->kind == MF_OR ? STR(" or ") : model_chance(m, 50) ? STR(" ") : STR(" and "));
            f->kids[i] = model_filter_make(m, logs, depth - 1, out);
        }
        buf_byte(out, ')');
        return f;
    }
    if (depth > 0 && dice == 4) {
        f->kind = MF_NOT;
        f->kids_n = 1;
        buf_str(out, STR("not "));
        f->kids[0] = model_filter_make(m, logs, depth - 1, out);
        return f;
    }
    if (!logs && dice >= 8 && model_chance(m, 40)) {
        f->kind = MF_EVENT;
        f->kids_n = 1;
        buf_str(out, STR("event{"));
        f->kids[0] = event_make(m, 2, out);
        buf_byte(out, '}');
        return f;
    }
    if (depth > 0 && dice == 9 && model_chance(m, 50)) {
        in_make(m, logs, f, out);
        return f;
    }
    if (dice == 5) {
        f->kind = MF_PRESENT;
        f->field = attr_fields[model_random(m, sizeof attr_fields / sizeof *attr_fields)];
        buf_printf(out, "%s:*", f->field);
        return f;
    }
    if (dice == 6)
        string_leaf(m, logs, f, out);
    else if (dice == 7)
        fixed_compare(m, logs, f, out);
    else
        attr_compare(m, f, out);
    return f;
}
