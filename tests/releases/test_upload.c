// What was uploaded is found by release, by hash and by name; a release takes its own along.
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static size_t found(struct releases_scratch *s, enum release_upload_kind kind, int64_t release, const char *sha1,
                    const char *name, struct release_upload **ret)
{
    struct err err;
    size_t n;
    assert_int_equal(
        releases_uploads(s->releases, 1, kind, release, str_z(sha1), str_z(name), &s->arena, ret, &n, &err), 0);
    return n;
}

static void found_and_gone(void **state)
{
    struct releases_scratch s;
    struct release_upload *l, u = { .project = 1,
                                    .kind = RELEASE_UPLOAD_FILE,
                                    .name = STR("~/a.js"),
                                    .dist = STR("7"),
                                    .sha1 = STR("s1"),
                                    .headers = STR("{}"),
                                    .size = 9,
                                    .artifact = 77,
                                    .digest = { 1, 2, 3 } };
    struct release_upload bundle = { .project = 1, .kind = RELEASE_UPLOAD_BUNDLE, .sha1 = STR("s2"), .artifact = 78 };
    struct release_upload other = { .project = 2, .kind = RELEASE_UPLOAD_BUNDLE, .sha1 = STR("s2"), .artifact = 79 };
    struct err err;
    releases_scratch_open(&s);
    u.release = releases_scratch_put(&s, 1, "a@1", 0);
    assert_int_equal(releases_upload_put(s.releases, &u, &err), 0);
    assert_int_equal(releases_upload_put(s.releases, &bundle, &err), 0);
    assert_int_equal(releases_upload_put(s.releases, &other, &err), 0);
    releases_scratch_reopen(&s);
    assert_int_equal(found(&s, RELEASE_UPLOAD_FILE, u.release, "", "", &l), 1);
    assert_true(l[0].id == u.id && l[0].artifact == 77 && l[0].size == 9 && str_eq(l[0].dist, STR("7")) &&
                str_eq(l[0].headers, STR("{}")) && l[0].digest[2] == 3);
    assert_int_equal(found(&s, RELEASE_UPLOAD_FILE, 0, "s1", "~/a.js", &l), 1);
    assert_int_equal(found(&s, RELEASE_UPLOAD_FILE, 0, "s1", "~/b.js", &l), 0);
    assert_int_equal(found(&s, RELEASE_UPLOAD_FILE, -1, "", "", &l), 0);
    assert_int_equal(found(&s, RELEASE_UPLOAD_BUNDLE, -1, "s2", "", &l), 1); // the project's own
    assert_int_equal(found(&s, RELEASE_UPLOAD_BUNDLE, u.release, "s2", "", &l), 0);
    assert_int_equal(releases_upload_remove(s.releases, bundle.id, &err), 0);
    assert_int_equal(releases_upload_remove(s.releases, bundle.id, &err), ERR_NOENT);
    assert_int_equal(release_remove(s.releases, 1, STR("a@1"), &err), 0);
    assert_int_equal(found(&s, RELEASE_UPLOAD_FILE, 0, "", "", &l), 0);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(found_and_gone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
