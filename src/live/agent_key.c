// Whose connection it is that shows a host's key. A key can be stolen, or copied with the machine that it lies on; then two use it, and
// which of them is the host nobody can say from outside. So a key is bound to the machine that it was first used on, and each connection
// shows a number higher than the one before (its turn): a copy takes a turn that is not its own, and who comes second is found out, whether
// that is the copy or the host. Both are seen: one in its connection, the other in the mark, which stays until the host is enrolled anew.
#include "base/hex.h"
#include "base/log.h"
#include "live/live_internal.h"
#include "meta/audit.h"

#include <stdio.h>

// What was under way when the other one came is not taken for a sign of life.
#define CONTEST_NS (2 * NS_PER_S)
#define ENTER_EVERY_NS (60 * NS_PER_S) // who tries without end fills no audit trail

static const struct {
    const char *why, *words;
} kinds[] = {
    [KEY_MACHINE] = { "machine", "its key was shown by another machine, which was refused" },
    [KEY_TURN] = { "turn", "its key was shown with a turn that another connection has had already, and refused" },
    [KEY_SECOND] = { "second", "two connections with its key were alive at once; the second was refused" },
};

const char *key_why(enum key_copy kind) { return kinds[kind].why; }

enum key_copy key_kind_of(str why)
{
    for (size_t i = KEY_MACHINE; i < sizeof kinds / sizeof kinds[0]; i++)
        if (str_eq(why, str_z(kinds[i].why)))
            return (enum key_copy)i;
    return KEY_NO_COPY;
}

// What is no name of a machine is none that a key could be bound to.
static bool is_valid(str machine)
{
    for (size_t i = 0; i < machine.len; i++)
        if (hex_digit(machine.ptr[i]) < 0)
            return false;
    return machine.len <= LIVE_MACHINE_MAX;
}

static void save(struct live *l, const struct live_agent *a)
{
    struct err err;
    int r = db_begin(&l->db, &err);
    if (r == 0)
        r = db_finish(
            &l->db,
            db_run(&l->db, NULL, &err,
                   "UPDATE agent SET machine = ?, turn = ?, copies = ?, copied_ns = ?, copied_why = ? WHERE id = ?",
                   "tiiiti", str_z(a->machine), a->turn, a->copies, a->copied,
                   a->copied_kind ? str_z(kinds[a->copied_kind].why) : (str){ "", 0 }, a->id),
            &err);
    if (r < 0)
        log_warn("live", "what is known of the key of %s is not kept: %s", live_str(a->host).ptr, err.message);
}

static struct key_entry entry_of(const struct live_agent *a, bool copied, const char *detail)
{
    struct key_entry e = { .copied = copied, .detail = detail };
    snprintf(e.agent, sizeof e.agent, "a%lld", (long long)a->id);
    snprintf(e.host, sizeof e.host, "%s", a->host ? a->host : "");
    return e;
}

static void mark(struct live *l, struct live_agent *a, enum key_copy kind, struct key_entry *ret)
{
    a->copies++;
    a->copied = live_now(l);
    a->copied_kind = kind;
    save(l, a);
    if (a->copied - a->copied_entered < ENTER_EVERY_NS)
        return;
    a->copied_entered = a->copied;
    *ret = entry_of(a, true, kinds[kind].words);
}

int key_admit(struct live *l, struct live_agent *a, const struct live_credentials *c, struct key_entry *ret,
              struct err *err)
{
    static const char hint[] =
        "remove this agent and enrol the host anew when its key, or the machine with it, was copied";
    int r = 0;
    if (!is_valid(c->machine))
        return err_set(err, ERR_INVALID, "bad_machine", "a machine is named by up to %d hexadecimal digits",
                       LIVE_MACHINE_MAX);
    if (a->machine[0] && !str_eq(c->machine, str_z(a->machine))) {
        mark(l, a, KEY_MACHINE, ret);
        r = err_set(err, ERR_DENIED, "other_machine", "this key belongs to another machine");
    } else if (a->turn && c->turn <= a->turn) {
        mark(l, a, KEY_TURN, ret);
        r = err_set(err, ERR_EXIST, "turn_taken",
                    "another connection with this host's key has had its turn: the key is used in two places, or its "
                    "directory was restored");
    } else if (a->link) {
        a->refused++;
        a->contested = live_now(l);
        r = err_set(err, ERR_EXIST, "connected", "this host's key is in use by a connection that is open");
        if (a->contested - a->refused_entered >= ENTER_EVERY_NS) {
            a->refused_entered = a->contested;
            *ret = entry_of(a, false, "a second connection with the key of a host was refused");
        }
        return r;
    } else if (c->turn || c->machine.len) {
        snprintf(a->machine, sizeof a->machine, "%.*s", STR_ARG(c->machine));
        a->turn = c->turn;
        save(l, a);
    }
    if (r < 0)
        err_set_hint(err, "%s", hint);
    return r;
}

void key_heard(struct live *l, struct live_agent *a, int64_t now, struct key_entry *ret)
{
    if (!a->contested || now - a->contested < CONTEST_NS)
        return;
    a->contested = 0;
    mark(l, a, KEY_SECOND, ret);
}

void key_enter(struct live *l, const struct key_entry *e)
{
    struct err ignored;
    if (!e->detail)
        return;
    log_warn("live", "agent %s of %s: %s", e->agent, e->host, e->detail);
    if (meta_audit_add(l->o.meta, str_z(e->agent), e->copied ? "agent.copied" : "agent.second", str_z(e->host),
                       str_z(e->detail), &ignored) < 0)
        log_warn("live", "no entry was made of it: %s", ignored.message);
}
