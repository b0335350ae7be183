#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/project_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
    char dir[64];
    struct meta *meta;
    struct project_rules *rules;
};

static void place_open(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/clew-rules-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(meta_open(p->dir, true, &p->meta, NULL), 0);
    assert_int_equal(project_rules_new(p->meta, &p->rules, NULL), 0);
}

static void place_close(struct place *p)
{
    static const char *const files[] = { "meta.db", "meta.db-wal", "meta.db-shm" };
    char path[128];
    project_rules_free(p->rules);
    meta_close(p->meta);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", p->dir, files[i]);
        unlink(path);
    }
    rmdir(p->dir);
}

// What the project's rules make of an event.
static void title_is(struct place *p, int64_t project, const char *title)
{
    struct arena arena;
    struct grouping g;
    struct sentry_event e = { .message = STR_INIT("no way") };
    struct grouping_rules *rules = project_rules_grouping(p->rules, project);
    arena_init(&arena, 1 << 20);
    assert_int_equal(grouping_run(rules, &e, &arena, &g), 0);
    grouping_rules_free(rules);
    assert_true(str_eq(g.title, str_z(title)));
    arena_free(&arena);
}

static void set(struct place *p, int64_t project, const char *rules)
{
    assert_int_equal(meta_project_rules_set(p->meta, STR("t"), project, str_z(rules), STR(""), NULL), 0);
}

static void a_change_counts_from_the_next_event_on(void **state)
{
    struct place p;
    struct meta_project other;
    place_open(&p);
    assert_int_equal(meta_project_add(p.meta, STR("t"), STR("other"), &other, NULL), 0);
    title_is(&p, 1, "");
    set(&p, 1, "message:no* -> no title=\"First\"");
    title_is(&p, 1, "First");
    title_is(&p, other.id, "");
    set(&p, other.id, "message:no* -> no title=\"Other\"");
    title_is(&p, 1, "First");
    title_is(&p, other.id, "Other");
    set(&p, 1, "message:no* -> no title=\"Second\"");
    title_is(&p, 1, "Second");
    set(&p, 1, "");
    title_is(&p, 1, "");
    title_is(&p, other.id, "Other");
    set(&p, 1, "this is no rule"); // as of another version
    title_is(&p, 1, "");
    place_close(&p);
}

static void more_projects_than_are_kept_have_their_rules_still(void **state)
{
    enum { PROJECTS = PROJECT_RULES_MAX + 20 };
    struct place p;
    struct meta_project project;
    char text[64];
    int64_t ids[PROJECTS];
    place_open(&p);
    for (int i = 0; i < PROJECTS; i++) {
        snprintf(text, sizeof text, "p%d", i);
        assert_int_equal(meta_project_add(p.meta, STR("t"), str_z(text), &project, NULL), 0);
        ids[i] = project.id;
        snprintf(text, sizeof text, "message:no* -> no title=\"T%d\"", i);
        set(&p, project.id, text);
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < PROJECTS; i++) {
            snprintf(text, sizeof text, "T%d", i);
            title_is(&p, ids[i], text);
        }
    place_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_counts_from_the_next_event_on),
        cmocka_unit_test(more_projects_than_are_kept_have_their_rules_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
