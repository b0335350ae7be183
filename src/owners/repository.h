// The code of a project in the git repositories on this machine that its administrators named (`clew project repo add`): which
// file a frame means, the lines around a place of it, and who wrote one.
#pragma once
#include "meta/meta.h"
#include "owners/git.h"
#include "releases/releases.h"
#include "wire/sentry_event.h"

enum {
    REPOSITORY_ID_MAX = 64,       // hex digits of an object
    REPOSITORY_FRAMES_MAX = 30,   // of an event
    REPOSITORY_SOURCE_LINES = 11, // of a frame
};

// A repository as it was at a release.
struct checkout {
    struct git *git;
    char directory[4096], common[4096]; // of worktrees the objects are the main repository's
    str prefix;
    char commit[REPOSITORY_ID_MAX + 1];
    bool exact; // that is the release's; else it is what HEAD names
};
// At the release's ref, its newest commit, or a tag of its name; else at HEAD. ERR_NOENT: nothing of it can be read.
int checkout_open(struct git *g, struct releases *r, const struct meta_repository *repository, str release,
                  struct arena *arena, struct checkout *ret, struct err *err);

struct code_file {
    str path; // in the repository; empty: it has none of the frame's
    char blob[REPOSITORY_ID_MAX + 1];
};
// The files of n frames. Other than text files of a size that a person writes, none is found.
int checkout_files(const struct checkout *c, const struct sentry_frame *const *frames, size_t n, struct arena *arena,
                   struct code_file *ret_files, struct err *err);
// ret_lines: around that line, at most REPOSITORY_SOURCE_LINES. ERR_NOENT: it is no text or has no such line.
int checkout_lines(const struct checkout *c, const struct code_file *file, int64_t line, struct arena *arena,
                   struct sentry_lines *ret_source, struct err *err);

// Its whole text, appended to out. ERR_NOENT: it is no text.
int checkout_text(const struct checkout *c, const struct code_file *file, struct buf *out, struct err *err);

// The directories and text files of a directory, in the order of git; a path below the prefix, without a slash at its end, or empty.
// ERR_NOENT: there is no such directory, or the path has steps that lead elsewhere.
enum { REPOSITORY_ENTRIES_MAX = 2000 };
struct code_entry {
    str name;
    bool dir;
};
int checkout_entries(const struct checkout *c, str directory, struct arena *arena, struct code_entry **ret_entries,
                     size_t *ret_n, bool *ret_more, struct err *err);

// ERR_NOENT: there is no such commit, or it is not a full id.
int checkout_commit(const struct checkout *c, str commit, struct arena *arena, str *ret_message, str *ret_email,
                    struct err *err);

struct blame {
    str commit, author, summary;
    int64_t time; // ns Unix
};
// Who wrote that line last. ERR_NOENT.
int checkout_blame(const struct checkout *c, const struct code_file *file, int64_t line, struct arena *arena,
                   struct blame *ret, struct err *err);
