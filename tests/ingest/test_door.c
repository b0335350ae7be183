#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ingest/door.h"

#include <stdio.h>
#include <string.h>

struct made {
    struct http_request req;
    struct http_header headers[2];
};

static void make(struct made *m, const char *peer, const char *agent, const char *path)
{
    memset(m, 0, sizeof *m);
    m->headers[0] = (struct http_header){ STR("user-agent"), str_z(agent) };
    m->req.headers = m->headers;
    m->req.headers_n = 1;
    m->req.method = HTTP_POST;
    m->req.method_name = STR("POST");
    m->req.path = str_z(path);
    assert_int_equal(socket_address_parse(str_z(peer), &m->req.peer, NULL), 0);
    assert_int_equal(socket_address_parse(STR("127.0.0.1:4318"), &m->req.local, NULL), 0);
}

static void refused(struct door *d, const char *peer, const char *agent, const char *path, enum door_outcome outcome)
{
    struct made m;
    make(&m, peer, agent, path);
    struct door_try t = { .outcome = outcome, .req = &m.req, .signal = -1, .status = 404 };
    door_note(d, &t);
}

static size_t count(const struct door_snapshot *s, enum door_outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < DOOR_ENTRIES; i++)
        n += s->entries[i].key && s->entries[i].outcome == outcome;
    return n;
}

static const struct door_entry *only(const struct door_snapshot *s, enum door_outcome outcome)
{
    assert_int_equal(count(s, outcome), 1);
    for (size_t i = 0; i < DOOR_ENTRIES; i++)
        if (s->entries[i].key && s->entries[i].outcome == outcome)
            return &s->entries[i];
    return NULL;
}

static struct door_snapshot snapshot; // too large for a stack

static void the_same_again_is_counted(void **state)
{
    struct door *d;
    assert_int_equal(door_new(&d), 0);
    for (int i = 0; i < 5; i++)
        refused(d, "192.0.2.1:1000", "curl", "/v1/trace", DOOR_PATH);
    door_snapshot(d, &snapshot);
    const struct door_entry *e = only(&snapshot, DOOR_PATH);
    assert_int_equal(e->requests, 5);
    assert_string_equal(e->peer, "192.0.2.1");
    assert_string_equal(e->agent, "curl");
    assert_string_equal(e->path, "/v1/trace");
    assert_int_equal(e->port, 4318);
    assert_int_equal(snapshot.recent_n, 1);
    assert_int_equal(snapshot.recent[0].repeats, 5);
    // Another port of the same client is the same client; another program is not.
    refused(d, "192.0.2.1:1001", "curl", "/v1/trace", DOOR_PATH);
    refused(d, "192.0.2.1:1001", "wget", "/v1/trace", DOOR_PATH);
    door_snapshot(d, &snapshot);
    assert_int_equal(count(&snapshot, DOOR_PATH), 2);
    assert_int_equal(snapshot.requests, 7);
    door_free(d);
}

static void a_flood_pushes_out_its_own_kind_only(void **state)
{
    struct door *d;
    char path[32];
    assert_int_equal(door_new(&d), 0);
    refused(d, "192.0.2.1:1", "shy", "/api/1/envelope/", DOOR_SENTRY);
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "/%d", i);
        refused(d, "192.0.2.2:1", "loud", path, DOOR_PATH);
    }
    door_snapshot(d, &snapshot);
    assert_int_equal(count(&snapshot, DOOR_PATH), DOOR_REFUSED_MAX);
    assert_string_equal(only(&snapshot, DOOR_SENTRY)->agent, "shy");
    assert_int_equal(snapshot.recent_n, DOOR_RECENT);
    assert_string_equal(snapshot.recent[0].path, "/999"); // newest first
    assert_string_equal(snapshot.recent[1].path, "/998");
    door_free(d);
}

static void foreign_text_is_harmless_and_cut(void **state)
{
    struct door *d;
    char agent[400];
    assert_int_equal(door_new(&d), 0);
    memset(agent, 'a', sizeof agent);
    agent[sizeof agent - 1] = 0;
    agent[0] = 0x1b;
    agent[1] = (char)0xff;
    refused(d, "192.0.2.1:1", agent, "/x", DOOR_PATH);
    door_snapshot(d, &snapshot);
    const struct door_entry *e = only(&snapshot, DOOR_PATH);
    assert_int_equal(strlen(e->agent), DOOR_TEXT - 1);
    assert_memory_equal(e->agent, "??aa", 4);
    door_free(d);
}

static void arrivals_are_told_by_signal_and_remember_services(void **state)
{
    struct door *d;
    struct made m;
    assert_int_equal(door_new(&d), 0);
    make(&m, "127.0.0.1:5", "sdk", "/v1/traces");
    for (int i = 0; i < 9; i++) {
        struct door_look look = { .looked = true, .has_time = true, .newest_ns = clock_unix_ns() + 3600 * NS_PER_S };
        snprintf(look.service, sizeof look.service, "s%d", i % 8);
        door_accept(d, &m.req, 0, 10, &look);
    }
    struct door_look unseen = { 0 };
    door_accept(d, &m.req, 0, 10, &unseen); // changes nothing of what looking has found
    door_snapshot(d, &snapshot);
    const struct door_entry *e = only(&snapshot, DOOR_ACCEPTED);
    assert_int_equal(e->records, 100);
    assert_int_equal(e->services_n, DOOR_SERVICES);
    assert_string_equal(e->services[DOOR_SERVICES - 1], "s0");
    assert_true(e->has_skew && e->skew_ns > 3500 * NS_PER_S && e->skew_ns <= 3600 * NS_PER_S);
    door_accept(d, &m.req, 1, 1, &unseen);
    door_snapshot(d, &snapshot);
    assert_int_equal(count(&snapshot, DOOR_ACCEPTED), 2);
    door_free(d);
}

static void a_sender_is_looked_into_once_a_second(void **state)
{
    struct door *d;
    struct made m, other;
    struct door_look look = { .looked = true };
    assert_int_equal(door_new(&d), 0);
    make(&m, "127.0.0.1:5", "sdk", "/v1/traces");
    make(&other, "127.0.0.1:5", "another", "/v1/traces");
    assert_true(door_wants_look(d, &m.req, 0)); // nobody knows it yet
    door_accept(d, &m.req, 0, 1, &look);
    assert_true(door_wants_look(d, &m.req, 0));
    assert_false(door_wants_look(d, &m.req, 0));
    assert_true(door_wants_look(d, &m.req, 1));
    assert_true(door_wants_look(d, &other.req, 0));
    door_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again_is_counted),
        cmocka_unit_test(a_flood_pushes_out_its_own_kind_only),
        cmocka_unit_test(foreign_text_is_harmless_and_cut),
        cmocka_unit_test(arrivals_are_told_by_signal_and_remember_services),
        cmocka_unit_test(a_sender_is_looked_into_once_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
