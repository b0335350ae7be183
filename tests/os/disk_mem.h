// A disk in memory with a power switch: what was written but not synced is kept apart, and
// disk_mem_crash() loses, tears and reorders it as real disks do:
//  - file content: each 512-byte sector of each write since the last good sync arrives or not, on its
//    own (so later writes may arrive without earlier ones); now and then a sector arrives torn. Sizes
//    grow with what arrived.
//  - names: creates, renames, unlinks since the last sync of their directory arrive as a random
//    prefix, in order (journalled file systems keep that order).
// After a failed sync the data written before it never becomes durable, although reads still see it
// and the next sync says 0: what Linux does.
#pragma once
#include "os/disk.h"

// capacity: bytes of all files together; more is ERR_NOSPC (0 = no limit). May be changed later.
int disk_mem_new(uint64_t capacity, struct disk **ret_disk);
void disk_mem_set_capacity(struct disk *d, uint64_t capacity);

// Power is cut at the n-th call from now that changes something (1 = the next; a write may arrive
// partly): it and every later call returns ERR_IO until disk_mem_crash().
void disk_mem_cut_at(struct disk *d, int64_t nth);
// Changing calls since the last disk_mem_cut_at().
int64_t disk_mem_changes(struct disk *d);
// Power off and on: open files become invalid (close them if you like), what remains is what a disk
// might hold. The same seed gives the same loss.
void disk_mem_crash(struct disk *d, uint64_t seed);
// The next n syncs (data) fail with ERR_IO, losing what they should have synced.
void disk_mem_fail_syncs(struct disk *d, int n);
// Flips one bit of the durable and the visible content; ERR_NOENT, ERR_INVALID outside the file.
int disk_mem_flip_bit(struct disk *d, const char *path, uint64_t offset, unsigned bit);
