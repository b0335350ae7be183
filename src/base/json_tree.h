// JSON as a tree in an arena: for documents whose members matter in an order of ours and not of the
// text (error events). What streams is read with base/json.h directly.
#pragma once
#include "base/json.h"

struct json_node {
    uint8_t type; // enum json_type: OBJECT, ARRAY, STRING, NUMBER, TRUE, FALSE, NULL
    uint32_t n;   // members or elements
    str key;      // of a member
    str text;     // STRING: decoded; NUMBER: as written
    const struct json_node *first, *next;
};

// One whole document. Texts are views into it or into the arena, whose cap bounds the tree (80 bytes a value).
// ERR_MALFORMED, ERR_TRUNCATED, ERR_LIMIT (depth), ERR_NOMEM (the arena is full); err says what and where.
int json_tree_read(str text, struct arena *arena, unsigned depth_max, const struct json_node **ret_root,
                   struct err *err);

// All take NULL and nodes of another type, and then find nothing.
// The member of that name (the last one counts); NULL when there is none or it is null.
const struct json_node *json_get(const struct json_node *object, str name);
// Of a member: empty when it is not a string.
str json_get_text(const struct json_node *object, str name);
// Of a member: 0 when it is no whole number, see json_int_of().
int64_t json_get_int(const struct json_node *object, str name);
static inline bool json_is(const struct json_node *node, enum json_type type) { return node && node->type == type; }
static inline str json_text_of(const struct json_node *node)
{
    return json_is(node, JSON_STRING) ? node->text : (str){ 0 };
}
// Of a whole number, also as text: false when it is none.
bool json_int_of(const struct json_node *node, int64_t *ret_i);
// Writes the node and what is below it; numbers as they were written.
void json_put_tree(struct json_writer *w, const struct json_node *node);
static inline const struct json_node *json_first_of(const struct json_node *node, enum json_type type)
{
    return json_is(node, type) ? node->first : NULL;
}
