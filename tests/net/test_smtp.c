// Mail against a server of this test: what goes over the line, and what is made of every kind of refusal.
#include "net/smtp.h"

#include "base/must.h"
#include "os/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// cmocka.h needs these before it
#include <poll.h>
#include <pthread.h>
#include <cmocka.h>

// A server that plays one list of replies: each is sent after a line that begins with its first word came ("" for the
// greeting, "." for the end of the message).
struct turn {
    const char *after, *reply;
};
struct server {
    int listener;
    uint16_t port;
    const struct turn *turns;
    size_t turns_n;
    char heard[65536];
    size_t heard_n;
    pthread_t thread;
};
static struct server server;
static struct err err;

static bool hear(int fd, const char *after)
{
    char line[8192];
    for (size_t n = 0; n + 1 < sizeof line;) {
        if (read(fd, line + n, 1) != 1)
            return false;
        must(server.heard_n + 1 < sizeof server.heard);
        server.heard[server.heard_n++] = line[n];
        server.heard[server.heard_n] = 0;
        if (line[n++] != '\n')
            continue;
        line[n] = 0;
        if (strncmp(line, after, strlen(after)) == 0 && (strcmp(after, ".") != 0 || strcmp(line, ".\r\n") == 0))
            return true;
        if (strcmp(after, ".") != 0)
            return false;
        n = 0;
    }
    return false;
}

static void *serve(void *unused)
{
    struct pollfd p = { server.listener, POLLIN, 0 };
    must(poll(&p, 1, 10000) == 1);
    int fd = accept(server.listener, NULL, NULL);
    for (size_t i = 0; i < server.turns_n; i++) {
        if (server.turns[i].after[0] && !hear(fd, server.turns[i].after))
            break;
        size_t n = strlen(server.turns[i].reply);
        if (write(fd, server.turns[i].reply, n) != (ssize_t)n)
            break;
    }
    close(fd);
    return NULL;
}

static void begin(const struct turn *turns, size_t n)
{
    struct socket_address a;
    server = (struct server){ .turns = turns, .turns_n = n };
    assert_int_equal(socket_address_parse(STR("127.0.0.1:0"), &a, NULL), 0);
    assert_int_equal(socket_listen(&a, 4, true, &server.listener, NULL), 0);
    server.port = socket_address_port(&a);
    must(pthread_create(&server.thread, NULL, serve, NULL) == 0);
}

static int send_one(enum smtp_tls tls, const char *user, const char *message)
{
    struct smtp_server to = { .host = "127.0.0.1", .port = server.port, .tls = tls };
    static const str recipients[] = { STR_INIT("ops@example.org"), STR_INIT("dev@example.org") };
    struct smtp_mail mail = { STR("clew@example.org"), recipients, 2, str_z(message) };
    snprintf(to.user, sizeof to.user, "%s", user);
    snprintf(to.password, sizeof to.password, "secret");
    err = (struct err){ 0 };
    int r = smtp_send(&to, &(struct net_client_options){ .silence_ms = 5000 }, &mail, &err);
    must(pthread_join(server.thread, NULL) == 0);
    close(server.listener);
    return r;
}
#define PLAY(...)                                       \
    static const struct turn turns[] = { __VA_ARGS__ }; \
    begin(turns, sizeof turns / sizeof turns[0])

static void test_mail_arrives(void **unused)
{
    PLAY({ "", "220-hello\r\n220 there\r\n" }, { "EHLO", "250-me\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN\r\n" },
         { "AUTH PLAIN", "235 in\r\n" }, { "MAIL", "250 ok\r\n" }, { "RCPT", "250 ok\r\n" }, { "RCPT", "250 ok\r\n" },
         { "DATA", "354 go\r\n" }, { ".", "250 taken\r\n" }, { "QUIT", "221 bye\r\n" });
    assert_int_equal(send_one(SMTP_PLAIN, "me", "Subject: x\n\n.dot\r\nlast"), 0);
    assert_string_equal(server.heard,
                        "EHLO [127.0.0.1]\r\nAUTH PLAIN AG1lAHNlY3JldA==\r\nMAIL FROM:<clew@example.org>\r\n"
                        "RCPT TO:<ops@example.org>\r\nRCPT TO:<dev@example.org>\r\nDATA\r\n"
                        "Subject: x\r\n\r\n..dot\r\nlast\r\n.\r\nQUIT\r\n");
}

static void test_login_where_plain_is_not_offered(void **unused)
{
    PLAY({ "", "220 hello\r\n" }, { "EHLO", "250-me\r\n250 AUTH LOGIN\r\n" }, { "AUTH LOGIN", "334 VXNlcm5hbWU6\r\n" },
         { "bWU=", "334 UGFzc3dvcmQ6\r\n" }, { "c2VjcmV0", "535 no\r\n" });
    assert_int_equal(send_one(SMTP_PLAIN, "me", "x"), ERR_DENIED);
    assert_null(strstr(err.message, "c2VjcmV0"));
    assert_non_null(strstr(err.message, "535 no"));
}

static void test_one_recipient_of_two(void **unused)
{
    PLAY({ "", "220 hello\r\n" }, { "EHLO", "250 me\r\n" }, { "MAIL", "250 ok\r\n" }, { "RCPT", "250 ok\r\n" },
         { "RCPT", "550 nobody\r\n" }, { "DATA", "354 go\r\n" }, { ".", "250 taken\r\n" });
    assert_int_equal(send_one(SMTP_PLAIN, "", "x"), 0);
}

static void test_what_passes_is_told_from_what_does_not(void **unused)
{
    {
        PLAY({ "", "220 hello\r\n" }, { "EHLO", "250 me\r\n" }, { "MAIL", "250 ok\r\n" }, { "RCPT", "451 later\r\n" },
             { "RCPT", "451 later\r\n" });
        assert_int_equal(send_one(SMTP_PLAIN, "", "x"), ERR_BUSY);
    }
    {
        PLAY({ "", "554 go away\r\n" });
        assert_int_equal(send_one(SMTP_PLAIN, "", "x"), ERR_DENIED);
    }
    {
        PLAY({ "", "HTTP/1.1 400 Bad Request\r\n" });
        assert_int_equal(send_one(SMTP_PLAIN, "", "x"), ERR_MALFORMED);
    }
    {
        PLAY({ "", "" });
        assert_int_equal(send_one(SMTP_PLAIN, "", "x"), ERR_CLOSED);
    }
}

// A password must not go out in clear because somebody took STARTTLS out of the greeting.
static void test_without_starttls_nothing_is_said(void **unused)
{
    PLAY({ "", "220 hello\r\n" }, { "EHLO", "250 AUTH PLAIN\r\n" }, { "AUTH", "235 in\r\n" });
    assert_int_equal(send_one(SMTP_STARTTLS, "me", "x"), ERR_DENIED);
    assert_string_equal(server.heard, "EHLO [127.0.0.1]\r\n");
}

static void test_addresses(void **unused)
{
    static const char *const good[] = { "a@b", "first.last+tag@mail.example.org" };
    static const char *const bad[] = {
        "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "<a@b>", "a,b@c"
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(smtp_address_ok(str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(smtp_address_ok(str_z(bad[i])));
}

static void test_urls(void **unused)
{
    struct smtp_server s;
    assert_int_equal(smtp_server_parse(STR("smtps://me%40example.org@mail.example.org"), &s, &err), 0);
    assert_string_equal(s.user, "me@example.org");
    assert_string_equal(s.host, "mail.example.org");
    assert_int_equal(s.port, 465);
    assert_int_equal(s.tls, SMTP_TLS);
    assert_int_equal(smtp_server_parse(STR("smtp://[::1]:2525/"), &s, &err), 0);
    assert_string_equal(s.host, "::1");
    assert_int_equal(s.port, 2525);
    assert_int_equal(s.tls, SMTP_STARTTLS);
    static const char *const bad[] = { "",           "mail.example.org", "smtp://",      "smtp://h:0",
                                       "smtp://h:x", "smtp://h:70000",   "smtp://%zz@h", "smtp://h/path",
                                       "http://h",   "smtp://a%0ab@h" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(smtp_server_parse(str_z(bad[i]), &s, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_arrives),
        cmocka_unit_test(test_login_where_plain_is_not_offered),
        cmocka_unit_test(test_one_recipient_of_two),
        cmocka_unit_test(test_what_passes_is_told_from_what_does_not),
        cmocka_unit_test(test_without_starttls_nothing_is_said),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
