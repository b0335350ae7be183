// A disk that fails on command: wraps any other disk and passes everything through, except the calls
// that it was told to break. Counts every call, so that a test can run once to learn how many
// there are and then fail each in turn.
#pragma once
#include "os/disk.h"

// inner stays the caller's and is not freed with the wrapper.
int disk_fault_new(struct disk *inner, struct disk **ret_disk);

// The n-th call from now (1 = the next) of the kinds in op_mask (1u << DISK_OP_x, 0 = all but CLOSE)
// returns code (negative, of base/err.h). sticky: so do all matching calls after it.
void disk_fault_fail_at(struct disk *d, int64_t nth, unsigned op_mask, int code, bool sticky);
// Reads and writes move at most n bytes a call (0 = no limit): what a kernel may do at any time.
void disk_fault_short(struct disk *d, size_t n);
// When the failing call is a write: this many bytes of it reach the disk before the error.
void disk_fault_torn(struct disk *d, size_t n);
// Matching calls (of the mask of the last disk_fault_fail_at) since then.
int64_t disk_fault_count(struct disk *d);
// How often a call was failed.
int64_t disk_fault_hits(struct disk *d);
