#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/admission.h"
#include "ingest/quota.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS_MAX = 8 };

struct made {
    struct http_request req;
    struct http_header headers[HEADERS_MAX];
};

static void make(struct made *m, const char *local, const char *peer, const char *host)
{
    memset(m, 0, sizeof *m);
    m->req.headers = m->headers;
    m->req.host = str_z(host);
    assert_int_equal(socket_address_parse(str_z(local), &m->req.local, NULL), 0);
    assert_int_equal(socket_address_parse(str_z(peer), &m->req.peer, NULL), 0);
}

static void add(struct made *m, const char *name, const char *value)
{
    m->headers[m->req.headers_n++] = (struct http_header){ str_z(name), str_z(value) };
}

static void loopback_names_are_exact(void **state)
{
    static const char *const good[] = {
        "127.0.0.1", "127.0.0.1:2539", "localhost", "localhost:4318", "[::1]", "[::1]:1"
    };
    static const char *const bad[] = { "",
                                       "127.0.0.1.evil.com",
                                       "localhost.evil.com",
                                       "localhost:",
                                       "127.0.0.1:port",
                                       "127.0.0.1:123456",
                                       "evil.com",
                                       "[::1]x",
                                       "127.0.0.1:80:80",
                                       "0.0.0.0",
                                       "127.0.0.2",
                                       "::1",
                                       "localhost@evil.com" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(admission_host_is_loopback(str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(admission_host_is_loopback(str_z(bad[i])));
}

static void only_a_local_program_that_meant_us_needs_no_key(void **state)
{
    struct made m;
    make(&m, "127.0.0.1:2539", "127.0.0.1:50000", "127.0.0.1:2539");
    assert_true(admission_is_local(&m.req));
    add(&m, "content-type", "application/json");
    assert_true(admission_is_local(&m.req));
    make(&m, "[::1]:2539", "[::1]:50000", "[::1]:2539");
    assert_true(admission_is_local(&m.req));

    make(&m, "192.0.2.1:2539", "127.0.0.1:50000", "127.0.0.1");
    assert_false(admission_is_local(&m.req));
    make(&m, "127.0.0.1:2539", "192.0.2.9:50000", "127.0.0.1");
    assert_false(admission_is_local(&m.req));
    make(&m, "127.0.0.1:2539", "127.0.0.1:50000", "clew.example.com");
    assert_false(admission_is_local(&m.req));

    static const char *const telltale[][2] = { { "origin", "http://127.0.0.1:2539" },
                                               { "origin", "null" },
                                               { "origin", "" },
                                               { "forwarded", "for=192.0.2.1" },
                                               { "x-forwarded-for", "192.0.2.1" },
                                               { "x-forwarded-host", "a" },
                                               { "x-forwarded-proto", "https" },
                                               { "host", "evil.com" } };
    for (size_t i = 0; i < sizeof telltale / sizeof telltale[0]; i++) {
        make(&m, "127.0.0.1:2539", "127.0.0.1:50000", "localhost");
        add(&m, telltale[i][0], telltale[i][1]);
        assert_false(admission_is_local(&m.req));
    }
}

static void a_bearer_token_is_taken_from_one_clear_header(void **state)
{
    struct made m;
    str token;
    make(&m, "127.0.0.1:1", "127.0.0.1:2", "localhost");
    assert_int_equal(admission_bearer(&m.req, &token), 0);
    assert_null(token.ptr);
    add(&m, "authorization", "bEaReR  abc ");
    assert_int_equal(admission_bearer(&m.req, &token), 0);
    assert_true(str_eq(token, STR("abc")));
    add(&m, "authorization", "Bearer other");
    assert_int_equal(admission_bearer(&m.req, &token), ERR_MALFORMED);
    static const char *const bad[] = { "Basic YTpi", "Bearer", "Bearer ", "abc", "" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make(&m, "127.0.0.1:1", "127.0.0.1:2", "localhost");
        add(&m, "authorization", bad[i]);
        assert_int_equal(admission_bearer(&m.req, &token), ERR_MALFORMED);
    }
}

static void a_quota_lets_in_until_it_is_in_debt(void **state)
{
    struct quota q;
    int64_t now = 1000 * NS_PER_S;
    assert_int_equal(quota_init(&q, 1000), 0);
    assert_int_equal(quota_wait_ms(&q, 1, now), 0);
    quota_charge(&q, 1, 2000, now); // two seconds' worth stand ready
    assert_int_equal(quota_wait_ms(&q, 1, now), 0);
    quota_charge(&q, 1, 500, now);
    assert_in_range(quota_wait_ms(&q, 1, now), 500, 501);
    assert_int_equal(quota_wait_ms(&q, 2, now), 0); // another project's
    assert_int_equal(quota_wait_ms(&q, 1, now + 600 * NS_PER_MS), 0);
    quota_charge(&q, 1, INT64_MAX / 4, now + 600 * NS_PER_MS);
    assert_true(quota_wait_ms(&q, 1, now + NS_PER_S) > 0);
    quota_free(&q);
    assert_int_equal(quota_init(&q, 0), 0); // none
    quota_charge(&q, 1, INT64_MAX, now);
    assert_int_equal(quota_wait_ms(&q, 1, now), 0);
    quota_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_names_are_exact),
        cmocka_unit_test(only_a_local_program_that_meant_us_needs_no_key),
        cmocka_unit_test(a_bearer_token_is_taken_from_one_clear_header),
        cmocka_unit_test(a_quota_lets_in_until_it_is_in_debt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
