// Bytecode of one expression: what the compiler writes, the verifier admits and the VM runs.
//
// Little-endian, position-independent, at most PROBE_CODE_SIZE_MAX bytes:
//   header    32 bytes, struct probe_code_header
//   code      n_ins instructions of 12 bytes: op, a, b, c; x, y; at, len (u16): the text it came from, for messages
//   literals  n_lits of 12 bytes: kind (of vm.h: NULL..STR), 3 zero bytes, then 8 bytes of value or u32 offset, u32 length
//   names     n_names of 8 bytes: u32 offset, u32 length; the first n_slots of them are variables of the frame
//   regexes   n_res of 8 bytes: u32 offset (a multiple of 4), u32 length: a program of regex.h
//   pool      texts and programs; offsets count from its start
//
// The verifier admits any bytes that the VM can run without reading or writing outside of what it was given:
// every operand in its table, a stack depth known for every instruction and within bounds, jumps forward only, but for the one
// at the end of a loop, back to its head. How long a program runs is not the verifier's business: each instruction costs a step.
#pragma once
#include "base/bytes.h"

enum {
    PROBE_CODE_MAGIC = 0x31585043, // "CPX1"
    PROBE_CODE_SIZE_MAX = 32768,
    PROBE_CODE_HEADER = 32,
    PROBE_CODE_INS = 12,
    PROBE_CODE_INS_MAX = 1024,
    PROBE_CODE_LITS_MAX = 128,
    PROBE_CODE_NAMES_MAX = 128,
    PROBE_CODE_RES_MAX = 8,
    PROBE_CODE_STACK_MAX = 40,
    PROBE_CODE_LOCALS_MAX = 32,
    PROBE_CODE_LOOPS_MAX = 4, // one in another
    PROBE_CODE_CHANGED_MAX = 16,
};

// pops -> pushes; x and a as said.
#define PROBE_OP_TABLE(X)                                                                             \
    X(PROBE_OP_RETURN, 1, 0)  /* the value */                                                         \
    X(PROBE_OP_LIT, 0, 1)     /* x: literal */                                                        \
    X(PROBE_OP_NAME, 0, 1)    /* x: name, a slot; a: soft */                                          \
    X(PROBE_OP_LOCAL, 0, 1)   /* x: local */                                                          \
    X(PROBE_OP_SET, 1, 0)     /* x: local */                                                          \
    X(PROBE_OP_SPECIAL, 0, 1) /* x: enum probe_special; a: soft */                                    \
    X(PROBE_OP_FRAME, 0, 1)   /* x: name; b: n; a: soft */                                            \
    X(PROBE_OP_STATIC, 0, 1)  /* x: name; a: soft */                                                  \
    X(PROBE_OP_FIELD, 1, 1)   /* x: name; a: soft */                                                  \
    X(PROBE_OP_INDEX, 2, 1)   /* a: soft */                                                           \
    X(PROBE_OP_HAS, 1, 1)     /* true unless absent */                                                \
    X(PROBE_OP_NEG, 1, 1)                                                                             \
    X(PROBE_OP_NOT, 1, 1)                                                                             \
    X(PROBE_OP_ADD, 2, 1)                                                                             \
    X(PROBE_OP_SUB, 2, 1)                                                                             \
    X(PROBE_OP_MUL, 2, 1)                                                                             \
    X(PROBE_OP_DIV, 2, 1)                                                                             \
    X(PROBE_OP_MOD, 2, 1)                                                                             \
    X(PROBE_OP_EQ, 2, 1)                                                                              \
    X(PROBE_OP_NE, 2, 1)                                                                              \
    X(PROBE_OP_LT, 2, 1)                                                                              \
    X(PROBE_OP_LE, 2, 1)                                                                              \
    X(PROBE_OP_GT, 2, 1)                                                                              \
    X(PROBE_OP_GE, 2, 1)                                                                              \
    X(PROBE_OP_IN, 2, 1)       /* element, collection; a: 1: the other way round */                   \
    X(PROBE_OP_MATCH, 1, 1)    /* x: regex */                                                         \
    X(PROBE_OP_BOOL, 1, 1)     /* a fault unless it is a bool */                                      \
    X(PROBE_OP_JUMP, 0, 0)     /* x: where to */                                                      \
    X(PROBE_OP_JUMP_NOT, 1, 0) /* x: where to when false */                                           \
    X(PROBE_OP_AND, 1, 1)      /* x: false stays and jumps there; true goes (pushes 0 going on) */    \
    X(PROBE_OP_OR, 1, 1)       /* x: true stays and jumps there; false goes */                        \
    X(PROBE_OP_LEN, 1, 1)      /* a: 1: of a collection alone */                                      \
    X(PROBE_OP_EMPTY, 1, 1)                                                                           \
    X(PROBE_OP_TYPE, 1, 1)                                                                            \
    X(PROBE_OP_STR, 1, 1)                                                                             \
    X(PROBE_OP_INT, 1, 1)                                                                             \
    X(PROBE_OP_LOWER, 1, 1)                                                                           \
    X(PROBE_OP_STARTS, 2, 1)                                                                          \
    X(PROBE_OP_ENDS, 2, 1)                                                                            \
    X(PROBE_OP_HEX, 1, 1)                                                                             \
    X(PROBE_OP_KEYS, 1, 1)                                                                            \
    X(PROBE_OP_CHANGED, 1, 1) /* x: word */                                                           \
    X(PROBE_OP_MIN, 2, 1)                                                                             \
    X(PROBE_OP_MAX, 2, 1)                                                                             \
    X(PROBE_OP_LOOP, 1, 0) /* a: loop; b: enum probe_loop. Begins over the popped collection */       \
    X(PROBE_OP_NEXT, 0, 0) /* a: loop; b: parameters, 1 or 2, in locals y..; x: the loop's DONE */    \
    X(PROBE_OP_EACH, 1, 0) /* a: loop; x: its NEXT. Takes what the body has made; may go on behind */ \
    X(PROBE_OP_DONE, 0, 1) /* a: loop. Its result */

enum probe_op {
#define PROBE_OP_ENUM(name, pops, pushes) name,
    PROBE_OP_TABLE(PROBE_OP_ENUM)
#undef PROBE_OP_ENUM
        PROBE_OPS,
};

// What an operand that is absent becomes.
enum {
    PROBE_SOFT_NOT = 0,
    PROBE_SOFT_NULL = 1,
    PROBE_SOFT_ABSENT = 2
}; // a fault; null (`?.`); known to has() as absent

enum probe_loop {
    PROBE_LOOP_ANY,
    PROBE_LOOP_ALL,
    PROBE_LOOP_COUNT,
    PROBE_LOOP_FILTER,
    PROBE_LOOP_MAP,
    PROBE_LOOP_MIN,
    PROBE_LOOP_MAX,
    PROBE_LOOPS,
};

struct probe_code_header {
    uint32_t magic, size; // size: of all of it
    uint16_t n_ins, n_lits, n_names, n_slots, n_res;
    uint8_t n_locals, n_loops, n_changed, zero[3];
    uint32_t pool_size, zero2;
};
_Static_assert(sizeof(struct probe_code_header) == PROBE_CODE_HEADER, "the header is its own codec");

struct probe_ins {
    uint8_t op, a, b, c;
    uint16_t x, y, at, len;
};
_Static_assert(sizeof(struct probe_ins) == PROBE_CODE_INS, "instructions are their own codec");

// A verified program: views into its bytes, which outlive it unchanged.
struct probe_code {
    const uint8_t *ins, *lits, *names, *res, *pool;
    uint16_t n_ins, n_lits, n_names, n_slots, n_res;
    uint8_t n_locals, n_loops, n_changed;
};

// 0 and *ret, or a negative code of base/err.h with *ret_why (may be NULL) a phrase. Allocates nothing: also for the
// in-process part.
int probe_code_verify(bytes b, struct probe_code *ret, const char **ret_why);
// Name n, n < n_names; n < n_slots are the slots.
str probe_code_name(const struct probe_code *code, unsigned n);
