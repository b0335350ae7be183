// Edits in three files: names and the function that is called (edit.c), exits of functions (edit_exit.c), the text (edit_text.c).
#pragma once
#include "agent/node/edit.h"

struct edit_name *edit_name_find(struct edit_probe *e, str name);
// Reading it there is no error, and makes the engine keep nothing that it does not keep already.
bool edit_readable(const struct scan *s, const struct scan_place *place, const struct scan_name *n);

// The first function from there on that e->probe names; 0: none.
uint32_t edit_function(const struct scan *s, const struct edit_probe *e, uint32_t from);
// The function of e->probe. ERR_NOENT, ERR_UNSUPPORTED.
int edit_exit_place(const struct scan *s, struct edit_probe *e, struct arena *arena, struct err *err);
// Where it is left, one by one: its returns, its end, and by an exception. False: no more.
bool edit_exit_site(const struct scan *s, const struct edit_probe *e, uint32_t i, struct scan_place *ret);
// A constant that is known by a copy where it cannot be read itself: of the function's own block where an exception leaves it, of what is around the
// function where it returns.
bool edit_shadowed(const struct scan *s, uint32_t function, const struct scan_name *n);

// A piece of text to put in. Of those at one place: what ends there comes before what begins, the inner end before the outer one.
enum edit_rank {
    EDIT_SHADOW,
    EDIT_BODY_END,
    EDIT_FUNCTION_END,
    EDIT_FUNCTION,
    EDIT_CALL,
    EDIT_VALUE,
};
struct edit_piece {
    uint32_t at, begin; // begin: of what ends there
    uint8_t rank;
    uint32_t slot;
    str text; // in the arena of the list
};
struct edit_pieces {
    struct edit_piece *list;
    size_t n, cap;
    struct arena arena;
    struct buf text; // of the next piece
    int rc;
};
// Takes what stands in text.
void edit_piece_put(struct edit_pieces *p, uint32_t at, enum edit_rank rank, uint32_t begin, uint32_t slot);
void edit_exit_write(const struct scan *s, struct edit_probe *e, struct edit_pieces *p);
