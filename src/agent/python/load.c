#include "agent/python/load.h"
#include "agent/python/maps.h"
#include "agent/python/orders.h"
#include "base/hash.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    AGAIN_NS = 10 * 1000000,
    BACKOFF_NS_MIN = 300 * 1000,
    BACKOFF_NS_MAX = 20 * 1000000,
    HURRY_NS = 1000000,
    CALL_POLL_NS = 500 * 1000,
    HELD_NS = 1000000
};
#define CALL_LATE_NS (5 * 1000000000ll)

int load_begin(struct load *l, pid_t pid, const struct interp *interp, struct err *err)
{
    *l = (struct load){ .backoff_ns = BACKOFF_NS_MIN };
    for (const struct python_object *o = python_objects; o->minor; o++)
        if (o->minor == interp->minor)
            l->object = o;
    if (!l->object) {
        err_set(err, ERR_UNSUPPORTED, "no_object", "this agent was built without the part for Python 3.%d",
                interp->minor);
        err_set_hint(err, "build it on a machine with the headers of that version");
        return ERR_UNSUPPORTED;
    }
    snprintf(l->name, sizeof l->name, "clew-python-%016" PRIx64, hash64(l->object->bytes, l->object->len));
    int rc = inject_open(&l->inject, pid, interp, err);
    if (rc < 0)
        return rc;
    char mapped[64];
    snprintf(mapped, sizeof mapped, "/memfd:%s", l->name);
    l->found = interp_mapped_symbol(pid, mapped, "clew_python_start", &l->start_at) == 0 &&
               interp_mapped_symbol(pid, mapped, "clew_python_apply", &l->apply_at) == 0;
    l->inject.want_fds = l->found ? 1 : 2;
    l->inject.fd_name[0] = "clew-shared";
    l->inject.fd_name[1] = l->name;
    return 0;
}

static int fail(struct load *l, int code, const char *slug, const char *message)
{
    l->phase = LOAD_FAILED;
    if (!l->failed.code)
        err_set(&l->failed, code, slug, "%s", message);
    return code;
}

// The descriptor is the target's, which may have put another file behind its number. So nothing is opened by its name with the agent's rights: it is the target's
// own open file that is shared, and that it is memory of the kind that was made there is seen by its seals, its rights and its name.
static int fd_open(const struct load *l, int n)
{
    char path[64], link[128] = "", want[96];
    int process = (int)syscall(SYS_pidfd_open, l->inject.pid, 0);
    int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, l->inject.fd[n], 0);
    if (process >= 0)
        close(process);
    if (fd < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snprintf(want, sizeof want, "/memfd:%s", l->inject.fd_name[n]);
    ssize_t got = readlink(path, link, sizeof link - 1);
    int seals = fcntl(fd, F_GET_SEALS);
    if (got < 0 || strncmp(link, want, strlen(want)) != 0 || seals < 0 ||
        (seals & (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) ||
        (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR) {
        close(fd);
        return -1;
    }
    return fd;
}

static int fill(struct load *l)
{
    l->shared_size = CLEW_RING_AT + ((probe_ring_size(CLEW_SLOTS, CLEW_RING_UNITS) + 4095) & ~(size_t)4095);
    int fd = fd_open(l, 0);
    if (fd < 0 || ftruncate(fd, (off_t)l->shared_size) < 0) {
        if (fd >= 0)
            close(fd);
        return ERR_IO;
    }
    // It may not shrink under our mapping.
    struct stat st;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) < 0 || fstat(fd, &st) < 0 ||
        st.st_size != (off_t)l->shared_size) {
        close(fd);
        return ERR_IO;
    }
    void *mem = mmap(NULL, l->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mem == MAP_FAILED)
        return ERR_NOMEM;
    l->shared = mem;
    if (!probe_ring_make(&l->ring, l->shared + CLEW_RING_AT, l->shared_size - CLEW_RING_AT, CLEW_SLOTS,
                         CLEW_RING_UNITS))
        return ERR_INVALID;
    if (l->found)
        return 0;
    fd = fd_open(l, 1);
    if (fd < 0)
        return ERR_IO;
    for (size_t at = 0; at < l->object->len;) {
        ssize_t n = write(fd, l->object->bytes + at, l->object->len - at);
        if (n <= 0 && errno != EINTR) {
            close(fd);
            return ERR_IO;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return 0;
}

// The target stands where nothing may be done: it is looked at again, later each time.
static void wait_more(struct load *l, const struct err *why, int64_t now)
{
    snprintf(l->waiting, sizeof l->waiting, "%s", why->slug);
    if (l->inject.stop.seized) { // and stands there from its stop on
        l->next_ns = now + HELD_NS;
        return;
    }
    bool hurry = (l->leaving || l->more) && l->backoff_ns > HURRY_NS;
    l->next_ns = now + (hurry ? HURRY_NS : l->backoff_ns);
    l->backoff_ns = l->backoff_ns * 2 > BACKOFF_NS_MAX ? BACKOFF_NS_MAX : l->backoff_ns * 2;
}

static int begin_call(struct load *l, const struct inject_call *call, int64_t now)
{
    struct err err = { 0 };
    int rc = inject_begin(&l->inject, call, &err);
    if (rc == ERR_AGAIN || rc == ERR_BUSY) {
        wait_more(l, &err, now);
        return ERR_AGAIN;
    }
    if (rc < 0) {
        l->failed = err;
        return rc == ERR_NOENT ? rc : fail(l, rc, "attach", err_text(rc));
    }
    l->waiting[0] = 0;
    l->backoff_ns = BACKOFF_NS_MIN;
    l->calling = 1;
    l->called_ns = now;
    l->again_ns = now + AGAIN_NS;
    l->next_ns = now + CALL_POLL_NS;
    return 0;
}

static int prepare(struct load *l, int64_t now)
{
    struct err err = { 0 };
    int rc = inject_prepare(&l->inject, &err);
    if (rc == ERR_AGAIN || rc == ERR_BUSY) {
        wait_more(l, &err, now);
        return 0;
    }
    if (rc == 0)
        rc = fill(l);
    if (rc < 0) {
        l->failed = err;
        return rc == ERR_NOENT ? rc : fail(l, rc, "attach", "the memory for the in-process part could not be made");
    }
    l->phase = l->found ? LOAD_START : LOAD_OPEN;
    return 0;
}

static int call_open(struct load *l, int64_t now)
{
    char path[64];
    int n = snprintf(path, sizeof path, "/proc/self/fd/%d", l->inject.fd[1]);
    // A loader that has an older object under the same path would give that one back.
    uint64_t old;
    if (interp_mapped_symbol(l->inject.pid, "/memfd:clew-python-", "clew_python_start", &old) == 0)
        n = snprintf(path, sizeof path, "/proc/self/./fd/%d", l->inject.fd[1]);
    struct inject_call call = { .fn = l->inject.interp.dlopen,
                                .arg = { 0, RTLD_NOW, 0 },
                                .arg_in = { true },
                                .args = path,
                                .args_len = (size_t)n + 1 };
    int rc = begin_call(l, &call, now);
    return rc == ERR_AGAIN ? 0 : rc;
}

static int call_start(struct load *l, int64_t now)
{
    struct clew_start start = { .version = CLEW_VERSION,
                                .fd = l->inject.fd[0],
                                .own_fd = l->found ? -1 : l->inject.fd[1],
                                .size = l->shared_size };
    struct inject_call call = {
        .fn = l->start_at, .arg_in = { true }, .args = &start, .args_len = sizeof start, .with_gil = true
    };
    int rc = begin_call(l, &call, now);
    return rc == ERR_AGAIN ? 0 : rc;
}

static int call_apply(struct load *l, int64_t now)
{
    struct inject_call call = { .fn = l->apply_at, .with_gil = true, .args = "", .args_len = 1 };
    return begin_call(l, &call, now);
}

static int opened(struct load *l, uint64_t handle)
{
    char mapped[64];
    snprintf(mapped, sizeof mapped, "/memfd:%s", l->name);
    if (!handle)
        return fail(l, ERR_UNSUPPORTED, "runtime_disabled", "the loader of the process refused the in-process part");
    if (interp_mapped_symbol(l->inject.pid, mapped, "clew_python_start", &l->start_at) < 0 ||
        interp_mapped_symbol(l->inject.pid, mapped, "clew_python_apply", &l->apply_at) < 0)
        return fail(l, ERR_UNSUPPORTED, "runtime_disabled", "the in-process part is not where it was loaded");
    l->phase = LOAD_START;
    return 0;
}

static int started(struct load *l, int64_t result)
{
    switch (result) {
    case CLEW_STARTED:
        l->phase = LOAD_READY;
        return 0;
    case CLEW_START_SUBINTERPRETERS:
        return fail(l, ERR_UNSUPPORTED, "subinterpreters", "the process runs more than one Python interpreter");
    case CLEW_START_MONITORING:
        return fail(l, ERR_BUSY, "other_debugger", "every free tool id of sys.monitoring is taken");
    default:
        return fail(l, ERR_UNSUPPORTED, "runtime_disabled", "the in-process part could not start");
    }
}

int load_step(struct load *l, int64_t now)
{
    uint64_t result = 0;
    if (l->phase == LOAD_FAILED)
        return l->failed.code;
    if (now < l->next_ns)
        return 0;
    if (l->calling) {
        int rc = inject_poll(&l->inject, &result);
        if (rc == ERR_UNSUPPORTED)
            return fail(l, rc, "not_a_python_main", "the main thread of the process is not one of Python's");
        if (rc < 0)
            return rc;
        if (rc == 0) {
            struct err ignored;
            if (now >= l->again_ns && inject_again(&l->inject, &ignored) != ERR_NOENT)
                l->again_ns = now + AGAIN_NS;
            if (now > l->called_ns + CALL_LATE_NS)
                snprintf(l->waiting, sizeof l->waiting, "busy_in_native");
            l->next_ns = now + CALL_POLL_NS;
            return 0;
        }
        l->calling = 0;
        l->waiting[0] = 0;
        switch (l->phase) {
        case LOAD_OPEN:
            return opened(l, result);
        case LOAD_START:
            return started(l, (int64_t)result);
        default:
            l->more = result == CLEW_APPLY_MORE;
            return !l->more;
        }
    }
    int rc;
    switch (l->phase) {
    case LOAD_PREPARE:
        return prepare(l, now);
    case LOAD_OPEN:
        return call_open(l, now);
    case LOAD_START:
        return call_start(l, now);
    default:
        return l->more && (rc = call_apply(l, now)) != ERR_AGAIN ? rc : 0;
    }
}

struct clew_orders *load_orders(struct load *l) { return (struct clew_orders *)(l->shared + CLEW_ORDERS_AT); }

int load_apply(struct load *l, int64_t now)
{
    if (l->phase != LOAD_READY || l->calling || now < l->next_ns)
        return ERR_AGAIN;
    load_orders(l)->number = ++l->number;
    l->more = false;
    return call_apply(l, now);
}

bool load_held(struct load *l, bool wanted)
{
    struct stop *s = &l->inject.stop;
    // A call that is under way may have been claimed since: nobody would come for its thread.
    if (s->seized && (l->calling || !wanted))
        stop_let_go(s);
    return s->seized;
}

void load_end(struct load *l)
{
    struct err ignored;
    if (!l->calling && l->inject.page)
        for (int i = 0; i < 20 && inject_remove(&l->inject, &ignored) == ERR_AGAIN; i++)
            usleep(500);
    inject_close(&l->inject);
    if (l->shared)
        munmap(l->shared, l->shared_size);
    l->shared = NULL;
}
