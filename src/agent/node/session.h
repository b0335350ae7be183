// A session: the talk with the inspector (session.c), what is done to scripts (session_script.c), and the threads that it is done in, one after the other (workers.c).
#pragma once
#include "agent/node/attachment.h"

typedef void session_then(struct attachment *a, const struct json_node *result);

// A request: what is written between the two are its parameters. When it is answered, `then` goes on.
struct json_writer session_ask(struct attachment *a, const char *method);
void session_ask_end(struct attachment *a, struct json_writer *w, session_then *then);
void session_put_text(struct json_writer *w, const char *key, str value);
// Of Runtime.evaluate: the __clew of a thread, if it has one, and that is of the walk.js that this agent has.
void session_put_existing(struct json_writer *w);
// A method of __clew with one text, or none.
void session_call(struct attachment *a, const char *function, str argument, session_then *then);
const struct json_node *session_value_of(const struct json_node *result);
// Texts that outlive the answer.
str session_keep(struct attachment *a, str text);
// The state of all that is not installed.
void session_tell_open(struct attachment *a, const char *state, const char *code, const char *message);
void session_fail(struct attachment *a, const char *state, const char *code, const char *message);
// All scripts are done: says which files hold calls, and ends with this thread.
void session_last_order(struct attachment *a);
bool session_send(struct attachment *a, const struct buf *message);
// Begins with a thread whose __clew is known, or that has none.
void session_look(struct attachment *a);
// Has the process close its inspector.
void session_shut(struct attachment *a);
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
// Whether anything is to be done in the thread whose scripts are known.
bool session_wants(struct attachment *a);
void session_next_script(struct attachment *a);
void session_edited_add(struct session *s, str url);
// Where the thread is to count, for a probe that does. One that counts where nobody reads it begins again.
int session_give_table(struct attachment *a, struct placed *p, struct edit_probe *e, struct err *err);

// workers.c
// A thread's turn begins: nothing of the one before is known any more.
void session_pass_begin(struct attachment *a);
// All that can be done in this thread is. Goes on with the next one, or ends.
void session_pass_end(struct attachment *a);
// A worker cannot be gone on with.
void session_worker_lost(struct attachment *a, const char *why);
// Puts the request for the worker that is talked to into an envelope.
const struct buf *session_wrapped(struct attachment *a);
// What the inspector tells of workers. True: a message of the one that is talked to, in *ret.
bool session_worker_message(struct attachment *a, const struct json_node *root, const struct json_node **ret);
void session_workers_due(struct attachment *a, int64_t now);
// Says what has become of each probe in all threads.
void session_conclude(struct attachment *a);
