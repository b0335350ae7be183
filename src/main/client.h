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
    struct buf error; // the body when the status is not 200; freed by the caller
};
// One request whose answer is lines (NDJSON, events): each is given to line as it comes; a negative return
// ends the request and is returned. body empty: GET, else POST of JSON. silence_ms: longest time without a
// byte, -1: for ever.
int client_lines(const struct client *c, str path, str body, int silence_ms, int (*line)(void *ctx, str line),
                 void *ctx, struct client_answer *ret_answer, struct err *err);
// One request whose answer is kept whole in out. body empty: none, else JSON.
int client_call(const struct client *c, str method, str path, str body, struct buf *out,
                struct client_answer *ret_answer, struct err *err);
// A GET.
int client_fetch(const struct client *c, str path, struct buf *out, struct client_answer *ret_answer, struct err *err);
// Prints what a status that is not 200 says: the message, the place under the query's text (may be empty), the
// hint. Returns EXIT_FAILED.
int client_fail(const struct client_answer *answer, str query);
// %XX of what has no place in a URL.
void client_url_escape(struct buf *out, str s);
