// Log blocks: one batch of one lane as bytes. docs/formats.md describes the layout; log_block.c is its codec.
#pragma once
#include "store/head.h"

enum { LOG_BLOCK_MAGIC = 0x31424c43 /* "CLB1" */, LOG_BLOCK_HEADER = 72, LOG_BLOCK_MAX = 256 << 20 };

struct log_block_header {
    uint32_t length; // of header and payload, bytes
    uint32_t lane;
    uint64_t epoch;    // of the file
    uint64_t sequence; // consecutive in the generation, from 0
    uint64_t group;    // sequence of the first block that was synced together with this one
    uint64_t generation;
    uint64_t request_hash[2];
    int64_t received; // ns Unix
};

// Starts a block in an empty buffer: leaves room for the header, then the payload: what the lane's
// dictionaries gained since the last block and the rows between the two marks.
int log_block_encode(struct buf *b, struct lane *l, const struct lane_section *sec, const struct lane_marks *from,
                     const struct lane_marks *to);
// Fills in the header of an encoded block (length from b) with its checksum.
void log_block_seal(struct buf *b, struct log_block_header h);
// Reads and checks the header and checksum of the block that begins at data. ERR_NOENT: no block begins here
// (no magic); ERR_TRUNCATED: it is longer than data; ERR_CORRUPT: checksum or length do not fit.
int log_block_open(bytes data, struct log_block_header *ret_h);
// Appends a checked block's payload to a lane (dictionaries and rows; rows_n gains the rows of TABLE_ROWS).
// Every length and ordinal is checked: ERR_CORRUPT, ERR_NOMEM.
int log_block_apply(struct lane *l, bytes block, const struct log_block_header *h, uint64_t *rows_n);
