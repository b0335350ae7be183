// With whose rights a process acts. The helper has more than any of them: what a process points it to (a path with links in it, a descriptor) is opened with the
// rights of that process, or whoever owns a process could read through the agent what only root may.
#pragma once
#include "agent/backend.h"

enum { RIGHTS_GROUPS_MAX = 1024 }; // others of a process with more are left out

struct process_rights {
    uid_t uid;
    gid_t gid;
    uint64_t capabilities;
    size_t n_groups;
    gid_t groups[RIGHTS_GROUPS_MAX];
};

// As they are now. ERR_DENIED ("no_permission"): it has those of two users at once (a set-user-ID program), or more than it had when p was
// read (it runs another program since); ERR_NOENT: it has ended.
int process_rights_read(const struct process *p, struct process_rights *ret, struct err *err);

// What is opened and made between these two is so by who has these rights. Changes nothing unless this process is root's.
// ERR_DENIED: they cannot be taken on.
int process_rights_take(const struct process_rights *r);
void process_rights_back(void);
