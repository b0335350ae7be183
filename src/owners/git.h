// Asking git about a repository that somebody else filled: never a shell, no hooks, filters, pagers, text converters or
// fetches, no settings but our own and what the repository needs to be read, nothing written, and an end in time, bytes and
// processes. What git says of an object does not change: answers about full ids are kept.
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct git;

enum {
    GIT_ARGUMENTS_MAX = 300,
    GIT_OUTPUT_MAX = 2 << 20, // bytes of an answer, and of a file that is read
    GIT_CACHE_MAX = 16 << 20, // bytes of answers that are kept
};
#define GIT_TIME_MAX_NS (5 * 1000000000LL)

// own: where an empty git directory of ours is made, for GIT_OBJECTS; NULL: it is not asked.
int git_new(const char *own, struct git **ret_git, struct err *err);
void git_free(struct git *g); // NULL is allowed

// "PATH/.git", or PATH itself when it is bare. ERR_NOENT: no repository.
int git_directory(const char *path, char ret_directory[4096], struct err *err);
enum git_what {
    GIT_NAMES,   // of the repository itself
    GIT_OBJECTS, // of its objects alone: with an empty git directory of ours, so that none of its settings has a say
};
// Standard output of `git ARGUMENTS` (NULL ends them) on that directory (GIT_OBJECTS: the common one, as rev-parse
// --git-common-dir tells it), appended to out. keep_ns: how long the answer holds;
// 0: for good. ERR_NOENT: git says no; ERR_TIMEOUT, ERR_LIMIT, ERR_BUSY, ERR_UNSUPPORTED: there is no git.
int git_ask(struct git *g, enum git_what what, const char *directory, const char *const *arguments, int64_t keep_ns,
            struct buf *out, struct err *err);
