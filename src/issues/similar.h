// How alike two issues are, with the reasons: what is read of all of them is what the list shows (type, culprit, message); of
// the likeliest, stacks are compared, too. Pure.
#pragma once
#include "base/bytes.h"

enum {
    SIMILAR_WORDS_MAX = 64,      // of a message
    SIMILAR_CANDIDATES_MAX = 24, // whose stacks are compared
    SIMILAR_FRAMES_MAX = 64,     // of a stack
};

// A message as the set of its words: hashes, ascending. Numbers, ids and the like are one word, whatever they are.
struct similar_words {
    uint64_t words[SIMILAR_WORDS_MAX];
    uint32_t n;
};
void similar_words(str message, struct similar_words *ret_words);

struct similar_text {
    str type, culprit;
    struct similar_words words;
};

struct similar {
    double score; // 0..1
    bool type, culprit;
    uint32_t words;             // of a hundred words of both, those that both have; 0 with less than two in common
    uint32_t frames, frames_of; // in both stacks; in either; 0: one of them has none
};
// By what the list shows.
struct similar similar_by_text(const struct similar_text *a, const struct similar_text *b);
// And by stacks: keys of frames, innermost first.
void similar_by_stack(struct similar *s, const uint64_t *a, uint32_t a_n, const uint64_t *b, uint32_t b_n);
// Below that it is none.
bool similar_enough(const struct similar *s);

// The likeliest of many, best first.
struct similar_pick {
    int64_t id;
    double score;
};
struct similar_picks {
    struct similar_pick best[SIMILAR_CANDIDATES_MAX];
    uint32_t n;
};
void similar_pick(struct similar_picks *p, int64_t id, double score);
