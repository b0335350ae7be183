// The words of the set-up page: what went wrong at the door, why, and what to do.
#pragma once
#include "api/api_internal.h"
#include "ingest/door.h"

struct setup_words {
    const char *title;
    char text[512];  // what happened and why
    char fix[512];   // what to do
    char paste[512]; // lines to paste; may be empty
};
// here: the address that the reader knows this server by ("http://127.0.0.1:2539"). For any outcome but ACCEPTED.
void setup_words_refused(struct api_call *call, const struct door_entry *e, str here, struct setup_words *ret);

// What is odd about records that were accepted.
enum setup_oddity { SETUP_CLOCK_AHEAD, SETUP_CLOCK_BEHIND, SETUP_NAMELESS, SETUP_ODDITIES };
bool setup_is_odd(const struct door_entry *e, enum setup_oddity oddity);
const char *setup_odd_slug(enum setup_oddity oddity);
void setup_words_odd(const struct door_entry *e, enum setup_oddity oddity, struct setup_words *ret);
