// The network process: enrols, keeps the one connection to the server, spools captures until the server has them. It has no privileges, and
// takes both the server and the helper for hostile.
#pragma once
#include "agent/backend.h"
#include "agent/policy.h"

enum { LINK_SECRET_MAX = 256 };

struct link_identity {
    char server[512]; // http(s)://HOST[:PORT]
    char agent[64];
    char secret[LINK_SECRET_MAX];
    bool pinned;
    uint8_t pin[32]; // SHA-256 of the server's public key
};

// Gives an enrolment token for the host's own secret, and pins the server's key (https). Fills all of *ret but server, which is set.
int link_enrol(struct link_identity *ret, const char *token, const char *host, struct err *err);

struct disk;

struct link_options {
    const struct link_identity *identity;
    bool shapes;
    const struct backend *const *backends;
    const char *version;
    const char *machine; // machine_id()
    const char *sandbox; // why its calls are not filtered; "" when they are
    struct disk *disk;   // a folder of its own, opened while it still may: spool and status.json
};

// fd: the channel to the helper. Runs until that ends.
int link_run(int fd, const struct link_options *o);
