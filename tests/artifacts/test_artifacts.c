// References: found by what they belong to, kept once however often they are sent, gone when they are let go.
#include "scratch.h"

#include "disk_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct scratch s;
static int setup(void **unused)
{
    scratch_open(&s);
    return 0;
}
static int teardown(void **unused)
{
    scratch_close(&s);
    return 0;
}

#define EVENT STR("fc6d8c0c43fc4630ad850ee518f1b9d0")
#define REPLAY STR("0c0c0c0c43fc4630ad850ee518f1b9d0")
#define TRACE STR("0af7651916cd43dd8448eb211c80319c")

static int64_t put(const struct artifact *ref, const char *content)
{
    struct err err = { 0 };
    int64_t id = 0;
    assert_int_equal(artifact_put(s.artifacts, ref, bytes_of_str(str_z(content)), &id, &err), 0);
    return id;
}

static size_t list(struct artifact_filter f, struct artifact **ret)
{
    struct err err = { 0 };
    size_t n = 99;
    assert_int_equal(artifact_list(s.artifacts, &f, &s.arena, ret, &n, &err), 0);
    return n;
}

static struct artifacts_stats stats(void)
{
    struct artifacts_stats st;
    artifacts_stats(s.artifacts, &st);
    return st;
}

static void what_was_put_is_found(void **unused)
{
    const str traces[] = { TRACE, STR("ffffffff16cd43dd8448eb211c80319c") };
    struct artifact ref = { .project = 7,
                            .kind = ARTIFACT_REPLAY,
                            .name = STR("rrweb"),
                            .content_type = STR("application/octet-stream"),
                            .type = STR("event.x"),
                            .event = EVENT,
                            .replay = REPLAY,
                            .segment = 3,
                            .traces = traces,
                            .traces_n = 2,
                            .time = 1000,
                            .received = 2000 };
    struct artifact found, *all;
    struct err err = { 0 };
    int64_t id = put(&ref, "content");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(artifact_find(s.artifacts, id, &s.arena, &found, &err), 0);
        assert_true(found.id == id && found.project == 7 && found.kind == ARTIFACT_REPLAY && found.size == 7);
        assert_true(str_eq(found.name, ref.name) && str_eq(found.content_type, ref.content_type));
        assert_true(str_eq(found.type, ref.type) && str_eq(found.event, EVENT) && str_eq(found.replay, REPLAY));
        assert_true(found.segment == 3 && found.time == 1000 && found.received == 2000 && found.traces_n == 2);
        assert_true(str_eq(found.traces[0], TRACE));
        assert_int_equal(list((struct artifact_filter){ .event = EVENT }, &all), 1);
        assert_int_equal(list((struct artifact_filter){ .replay = REPLAY }, &all), 1);
        assert_int_equal(list((struct artifact_filter){ .trace = traces[1] }, &all), 1);
        assert_int_equal(all[0].id, id);
        assert_int_equal(list((struct artifact_filter){ .event = REPLAY }, &all), 0);
        assert_int_equal(list((struct artifact_filter){ .profile = REPLAY }, &all), 0);
        scratch_reopen(&s);
    }
    assert_int_equal(artifact_find(s.artifacts, id + 1, &s.arena, &found, &err), ERR_NOENT);
    struct artifact_filter nothing = { 0 };
    size_t n;
    assert_int_equal(artifact_list(s.artifacts, &nothing, &s.arena, &all, &n, &err), ERR_INVALID);
}

static void only_what_the_reader_may_see(void **unused)
{
    const uint32_t some[] = { 2, 5, 9 };
    struct artifact *all;
    for (uint32_t project = 1; project <= 10; project++)
        put(&(struct artifact){ .project = project, .kind = ARTIFACT_ATTACHMENT, .event = EVENT }, "x");
    put(&(struct artifact){ .project = 5, .kind = ARTIFACT_MINIDUMP, .event = EVENT }, "x");
    struct artifact_filter f = { .projects = some, .projects_n = 3, .event = EVENT };
    assert_int_equal(list(f, &all), 4);
    f.kinds = artifact_kind_bit(ARTIFACT_MINIDUMP);
    assert_int_equal(list(f, &all), 1);
    f.kinds = 0;
    f.limit = 2;
    assert_int_equal(list(f, &all), 2);
    f.projects_n = 0;
    assert_int_equal(list(f, &all), 0);
}

static void the_same_bytes_are_kept_once(void **unused)
{
    struct artifact a = { .project = 1, .kind = ARTIFACT_ATTACHMENT, .event = EVENT, .name = STR("a.txt") }, b = a;
    b.name = STR("b.txt");
    int64_t first = put(&a, "same bytes"), second = put(&b, "same bytes");
    assert_true(first != second);
    assert_int_equal(put(&a, "same bytes"), first); // sent again
    assert_int_equal(scratch_files(&s), 1);
    struct artifacts_stats st = stats();
    assert_true(st.references == 2 && st.contents == 1 && st.bytes == 10 && st.puts == 2 && st.repeated == 1);
    scratch_reopen(&s);
    st = stats();
    assert_true(st.references == 2 && st.contents == 1 && st.bytes == 10);
    struct artifact_kind_usage usage[ARTIFACT_KINDS_N];
    struct err err = { 0 };
    assert_int_equal(artifacts_usage(s.artifacts, usage, &err), 0);
    assert_true(usage[ARTIFACT_ATTACHMENT].references == 2 && usage[ARTIFACT_ATTACHMENT].bytes == st.stored_bytes);

    assert_int_equal(artifact_unref(s.artifacts, first, &err), 0);
    assert_int_equal(scratch_files(&s), 1);
    assert_int_equal(artifact_unref(s.artifacts, first, &err), ERR_NOENT);
    assert_int_equal(artifact_unref(s.artifacts, second, &err), 0);
    assert_int_equal(scratch_files(&s), 0);
    st = stats();
    assert_true(st.references == 0 && st.contents == 0 && st.bytes == 0 && st.stored_bytes == 0 && st.collected == 1);
    assert_true(put(&a, "same bytes") > second); // ids are never used again
}

static void uploads_are_found_by_their_names(void **unused)
{
    struct artifact *all;
    put(&(struct artifact){ .kind = ARTIFACT_CHUNK, .name = STR("da39") }, "one");
    put(&(struct artifact){ .kind = ARTIFACT_BUNDLE, .name = STR("da39") }, "two");
    struct artifact_filter f = { .kinds = artifact_kind_bit(ARTIFACT_CHUNK), .name = STR("da39") };
    assert_int_equal(list(f, &all), 1);
    assert_int_equal(all[0].size, 3);
    f.name = STR("da40");
    assert_int_equal(list(f, &all), 0);
}

static void several_stand_together_or_not_at_all(void **unused)
{
    struct artifact_item items[3];
    struct artifact *all;
    struct err err = { 0 };
    for (int i = 0; i < 3; i++)
        items[i] = (struct artifact_item){ { .project = 1, .kind = ARTIFACT_ATTACHMENT, .event = EVENT },
                                           bytes_of_str(i == 0   ? STR("a")
                                                        : i == 1 ? STR("b")
                                                                 : STR("c")) };
    // The name of the second content does not become durable.
    disk_fault_fail_at(s.disk, 3, 1u << DISK_OP_SYNC_DIR, ERR_IO, true);
    assert_int_equal(artifact_put_all(s.artifacts, items, 3, &err), ERR_IO);
    disk_fault_fail_at(s.disk, 0, 0, 0, false);
    assert_int_equal(list((struct artifact_filter){ .event = EVENT }, &all), 0);
    assert_int_equal(scratch_files(&s), 0);
    assert_int_equal(artifact_put_all(s.artifacts, items, 3, &err), 0);
    assert_int_equal(list((struct artifact_filter){ .event = EVENT }, &all), 3);
    assert_int_equal(stats().references, 3);
}

static void texts_are_cut_between_characters(void **unused)
{
    char name[2 * ARTIFACT_TEXT_MAX];
    struct artifact found;
    struct err err = { 0 };
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "é", 2);
    name[0] = 'x';
    name[1] = 'y';
    struct artifact ref = { .project = 1, .kind = ARTIFACT_ATTACHMENT, .name = str_of(name + 1, sizeof name - 1) };
    int64_t id = put(&ref, "x");
    assert_int_equal(artifact_find(s.artifacts, id, &s.arena, &found, &err), 0);
    assert_int_equal(found.name.len, ARTIFACT_TEXT_MAX - 1);
    assert_int_equal(put(&ref, "x"), id);
}

static void a_content_gets_further_references(void **unused)
{
    struct artifact ref = { .project = 7, .kind = ARTIFACT_IMAGE, .name = STR("hash"), .expires = 1000 };
    struct artifact more[2], *all;
    struct err err = { 0 };
    struct artifact_filter f = { .event = EVENT };
    int64_t first = put(&ref, "pixels");
    assert_int_equal(
        list((struct artifact_filter){ .kinds = artifact_kind_bit(ARTIFACT_IMAGE), .name = ref.name }, &all), 1);
    more[0] = all[0];
    more[0].event = EVENT;
    more[0].expires = 0;
    more[1] = more[0];
    more[1].event = REPLAY;
    assert_int_equal(artifact_refer(s.artifacts, more, 2, &err), 0);
    assert_int_equal(artifact_refer(s.artifacts, more, 2, &err), 0); // again: nothing
    assert_int_equal(stats().references, 3);
    assert_int_equal(stats().contents, 1);
    assert_int_equal(artifacts_collect(s.artifacts, 2000, &err), 0); // the first one's time is over
    assert_int_equal(artifact_find(s.artifacts, first, &s.arena, &more[1], &err), ERR_NOENT);
    assert_int_equal(list(f, &all), 1);

    // One that is of no content that is here: none of them is made.
    struct artifact none[2] = { more[0], more[0] };
    none[0].event = TRACE;
    none[1].digest[0] ^= 1;
    assert_int_equal(artifact_refer(s.artifacts, none, 2, &err), ERR_NOENT);
    assert_int_equal(stats().references, 2);

    int64_t ids[] = { all[0].id, first, 99 };
    assert_int_equal(artifact_unref_all(s.artifacts, ids, 3, &err), 0);
    assert_int_equal(stats().references, 1);
    assert_int_equal(stats().contents, 1);
    f.event = REPLAY;
    assert_int_equal(list(f, &all), 1);
    ids[0] = all[0].id;
    assert_int_equal(artifact_unref_all(s.artifacts, ids, 1, &err), 0);
    assert_int_equal(stats().contents, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_put_is_found),
        T(only_what_the_reader_may_see),
        T(the_same_bytes_are_kept_once),
        T(uploads_are_found_by_their_names),
        T(several_stand_together_or_not_at_all),
        T(texts_are_cut_between_characters),
        T(a_content_gets_further_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
