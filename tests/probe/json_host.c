#include "json_host.h"

#include "base/numfmt.h"
#include "probe/expr.h"

static const struct json_node *member(const struct json_node *of, str name)
{
    for (const struct json_node *m = json_first_of(of, JSON_OBJECT); m; m = m->next)
        if (str_eq(m->key, name))
            return m;
    return NULL;
}

static int number(str s, struct probe_val *ret)
{
    bool digits = true;
    if (parse_i64(s, &ret->i)) {
        ret->kind = PROBE_VAL_INT;
        return 0;
    }
    for (size_t i = s.ptr[0] == '-'; i < s.len; i++)
        digits = digits && s.ptr[i] >= '0' && s.ptr[i] <= '9';
    ret->kind = digits ? PROBE_VAL_BIG : PROBE_VAL_FLOAT;
    return parse_double(s, &ret->f) ? 0 : PROBE_FAULT_UNREADABLE;
}

static int value(const struct json_node *n, struct probe_val *ret)
{
    if (!n)
        return PROBE_FAULT_MISSING;
    *ret = (struct probe_val){ .kind = PROBE_VAL_NULL };
    switch (n->type) {
    case JSON_TRUE:
    case JSON_FALSE:
        *ret = (struct probe_val){ .kind = PROBE_VAL_BOOL, .b = n->type == JSON_TRUE };
        return 0;
    case JSON_NUMBER:
        return number(n->text, ret);
    case JSON_STRING:
        for (unsigned i = 1; n->text.len && n->text.ptr[0] == '$' && i < PROBE_FAULT_COUNT; i++)
            if (str_eq(probe_fault_slug(i), str_slice(n->text, 1, n->text.len)))
                return (int)i;
        *ret = (struct probe_val){ .kind = PROBE_VAL_STR, .s = n->text };
        return 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (member(n, STR("$bytes"))) {
            *ret = (struct probe_val){ .kind = PROBE_VAL_BYTES, .s = json_get_text(n, STR("$bytes")) };
            return 0;
        }
        ret->kind = n->type == JSON_ARRAY      ? PROBE_VAL_LIST
                    : member(n, STR("$type"))  ? PROBE_VAL_OBJECT
                    : member(n, STR("$set"))   ? PROBE_VAL_SET
                    : member(n, STR("$other")) ? PROBE_VAL_OTHER
                                               : PROBE_VAL_DICT;
        ret->object = n;
        return 0;
    default:
        return 0;
    }
}

// The type's name is no field.
static const struct json_node *field_from(const struct json_node *n)
{
    return n && str_eq(n->key, STR("$type")) ? n->next : n;
}
static const struct json_node *next_of(const struct json_node *n) { return field_from(n->next); }
static const struct json_node *first_of(const struct probe_val *of)
{
    const struct json_node *n = of->object;
    return of->kind == PROBE_VAL_SET ? json_first_of(member(n, STR("$set")), JSON_ARRAY) : field_from(n->first);
}

static int get_name(void *ctx, unsigned slot, str name, struct probe_val *ret)
{
    struct json_host *h = ctx;
    h->calls++;
    return value(member(h->root, name), ret);
}

static int get_field(void *ctx, const struct probe_val *of, str name, struct probe_val *ret)
{
    ((struct json_host *)ctx)->calls++;
    return of->kind == PROBE_VAL_DICT || of->kind == PROBE_VAL_OBJECT ? value(member(of->object, name), ret)
                                                                      : PROBE_FAULT_MISSING;
}

static int get_index(void *ctx, const struct probe_val *of, const struct probe_val *key, struct probe_val *ret)
{
    const struct json_node *n = of->object;
    ((struct json_host *)ctx)->calls++;
    if (of->kind == PROBE_VAL_SET || of->kind == PROBE_VAL_OTHER)
        return PROBE_FAULT_TYPE;
    if (n->type == JSON_OBJECT)
        return key->kind == PROBE_VAL_STR ? value(member(n, key->s), ret) : PROBE_FAULT_MISSING;
    if (key->kind != PROBE_VAL_INT)
        return PROBE_FAULT_TYPE;
    int64_t i = key->i < 0 ? key->i + n->n : key->i;
    if (i < 0 || i >= n->n)
        return PROBE_FAULT_RANGE;
    for (n = n->first; i--;)
        n = n->next;
    return value(n, ret);
}

static int get_length(void *ctx, const struct probe_val *of, uint64_t *ret)
{
    ((struct json_host *)ctx)->calls++;
    *ret = 0;
    for (const struct json_node *n = first_of(of); n; n = next_of(n))
        ++*ret;
    return 0;
}

static int get_item(void *ctx, const struct probe_val *of, uint64_t *cursor, struct probe_val *ret_key,
                    struct probe_val *ret_value)
{
    struct probe_val unused;
    ((struct json_host *)ctx)->calls++;
    const struct json_node *at = *cursor ? next_of((const struct json_node *)(uintptr_t)*cursor) : first_of(of);
    if (!at)
        return -1;
    *cursor = (uintptr_t)at;
    bool keys = of->kind == PROBE_VAL_DICT || of->kind == PROBE_VAL_OBJECT;
    if (keys)
        *ret_key = (struct probe_val){ .kind = PROBE_VAL_STR, .s = at->key };
    return !keys || ret_value ? value(at, ret_value ? ret_value : &unused) : 0;
}

static int get_type(void *ctx, const struct probe_val *of, str *ret)
{
    *ret = of->kind == PROBE_VAL_LIST    ? STR("list")
           : of->kind == PROBE_VAL_DICT  ? STR("dict")
           : of->kind == PROBE_VAL_SET   ? STR("set")
           : of->kind == PROBE_VAL_OTHER ? json_get_text(of->object, STR("$other"))
                                         : json_get_text(of->object, STR("$type"));
    return 0;
}

static int get_special(void *ctx, enum probe_special which, struct probe_val *ret)
{
    char name[32] = "@";
    str word = probe_special_name(which);
    memcpy(name + 1, word.ptr, word.len);
    return value(member(((struct json_host *)ctx)->root, str_of(name, word.len + 1)), ret);
}

static int get_frame(void *ctx, unsigned n, str name, struct probe_val *ret)
{
    struct json_host *h = ctx;
    const struct json_node *at = n ? json_first_of(h->callers, JSON_ARRAY) : h->root;
    for (unsigned i = 1; at && i < n; i++)
        at = at->next;
    return at ? value(member(at, name), ret) : PROBE_FAULT_RANGE;
}

static int get_statics(void *ctx, str name, struct probe_val *ret)
{
    const struct json_node *classes = member(((struct json_host *)ctx)->root, STR("@static"));
    return value(member(classes, name), ret);
}

const struct probe_host json_host = { get_name, get_field,   get_index, get_length, get_item,
                                      get_type, get_special, get_frame, get_statics };
