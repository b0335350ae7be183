// The engine says no addresses. A table begins with marks, one in each 16 bytes of more than a page: so the first bytes of each page of the process are
// looked at, once, and the mark that is among them says how far it is from the beginning.
#include "agent/node/figures.h"
#include "agent/python/orders.h"
#include "base/clock.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MARKS = 4112, // as in walk.js
    PAGE = 4096,
    BATCH = 512,
    PAGES_MAX = 1 << 20, // 4 GiB that may be written
    TRIES = 16,
    REPORT_ROOM = 1 << 20,
};
#define READ_NS (1 * 1000000000ll)
#define REPORT_NS (10 * 1000000000ll)
#define STILL_NS (60 * 1000000000ll) // also when nothing has changed

// What walk.js writes by number.
_Static_assert(offsetof(struct probe_series_table, owner) == 0 && offsetof(struct probe_series_table, start_ns) == 8 &&
                   offsetof(struct probe_series_table, n) == 16 && offsetof(struct probe_series_table, hashes) == 24 &&
                   offsetof(struct probe_series_table, series) == 536 && sizeof(struct probe_series) == 744,
               "the table");
_Static_assert(offsetof(struct probe_series, key_len) == 4 && offsetof(struct probe_series, count) == 8 &&
                   offsetof(struct probe_series, sum) == 16 && offsetof(struct probe_series, min) == 24 &&
                   offsetof(struct probe_series, max) == 32 && offsetof(struct probe_series, last) == 40 &&
                   offsetof(struct probe_series, buckets) == 48 && offsetof(struct probe_series, key) == 488,
               "a series");

struct mark {
    uint64_t mark;
    uint32_t index, check;
};

uint64_t figures_owner(const struct placed *p) { return clew_series_owner(p->id_hash, p->revision); }

void figures_begin(struct placed *p)
{
    if (getrandom(&p->figures.mark, sizeof p->figures.mark, 0) != sizeof p->figures.mark)
        p->figures.mark = p->id_hash ^ (uint64_t)clock_mono_ns();
}

static struct iovec there(uint64_t at, size_t n)
{
    return (struct iovec){ (void *)(uintptr_t)at, n }; // NOLINT: an address of the target
}

static bool peek(pid_t pid, uint64_t at, void *out, size_t n)
{
    struct iovec to = { out, n }, from = there(at, n);
    return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)n;
}

static bool is_here(pid_t pid, const struct placed *p, uint64_t at)
{
    struct mark m;
    uint64_t owner;
    return peek(pid, at, &m, sizeof m) && m.mark == p->figures.mark && m.index == 0 && m.check == ~0u &&
           peek(pid, at + MARKS, &owner, sizeof owner) && owner == figures_owner(p);
}

// n pages from `at` on.
static bool find_in(pid_t pid, struct placed *p, uint64_t at, size_t n)
{
    static struct mark found[BATCH];
    static struct iovec from[BATCH];
    for (size_t i = 0; i < n;) {
        size_t some = n - i < BATCH ? n - i : BATCH;
        for (size_t k = 0; k < some; k++)
            from[k] = there(at + (i + k) * PAGE, sizeof *found);
        struct iovec to = { found, some * sizeof *found };
        ssize_t got = process_vm_readv(pid, &to, 1, from, some, 0);
        size_t whole = got > 0 ? (size_t)got / sizeof *found : 0;
        for (size_t k = 0; k < whole; k++) {
            const struct mark *m = &found[k];
            uint64_t begin = at + (i + k) * PAGE - (uint64_t)m->index * sizeof *m;
            if (m->mark == p->figures.mark && m->check == ~m->index && m->index < MARKS / sizeof *m &&
                is_here(pid, p, begin)) {
                p->figures.at = begin + MARKS;
                return true;
            }
        }
        i += whole < some ? whole + 1 : some; // one that cannot be read is passed over
    }
    return false;
}

static void find(struct attachment *a, struct placed *p)
{
    char line[512];
    size_t left = PAGES_MAX;
    int fd = openat(a->process.dir, "maps", O_RDONLY | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!f && fd >= 0)
        close(fd);
    while (f && left && !p->figures.at && fgets(line, sizeof line, f)) {
        unsigned long long from, to, inode;
        char mode[8];
        if (sscanf(line, "%llx-%llx %7s %*s %*s %llu", &from, &to, mode, &inode) != 4 || inode || mode[0] != 'r' ||
            mode[1] != 'w' || to <= from)
            continue;
        size_t n = (to - from) / PAGE < left ? (size_t)((to - from) / PAGE) : left;
        find_in(a->process.pid, p, from, n);
        left -= n;
    }
    if (f)
        fclose(f);
    p->figures.missed = !p->figures.at;
}

// Each series with its turn once more behind it: where the two are equal, no hit came between them.
static bool series_read(pid_t pid, uint64_t at, struct probe_series *ret)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t turn = 0, before;
        struct iovec to[2] = { { ret, sizeof *ret }, { &turn, sizeof turn } };
        struct iovec from[2] = { there(at, sizeof *ret), there(at, sizeof turn) };
        if (process_vm_readv(pid, to, 2, from, 2, 0) != (ssize_t)(sizeof *ret + sizeof turn))
            return false;
        memcpy(&before, ret, sizeof before);
        if (before == turn && !(turn & 1))
            return true;
    }
    return false;
}

static void read_table(struct attachment *a, struct placed *p)
{
    struct figures *f = &p->figures;
    enum { HEAD = offsetof(struct probe_series_table, series) };
    uint8_t head[HEAD];
    pid_t pid = a->process.pid;
    if (!f->copy)
        f->copy = mem_zalloc(sizeof *f->copy);
    if (!f->copy || !process_alive(&a->process) || !peek(pid, f->at, head, HEAD))
        return;
    uint64_t owner;
    uint32_t n;
    memcpy(&owner, head, sizeof owner);
    memcpy(&n, head + offsetof(struct probe_series_table, n), sizeof n);
    if (owner != figures_owner(p) || n > PROBE_SERIES_MAX)
        return;
    for (uint32_t i = 0; i <= PROBE_SERIES_MAX; i++) {
        struct probe_series s;
        bool used = i < n || (i == PROBE_SERIES_MAX && n == PROBE_SERIES_MAX);
        if (used && series_read(pid, f->at + HEAD + i * sizeof s, &s))
            memcpy(&f->copy->series[i], &s, sizeof s);
    }
    memcpy(f->copy, head, HEAD);
}

static bool counts(const struct placed *p)
{
    return p->used && p->probe && p->installed && !p->refused && probe_counts_only(p->probe);
}

static void figures_read(struct attachment *a, struct placed *p)
{
    if (!p->figures.at && !p->figures.missed && process_alive(&a->process)) {
        find(a, p);
        if (p->figures.missed)
            placed_tell(a, p, "error", "attach_failed", "what it counts cannot be read in the process", (str){ 0 }, 0);
    }
    if (p->figures.at)
        read_table(a, p);
}

static void tell(struct attachment *a, struct placed *p, bool again)
{
    struct buf out;
    struct json_writer w;
    if (!p->figures.copy)
        return;
    buf_init(&out, REPORT_ROOM);
    json_writer_init(&w, &out);
    if (probe_series_json(p->figures.copy, figures_owner(p), p->probe, clock_unix_ns(), again, &p->figures.told, &w) &&
        !out.error)
        a->events->figures(a->events->ctx, p->probe->id, buf_view(&out));
    buf_free(&out);
}

void figures_due(struct attachment *a, struct placed *p, int64_t now)
{
    struct figures *f = &p->figures;
    if (!counts(p) || now < f->read_ns)
        return;
    bool first = !f->read_ns;
    f->read_ns = now + READ_NS;
    figures_read(a, p);
    if (first)
        f->report_ns = now + READ_NS, f->still_ns = now + STILL_NS;
    if (now < f->report_ns)
        return;
    tell(a, p, now >= f->still_ns);
    f->report_ns = now + REPORT_NS;
    if (now >= f->still_ns)
        f->still_ns = now + STILL_NS;
}

void figures_end(struct attachment *a, struct placed *p)
{
    if (counts(p)) {
        figures_read(a, p);
        tell(a, p, false);
    }
    mem_free(p->figures.copy);
    p->figures = (struct figures){ 0 };
}
