// A redaction policy: its JSON, and the block that is made of it: see redact.h. Not on the hit path.
#include "base/buf.h"
#include "base/json_tree.h"
#include "probe/redact.h"

enum { OPEN_START = 1, OPEN_END = 2 };

static int read_list(const struct json_node *node, struct arena *arena, const str **ret_list, size_t *ret_n,
                     struct err *err)
{
    const struct json_node *e;
    str *list;
    if (node->type != JSON_ARRAY || node->n > PROBE_POLICY_RULES_MAX)
        return err_set(err, ERR_INVALID, "bad_policy", "%.*s is no list of at most %d patterns.", STR_ARG(node->key),
                       PROBE_POLICY_RULES_MAX);
    list = arena_alloc_array(arena, node->n ? node->n : 1, sizeof(*list));
    if (!list)
        return err_set(err, ERR_NOMEM, NULL, "The policy finds no memory.");
    *ret_n = 0;
    for (e = node->first; e; e = e->next) {
        if (e->type != JSON_STRING)
            return err_set(err, ERR_INVALID, "bad_policy", "%.*s holds something that is no text.", STR_ARG(node->key));
        list[(*ret_n)++] = e->text;
    }
    *ret_list = list;
    return 0;
}

static int read_flag(const struct json_node *node, bool *ret_on, struct err *err)
{
    if (node->type != JSON_TRUE && node->type != JSON_FALSE)
        return err_set(err, ERR_INVALID, "bad_policy", "%.*s is neither true nor false.", STR_ARG(node->key));
    *ret_on = node->type == JSON_TRUE;
    return 0;
}

int probe_policy_read(str json, struct arena *arena, struct probe_policy_spec *ret_spec, struct err *err)
{
    const struct json_node *root, *n;
    struct probe_policy_spec s = { 0 };
    int rc = json_tree_read(json, arena, 4, &root, err);
    if (rc < 0)
        return rc;
    if (root->type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "bad_policy", "A policy is an object.");
    for (n = root->first; n && rc == 0; n = n->next) {
        bool on = true;
        if (str_eq(n->key, STR("shapes")))
            rc = read_flag(n, &s.shapes, err);
        else if (str_eq(n->key, STR("detectors"))) {
            rc = read_flag(n, &on, err);
            s.no_detectors = !on;
        } else if (str_eq(n->key, STR("names")))
            rc = read_list(n, arena, &s.names, &s.n_names, err);
        else if (str_eq(n->key, STR("allow")))
            rc = read_list(n, arena, &s.allow, &s.n_allow, err);
        else if (str_eq(n->key, STR("types")))
            rc = read_list(n, arena, &s.types, &s.n_types, err);
        else if (str_eq(n->key, STR("files")))
            rc = read_list(n, arena, &s.files, &s.n_files, err);
        else // a misspelt rule must not pass for one
            rc = err_set(err, ERR_INVALID, "bad_policy", "A policy has no member %.*s.", STR_ARG(n->key));
    }
    if (rc == 0)
        *ret_spec = s;
    return rc;
}

// is_name: compared without case and separators, as probe_redact_name() does.
static int put_pattern(struct buf *out, str pattern, bool is_name, struct err *err)
{
    char text[PROBE_POLICY_TEXT_MAX];
    uint8_t flags = 0;
    size_t n = 0;
    str p = pattern;
    if (p.len > 1 && p.ptr[0] == '*') {
        flags |= OPEN_START;
        p = str_slice(p, 1, p.len);
    }
    if (p.len > 1 && p.ptr[p.len - 1] == '*') {
        flags |= OPEN_END;
        p.len--;
    }
    if (p.len > PROBE_POLICY_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "bad_policy", "A pattern is longer than %d bytes.", PROBE_POLICY_TEXT_MAX);
    for (size_t i = 0; i < p.len; i++) {
        char c = p.ptr[i];
        bool upper = c >= 'A' && c <= 'Z', plain = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (c == '*')
            return err_set(err, ERR_INVALID, "bad_policy", "In %.*s the * stands neither at the start nor at the end.",
                           STR_ARG(pattern));
        if (is_name && !plain && (uint8_t)c < 0x80)
            continue;
        text[n++] = is_name && upper ? (char)(c | 0x20) : c;
    }
    if (!n)
        return err_set(err, ERR_INVALID, "bad_policy", "The pattern %.*s would match everything or nothing.",
                       STR_ARG(pattern));
    buf_byte(out, flags);
    buf_le16(out, (uint16_t)n);
    buf_append(out, text, n);
    return 0;
}

static int put_list(struct buf *out, const str *list, size_t n, bool is_name, struct err *err)
{
    size_t at;
    if (n > PROBE_POLICY_RULES_MAX)
        return err_set(err, ERR_LIMIT, "bad_policy", "A list has more than %d patterns.", PROBE_POLICY_RULES_MAX);
    buf_le32(out, (uint32_t)n);
    at = out->len;
    buf_le32(out, 0);
    for (size_t i = 0; i < n; i++) {
        int rc = put_pattern(out, list[i], is_name, err);
        if (rc < 0)
            return rc;
    }
    if (!out->error)
        le32_put(out->ptr + at, (uint32_t)(out->len - at - 4));
    return 0;
}

int probe_policy_compile(const struct probe_policy_spec *spec, uint32_t generation, struct buf *out, struct err *err)
{
    size_t start = out->len;
    int rc;
    buf_le32(out, PROBE_POLICY_MAGIC);
    buf_le32(out, generation);
    buf_le32(out, (spec->shapes ? PROBE_POLICY_SHAPES : 0u) | (spec->no_detectors ? PROBE_POLICY_NO_DETECTORS : 0u));
    buf_le32(out, 0);
    rc = put_list(out, spec->names, spec->n_names, true, err);
    if (rc == 0)
        rc = put_list(out, spec->allow, spec->n_allow, true, err);
    if (rc == 0)
        rc = put_list(out, spec->types, spec->n_types, false, err);
    if (rc == 0)
        rc = put_list(out, spec->files, spec->n_files, false, err);
    if (rc == 0 && (out->error || out->len - start > PROBE_POLICY_SIZE_MAX))
        rc = err_set(err, out->error ? out->error : ERR_LIMIT, "bad_policy", "The policy is longer than %d bytes.",
                     PROBE_POLICY_SIZE_MAX);
    if (rc < 0) {
        if (!out->error)
            out->len = start;
        return rc;
    }
    le32_put(out->ptr + start + 12, (uint32_t)(out->len - start));
    return 0;
}
