// The host's own word, which beats the server's: whose processes, which services, shapes or values, no patches.
// A file of `key = value` lines; see docs/clew.1.
#pragma once
#include "agent/backend.h"

enum { POLICY_USERS = 64, POLICY_SERVICES = 64, POLICY_FILE_MAX = 64 << 10 };

struct policy {
    struct arena arena;
    uid_t users[POLICY_USERS]; // none: all
    size_t users_n;
    str services[POLICY_SERVICES]; // with * for any text; none: all
    size_t services_n;
    bool shapes; // types and sizes instead of values
};

void policy_init(struct policy *p);
void policy_free(struct policy *p);
// Adds what the text says. place: of errors.
int policy_read_text(struct policy *p, str text, const char *place, struct err *err);
// The file; missing is allowed when may_miss. Run as root, it must be root's and nobody else's to write.
int policy_read_file(struct policy *p, const char *path, bool may_miss, struct err *err);
// What it says of a process: 0, or ERR_DENIED with the reason.
int policy_allows(const struct policy *p, const struct process *process, str service, struct err *err);
