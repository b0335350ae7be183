// What is known of a process' threads between sessions. Their numbers are the attachment's, and name them in what they write; the counters of those that have
// ended stay in a probe's sums. What the kernel calls them says that there are new ones.
#include "agent/node/attachment.h"
#include "base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TIDS_MAX = 4096, LOOKS_MAX = 6, LOOKS_AFTER = 2 };
#define SCAN_NS (1 * 1000000000ll)
#define LOOK_NS (5 * 1000000000ll)

// --- numbers and names ---

str threads_name(const struct attachment *a, size_t thread)
{
    return thread < a->n_threads && thread > 0 ? str_z(a->threads[thread].name) : STR("main");
}

uint64_t threads_id(const struct attachment *a, size_t thread)
{
    return thread < a->n_threads && thread > 0 ? a->threads[thread].id : 0;
}

unsigned threads_add(struct attachment *a, const char *name, uint64_t id)
{
    if (!a->threads)
        a->threads = mem_zalloc(THREADS_MAX * sizeof *a->threads);
    if (!a->threads || a->n_threads >= THREADS_MAX)
        return 0;
    if (a->n_threads == 0)
        a->n_threads = 1;
    snprintf(a->threads[a->n_threads].name, sizeof a->threads->name, "%s", name);
    a->threads[a->n_threads].id = id;
    return (unsigned)a->n_threads++;
}

// --- counters ---

static void add(struct probe_counts *all, const struct probe_counts *c)
{
    all->hits += c->hits, all->filtered += c->filtered, all->captured += c->captured;
    all->dropped.rate += c->dropped.rate, all->dropped.ring += c->dropped.ring;
    all->dropped.spool += c->dropped.spool, all->dropped.budget += c->dropped.budget;
    all->dropped.grant += c->dropped.grant;
    all->errors += c->errors, all->ns += c->ns;
    if (!all->first_error.len)
        all->first_error = c->first_error;
}

static void sum(struct placed *p)
{
    struct probe_counts all = p->before;
    for (size_t i = 0; i < p->n_threads; i++)
        add(&all, &p->threads[i].counts);
    p->counts = all;
}

void threads_anew(struct placed *p, size_t thread)
{
    if (thread >= p->n_threads)
        return;
    add(&p->before, &p->threads[thread].counts);
    p->threads[thread] = (struct thread_counts){ 0 };
}

void threads_suspension(struct attachment *a, struct placed *p)
{
    int worst = 1;
    size_t where = 0;
    for (size_t i = 0; i < p->n_threads; i++)
        if (p->threads[i].state > worst)
            worst = p->threads[i].state, where = i;
    if (!p->installed || worst == p->state)
        return;
    p->state = worst;
    struct verdict v = { .state = "suspended", .code = "budget" };
    str name = threads_name(a, where);
    snprintf(v.message, sizeof v.message, "%s%s%.*s",
             worst == 3 ? "it cost too much three times" : "it costs too much here", where ? ", in " : "",
             where ? (int)name.len : 0, name.ptr);
    if (worst > 1)
        placed_say(a, p, &v);
    else if (p->last.state[0])
        placed_say(a, p, &p->last);
}

void threads_count(struct attachment *a, struct placed *p, size_t thread, const struct probe_counts *c, int state)
{
    if (thread && thread >= a->n_threads)
        return;
    if (thread >= p->n_threads) {
        struct thread_counts *more = mem_zalloc((thread + 1) * sizeof *more);
        if (!more)
            return;
        if (p->n_threads)
            memcpy(more, p->threads, p->n_threads * sizeof *more);
        mem_free(p->threads);
        p->threads = more, p->n_threads = thread + 1;
    }
    p->threads[thread] = (struct thread_counts){ *c, state };
    sum(p);
    threads_suspension(a, p);
}

// --- threads that have come since ---

static size_t tids_read(const struct attachment *a, pid_t *out)
{
    size_t n = 0;
    int fd = openat(a->process.dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && n < TIDS_MAX && (e = readdir(d));)
        if (isdigit((unsigned char)e->d_name[0]))
            out[n++] = (pid_t)strtol(e->d_name, NULL, 10);
    if (d)
        closedir(d);
    return n;
}

static pid_t tids[TIDS_MAX]; // the helper has one thread

void threads_note(struct attachment *a)
{
    size_t n = tids_read(a, tids);
    mem_free(a->seen.ids);
    a->seen.ids = mem_alloc((n + 1) * sizeof *tids);
    a->seen.n = a->seen.ids ? n : 0;
    if (a->seen.n)
        memcpy(a->seen.ids, tids, n * sizeof *tids);
}

static bool any_new(const struct attachment *a)
{
    size_t n = tids_read(a, tids);
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < a->seen.n && !known; k++)
            known = a->seen.ids[(i + k) % a->seen.n] == tids[i];
        if (!known)
            return true;
    }
    return false;
}

// Each look is a session: the more of them there were, the rarer they become. A thread that has come is looked at twice more, for it may not have loaded
// its files before.
bool threads_came(struct attachment *a, int64_t now)
{
    bool placed = false;
    if (now < a->seen.next_ns)
        return false;
    a->seen.next_ns = now + SCAN_NS;
    for (size_t i = 0; i < PLACED_MAX && !placed; i++)
        placed = a->placed[i].used && !a->placed[i].refused;
    if (!placed || !a->seen.n || now < a->seen.look_ns)
        return false;
    if (any_new(a))
        a->seen.after = LOOKS_AFTER;
    else if (a->seen.after)
        a->seen.after--;
    else
        return false;
    a->seen.look_ns = now + (LOOK_NS << a->seen.looks);
    a->seen.looks += a->seen.looks < LOOKS_MAX;
    return true;
}
