// The ring between a target and the agent: every record once and whole, whoever dies, whatever lies in the memory.
#include "base/err.h"
#include "probe/ring_internal.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLOTS = 4, UNITS = 64 };
static uint8_t out[PROBE_RING_RECORD_MAX];
static size_t size;

static struct probe_ring make(uint32_t units)
{
    struct probe_ring r;
    void *mem;
    size = probe_ring_size(SLOTS, units);
    mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(mem != MAP_FAILED);
    assert_true(probe_ring_make(&r, mem, size, SLOTS, units));
    return r;
}
static void unmake(struct probe_ring *r) { munmap(r->control, size); }

static bool lives(void *ctx, uint32_t owner) { return true; }
static bool is_dead(void *ctx, uint32_t owner)
{
    *(uint32_t *)ctx = owner;
    return false;
}

static void one_after_the_other(void **state)
{
    struct probe_ring r = make(UNITS), agent;
    size_t n;
    assert_true(probe_ring_open(&agent, r.control, size));
    for (unsigned round = 0; round < 1000; round++) { // many times around
        uint8_t in[3000];
        size_t len = 1 + round * 37 % sizeof(in);
        memset(in, (int)round, len);
        assert_true(probe_ring_put(&r, in, len, 1));
        assert_int_equal(probe_ring_get(&agent, out, &n, lives, NULL), 1);
        assert_true(n >= len && n < len + PROBE_RING_UNIT);
        assert_memory_equal(out, in, len);
        assert_int_equal(probe_ring_get(&agent, out, &n, lives, NULL), 0);
    }
    unmake(&r);
}

static void full(void **state)
{
    struct probe_ring r = make(UNITS);
    unsigned put = 0;
    size_t n;
    while (probe_ring_put(&r, &put, sizeof(put), 1))
        put++;
    assert_int_equal(put, UNITS);
    assert_false(probe_ring_put(&r, &put, sizeof(put), 1));
    assert_int_equal(probe_ring_lost(&r), 2);
    assert_int_equal(probe_ring_lost(&r), 0);
    for (unsigned i = 0; i < put; i++) {
        assert_int_equal(probe_ring_get(&r, out, &n, lives, NULL), 1);
        assert_memory_equal(out, &i, sizeof(i));
    }
    assert_true(probe_ring_put(&r, &put, sizeof(put), 1));
    assert_false(probe_ring_put(&r, out, PROBE_RING_UNIT * UNITS / 2 + 1, 1)); // more than half
    unmake(&r);
}

// A record that is still written holds those behind it back as long as its owner lives, and no longer.
static void unfinished(void **state)
{
    struct probe_ring r = make(UNITS), again;
    struct probe_reservation v, w;
    uint32_t asked = 0;
    size_t n;
    assert_true(probe_ring_reserve(&r, 300, 4711, &v));
    assert_true(probe_ring_reserve(&r, 10, 5, &w));
    probe_ring_write(&r, &w, 0, "second", 7);
    assert_true(probe_ring_commit(&r, &w));
    assert_int_equal(probe_ring_get(&r, out, &n, lives, NULL), 0);
    assert_int_equal(probe_ring_get(&r, out, &n, is_dead, &asked), 1);
    assert_int_equal(asked, 4711);
    assert_string_equal((char *)out, "second");
    assert_int_equal(r.abandoned, 1);
    assert_false(probe_ring_commit(&r, &v)); // too late
    // Dead between the reservation and its label: known from head.
    atomic_store(&r.control->head, head_word(head_unit(atomic_load(&r.control->head)) + 2, 2, 99));
    assert_true(probe_ring_open(&again, r.control, size)); // an agent that was started anew goes on there
    assert_int_equal(probe_ring_get(&again, out, &n, is_dead, &asked), 0);
    assert_int_equal(asked, 99);
    assert_true(probe_ring_put(&r, "x", 2, 1));
    assert_int_equal(probe_ring_get(&again, out, &n, lives, NULL), 1);
    unmake(&r);
}

// ---- threads ----

enum { THREADS = 4, RECORDS = 20000 };
struct producer {
    struct probe_ring ring;
    uint32_t id;
    uint32_t put;
};
struct record {
    uint32_t id, number, len;
};

static uint8_t byte_of(const struct record *h, uint32_t i) { return (uint8_t)(h->id * 31 + h->number * 7 + i); }

static bool put_record(struct probe_ring *r, uint32_t id, uint32_t number)
{
    uint8_t buf[1500];
    struct record h = { id, number, (uint32_t)(sizeof(h) + number * 13 % 1400) };
    memcpy(buf, &h, sizeof(h));
    for (uint32_t i = sizeof(h); i < h.len; i++)
        buf[i] = byte_of(&h, i);
    return probe_ring_put(r, buf, h.len, id);
}

static struct record check_record(size_t n)
{
    struct record h;
    memcpy(&h, out, sizeof(h));
    assert_true(h.len <= n && h.len >= sizeof(h));
    for (uint32_t i = sizeof(h); i < h.len; i++)
        assert_int_equal(out[i], byte_of(&h, i));
    return h;
}

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (uint32_t i = 0; i < RECORDS; i++)
        if (put_record(&p->ring, p->id, i))
            p->put++;
    return NULL;
}

static void threads(void **state)
{
    struct probe_ring r = make(UNITS);
    struct producer p[THREADS];
    pthread_t t[THREADS];
    uint32_t got[THREADS] = { 0 }, last[THREADS], total = 0, put = 0;
    size_t n;
    for (uint32_t i = 0; i < THREADS; i++) {
        last[i] = UINT32_MAX;
        p[i] = (struct producer){ .ring = r, .id = i };
        assert_int_equal(pthread_create(&t[i], NULL, produce, &p[i]), 0);
    }
    for (;;) {
        int rc = probe_ring_get(&r, out, &n, lives, NULL);
        assert_true(rc >= 0);
        if (rc == 1) {
            struct record h = check_record(n);
            assert_true(h.id < THREADS);
            assert_true(last[h.id] == UINT32_MAX || h.number > last[h.id]); // in order a producer
            last[h.id] = h.number;
            got[h.id]++;
            total++;
        } else if (total + atomic_load(&r.control->lost) >= THREADS * RECORDS)
            break;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(got[i], p[i].put);
        put += p[i].put;
    }
    assert_int_equal(put + atomic_load(&r.control->lost), THREADS * RECORDS);
    unmake(&r);
}

// ---- death ----

static bool runs(void *ctx, uint32_t owner) { return kill((pid_t)owner, 0) == 0; }

static void killed_while_writing(void **state)
{
    struct probe_ring r = make(UNITS);
    unsigned got = 0;
    for (unsigned round = 0; round < 60; round++) {
        size_t n;
        unsigned before = got;
        pid_t child = fork();
        if (child == 0) {
            for (uint32_t i = 0;; i++)
                put_record(&r, (uint32_t)getpid(), i);
        }
        while (got < before + 20 + round * 3) { // killed at whatever instruction it has come to
            int rc = probe_ring_get(&r, out, &n, runs, NULL);
            assert_true(rc >= 0);
            if (rc == 1) {
                check_record(n);
                got++;
            }
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (probe_ring_get(&r, out, &n, runs, NULL) == 1)
            check_record(n);
        // All is free again, and the next one writes.
        assert_int_equal(units_between(r.tail, head_unit(atomic_load(&r.control->head))), 0);
        assert_true(put_record(&r, 1, round));
        assert_int_equal(probe_ring_get(&r, out, &n, runs, NULL), 1);
        check_record(n);
    }
    unmake(&r);
}

// ---- hostile memory ----

static void nonsense(void **state)
{
    uint64_t seed = 3;
    for (unsigned round = 0; round < 3000; round++) {
        struct probe_ring r = make(16);
        size_t n = 0;
        for (unsigned i = 0; i < 5; i++)
            probe_ring_put(&r, out, 300, 1);
        for (unsigned i = 0; i < 4; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            if (seed >> 60 == 0)
                atomic_store(&r.control->head, seed);
            else
                atomic_store(&r.labels[seed >> 33 & 15], seed * seed ^ seed >> 7);
        }
        r.control->units = 1u << 30; // what a side has copied does not change
        for (unsigned i = 0; i < 20; i++) {
            int rc = probe_ring_get(&r, out, &n, lives, NULL);
            assert_true(rc == 0 || rc == ERR_CORRUPT || (rc == 1 && n <= 16 * PROBE_RING_UNIT));
        }
        unmake(&r);
    }
}

static void opened_only_when_it_fits(void **state)
{
    struct probe_ring r = make(UNITS), o;
    assert_false(probe_ring_open(&o, r.control, size - 4096));
    r.control->units = 1 << 20;
    assert_false(probe_ring_open(&o, r.control, size));
    r.control->units = 48;
    assert_false(probe_ring_open(&o, r.control, size));
    r.control->units = UNITS;
    r.control->version = 2;
    assert_false(probe_ring_open(&o, r.control, size));
    r.control->version = PROBE_RING_VERSION;
    assert_true(probe_ring_open(&o, r.control, size));
    unmake(&r);
}

static void heartbeat(void **state)
{
    struct probe_ring r = make(UNITS);
    int64_t s = 1000000000;
    assert_false(probe_ring_alive(&r, 0)); // nobody has turned it on
    probe_ring_enable(&r, true);
    probe_ring_beat(&r, 100 * s);
    assert_true(probe_ring_alive(&r, 104 * s));
    assert_false(probe_ring_alive(&r, 105 * s));
    assert_false(probe_ring_alive(&r, 90 * s));
    probe_ring_beat(&r, 105 * s);
    assert_true(probe_ring_alive(&r, 105 * s));
    probe_ring_enable(&r, false);
    assert_false(probe_ring_alive(&r, 105 * s));
    unmake(&r);
}

static void policy(void **state)
{
    struct probe_ring r = make(UNITS);
    static uint8_t copy[PROBE_POLICY_ROOM];
    uint32_t generation = 0;
    size_t n = 0;
    assert_false(probe_ring_get_policy(&r, copy, &n, &generation));
    assert_true(probe_ring_set_policy(&r, bytes_of("abc", 3), 4));
    assert_true(probe_ring_get_policy(&r, copy, &n, &generation));
    assert_int_equal(generation, 4);
    assert_memory_equal(copy, "abc", n);
    assert_false(probe_ring_get_policy(&r, copy, &n, &generation));
    atomic_fetch_add(&r.control->policy_lock, 1); // being changed
    generation = 0;
    assert_false(probe_ring_get_policy(&r, copy, &n, &generation));
    unmake(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(full),
        cmocka_unit_test(unfinished),
        cmocka_unit_test(threads),
        cmocka_unit_test(killed_while_writing),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(opened_only_when_it_fits),
        cmocka_unit_test(heartbeat),
        cmocka_unit_test(policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
