// What client commands ask of a server and show of its answers, which are small JSON documents.
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
    unsigned depth;   // how deep an answer may nest; ASK_DEPTH at first
};

enum { ASK_DEPTH = 128, ASK_DEPTH_FLAT = 16, ASK_OUT_MAX = 64 << 20 };

// EXIT_DONE, or it has been told why not.
int ask_begin(struct ask *a, const struct invocation *inv);
void ask_end(struct ask *a);
// Asks with what was written into body (then it is empty again). 0, or a negative code: the failure is told. of: the text that an
// error with a column may speak of; NULL: none.
int ask_server(struct ask *a, str method, str path, str (*of)(void *ctx, str place), void *ctx);
static inline int ask_get(struct ask *a, str path) { return ask_server(a, STR("GET"), path, NULL, NULL); }
// "&name=value" or "?name=value"; nothing for NULL.
void ask_parameter(struct buf *path, const char *name, const char *value);

struct grid;

// A command whose answer has a list: a table for people, with --json each element a line.
struct ask_list {
    const char *path;                                      // "/api/v1/probes"
    const char *name;                                      // the list's in the answer
    int (*row)(struct grid *g, const struct json_node *x); // 0, or a negative code
    const char *const *options; // of the command, which are parameters of the path; ends with NULL
    const char *operand;        // the parameter that the operand is; NULL: none
    const char *hint;           // as in struct ask
    const char *none;           // told when the list is empty; NULL: nothing
};
// The exit status.
int ask_list(const struct invocation *inv, const struct ask_list *l);
