// Captures wait here until the server has them: an append-only file with checksums, bounded, that survives an agent that is
// killed. (It is not synced: what a power cut takes is lost with the host's other memory.) Format: docs/formats.md.
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "os/disk.h"

enum { SPOOL_ID_MAX = 64, SPOOL_RECORD_MAX = 4 << 20 };
#define SPOOL_BYTES_MAX ((uint64_t)32 << 20)

struct spool;

// Reads what an earlier agent has left. A damaged end is cut off. disk stays the caller's.
int spool_open(struct disk *disk, uint64_t bytes_max, struct spool **ret, struct err *err);
void spool_close(struct spool *s);
// ERR_LIMIT: it is full of what has not been acknowledged; nothing was taken. ERR_EXIST: it has that id.
int spool_add(struct spool *s, str id, bytes record);
// The server has it. An id that is not here is fine.
void spool_ack(struct spool *s, str id);
// The oldest record that has not been given out since spool_again(): 1, appended to out; 0: none.
int spool_next(struct spool *s, struct buf *out);
// A new connection: everything that was not acknowledged is given out again.
void spool_again(struct spool *s);
size_t spool_waiting(const struct spool *s); // records
uint64_t spool_bytes(const struct spool *s); // of them
// Given out and not acknowledged.
size_t spool_under_way(const struct spool *s);
