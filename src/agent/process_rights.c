#include "agent/process_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STATUS_ROOM = 64 << 10, OWN_GROUPS_MAX = 65536 };

static int denied(struct err *err, const char *why)
{
    err_set(err, ERR_DENIED, "no_permission", "%s", why);
    err_set_hint(err, "the agent leaves programs alone that have other rights than who started them");
    return ERR_DENIED;
}

static const char *value_of(const char *status, const char *name)
{
    const char *at = strstr(status, name);
    return at ? at + strlen(name) : NULL;
}

static void read_groups(const char *at, struct process_rights *r)
{
    while (at && *at != '\n' && r->n_groups < RIGHTS_GROUPS_MAX) {
        char *end;
        while (*at == ' ' || *at == '\t')
            at++;
        unsigned long id = strtoul(at, &end, 10);
        if (end == at || *at == '\n')
            break;
        r->groups[r->n_groups++] = (gid_t)id;
        at = end;
    }
}

int process_rights_read(const struct process *p, struct process_rights *ret, struct err *err)
{
    static char text[STATUS_ROOM]; // the helper has one thread
    unsigned u[4], g[4];
    size_t n = 0;
    int fd = openat(p->dir, "status", O_RDONLY | O_CLOEXEC);
    for (ssize_t got; fd >= 0 && n + 1 < sizeof text && (got = read(fd, text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    if (fd >= 0)
        close(fd);
    text[n] = 0;
    if (n == 0)
        return err_set(err, ERR_NOENT, "ended", "the process has ended");
    const char *uids = value_of(text, "\nUid:"), *gids = value_of(text, "\nGid:"), *caps = value_of(text, "\nCapPrm:");
    ret->n_groups = 0;
    if (!uids || !gids || !caps || sscanf(uids, "%u %u %u %u", &u[0], &u[1], &u[2], &u[3]) != 4 ||
        sscanf(gids, "%u %u %u %u", &g[0], &g[1], &g[2], &g[3]) != 4)
        return denied(err, "whose rights the process has cannot be read");
    if (u[0] != u[1] || u[0] != u[2] || u[0] != u[3] || g[0] != g[1] || g[0] != g[2] || g[0] != g[3])
        return denied(err, "the process has the rights of two users at once (a set-user-ID program)");
    ret->uid = u[0], ret->gid = g[0];
    ret->capabilities = strtoull(caps, NULL, 16);
    if ((ret->uid != p->uid && p->uid != 0) || (ret->gid != p->gid && p->uid != 0) ||
        (ret->capabilities & ~p->capabilities))
        return denied(err, "the process has more rights than when it was found: it runs another program since");
    read_groups(value_of(text, "\nGroups:"), ret);
    return 0;
}

// Of this thread alone, as the two others are; the library's would change all threads.
static int set_groups(size_t n, const gid_t *list) { return (int)syscall(SYS_setgroups, n, list); }

static gid_t own_groups[OWN_GROUPS_MAX];
static int own_groups_n;
static bool taken;

static bool is_fs(uid_t uid, gid_t gid)
{
    return (uid_t)setfsuid((uid_t)-1) == uid &&
           (gid_t)setfsgid((gid_t)-1) == gid; // what is no id is not set, and they say which is
}

int process_rights_take(const struct process_rights *r)
{
    if (geteuid() != 0)
        return 0;
    own_groups_n = getgroups(OWN_GROUPS_MAX, own_groups);
    if (own_groups_n < 0 || set_groups(r->n_groups, r->groups) < 0)
        return ERR_DENIED;
    taken = true;
    setfsgid(r->gid);
    setfsuid(r->uid);
    if (is_fs(r->uid, r->gid))
        return 0;
    process_rights_back();
    return ERR_DENIED;
}

void process_rights_back(void)
{
    if (!taken)
        return;
    setfsuid(geteuid());
    setfsgid(getegid());
    if (set_groups((size_t)own_groups_n, own_groups) < 0 || !is_fs(geteuid(), getegid()))
        abort(); // never go on as somebody else
    taken = false;
}
