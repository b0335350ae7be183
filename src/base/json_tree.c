#include "base/json_tree.h"

#include "base/must.h"

enum { DEPTH_MAX = JSON_DEPTH_MAX };

// The places where the next value goes: one a level of nesting.
struct builder {
    struct json_node *open[DEPTH_MAX + 1]; // [0]: a list that holds the document
    struct json_node *last[DEPTH_MAX + 1];
    unsigned depth;
};

static int add(struct builder *b, struct arena *arena, const struct json_token *t, str key)
{
    struct json_node *node = arena_zalloc(arena, sizeof *node), *in = b->open[b->depth];
    must(in); // each level that the reader has entered
    if (!node)
        return ERR_NOMEM;
    *node = (struct json_node){ .type = (uint8_t)t->type, .key = key, .text = t->text };
    if (b->last[b->depth])
        b->last[b->depth]->next = node;
    else
        in->first = node;
    b->last[b->depth] = node;
    in->n++;
    if (t->type == JSON_OBJECT || t->type == JSON_ARRAY) {
        b->depth++;
        b->open[b->depth] = node;
        b->last[b->depth] = NULL;
    }
    return 0;
}

int json_tree_read(str text, struct arena *arena, unsigned depth_max, const struct json_node **ret_root,
                   struct err *err)
{
    struct json_node root = { .type = JSON_ARRAY };
    struct builder b = { .open = { &root } };
    struct json_reader r;
    struct json_token t;
    str key = { 0 };
    int rc;
    json_reader_init(&r, text, arena, depth_max < DEPTH_MAX ? depth_max : DEPTH_MAX);
    while ((rc = json_next(&r, &t)) == 0 && t.type != JSON_END) {
        if (t.type == JSON_KEY) {
            key = t.text;
            continue;
        }
        if (t.type == JSON_OBJECT_END || t.type == JSON_ARRAY_END)
            b.depth--;
        else if ((rc = add(&b, arena, &t, key)) < 0)
            break;
        key = (str){ 0 };
    }
    if (rc < 0)
        return rc == ERR_NOMEM ? err_set(err, rc, NULL, "the document does not fit the memory that it may take")
                               : json_reader_err(&r, rc, err);
    *ret_root = root.first;
    return 0;
}

const struct json_node *json_get(const struct json_node *object, str name)
{
    const struct json_node *found = NULL;
    for (const struct json_node *m = json_first_of(object, JSON_OBJECT); m; m = m->next)
        if (str_eq(m->key, name))
            found = m;
    return json_is(found, JSON_NULL) ? NULL : found;
}

str json_get_text(const struct json_node *object, str name) { return json_text_of(json_get(object, name)); }

bool json_int_of(const struct json_node *node, int64_t *ret_i)
{
    return (json_is(node, JSON_NUMBER) || json_is(node, JSON_STRING)) && json_number_int(node->text, ret_i);
}

int64_t json_get_int(const struct json_node *object, str name)
{
    int64_t i = 0;
    json_int_of(json_get(object, name), &i);
    return i;
}

void json_put_tree(struct json_writer *w, const struct json_node *node)
{
    switch (node->type) {
    case JSON_OBJECT:
        json_put_object(w);
        for (const struct json_node *m = node->first; m; m = m->next) {
            json_put_key(w, m->key);
            json_put_tree(w, m);
        }
        json_put_object_end(w);
        break;
    case JSON_ARRAY:
        json_put_array(w);
        for (const struct json_node *e = node->first; e; e = e->next)
            json_put_tree(w, e);
        json_put_array_end(w);
        break;
    case JSON_STRING:
        json_put_str(w, node->text);
        break;
    case JSON_NUMBER:
        json_put_raw(w, node->text);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_put_bool(w, node->type == JSON_TRUE);
        break;
    default:
        json_put_null(w);
    }
}
