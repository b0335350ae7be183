// A session in two files: the talk with the inspector (session.c), and what is done to scripts (session_script.c).
#pragma once
#include "agent/node/attachment.h"

typedef void session_then(struct attachment *a, const struct json_node *result);

// A request: what is written between the two are its parameters. When it is answered, `then` goes on.
struct json_writer session_ask(struct attachment *a, const char *method);
void session_ask_end(struct attachment *a, struct json_writer *w, session_then *then);
void session_put_text(struct json_writer *w, const char *key, str value);
// A method of __clew with one text, or none.
void session_call(struct attachment *a, const char *function, str argument, session_then *then);
const struct json_node *session_value_of(const struct json_node *result);
// Texts that outlive the answer.
str session_keep(struct attachment *a, str text);
// The state of all that is not installed.
void session_tell_open(struct attachment *a, const char *state, const char *code, const char *message);
void session_fail(struct attachment *a, const char *state, const char *code, const char *message);
// All scripts are done: says which files hold calls, and ends.
void session_last_order(struct attachment *a);
void session_put_edited(struct attachment *a, struct json_writer *w);

// session_copies.c
// The engine tells of a script.
void session_copies_parsed(struct session *s, str id);
// Whether it is but the remains of a change.
bool session_copies_remains(const struct attachment *a, str id, str url);
// Which scripts of changed files run is kept in the process for the next session, of this agent or another one; then goes on.
void session_copies_count(struct attachment *a, void (*then)(struct attachment *a));
// What the last session has kept.
void session_copies_read(struct attachment *a, str text);

// session_script.c
void session_next_script(struct attachment *a);
void session_edited_add(struct session *s, str url);
