// Asking a server over HTTP, for the client commands: where it is, and one request whose answer is handed
// on as it comes.
#pragma once
#include "main/config.h"

struct client {
    char url[CONFIG_TEXT_MAX];
    char token[CONFIG_TEXT_MAX];
};
// --server and --token, CLEW_URL and CLEW_TOKEN, or the server that runs on the data directory.
int client_find(const struct config *c, struct client *ret_client, struct err *err);

struct client_answer {
    int status;
    struct buf error; // the body when the status is not 2xx; freed by the caller
};
// piece: called for every piece of a 2xx body; a negative return ends the request and is returned.
// body empty: GET, else POST of JSON.
int client_request(const struct client *c, str path, str body, int (*piece)(void *ctx, bytes b), void *ctx,
                   struct client_answer *ret_answer, struct err *err);
// Prints what a status that is not 2xx says: the message, the place under the query's text (may be empty), the
// hint. Returns EXIT_FAILED.
int client_fail(const struct client_answer *answer, str query);
// %XX of what has no place in a URL.
void client_url_escape(struct buf *out, str s);

// Cuts pieces into lines.
struct client_lines {
    struct buf rest;
    int (*line)(void *ctx, str line); // without the line end
    void *ctx;
};
void client_lines_init(struct client_lines *l, int (*line)(void *ctx, str line), void *ctx);
int client_lines_piece(void *lines, bytes b);
void client_lines_free(struct client_lines *l);
