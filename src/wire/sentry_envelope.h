// Sentry's envelope: a header line, then items, each a header line and a payload. Pure framing: what the
// items mean is decided elsewhere.
//
//   {"event_id":"...","dsn":"...","sent_at":"..."}\n
//   {"type":"event","length":41,"content_type":"application/json"}\n
//   <41 bytes>\n
//   {"type":"client_report"}\n
//   <up to the next line feed or the end>
//
// As SDKs send it: only \n separates; `length` may be missing (then the payload is one line); the last \n may be
// missing; the envelope header may be {}. Empty lines between items are passed over. A payload shorter than
// its `length` is malformed: what came before it stands.
#pragma once
#include "base/json_tree.h"

enum { SENTRY_HEADER_MAX = 64 << 10, SENTRY_HEADER_DEPTH = 16, SENTRY_ITEMS_MAX = 1000 };

struct sentry_envelope {
    str event_id, dsn, sent_at;     // of the header; empty when not there
    const struct json_node *header; // an object
    bytes rest;                     // behind what was read
    struct arena *arena;
    uint32_t items;
    size_t size;
};

struct sentry_item {
    str type, content_type, filename, attachment_type; // empty when not there
    const struct json_node *header;
    bytes payload;
    uint32_t index; // from 0
};

// Reads the header. ERR_MALFORMED (err says what and at which byte), ERR_NOMEM. Views live as long as body and arena.
int sentry_envelope_open(bytes body, struct arena *arena, struct sentry_envelope *ret_envelope, struct err *err);
// 1 and the next item, 0 at the end, ERR_MALFORMED, ERR_LIMIT (too many items), ERR_NOMEM.
int sentry_envelope_next(struct sentry_envelope *e, struct sentry_item *ret_item, struct err *err);
