// Cost of what an error event goes through on a worker: reading and scrubbing, packing its payload, grouping.
//
//   bench_grouping FILE...      files hold one event as JSON each
#include "grouping/grouping.h"
#include "base/clock.h"
#include "base/must.h"
#include "wire/sentry_payload.h"
#include "wire/sentry_scrub.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20000, EVENT_MAX = 1 << 20 };

static char text[EVENT_MAX];

static void one(const char *path, const struct grouping_rules *rules)
{
    FILE *f = fopen(path, "rb");
    int64_t read_ns = 0, pack_ns = 0, group_ns = 0;
    struct sentry_packer packer;
    struct arena arena;
    if (!f) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    arena_init(&arena, 64 << 20);
    sentry_packer_init(&packer);
    for (int i = 0; i < ROUNDS; i++) {
        const struct json_node *root;
        struct sentry_remarks remarks;
        struct sentry_event e;
        struct grouping g;
        bytes payload;
        arena_reset(&arena);
        int64_t t0 = clock_mono_ns();
        must(json_tree_read(str_of(text, n), &arena, SENTRY_EVENT_DEPTH, &root, NULL) == 0);
        must(sentry_scrub(root, &arena, &remarks) == 0 && sentry_event_read(root, &arena, &e, NULL) == 0);
        int64_t t1 = clock_mono_ns();
        must(sentry_payload_pack(&packer, root, &payload) == 0);
        int64_t t2 = clock_mono_ns();
        must(grouping_run(rules, &e, &arena, &g) == 0);
        int64_t t3 = clock_mono_ns();
        read_ns += t1 - t0;
        pack_ns += t2 - t1;
        group_ns += t3 - t2;
    }
    printf("%-60s %7zu bytes  read %6.1f us  pack %6.1f us  group %6.1f us\n", path, n, (double)read_ns / ROUNDS / 1e3,
           (double)pack_ns / ROUNDS / 1e3, (double)group_ns / ROUNDS / 1e3);
    sentry_packer_free(&packer);
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    struct grouping_rules *rules;
    must(grouping_rules_parse((str){ 0 }, (str){ 0 }, &rules, NULL) == 0);
    for (int i = 1; i < argc; i++)
        one(argv[i], rules);
    grouping_rules_free(rules);
    return 0;
}
