// The stored form of a resource or scope: one canonical byte string, compared and hashed as a whole.
#pragma once
#include "wire/record.h"

// Appends the canonical encoding (described in head_entity.c and docs/formats.md).
int entity_encode(struct buf *b, const struct record_entity *e);
// Views into `canonical`; the attribute array comes from alloc (NULL: ERR_NOMEM). ERR_TRUNCATED, ERR_MALFORMED.
int entity_decode(str canonical, uint8_t level, void *(*alloc)(void *ctx, size_t size), void *ctx,
                  struct record_entity *ret_e);
