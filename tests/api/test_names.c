#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/caller.h"
#include "api/names.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS_MAX = 8 };

struct made {
    struct http_request req;
    struct http_header headers[HEADERS_MAX];
};

static void make(struct made *m, enum http_method method, const char *host)
{
    memset(m, 0, sizeof *m);
    m->req.headers = m->headers;
    m->req.method = method;
    m->req.scheme = STR("http");
    m->req.host = str_z(host);
}

static void add(struct made *m, const char *name, const char *value)
{
    m->headers[m->req.headers_n++] = (struct http_header){ str_z(name), str_z(value) };
}

static void foreign_names_are_not_answered(void **state)
{
    struct names names;
    struct made m;
    static const char *const good[] = { "127.0.0.1:2539", "localhost", "[::1]:2539", "clew.example.com",
                                        "CLEW.example.com:443" };
    static const char *const bad[] = {
        "", "evil.com", "clew.example.com.evil.com", "example.com", "192.0.2.1:2539", "localhost.evil.com"
    };
    assert_int_equal(names_parse(&names, STR("https://Clew.Example.com:443/, http://10.0.0.5:2539"), NULL), 0);
    assert_string_equal(names.urls[0].origin, "https://clew.example.com");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        make(&m, HTTP_GET, good[i]);
        assert_true(names_host_ok(&names, &m.req));
        add(&m, "host", "evil.com"); // a second opinion about the name
        assert_false(names_host_ok(&names, &m.req));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make(&m, HTTP_GET, bad[i]);
        assert_false(names_host_ok(&names, &m.req));
    }
}

static void public_urls_are_addresses_without_path(void **state)
{
    static const char *const bad[] = { "clew.example.com", "ftp://x",     "https://",         "https://a/b",
                                       "https://a b",      "http://a\"b", "https://user@host" };
    struct names names;
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(names_parse(&names, str_z(bad[i]), &err), ERR_INVALID);
    assert_int_equal(names_parse(&names, STR(""), &err), 0);
    assert_int_equal(names_parse(&names, STR("https://[2001:db8::1]:2539"), &err), 0);
    assert_true(str_eq(names.urls[0].host, STR("[2001:db8::1]")));
}

static void an_origin_matches_as_a_whole(void **state)
{
    struct names names;
    struct made m;
    static const char *const bad[] = { "http://localhost:2539",
                                       "http://127.0.0.1:2540",
                                       "http://127.0.0.1",
                                       "https://127.0.0.1:2539",
                                       "null",
                                       "",
                                       "http://127.0.0.1:2539.evil.com",
                                       "http://evil.com",
                                       "https://clew.example.com.evil.com",
                                       "http://clew.example.com" };
    assert_int_equal(names_parse(&names, STR("https://clew.example.com"), NULL), 0);
    make(&m, HTTP_POST, "127.0.0.1:2539");
    assert_false(names_origin_matches(&names, &m.req)); // none is no match
    add(&m, "origin", "http://127.0.0.1:2539");
    assert_true(names_origin_matches(&names, &m.req));
    add(&m, "origin", "http://127.0.0.1:2539"); // two are none
    assert_false(names_origin_matches(&names, &m.req));
    make(&m, HTTP_POST, "clew.example.com"); // behind a proxy that ends TLS
    add(&m, "origin", "https://clew.example.com");
    assert_true(names_origin_matches(&names, &m.req));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make(&m, HTTP_POST, "127.0.0.1:2539");
        add(&m, "origin", bad[i]);
        assert_false(names_origin_matches(&names, &m.req));
    }
}

static void a_session_changes_nothing_without_both_proofs(void **state)
{
    static const char csrf[] = "0123456789012345678901234567890123456789012";
    static const char own[] = "http://127.0.0.1:2539";
    struct names names = { 0 };
    struct api_caller session = { .kind = API_SESSION }, token = { .kind = API_TOKEN };
    struct made m;
    memcpy(session.session.csrf, csrf, sizeof csrf);
    for (int origin = 0; origin < 3; origin++)
        for (int header = 0; header < 3; header++) {
            make(&m, HTTP_POST, "127.0.0.1:2539");
            if (origin)
                add(&m, "origin", origin == 1 ? own : "http://localhost:8080"); // the demo shop's
            if (header)
                add(&m, "x-clew-csrf", header == 1 ? csrf : "0123456789012345678901234567890123456789013");
            bool fine = origin == 1 && header == 1;
            assert_true(fine == (api_caller_forged(&session, &names, &m.req) == NULL));
            assert_null(api_caller_forged(&token, &names, &m.req));
        }
    make(&m, HTTP_GET, "127.0.0.1:2539");
    assert_null(api_caller_forged(&session, &names, &m.req));
    add(&m, "origin", "http://localhost:8080"); // a stream read from another site
    assert_non_null(api_caller_forged(&session, &names, &m.req));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_names_are_not_answered),
        cmocka_unit_test(public_urls_are_addresses_without_path),
        cmocka_unit_test(an_origin_matches_as_a_whole),
        cmocka_unit_test(a_session_changes_nothing_without_both_proofs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
