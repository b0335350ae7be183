// Who and why: the owners of an issue by the rules of its project, and the commit that is suspected of it.
//
// A thread of its own reads what became of issues (issues_activity_after()), at least once each: the owners of a new issue
// and its suspect are kept in owners.db, and the issue is assigned to its first owner, unless somebody was assigned before.
// Counting never waits for it. What is kept can be thrown away at any time: it is found again from the issue's events.
#pragma once
#include "base/arena.h"
#include "base/err.h"

struct grouping_rules;
struct issues;
struct meta;
struct owners;
struct releases;
struct sentry_event;
struct store;
struct symbols;

struct owners_options {
    const char *path; // of the database: "DATA/owners.db"; made when missing
    const char *git;  // of an empty git directory: "DATA/git"; made when missing
    struct meta *meta;
    struct store *store;
    struct issues *issues;
    struct releases *releases;
    struct symbols *symbols; // may be NULL
    // Which frames are the application's; the answer is the caller's to free. NULL: as the SDK says.
    struct grouping_rules *(*grouping)(void *ctx, int64_t project);
    void *grouping_ctx;
    bool manual; // tests: nothing happens but in owners_step()
};
int owners_open(const struct owners_options *o, struct owners **ret_owners, struct err *err);
void owners_close(struct owners *o); // before the issues; NULL is allowed

// JSON as the API shows it; empty: there is none. owners: an array, suspect: an object.
struct issue_causes {
    str owners, suspect;
};
// What is kept, for lists: quick.
int owners_kept(struct owners *o, int64_t issue, struct arena *arena, struct issue_causes *ret_causes, struct err *err);
// For the page of an issue: found anew when what is kept may have changed. Reads an event, and may ask git.
int owners_look(struct owners *o, int64_t issue, struct arena *arena, struct issue_causes *ret_causes, struct err *err);

// Source lines, from the project's repositories on this machine, for frames of the application that came without any
// (sentry_frame.source). What cannot be read is left out. ERR_NOMEM.
int owners_source(void *owners, uint32_t project, const struct sentry_event *e, str release, struct arena *arena);

// The project's code as a release had it, for pages that show files. Where no repository knows the release: as HEAD has it, not
// exact. ERR_NOENT with the slug no_repository: the project names none; no_git; no_source: none has such a file or directory.
struct owners_place {
    str commit;
    bool exact; // that is the release's
};
struct owners_file {
    struct owners_place place;
    str path; // in the repository
    str text;
};
// path: as a process names it; found as the file of a frame is, by the code mappings too.
int owners_file(struct owners *o, uint32_t project, str path, str release, struct arena *arena,
                struct owners_file *ret_file, struct err *err);
struct owners_entry {
    str name, path; // path: below the repository's prefix, as processes name it
    bool dir;
};
struct owners_entries {
    struct owners_place place;
    struct owners_entry *list;
    size_t n;
    bool more;
};
// Of the first repository that has such a directory, which is below its prefix; empty: the top.
int owners_entries(struct owners *o, uint32_t project, str directory, str release, struct arena *arena,
                   struct owners_entries *ret_entries, struct err *err);

// What one of the project's repositories says of a commit: its message and its author's address. ERR_NOENT: none has it (or it
// is not a full id).
int owners_commit(struct owners *o, uint32_t project, str commit, struct arena *arena, str *ret_message, str *ret_email,
                  struct err *err);

// Tests: deals with what happened since. 1: there was something.
int owners_step(struct owners *o, struct err *err);
