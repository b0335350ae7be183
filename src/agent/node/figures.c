// The engine says no addresses. A table begins with marks, one in each 16 bytes of more than a page: so the first bytes of each page of the process are
// looked at, once, and the mark that is among them says how far it is from the beginning.
#include "agent/node/figures.h"
#include "agent/python/orders.h"
#include "base/clock.h"
#include "base/hash.h"
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
    ALIKE_MAX = 1 << 15, // pages that begin as with a mark; all tables of all probes have half as many
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

enum { MARKS_N = MARKS / sizeof(struct mark), HEAD = offsetof(struct probe_series_table, series) };

uint64_t figures_owner(const struct placed *p) { return clew_series_owner(p->id_hash, p->revision); }

static struct iovec there(uint64_t at, size_t n)
{
    return (struct iovec){ (void *)(uintptr_t)at, n }; // NOLINT: an address of the target
}

static bool peek(pid_t pid, uint64_t at, void *out, size_t n)
{
    struct iovec to = { out, n }, from = there(at, n);
    return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)n;
}

static bool is_mark(const struct mark *m) { return m->check == ~m->index && m->index < MARKS_N; }

// --- where they are ---

static bool is_here(pid_t pid, const struct placed *p, uint64_t mark, uint64_t at)
{
    struct mark m;
    uint64_t owner;
    return peek(pid, at, &m, sizeof m) && m.mark == mark && m.index == 0 && is_mark(&m) &&
           peek(pid, at + MARKS, &owner, sizeof owner) && owner == figures_owner(p);
}

static bool is_open(const struct figures_table *t) { return t->mark && !t->at && !t->gone && !t->missed; }

// Each table that is looked for; NULL: all were found.
static struct figures_table *next_open(struct attachment *a, size_t *i, size_t *k)
{
    for (; *i < PLACED_MAX; (*i)++, *k = 0)
        for (struct figures *f = &a->placed[*i].figures; f->tables && *k < FIGURES_TABLES; (*k)++)
            if (is_open(&f->tables[*k]))
                return &f->tables[(*k)++];
    return NULL;
}

static bool any_open(struct attachment *a)
{
    size_t i = 0, k = 0;
    return next_open(a, &i, &k) != NULL;
}

static void found(struct attachment *a, const struct mark *m, uint64_t begin)
{
    size_t i = 0, k = 0;
    for (struct figures_table *t; (t = next_open(a, &i, &k));)
        if (t->mark == m->mark && is_here(a->process.pid, &a->placed[i], t->mark, begin)) {
            t->at = begin + MARKS;
            return;
        }
}

// n pages from `at` on.
static void find_in(struct attachment *a, uint64_t at, size_t n, size_t *alike)
{
    static struct mark first[BATCH];
    static struct iovec from[BATCH];
    for (size_t i = 0; i < n;) {
        size_t some = n - i < BATCH ? n - i : BATCH;
        for (size_t k = 0; k < some; k++)
            from[k] = there(at + (i + k) * PAGE, sizeof *first);
        struct iovec to = { first, some * sizeof *first };
        ssize_t got = process_vm_readv(a->process.pid, &to, 1, from, some, 0);
        size_t whole = got > 0 ? (size_t)got / sizeof *first : 0;
        for (size_t k = 0; k < whole; k++)
            if (is_mark(&first[k]) && (*alike)++ < ALIKE_MAX)
                found(a, &first[k], at + (i + k) * PAGE - (uint64_t)first[k].index * sizeof *first);
        i += whole < some ? whole + 1 : some; // one that cannot be read is passed over
    }
}

void figures_find(struct attachment *a)
{
    char line[512];
    size_t left = PAGES_MAX, alike = 0;
    if (!any_open(a) || !process_alive(&a->process))
        return;
    int fd = openat(a->process.dir, "maps", O_RDONLY | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!f && fd >= 0)
        close(fd);
    while (f && left && any_open(a) && fgets(line, sizeof line, f)) {
        unsigned long long from, to, inode;
        char mode[8];
        if (sscanf(line, "%llx-%llx %7s %*s %*s %llu", &from, &to, mode, &inode) != 4 || inode || mode[0] != 'r' ||
            mode[1] != 'w' || mode[2] == 'x' || to <= from) // Node 24 has half a GiB for the code of each thread
            continue;
        size_t n = (to - from) / PAGE < left ? (size_t)((to - from) / PAGE) : left;
        find_in(a, from, n, &alike);
        left -= n;
    }
    if (f)
        fclose(f);
    size_t i = 0, k = 0;
    for (struct figures_table *t; (t = next_open(a, &i, &k));)
        t->missed = true;
}

// --- reading ---

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

// Memory that was freed is another's before long, from its beginning on.
static bool is_whole(pid_t pid, const struct placed *p, const struct figures_table *t)
{
    struct {
        struct mark marks[MARKS_N];
        uint64_t owner;
    } here;
    _Static_assert(sizeof here == MARKS + sizeof here.owner, "the marks, and what follows");
    bool whole = peek(pid, t->at - MARKS, &here, sizeof here) && here.owner == figures_owner(p);
    for (uint32_t i = 0; i < MARKS_N && whole; i++)
        whole = here.marks[i].mark == t->mark && here.marks[i].index == i && is_mark(&here.marks[i]);
    return whole;
}

static void let_go(struct figures_table *t)
{
    mem_free(t->series);
    t->series = NULL, t->n_series = 0;
    t->gone = true;
}

static bool is_used(uint32_t n, uint32_t i) { return i < n || (i == PROBE_SERIES_MAX && n == PROBE_SERIES_MAX); }

// To the sum, and room for what was read.
static bool prepare(struct placed *p, struct figures_table *t, uint32_t n, int64_t start)
{
    struct figures *f = &p->figures;
    size_t wanted = n == PROBE_SERIES_MAX ? n + 1 : n;
    if (!f->all) {
        f->all = mem_alloc(sizeof *f->all);
        if (!f->all)
            return false;
        probe_series_reset(f->all, figures_owner(p), 0);
    }
    if (start > 0 && (!f->all->start_ns || start < f->all->start_ns))
        f->all->start_ns = start;
    if (wanted > t->n_series) {
        struct probe_series *more = mem_reallocarray(t->series, wanted, sizeof *more);
        if (!more)
            return false;
        memset(more + t->n_series, 0, (wanted - t->n_series) * sizeof *more);
        t->series = more, t->n_series = wanted;
    }
    return true;
}

static void read_table(struct attachment *a, struct placed *p, struct figures_table *t)
{
    static struct probe_series now[PROBE_SERIES_MAX + 1];
    bool read[PROBE_SERIES_MAX + 1];
    struct {
        uint64_t owner;
        int64_t start_ns;
        uint32_t n, reserved;
    } head;
    pid_t pid = a->process.pid;
    uint32_t n = peek(pid, t->at, &head, sizeof head) && head.n <= PROBE_SERIES_MAX ? head.n : 0;
    for (uint32_t i = 0; i <= PROBE_SERIES_MAX; i++)
        read[i] = is_used(n, i) && series_read(pid, t->at + HEAD + i * sizeof *now, &now[i]);
    if (!is_whole(pid, p, t)) {
        if (process_alive(&a->process))
            let_go(t);
        return;
    }
    if (!n || !prepare(p, t, n, head.start_ns))
        return;
    for (uint32_t i = 0; i < t->n_series; i++)
        if (read[i] && probe_series_join(p->figures.all, &now[i], &t->series[i], i == PROBE_SERIES_MAX))
            t->series[i] = now[i];
}

static bool counts(const struct placed *p)
{
    return p->used && p->probe && p->installed && !p->refused && probe_counts_only(p->probe);
}

static void read_tables(struct attachment *a, struct placed *p)
{
    struct figures *f = &p->figures;
    for (size_t i = 0; f->tables && i < FIGURES_TABLES; i++)
        if (f->tables[i].mark && f->tables[i].at && !f->tables[i].gone)
            read_table(a, p, &f->tables[i]);
}

// --- threads ---

static struct figures_table *table_of(const struct placed *p, unsigned thread)
{
    struct figures_table *t = p->figures.tables;
    for (size_t i = 0; t && i < FIGURES_TABLES; i++)
        if (t[i].mark && t[i].thread == thread)
            return &t[i];
    return NULL;
}

static void clear(struct figures_table *t)
{
    mem_free(t->series);
    *t = (struct figures_table){ 0 };
}

// One that is free, or the one that can be spared the most: its thread has let go of it, or was not seen for the longest time.
static struct figures_table *room(struct figures *f)
{
    struct figures_table *best = &f->tables[0];
    for (size_t i = 0; i < FIGURES_TABLES && best->mark; i++) {
        struct figures_table *t = &f->tables[i];
        if (!t->mark || (t->gone && !best->gone) || (t->gone == best->gone && t->turn < best->turn))
            best = t;
    }
    return best;
}

int figures_order(struct attachment *a, struct placed *p, unsigned thread, uint64_t *ret_mark, struct err *err)
{
    struct figures *f = &p->figures;
    if (!f->tables)
        f->tables = mem_calloc(FIGURES_TABLES, sizeof *f->tables);
    if (!f->tables)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    struct figures_table *t = table_of(p, thread);
    if (!t)
        t = room(f);
    if (t->mark && t->at && !t->gone)
        read_table(a, p, t);
    clear(t);
    while (!t->mark)
        if (getrandom(&t->mark, sizeof t->mark, 0) != sizeof t->mark)
            t->mark = hash64_int(p->id_hash ^ (uint64_t)clock_mono_ns());
    t->thread = thread, t->turn = a->turn;
    *ret_mark = t->mark;
    return 0;
}

bool figures_known(const struct placed *p, unsigned thread)
{
    const struct figures_table *t = table_of(p, thread);
    return t && !t->gone;
}

void figures_seen(struct attachment *a, struct placed *p, unsigned thread)
{
    struct figures_table *t = table_of(p, thread);
    if (t)
        t->turn = a->turn, t->called = true, t->missed = false;
}

unsigned figures_unread(const struct attachment *a, const struct placed *p, unsigned *ret_first)
{
    const struct figures_table *t = p->figures.tables;
    unsigned n = 0;
    for (size_t i = 0; t && i < FIGURES_TABLES; i++) {
        bool called = t[i].mark && t[i].turn == a->turn && t[i].called;
        bool ended = t[i].thread && a->threads[t[i].thread].turn != a->turn;
        if (called && !ended && !t[i].at && n++ == 0)
            *ret_first = t[i].thread;
    }
    return n;
}

void figures_leave_ended(struct attachment *a, struct placed *p)
{
    struct figures_table *t = p->figures.tables;
    for (size_t i = 0; t && i < FIGURES_TABLES; i++) {
        if (!t[i].mark || !t[i].thread || a->threads[t[i].thread].turn == a->turn)
            continue;
        if (t[i].at && !t[i].gone)
            read_table(a, p, &t[i]);
        clear(&t[i]);
    }
}

// --- telling ---

static void tell(struct attachment *a, struct placed *p, bool again)
{
    struct buf out;
    struct json_writer w;
    if (!p->figures.all)
        return;
    buf_init(&out, REPORT_ROOM);
    json_writer_init(&w, &out);
    if (probe_series_json(p->figures.all, figures_owner(p), p->probe, clock_unix_ns(), again, &p->figures.told, &w) &&
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
    read_tables(a, p);
    if (first)
        f->report_ns = now + READ_NS, f->still_ns = now + STILL_NS;
    if (now < f->report_ns)
        return;
    tell(a, p, now >= f->still_ns);
    f->report_ns = now + REPORT_NS;
    if (now >= f->still_ns)
        f->still_ns = now + STILL_NS;
}

void figures_say(struct attachment *a, struct placed *p)
{
    if (counts(p)) {
        read_tables(a, p);
        tell(a, p, false);
    }
}

void figures_end(struct attachment *a, struct placed *p)
{
    if (counts(p))
        figures_find(a); // those of a session that was cut off
    figures_say(a, p);
    figures_free(p);
}

void figures_free(struct placed *p)
{
    struct figures *f = &p->figures;
    for (size_t i = 0; f->tables && i < FIGURES_TABLES; i++)
        mem_free(f->tables[i].series);
    mem_free(f->tables);
    mem_free(f->all);
    *f = (struct figures){ 0 };
}
