// Attaches to a running Python again and again, has it run a trivial statement, and takes everything away: what docs/experiments/python-attach.md
// counts. python_attach PID N -> one line of JSON. Every time is of this process's clock.
#include "agent/python/inject.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_US_MIN = 100, RETRY_US_MAX = 5000, AGAIN_MS = 10, HANG_S = 20 };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void rest_us(long us) { nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL); }

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct series {
    int64_t *v;
    size_t n, room;
};

static void put(struct series *s, int64_t v)
{
    if (s->n == s->room) {
        s->room = s->room ? s->room * 2 : 1024;
        s->v = realloc(s->v, s->room * sizeof *s->v);
        if (!s->v)
            abort();
    }
    s->v[s->n++] = v;
}

static void print(const char *name, struct series *s)
{
    qsort(s->v, s->n, sizeof *s->v, compare);
    printf("\"%s\":{\"n\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, s->n,
           s->n ? (double)s->v[s->n / 2] / 1e3 : 0, s->n ? (double)s->v[s->n * 99 / 100] / 1e3 : 0,
           s->n ? (double)s->v[s->n - 1] / 1e3 : 0);
}

static struct {
    long done, failed, hangs, busy, waited, queued;
    struct series pause, latency;
} sum;

// Until it works, or HANG_S: 0, or what ended it.
static int persist(struct inject *in, const struct inject_call *call, struct err *err)
{
    int64_t until = now_ns() + HANG_S * 1000000000LL;
    long pause_us = RETRY_US_MIN;
    for (;;) {
        *err = (struct err){ 0 };
        int rc = call ? inject_begin(in, call, err) : inject_remove(in, err);
        if (in->pauses)
            put(&sum.pause, in->pause_ns), in->pauses = 0;
        if (rc != ERR_AGAIN)
            return rc;
        sum.busy++;
        if (now_ns() > until)
            return ERR_TIMEOUT;
        rest_us(pause_us);
        pause_us = pause_us * 2 > RETRY_US_MAX ? RETRY_US_MAX : pause_us * 2;
    }
}

static int once(struct inject *in, const struct inject_call *call, struct err *err)
{
    int64_t begun = now_ns(), again = begun + AGAIN_MS * 1000000LL, until = begun + HANG_S * 1000000000LL;
    int rc = persist(in, call, err);
    if (rc < 0)
        return rc;
    uint64_t result = 1;
    while ((rc = inject_poll(in, &result)) == 0) {
        int64_t now = now_ns();
        if (now > until)
            return ERR_TIMEOUT;
        if (now > again) {
            struct err ignored;
            inject_again(in, &ignored);
            sum.waited++;
            again = now + AGAIN_MS * 1000000LL;
        }
        rest_us(50);
    }
    put(&sum.latency, now_ns() - begun);
    if (rc < 0)
        return rc;
    sum.queued += in->queued > 0;
    if ((int32_t)result != 0)
        return err_set(err, ERR_INVALID, "statement", "the statement failed");
    return persist(in, NULL, err);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: python_attach PID N [STATEMENT]\n");
        return 2;
    }
    pid_t pid = (pid_t)atoi(argv[1]);
    long n = atol(argv[2]);
    const char *statement = argc > 3 ? argv[3] : "_clew_n = globals().get('_clew_n', 0) + 1\n";
    struct interp interp;
    struct err err = { 0 };
    int rc = interp_find(pid, &interp, &err);
    if (rc < 0) {
        fprintf(stderr, "python_attach: %s: %s (%s)\n", err_text(rc), err.message, err.slug);
        return 1;
    }
    struct inject_call call = { .fn = interp.run_string,
                                .arg_in = { true },
                                .args = statement,
                                .args_len = strlen(statement) + 1,
                                .with_gil = true };
    struct inject in;
    rc = inject_open(&in, pid, &interp, &err);
    for (long i = 0; rc >= 0 && i < n; i++) {
        err = (struct err){ 0 };
        rc = once(&in, &call, &err);
        if (rc >= 0)
            sum.done++;
        else if (rc == ERR_TIMEOUT)
            sum.hangs++;
        else
            sum.failed++;
        if (rc < 0 && !err.slug[0])
            err_set(&err, rc, NULL, "%s", err_text(rc));
    }
    inject_close(&in);
    printf("{\"version\":\"3.%d.%d\",\"done\":%ld,\"failed\":%ld,\"hangs\":%ld,\"busy\":%ld,\"queued\":%ld,\"waited\":%"
           "ld,",
           interp.minor, interp.micro, sum.done, sum.failed, sum.hangs, sum.busy, sum.queued, sum.waited);
    print("pause_us", &sum.pause);
    printf(",");
    print("latency_us", &sum.latency);
    printf(",\"error\":\"%s%s%s\"}\n", err.slug, err.slug[0] ? ": " : "", err.message);
    return rc < 0;
}
