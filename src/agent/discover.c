// Which processes there are: /proc is listed every two seconds; of those that are known, only start time and executable are looked at.
#include "agent/helper_internal.h"
#include "agent/process.h"
#include "base/mem.h"
#include "base/timefmt.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

// What no back end wants is remembered too, so that it is examined once.
static struct target *find(struct helper *h, pid_t pid)
{
    struct target *t = h->targets;
    while (t && (t->process.pid != pid || t->gone))
        t = t->next;
    return t;
}

void target_free(struct target *t)
{
    target_detach(t);
    for (struct row *r = t->rows, *next; r; r = next) {
        next = r->next;
        buf_free(&r->json);
        mem_free(r);
    }
    process_done(&t->process);
    arena_free(&t->arena);
    mem_free(t);
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
    if (!t->backend) { // never looked at again: gives its memory and its descriptor back
        process_done(&t->process);
        arena_free(&t->arena);
        return;
    }
    identity_of(&t->process, &t->identity);
    if (policy_allows(t->h->o->policy, &t->process, str_z(t->identity.service), &err) < 0) {
        t->facts.attachable = false;
        memcpy(t->facts.code, "policy", sizeof "policy");
        memcpy(t->facts.message, err.message, sizeof t->facts.message - 1);
        memcpy(t->facts.hint, err.hint, sizeof t->facts.hint - 1);
    }
}

static void meet(struct helper *h, pid_t pid)
{
    if (h->targets_n == TARGETS_MAX)
        return;
    struct target *t = mem_zalloc(sizeof *t);
    if (!t)
        return;
    t->h = h;
    t->watch.fd = -1;
    t->process.dir = -1;
    arena_init(&t->arena, TARGET_ARENA);
    if (process_read(pid, &t->arena, &t->process) < 0) {
        arena_free(&t->arena);
        mem_free(t);
        return;
    }
    t->process.shapes = h->o->policy->shapes;
    t->exe_key = process_exe_key(pid);
    t->seen = true;
    examine(t);
    t->next = h->targets;
    h->targets = t;
    h->targets_n++;
    if (t->backend)
        h->listed = false;
}

static void look_at(struct helper *h, pid_t pid)
{
    struct target *t = find(h, pid);
    if (t && process_started(pid) == t->process.started && process_exe_key(pid) == t->exe_key) {
        t->seen = true;
        return;
    }
    if (t)
        t->gone = true; // another one with its number, or it has run another program
    meet(h, pid);
}

void discover(struct helper *h)
{
    DIR *proc = opendir("/proc");
    if (!proc)
        return;
    for (struct target *t = h->targets; t; t = t->next)
        t->seen = false;
    for (struct dirent *e; (e = readdir(proc));) {
        char *end;
        long pid = strtol(e->d_name, &end, 10);
        if (*end == 0 && pid > 0 && pid != getpid())
            look_at(h, (pid_t)pid);
    }
    closedir(proc);
    for (struct target **at = &h->targets, *t; (t = *at);) {
        if (t->seen && !t->gone) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        h->targets_n--;
        if (t->backend)
            h->listed = false;
        target_free(t);
    }
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
