// Several questions of one client command, whose answers are small JSON documents.
#pragma once
#include "base/json_tree.h"
#include "main/client.h"
#include "main/command.h"

struct ask {
    struct client client;
    struct client_answer answer;
    struct buf body; // of the next question
    struct json_writer w;
    struct buf json; // the last answer, which root is a view of
    struct arena arena;
    const struct json_node *root;
    const char *hint; // what a token needs that may not (403)
};

// EXIT_DONE, or it has been told why not.
int ask_begin(struct ask *a, const struct invocation *inv);
void ask_end(struct ask *a);
// Asks with what was written into body (then it is empty again). 0, or a negative code: the failure is told. of: the text that an
// error with a column may speak of; NULL: none.
int ask_server(struct ask *a, str method, str path, str (*of)(void *ctx, str place), void *ctx);
static inline int ask_get(struct ask *a, str path) { return ask_server(a, STR("GET"), path, NULL, NULL); }
// "&name=value" or "?name=value"; nothing for NULL.
void ask_parameter(struct buf *path, const char *name, const char *value);
