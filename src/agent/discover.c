// Which processes there are: /proc is listed every two seconds. Of those that are known the executable alone is looked at (an exec), and the
// start time of those whose number was given out anew since the last look (another process with the same number). What these could
// miss (a kernel's thread that becomes a process, numbers that were chosen by hand) is looked for in a part of them each time.
#include "agent/helper_internal.h"
#include "agent/process.h"
#include "agent/process_rights.h"
#include "base/mem.h"
#include "base/timefmt.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    KNOWN_MAX = 1 << 16,
    ROUNDS = 15, // in so many looks each process was looked at whole
    LOOKS = 2,   // what nobody knows is examined again once: its interpreter may be loaded a moment after its start
};

void target_free(struct target *t)
{
    target_detach(t);
    for (struct row *r = t->rows, *next; r; r = next) {
        next = r->next;
        row_free(t, r);
    }
    process_done(&t->process);
    arena_free(&t->arena);
    mem_free(t);
}

static void refuse(struct target *t, const struct err *err)
{
    t->facts.attachable = false;
    snprintf(t->facts.code, sizeof t->facts.code, "%s", err->slug);
    memcpy(t->facts.message, err->message, sizeof t->facts.message - 1);
    memcpy(t->facts.hint, err->hint, sizeof t->facts.hint - 1);
}

static void examine(struct target *t)
{
    const struct backend *const *b = t->h->o->backends;
    struct err err;
    for (; *b && !t->backend; b++) {
        struct process_facts facts = { 0 };
        if ((*b)->examine(&t->process, &facts) == 1) {
            t->backend = *b;
            t->facts = facts;
        }
    }
    if (!t->backend)
        return;
    identity_of(&t->process, &t->identity);
    str service = str_z(t->identity.service), environment = str_z(t->identity.environment);
    static struct process_rights rights;
    if (t->facts.attachable && process_rights_read(&t->process, &rights, &err) == ERR_DENIED)
        refuse(t, &err);
    t->process.shapes = policy_shapes(t->h->o->policy, service, environment);
    if (policy_allows(t->h->o->policy, &t->process, service, environment, &err) < 0)
        refuse(t, &err);
}

// What no back end wants is known by its number alone, so that it is not examined each time.
static void meet(struct helper *h, struct known *k)
{
    struct target *t = h->targets_n == TARGETS_MAX ? NULL : mem_zalloc(sizeof *t);
    k->exe_key = process_exe_key(k->pid); // before: what changes while it is read is seen next time
    k->started = 0;
    if (!t)
        return;
    t->h = h;
    t->watch.fd = t->claim = -1;
    t->process.dir = -1;
    arena_init(&t->arena, TARGET_ARENA);
    if (process_read(k->pid, &t->arena, &t->process) == 0) {
        k->started = t->process.started;
        examine(t);
    }
    if (!t->backend) {
        target_free(t);
        return;
    }
    k->target = t;
    t->next = h->targets;
    h->targets = t;
    h->targets_n++;
    h->listed = false;
}

static void part(struct helper *h, struct known *k)
{
    if (!k->target)
        return;
    k->target->gone = true;
    k->target = NULL;
    h->any_gone = true;
}

// That the number was given out between two looks. Numbers are given out in ascending order, and from the start again.
static bool reused(const struct helper *h, pid_t pid, pid_t last)

{
    if (h->last_pid <= 0 || last <= 0)
        return true;
    return last >= h->last_pid ? pid > h->last_pid && pid <= last : pid > h->last_pid || pid <= last;
}

static void look_at(struct helper *h, struct known *k, pid_t last)
{
    bool whole = (unsigned)k->pid % ROUNDS == h->round, changed = false;
    if (k->exe_key || whole)
        changed = process_exe_key(k->pid) != k->exe_key;
    if (!changed && (whole || reused(h, k->pid, last)))
        changed = k->started == 0 || process_started(k->pid) != k->started;
    if (changed) {
        part(h, k);
        k->looks = 0;
    }
    // What has no executable is the kernel's own, or has ended and waits for its parent.
    if (changed || (!k->target && k->exe_key && k->looks < LOOKS)) {
        k->looks++;
        meet(h, k);
    }
}

// The number that was given out last, of processes and threads; 0: it is not said.
static pid_t last_pid(void)
{
    char text[128];
    int last = 0;
    FILE *f = fopen("/proc/loadavg", "re");
    if (f && (!fgets(text, sizeof text, f) || sscanf(text, "%*s %*s %*s %*s %d", &last) != 1))
        last = 0;
    if (f)
        fclose(f);
    return last;
}

static int by_pid(const void *a, const void *b)
{
    pid_t x = ((const struct known *)a)->pid, y = ((const struct known *)b)->pid;
    return (x > y) - (x < y);
}

// Every process there is, in order of its number.
static struct known *list(size_t *ret_n)
{
    DIR *proc = opendir("/proc");
    struct known *all = NULL;
    size_t n = 0, cap = 0;
    bool ordered = true, failed = !proc;
    for (struct dirent *e; !failed && n < KNOWN_MAX && (e = readdir(proc));) {
        char *end;
        long pid = strtol(e->d_name, &end, 10);
        if (*end || pid <= 0 || pid > INT32_MAX || pid == getpid())
            continue;
        if (n == cap) {
            cap = cap ? cap * 2 : 256;
            struct known *more = mem_reallocarray(all, cap, sizeof *more);
            if (!more) {
                failed = true;
                break;
            }
            all = more;
        }
        ordered = ordered && (n == 0 || all[n - 1].pid < pid);
        all[n++] = (struct known){ .pid = (pid_t)pid };
    }
    if (proc)
        closedir(proc);
    if (failed) {
        mem_free(all);
        return NULL;
    }
    if (!ordered)
        qsort(all, n, sizeof *all, by_pid);
    *ret_n = n;
    return all;
}

static void take_gone(struct helper *h)
{
    h->any_gone = false;
    for (struct target **at = &h->targets, *t; (t = *at);) {
        if (!t->gone) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        h->targets_n--;
        h->listed = false;
        target_free(t);
    }
}

void discover(struct helper *h)
{
    size_t n = 0, was = 0;
    pid_t last = last_pid(); // before: what comes meanwhile is looked for next time
    struct known *all = list(&n);
    if (!all)
        return;
    for (size_t i = 0; i < n; i++) {
        for (; was < h->known_n && h->known[was].pid < all[i].pid; was++)
            part(h, &h->known[was]);
        if (was < h->known_n && h->known[was].pid == all[i].pid) {
            all[i] = h->known[was++];
            look_at(h, &all[i], last);
        } else {
            all[i].looks = 1;
            meet(h, &all[i]);
        }
    }
    for (; was < h->known_n; was++)
        part(h, &h->known[was]);
    mem_free(h->known);
    h->known = all;
    h->known_n = n;
    h->last_pid = last;
    h->round = (h->round + 1) % ROUNDS;
    if (h->any_gone)
        take_gone(h);
}

void policy_changed(struct helper *h)
{
    for (size_t i = 0; i < h->known_n; i++) {
        const struct target *t = h->known[i].target;
        struct err err;
        if (!t)
            continue;
        str service = str_z(t->identity.service), environment = str_z(t->identity.environment);
        bool refused = strcmp(t->facts.code, "policy") == 0;
        if (refused == (policy_allows(h->o->policy, &t->process, service, environment, &err) < 0) &&
            t->process.shapes == policy_shapes(h->o->policy, service, environment))
            continue;
        part(h, &h->known[i]); // everything is taken out of it, and it is met as if it were new
        meet(h, &h->known[i]);
    }
    take_gone(h);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
    if (!text[0])
        return;
    json_put_key(w, str_z(key));
    json_put_str(w, str_z(text));
}

static void put_process(struct json_writer *w, const struct target *t)
{
    char time[40];
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_str(w, t->process.id);
    json_put_key(w, STR("pid"));
    json_put_int(w, t->process.pid);
    json_put_key(w, STR("started"));
    json_put_str(w, (str){ time, (size_t)fmt_rfc3339(time, t->process.started_unix_ns) });
    put_text(w, "service", t->identity.service);
    put_text(w, "version", t->identity.version);
    put_text(w, "environment", t->identity.environment);
    put_text(w, "instance", t->identity.instance);
    put_text(w, "runtime", t->backend->runtime);
    put_text(w, "runtime_version", t->facts.version);
    put_text(w, "command", t->identity.command);
    put_text(w, "user", t->identity.user);
    put_text(w, "container", t->identity.container);
    json_put_key(w, STR("attachable"));
    json_put_bool(w, t->facts.attachable);
    if (!t->facts.attachable) {
        put_text(w, "code", t->facts.code);
        put_text(w, "message", t->facts.message);
        put_text(w, "hint", t->facts.hint);
    }
    json_put_key(w, STR("attached"));
    json_put_bool(w, t->attachment != NULL);
    json_put_object_end(w);
}

void tell_policy(struct helper *h)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 64 << 10);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("policy"));
    json_put_key(&w, STR("policy"));
    policy_put(h->o->policy, &w);
    json_put_object_end(&w);
    if (!b.error)
        channel_send(&h->channel, CHANNEL_JSON, buf_bytes(&b), (bytes){ 0 });
    buf_free(&b);
}

void tell_processes(struct helper *h)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, CHANNEL_MESSAGE_MAX);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("processes"));
    json_put_key(&w, STR("processes"));
    json_put_array(&w);
    for (const struct target *t = h->targets; t; t = t->next)
        if (t->backend && !t->gone)
            put_process(&w, t);
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (!b.error && channel_send(&h->channel, CHANNEL_JSON, buf_bytes(&b), (bytes){ 0 }) == 0)
        h->listed = true;
    buf_free(&b);
}
