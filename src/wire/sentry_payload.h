// The whole event, as it is kept with its record: compact JSON, compressed one by one so that a block of large events
// stays small in memory. A dictionary of what SDKs write makes that pay for small ones, too.
//
// Format: one byte (the dictionary's number), then one zstd frame with its content size.
#pragma once
#include "base/json_tree.h"

enum { SENTRY_PAYLOAD_MAX = 4 << 20 }; // bytes of JSON

// What packing keeps from event to event; of one thread at a time.
struct sentry_packer {
    struct ZSTD_CCtx_s *zstd;
    struct buf json, packed;
};
void sentry_packer_init(struct sentry_packer *p);
void sentry_packer_free(struct sentry_packer *p);
// *ret_packed lives until the next call. ERR_NOMEM; ERR_LIMIT: larger than SENTRY_PAYLOAD_MAX.
int sentry_payload_pack(struct sentry_packer *p, const struct json_node *event, bytes *ret_packed);
// Appends the JSON. ERR_CORRUPT, ERR_UNSUPPORTED (a dictionary of a later version), ERR_NOMEM.
int sentry_payload_open(bytes packed, struct buf *out);
