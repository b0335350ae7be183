// The part file, format version 1, as constants; docs/formats.md describes it in words.
//
//   header (64 bytes) | chunks ... | footer chunk | trailer (32 bytes)
//
// Everything between header and trailer is chunks: 16 bytes of chunk header and the stored payload. Chunks of one
// kind, table and column form a series; the footer says where each series is.
#pragma once
#include "store/encode.h"
#include "store/segment.h"

#define PART_MAGIC "CLEWPART"
#define PART_TRAILER_MAGIC "PARTCLEW"
// FIELD columns of events that have an index: by which one of them, or those of one group, are looked for among millions.
#define PART_KEY_FIELDS                         \
    {                                           \
        STR_INIT("event_id"), STR_INIT("group") \
    }
enum {
    PART_VERSION = 1,
    PART_WRITER = 2, // of this program: goes up with every change of what is written within a version
    PART_HEADER_SIZE = 64,
    PART_TRAILER_SIZE = 32,
    CHUNK_HEADER_SIZE = 16,
    CHUNK_RAW_MAX = 1 << 30,
};
// A chunk is never larger unpacked than this times its stored size and a bit: damage cannot ask for much.
#define CHUNK_RATIO_MAX 4096ull
#define CHUNK_RATIO_FREE 65536ull
// Features that a reader must know (refuse the file otherwise) or may ignore.
#define PART_INCOMPATIBLE_KNOWN 0ull
#define PART_COMPATIBLE_WRITTEN 0ull

static inline bool value_is_string(uint8_t type)
{
    return type == VALUE_STR || type == VALUE_BYTES || type == VALUE_LIST || type == VALUE_MAP;
}

// header: magic 8, version u32, header size u32, incompatible u64, compatible u64, workspace u64, id u64,
//         source u8, retention class u8, 0 u16, writer u32, 0 u32, crc32c u32 of the 60 bytes before
// trailer: footer offset u64, footer chunk size u32, 0 u32, crc32c u32 of the 16 bytes before, 0 u32, magic 8
// chunk header: stored size u32, raw size u32, codec u8, kind u8, 0 u16, crc32c u32 of the 12 bytes before and the
//         stored payload
enum chunk_kind {
    CHUNK_COLUMN = 1,      // values of a column in a block
    CHUNK_TAIL = 2,        // columns with few values in a block, and those beyond PART_COLUMNS_TYPED, together
    CHUNK_DICT = 3,        // strings of a column
    CHUNK_TRACE_IDS = 4,   // a page of trace ids
    CHUNK_TRACE_ROWS = 5,  // a page of first rows
    CHUNK_TRACE_INDEX = 6, // a bucket of the way from id to ordinal
    CHUNK_COLUMNS = 7,     // attribute columns of a table
    CHUNK_SHAPES = 8,      // shapes of a table
    CHUNK_RESOURCES = 9,
    CHUNK_SCOPES = 10,
    CHUNK_DIRECTORY = 11, // where the chunks of one series are, with their ranges
    CHUNK_FOOTER = 12,
    CHUNK_KINDS = 13,
    // Not there in parts of writer 1, and passed over by it.
    CHUNK_KEY_INDEX = 16, // a bucket of the way from a key to the blocks that may hold it
};

enum {
    PART_KEYS = 2,             // columns of PART_KEY_FIELDS
    PART_COLUMNS_TYPED = 1000, // columns with chunks of their own, a table; the rest live in the tails
    PART_COLUMNS_MAX = 1 << 17,
    PART_BLOCKS_MAX = 1 << 18,   // of a table: row numbers fit 31 bits
    PART_TAIL_VALUES = 48,       // so few values of a column in a block go to the tail
    PART_BLOCK_BYTES = 16 << 20, // strings of a block: more closes it early
    TRACE_PAGE = 1024,           // traces a page
    TRACE_BUCKET = 512,          // traces a bucket, on average
    PART_DICT_ENTRIES_MAX = 1 << 18,
    PART_DICT_BYTES_MAX = 16 << 20,
    PART_DICT_FLOOR = 4096, // so few strings are always a dictionary
};

// Of the footer, before the series. All u64, in this order.
enum footer_word {
    FOOTER_ID,
    FOOTER_ROWS,
    FOOTER_TIME_MIN,
    FOOTER_TIME_MAX,
    FOOTER_RECEIVED_MIN,
    FOOTER_RECEIVED_MAX,
    FOOTER_DURATION_MAX,
    FOOTER_DUPLICATES,
    FOOTER_TRACES,
    FOOTER_TOMBSTONE, // 0: none; will refer to a file of deleted rows
    FOOTER_HASH,      // version of the hash functions: 1 = XXH3 64, seed 0
    FOOTER_TEXT,      // version of tokens and case folding: 0 = no text index yet
    FOOTER_FLAGS,     // 1: rows are in trace order
    FOOTER_WORDS
};
enum { FOOTER_TRACE_ORDER = 1 };
// Then for each table: varint rows, varint blocks, integers: rows of each block. Then varint series, and for each:
// kind u8, table u8, varint column, varint chunks; one chunk: the entry itself; more: varint offset and varint size
// of the directory chunk.
// An entry: varint block, varint offset, varint size, u8 has range, and if it has: zigzag varint min, max.
// Directory: integers each: n blocks, offsets, sizes, flags (1: has a range), mins, maxs minus mins.
