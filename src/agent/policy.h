// The host's own word, which beats the server's: in which processes probes may be placed, where shapes stand in for values, no patches.
// A file of `key = value` lines; see docs/clew.1.
#pragma once
#include "agent/backend.h"
#include "base/json.h"

enum { POLICY_ITEMS = 64, POLICY_FILE_MAX = 64 << 10, POLICY_TOLD_ITEMS = 16, POLICY_TOLD_BYTES = 128 };

struct policy_user {
    uid_t uid;
    bool not ;
    str text; // as the file has it
};

// Patterns with * for any text; "-" is what has no name; "!" before one takes out. Nothing but such: all others are in.
struct policy_list {
    str items[POLICY_ITEMS];
    size_t n; // 0: everything is in
};

struct policy {
    struct arena arena;
    struct policy_user users[POLICY_ITEMS];
    size_t users_n; // 0: all
    struct policy_list services, environments, cgroups;
    bool shapes;                                           // types and sizes instead of values, everywhere
    struct policy_list shape_services, shape_environments; // and there (without items: nowhere)
};

void policy_init(struct policy *p);
void policy_free(struct policy *p);
// Adds what the text says. place: of errors.
int policy_read_text(struct policy *p, str text, const char *place, struct err *err);
// The file; missing is allowed when may_miss. Run as root, it must be root's and nobody else's to write.
int policy_read_file(struct policy *p, const char *path, bool may_miss, struct err *err);
// What it says of a process: 0, or ERR_DENIED with the reason.
int policy_allows(const struct policy *p, const struct process *process, str service, str environment, struct err *err);
// An object that says it, for people elsewhere: of each list the first POLICY_TOLD_ITEMS of at most POLICY_TOLD_BYTES; "more" counts the others.
void policy_put(const struct policy *p, struct json_writer *w);
bool policy_shapes(const struct policy *p, str service, str environment);
