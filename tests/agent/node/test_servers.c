// Real servers under requests at once: Express and Fastify, with OpenTelemetry's SDK and with Sentry's as they come from npm, as CommonJS and as ES modules. What is
// captured is each request's own, with the span that the SDK itself says is active there; and nothing of the program is called to know it.
#include "victim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { AT_ONCE = 12, ROUNDS = 3, FIRST = 4096, TRACE_DIGITS = 32 };
#define MODULES VICTIMS "/node_modules/"

static const char *const frameworks[] = { MODULES "express/index.js", MODULES "fastify/fastify.js" };
static const struct {
    const char *load, *module;
} sdks[] = {
    { VICTIMS "/victim_otel.js", "" },
    { VICTIMS "/victim_sentry.js", "@sentry/node" },
    { VICTIMS "/victim_sentry.js", "sentry-node-10" },
};
enum { SDKS = sizeof sdks / sizeof *sdks };

static struct victim serve(const char *node, size_t sdk, size_t framework, const char *file)
{
    const char *const options[] = { "--import", sdks[sdk].load, NULL };
    setenv("SENTRY_MODULE", sdks[sdk].module, 1);
    printf("# %s %s %s %s\n", node, sdks[sdk].module, frameworks[framework] + sizeof MODULES - 1, file);
    struct victim v = start_with(node, options, file, frameworks[framework]);
    assert_true(v.port > 0);
    return v;
}

// Which belongs to the trace whose number is n.
static int ask(const struct victim *v, int n)
{
    char request[512];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)v->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    int len = snprintf(
        request, sizeof request,
        "GET /order/%d HTTP/1.1\r\nHost: shop\r\nConnection: close\r\ntraceparent: 00-%032x-b7ad6b7169203331-01\r\n"
        "sentry-trace: %032x-b7ad6b7169203331-1\r\n\r\n",
        n, n, n);
    assert_int_equal(write(fd, request, (size_t)len), len);
    return fd;
}

// The agent goes on meanwhile: a process that closes its inspector waits for the one who is connected.
static void answered(struct attachment *a, int fd, int n)
{
    char answer[4096], part[32];
    size_t got = 0;
    for (ssize_t more; (more = recv(fd, answer + got, sizeof answer - 1 - got, MSG_DONTWAIT)) != 0;) {
        assert_true(more > 0 || errno == EAGAIN);
        got += more > 0 ? (size_t)more : 0;
        polls(a);
    }
    answer[got] = 0;
    close(fd);
    snprintf(part, sizeof part, "\"total\":%d", n * 2 + 3);
    has(answer, part);
}

static const char *after(const char *json, const char *part)
{
    const char *at = strstr(json, part);
    if (!at)
        fail_msg("no %s in %s", part, json);
    return at ? at + strlen(part) : "";
}

// What the SDK said at the beginning of the call is what the capture belongs to, whichever requests were served in between.
static void is_of_its_request(const char *json)
{
    char trace[TRACE_DIGITS + 1];
    const char *mine = after(json, "\"name\":\"mine\",\"kind\":\"local\",\"value\":{\"k\":\"str\",\"v\":\"");
    int n = atoi(after(json, "\"name\":\"n\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":"));
    assert_in_range(n, FIRST, FIRST + AT_ONCE * ROUNDS);
    snprintf(trace, sizeof trace, "%032x", (unsigned)n);
    assert_memory_equal(after(json, "\"trace\":\""), trace, TRACE_DIGITS);
    assert_memory_equal(mine, trace, TRACE_DIGITS);
    assert_memory_equal(after(json, "\"span\":\""), mine + TRACE_DIGITS + 1, TRACE_DIGITS / 2);
}

static struct probe quiet(struct victim *v, const char *id, uint32_t line)
{
    struct probe p = probe_at(v, id, line);
    p.rate = 1000, p.burst = AT_ONCE * ROUNDS, p.frames = 2, p.depth = 2;
    return p;
}

static uint32_t line_of(const char *text)
{
    char line[512];
    FILE *f = fopen(VICTIMS "/victim_server.js", "r");
    uint32_t at = 0;
    assert_non_null(f);
    for (uint32_t n = 1; f && !at && fgets(line, sizeof line, f); n++)
        at = strstr(line, text) ? n : 0;
    if (f)
        fclose(f);
    assert_true(at > 0);
    return at;
}

static void requests(struct victim *v, struct attachment *a, size_t captures)
{
    int fds[AT_ONCE];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < AT_ONCE; i++)
            fds[i] = ask(v, FIRST + round * AT_ONCE + i);
        for (int i = 0; i < AT_ONCE; i++)
            answered(a, fds[i], FIRST + round * AT_ONCE + i);
    }
    until_captures(a, captures);
}

static void each_capture_has_the_span_of_its_request(void **state)
{
    for (size_t i = 0; i < node_count * SDKS * 2; i++) {
        size_t node = i / (SDKS * 2), sdk = i % (SDKS * 2) / 2, framework = i % 2;
        struct victim v =
            serve(nodes[node], sdk, framework, (node + sdk + framework) % 2 ? "victim_server.mjs" : "victim_server.js");
        struct attachment *a = attach(&v);
        struct probe p = quiet(&v, "p1", line_of("    state.calls++;"));
        apply(a, &p, 1);
        until_state(a, "installed");
        requests(&v, a, 10);
        for (size_t k = 0; k < seen.n; k++) {
            is_of_its_request(seen.captures[k]);
            has(seen.captures[k], "\"function\":\"quote\"");
            has(seen.captures[k], "\"name\":\"this\",\"kind\":\"arg\",\"value\":{\"k\":\"object\",\"t\":\"Prices\"");
            has(seen.captures[k], "[\"evil\",{\"k\":\"missing\",\"t\":\"accessor\",\"why\":\"unreadable\"");
            has(seen.captures[k], "\"t\":\"Proxy\"");
        }
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
    }
}

// A closure that waits: what is outside it is known, and what is not initialised yet is not read.
static void closures_and_what_is_not_initialised(void **state)
{
    for (size_t i = 0; i < node_count; i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct victim v = serve(nodes[i], 0, i % 2, i % 2 ? "victim_server.js" : "victim_server.mjs");
        struct attachment *a = attach(&v);
        struct probe p = quiet(&v, "p1", line_of("  let cut = n * rate;"));
        struct probe_program exprs[] = { program(&arena, "rate * 2"), program(&arena, "late"),
                                         program(&arena, "order.rate"), program(&arena, "@trace.id") };
        p.exprs = exprs, p.n_exprs = sizeof exprs / sizeof *exprs;
        apply(a, &p, 1);
        until_state(a, "installed");
        requests(&v, a, 4);
        for (size_t k = 0; k < seen.n; k++) {
            is_of_its_request(seen.captures[k]);
            has(seen.captures[k], "\"name\":\"rate\",\"kind\":\"closure\",\"value\":{\"k\":\"int\",\"v\":10}");
            has(seen.captures[k], "\"text\":\"rate * 2\",\"value\":{\"k\":\"int\",\"v\":20}");
            has(seen.captures[k], "\"text\":\"late\",\"error\":");
            has(seen.captures[k], "\"text\":\"@trace.id\",\"value\":{\"k\":\"str\",\"v\":\"0000");
            has_not(seen.captures[k], "\"name\":\"late\",\"kind\":\"local\",\"value\":{\"k\":\"int\"");
        }
        works(&v);
        node_backend.detach(a);
        works(&v);
        end(&v);
        arena_free(&arena);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_capture_has_the_span_of_its_request),
        cmocka_unit_test(closures_and_what_is_not_initialised),
    };
    unsetenv("NODE_OPTIONS");
    if (access(frameworks[0], R_OK) < 0) {
        printf("1..0 # SKIP no servers (tools/setup test)\n");
        return 0;
    }
    return victims_run("servers", tests, sizeof tests / sizeof *tests);
}
