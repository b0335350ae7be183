// The real helper among processes that lie to it: each is told of with a reason, none costs it more than it may take, and an honest process between them is served all the while.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/channel.h"
#include "agent/helper.h"
#include "base/json_tree.h"
#include "os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 120, LIARS_MAX = 32, TEXT = 512, PORTS = 21000 };
#if defined(__SANITIZE_ADDRESS__)
#define HELPER_KB_MAX (1536 << 10) // of helper.c
#else
#define HELPER_KB_MAX (192 << 10)
#endif

// --- processes ---

struct liar {
    pid_t pid;
    const char *who;
    char probe[32], state[32], code[32], message[TEXT];
    unsigned captures;
};
static struct liar liars[LIARS_MAX];
static size_t liars_n;
static char folder[64], secret[80];

static struct liar *start(const char *who, const char *program, const char *const *arguments)
{
    int pipes[2];
    char line[64];
    struct liar *l = &liars[liars_n++];
    assert_int_equal(pipe(pipes), 0);
    l->who = who;
    l->pid = fork();
    if (l->pid == 0) {
        const char *argv[8] = { program };
        for (size_t i = 0; arguments[i]; i++)
            argv[i + 1] = arguments[i];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipes[1], 1);
        close(pipes[0]), close(pipes[1]);
        unsetenv("LD_PRELOAD");
        setenv("OTEL_SERVICE_NAME", "liars", 1);
        execv(program, (char **)argv);
        _exit(127);
    }
    close(pipes[1]);
    FILE *f = fdopen(pipes[0], "r");
    assert_non_null(fgets(line, sizeof line, f));
    assert_memory_equal(line, "ready", 5);
    // Its output goes on unread: it is closed with the test.
    snprintf(l->probe, sizeof l->probe, "p%zu", (size_t)(l - liars));
    return l;
}

static struct liar *start_node(const char *lie)
{
    char option[32];
    snprintf(option, sizeof option, "--inspect-port=%d", PORTS + (int)(getpid() % 400) * LIARS_MAX + (int)liars_n);
    return start(lie, MADE "/node", (const char *[]){ option, lie, NULL });
}
static struct liar *start_python(const char *program, const char *lie)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", MADE, program);
    return start(lie, path, (const char *[]){ lie, folder, secret, NULL });
}

static void end_all(void)
{
    for (size_t i = 0; i < liars_n; i++) {
        kill(liars[i].pid, SIGKILL);
        waitpid(liars[i].pid, NULL, 0);
    }
    memset(liars, 0, sizeof liars);
    liars_n = 0;
}

// --- the helper, and what it says ---

static pid_t helper;
static int wire;

static void helper_start(void)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    helper = fork();
    if (helper == 0) {
        struct policy policy;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        fcntl(pair[1], F_SETFL, O_NONBLOCK);
        policy_init(&policy);
        loop_signals_block((const int[]){ SIGTERM, SIGINT, SIGHUP, 0 });
        signal(SIGPIPE, SIG_IGN);
        _exit(helper_run(pair[1], &(struct helper_options){ .policy = &policy,
                                                            .policy_file = "/nonexistent",
                                                            .policy_may_miss = true,
                                                            .backends = agent_backends,
                                                            .lease_ms = HELPER_LEASE_MS,
                                                            .scan_ms = 200 }));
    }
    close(pair[1]);
    wire = pair[0];
}

static void tell(uint8_t kind, bytes m)
{
    uint8_t head[5];
    le32_put(head, (uint32_t)m.len);
    head[4] = kind;
    assert_int_equal(write(wire, head, sizeof head), sizeof head);
    for (size_t n = 0; n < m.len;) {
        ssize_t sent = write(wire, m.ptr + n, m.len - n);
        assert_true(sent > 0);
        n += (size_t)sent;
    }
}

static void contact(void)
{
    uint8_t lease[8];
    le64_put(lease, HELPER_LEASE_MS);
    tell(CHANNEL_CONTACT, bytes_of(lease, sizeof lease));
}

static void read_all(void *to, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(wire, (char *)to + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int status = 0;
            waitpid(helper, &status, 0);
            fail_msg("the helper has ended: exit %d signal %d", WEXITSTATUS(status), WTERMSIG(status));
        }
        at += (size_t)got;
    }
}

static struct liar *by_probe(str probe)
{
    for (size_t i = 0; i < liars_n; i++)
        if (str_eq(probe, str_z(liars[i].probe)))
            return &liars[i];
    return NULL;
}

static void on_states(const struct json_node *m)
{
    for (const struct json_node *s = json_first_of(json_get(m, STR("states")), JSON_ARRAY); s; s = s->next) {
        struct liar *l = by_probe(json_get_text(s, STR("probe")));
        char process[32];
        if (!l)
            continue;
        snprintf(process, sizeof process, "%d-", (int)l->pid);
        if (!str_starts(json_get_text(s, STR("process")), str_z(process)))
            continue;
        str state = json_get_text(s, STR("state")), code = json_get_text(s, STR("code")),
            message = json_get_text(s, STR("message"));
        snprintf(l->state, sizeof l->state, "%.*s", STR_ARG(state));
        if (code.len && !str_eq(state, STR("removed"))) {
            snprintf(l->code, sizeof l->code, "%.*s", STR_ARG(code));
            snprintf(l->message, sizeof l->message, "%.*s", (int)(message.len < TEXT ? message.len : TEXT - 1),
                     message.len ? message.ptr : "");
        }
    }
}

// One message; false: none in a second.
static bool hear(void)
{
    static uint8_t m[CHANNEL_MESSAGE_MAX];
    uint8_t head[5];
    struct pollfd p = { wire, POLLIN, 0 };
    if (poll(&p, 1, 1000) <= 0)
        return false;
    read_all(head, sizeof head);
    size_t n = le32_get(head);
    assert_true(n <= sizeof m);
    read_all(m, n);
    if (head[4] == CHANNEL_JSON) {
        struct arena arena;
        const struct json_node *root = NULL;
        arena_init(&arena, 64 << 20);
        if (json_tree_read(str_of(m, n), &arena, 32, &root, NULL) == 0)
            on_states(root);
        arena_free(&arena);
    } else if (head[4] == CHANNEL_CAPTURE && n > 1 && n > (size_t)m[0] + 1) {
        char text[64];
        for (size_t i = 0; i < liars_n; i++) {
            snprintf(text, sizeof text, "\"probe\":\"%s\"", liars[i].probe);
            liars[i].captures += memmem(m + 1 + m[0], n - 1 - m[0], text, strlen(text)) != NULL;
        }
    }
    return true;
}

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}
#define UNTIL(waited, what, condition)                               \
    for (int64_t until = now_s() + PATIENCE_S; !(condition); hear()) \
        if (now_s() > until)                                         \
    fail_msg("waited for " what " of %s: %s", (waited)->who, (waited)->state)

// What memory it has taken at most.
static long peak_kb(void)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)helper);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "VmHWM: %ld", &kb);
    if (f)
        fclose(f);
    return kb;
}

static void helper_end(void)
{
    int status = 0;
    kill(helper, SIGTERM);
    while (waitpid(helper, &status, WNOHANG) == 0) {
        struct pollfd p = { wire, POLLIN, 0 };
        char drop[4096];
        if (poll(&p, 1, 100) > 0 && read(wire, drop, sizeof drop) < 0)
            break;
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(wire);
}

static void put_probe(struct buf *b, const struct liar *l, const char *file, unsigned line)
{
    buf_printf(b,
               "{\"id\":\"%s\",\"revision\":1,\"kind\":\"snapshot\",\"where\":{\"file\":\"%s\",\"line\":%u},\"grant\":"
               "10000,\"rate\":20,"
               "\"burst\":20,\"scope\":{\"service\":\"liars\",\"pid\":%d}}",
               l->probe, file, line, (int)l->pid);
}

static unsigned line_of_scribbles(void)
{
    char line[256];
    FILE *f = fopen(HERE "/scribbles.py", "r");
    unsigned n = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f) && ++n && !strstr(line, "# HERE")) {}
    fclose(f);
    return n;
}

static void want(const char *honest, unsigned line)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "{\"type\":\"desired\",\"revision\":1,\"probes\":[");
    for (size_t i = 0; i < liars_n; i++) {
        if (i)
            buf_printf(&b, ",");
        if (i == 0 && honest)
            put_probe(&b, &liars[i], honest, line);
        else if (strcmp(liars[i].who, "scribbles") == 0)
            put_probe(&b, &liars[i], "scribbles.py", line_of_scribbles());
        else
            put_probe(&b, &liars[i], "app.js", 1);
    }
    buf_printf(&b, "]}");
    contact();
    tell(CHANNEL_JSON, buf_bytes(&b));
    buf_free(&b);
}

// --- the tests ---

static struct liar *start_honest(void)
{
    return start("honest", "/usr/bin/python3", (const char *[]){ HERE "/honest.py", NULL });
}

// All of them have been told of with a reason, and then the honest one is still served.
static void all_told(struct liar *honest)
{
    for (size_t i = 1; i < liars_n; i++)
        UNTIL(&liars[i], "a reason", liars[i].code[0]);
    unsigned before = honest->captures;
    UNTIL(honest, "captures", honest->captures > before + 2);
    for (size_t i = 1; i < liars_n; i++) {
        printf("# %s: %s %s: %s\n", liars[i].who, liars[i].state, liars[i].code, liars[i].message);
        assert_true(liars[i].message[0] != 0);
    }
    long kb = peak_kb();
    printf("# the helper took %ld MB at most\n", kb >> 10);
    assert_true(kb < HELPER_KB_MAX);
}

static void inspectors_that_lie(void **state)
{
    static const char *const lies[] = { "mute",        "list-drips",  "list-continues", "list-deep",     "list-endless",
                                        "no-upgrade",  "garbage",     "huge-frame",     "endless-frame", "fragments",
                                        "pings",       "scripts",     "paused",         "silent",        "hangs-up",
                                        "deep",        "big",         "many",           "other-id",      "yes",
                                        "tree-cyclic", "tree-nowhere" };
    struct liar *honest = start_honest();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        start_node(lies[i]);
    helper_start();
    want("honest.py", 3);
    all_told(honest);
    helper_end();
    end_all();
}

static void interpreters_that_lie(void **state)
{
    struct liar *honest = start_honest();
    start_python("python3.99", "version");
    start_python("python2", "version");
    start_python("python3.14", "offsets");
    start_python("python3", "empty");
    start_python("python3", "no-state");
    start_python("python3", "never");
    start_python("python3", "many-libraries");
    helper_start();
    want("honest.py", 3);
    all_told(honest);
    helper_end();
    end_all();
}

// A real one, that is probed, and then writes over all that it shares with the agent.
static void what_is_shared_is_written_over(void **state)
{
    struct liar *honest = start_honest(),
                *scribbler = start("scribbles", "/usr/bin/python3", (const char *[]){ HERE "/scribbles.py", NULL });
    helper_start();
    want("honest.py", 3);
    UNTIL(scribbler, "damage", strcmp(scribbler->code, "ring_damaged") == 0);
    unsigned before = honest->captures;
    UNTIL(honest, "captures", honest->captures > before + 2);
    assert_true(peak_kb() < HELPER_KB_MAX);
    helper_end();
    end_all();
}

// What it has opened to read alone is not written for it by who has more rights.
static void a_descriptor_is_not_what_it_was(void **state)
{
    static const char text[] = "of somebody else\n";
    char now[sizeof text] = "";
    int fd = open(secret, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct stat st;
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    struct liar *honest = start_honest();
    for (int i = 0; i < 2; i++)
        start_python("python3", "swaps-files");
    helper_start();
    want("honest.py", 3);
    all_told(honest);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, sizeof text);
    assert_int_equal(pread(fd, now, sizeof now, 0), sizeof now);
    assert_string_equal(now, text);
    close(fd);
    unlink(secret);
    helper_end();
    end_all();
}

// --- a server that lies: who has taken over the network process, or the agent's token ---

static void say_json(const char *text) { tell(CHANNEL_JSON, bytes_of(text, strlen(text))); }

static void many_probes(unsigned n)
{
    struct buf b;
    buf_init(&b, CHANNEL_MESSAGE_MAX);
    buf_printf(&b, "{\"type\":\"desired\",\"revision\":2,\"probes\":[");
    for (unsigned i = 0; i < n; i++)
        buf_printf(
            &b, "%s{\"id\":\"x%u\",\"kind\":\"snapshot\",\"where\":{\"file\":\"a\",\"line\":3},\"scope\":{\"pid\":%d}}",
            i ? "," : "", i, (int)liars[0].pid);
    buf_printf(&b, "]}");
    assert_int_equal(b.error, 0);
    tell(CHANNEL_JSON, buf_bytes(&b));
    buf_free(&b);
}

static void nested(const char *head, unsigned n, const char *tail)
{
    struct buf b;
    buf_init(&b, CHANNEL_MESSAGE_MAX);
    buf_str(&b, str_z(head));
    for (unsigned i = 0; i < n; i++)
        buf_str(&b, STR("["));
    buf_str(&b, str_z(tail));
    tell(CHANNEL_JSON, buf_bytes(&b));
    buf_free(&b);
}

static void frames_of_a_hostile_server(void **state)
{
    struct liar *honest = start_honest();
    helper_start();
    contact();
    for (unsigned kind = 0; kind < 256; kind++) // all kinds but those that it knows, with bytes that are none of theirs
        if (kind != CHANNEL_JSON)
            tell((uint8_t)kind, bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff", kind % 10));
    nested("", 1000000, "");
    nested("{\"type\":\"desired\",\"probes\":", 100000, "");
    nested("{\"type\":\"resolve\",\"request\":", 10, "]]]]]]]]]],\"process\":\"1-1\",\"what\":\"patch\"}");
    say_json("{\"type\":\"desired\",\"probes\":7}");
    say_json("{\"type\":\"patch\",\"process\":\"1-1\",\"text\":\"import os\"}");
    say_json("{\"type\":\"grant\",\"probe\":\"p0\",\"hits\":9223372036854775807}");
    many_probes(80000);
    // A kind that does not exist is not taken for another one.
    say_json("{\"type\":\"desired\",\"revision\":4,\"probes\":[{\"id\":\"p0\",\"kind\":\"patch\",\"where\":{"
             "\"file\":\"honest.py\",\"line\":3}}]}");
    assert_int_equal(honest->captures, 0);
    want("honest.py", 3);
    UNTIL(honest, "captures", honest->captures > 2);
    printf("# the helper took %ld MB at most\n", peak_kb() >> 10);
    assert_true(peak_kb() < HELPER_KB_MAX);
    helper_end();
    end_all();
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(inspectors_that_lie),
                                               cmocka_unit_test(interpreters_that_lie),
                                               cmocka_unit_test(what_is_shared_is_written_over),
                                               cmocka_unit_test(a_descriptor_is_not_what_it_was),
                                               cmocka_unit_test(frames_of_a_hostile_server) };
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (geteuid() != 0) {
        printf("1..0 # SKIP it needs root\n");
        return 0;
    }
    snprintf(folder, sizeof folder, "/tmp/clew-liars-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(secret, sizeof secret, "%s.secret", folder);
    if (getenv("CLEW_ONLY"))
        cmocka_set_test_filter(getenv("CLEW_ONLY"));
    int rc = cmocka_run_group_tests_name("liars", tests, NULL, NULL);
    rmdir(folder);
    return rc;
}
