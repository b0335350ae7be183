// The real helper among processes that lie to it: each is told of with a reason, none costs it more than it may take, and an honest process between them is served all the while.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/channel.h"
#include "agent/helper.h"
#include "base/base64.h"
#include "base/json_tree.h"
#include "os/loop.h"
#include "probe/code.h"
#include "probe/expr.h"

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

enum {
    PATIENCE_S = 120,
    LIARS_MAX = 32,
    TEXT = 512,
    PORTS = 21000,
    DESIRED_MAX_TOLD = 1000,
    GROWTH_MB = 24,
    SET_BYTES = 1200000
};
#if defined(__SANITIZE_ADDRESS__)
#define HELPER_KB_MAX (1536 << 10) // of helper.c
// What is freed is given back, so that less is taken.
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "quarantine_size_mb=1"; }
#else
#define HELPER_KB_MAX (192 << 10)
#endif

// --- processes ---

struct liar {
    pid_t pid;
    const char *who;
    char probe[32], state[32], code[32], message[TEXT];
    char first_error[TEXT];
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
        if (i && liars[i].pid == liars[0].pid)
            continue; // beside()
        kill(liars[i].pid, SIGKILL);
        waitpid(liars[i].pid, NULL, 0);
    }
    memset(liars, 0, sizeof liars);
    liars_n = 0;
}

// --- the helper, and what it says ---

static pid_t helper;
static int wire;

static void helper_start(const struct helper_options *brake)
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
                                                            .scan_ms = 200,
                                                            .brake_rss = brake ? brake->brake_rss : 0,
                                                            .brake_ms = brake ? brake->brake_ms : 0 }));
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
            helper = 0;
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

static void on_counts(const struct json_node *m)
{
    for (const struct json_node *c = json_first_of(json_get(m, STR("counts")), JSON_ARRAY); c; c = c->next) {
        struct liar *l = by_probe(json_get_text(c, STR("probe")));
        str first = json_get_text(c, STR("first_error"));
        if (l && first.len)
            snprintf(l->first_error, sizeof l->first_error, "%.*s", (int)(first.len < TEXT ? first.len : TEXT - 1),
                     first.ptr);
    }
}

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

// One message; false: none in a second.
static bool hear(void)
{
    static uint8_t m[CHANNEL_MESSAGE_MAX];
    uint8_t head[5];
    static int64_t contacted;
    struct pollfd p = { wire, POLLIN, 0 };
    if (now_s() - contacted >= 5) { // a busy machine may take longer than the lease
        contacted = now_s();
        contact();
    }
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
            on_states(root), on_counts(root);
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
    helper = 0;
    close(wire);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// What a test that failed has left: the next one begins without it.
static int clear_up(void **state)
{
    if (helper > 0) {
        kill(helper, SIGKILL);
        waitpid(helper, NULL, 0);
        close(wire);
    }
    helper = 0;
    end_all();
    return 0;
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
    helper_start(NULL);
    want("honest.py", 3);
    all_told(honest);
    helper_end();
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
    helper_start(NULL);
    want("honest.py", 3);
    all_told(honest);
    helper_end();
}

// A real one, that is probed, and then writes over all that it shares with the agent.
static void what_is_shared_is_written_over(void **state)
{
    struct liar *honest = start_honest(),
                *scribbler = start("scribbles", "/usr/bin/python3", (const char *[]){ HERE "/scribbles.py", NULL });
    helper_start(NULL);
    want("honest.py", 3);
    UNTIL(scribbler, "damage", strcmp(scribbler->code, "ring_damaged") == 0);
    unsigned before = honest->captures;
    UNTIL(honest, "captures", honest->captures > before + 2);
    assert_true(peak_kb() < HELPER_KB_MAX);
    helper_end();
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
    helper_start(NULL);
    want("honest.py", 3);
    all_told(honest);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, sizeof text);
    assert_int_equal(pread(fd, now, sizeof now, 0), sizeof now);
    assert_string_equal(now, text);
    close(fd);
    unlink(secret);
    helper_end();
}

// Another probe in the honest process.
static struct liar *beside(const struct liar *honest, const char *who)
{
    struct liar *l = &liars[liars_n++];
    *l = (struct liar){ .pid = honest->pid, .who = who };
    snprintf(l->probe, sizeof l->probe, "p%zu", (size_t)(l - liars));
    return l;
}

// members: of the JSON, behind those that each has.
static void put_beside(struct buf *b, const struct liar *l, unsigned revision, const char *members)
{
    buf_printf(b, "%s{\"id\":\"%s\",\"revision\":%u,\"scope\":{\"service\":\"liars\",\"pid\":%d},\"grant\":10000,",
               l == liars ? "" : ",", l->probe, revision, (int)l->pid);
    buf_printf(b, "\"rate\":20,\"burst\":20,%s}", members);
}

#define HONEST "\"kind\":\"snapshot\",\"where\":{\"file\":\"honest.py\",\"line\":3}"

static void tell_set(struct buf *b)
{
    buf_printf(b, "]}");
    assert_int_equal(b->error, 0);
    contact();
    tell(CHANNEL_JSON, buf_bytes(b));
    buf_free(b);
}

static void begin_set(struct buf *b, const struct liar *honest, unsigned revision)
{
    buf_init(b, CHANNEL_MESSAGE_MAX);
    buf_printf(b, "{\"type\":\"desired\",\"revision\":%u,\"probes\":[", revision);
    put_beside(b, honest, revision, HONEST);
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
    helper_start(NULL);
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
    // Behind more than it keeps account of: what finds no room at first is placed when there is some.
    struct buf b;
    struct liar *other = beside(honest, "behind too many");
    many_probes(80000);
    begin_set(&b, honest, 2);
    put_beside(&b, other, 2, HONEST);
    tell_set(&b);
    UNTIL(other, "captures", other->captures > 2 && strcmp(other->state, "installed") == 0);
    printf("# the helper took %ld MB at most\n", peak_kb() >> 10);
    assert_true(peak_kb() < HELPER_KB_MAX);
    helper_end();
}

// "if":{...} with a program of these instructions and one literal.
static void put_code(char *out, size_t room, const struct probe_ins *ins, uint16_t n, size_t more)
{
    size_t size = sizeof(struct probe_code_header) + n * sizeof *ins + 12 + more;
    struct probe_code_header h = { .magic = PROBE_CODE_MAGIC,
                                   .size = (uint32_t)size,
                                   .n_ins = n,
                                   .n_lits = 1,
                                   .n_loops = 1,
                                   .pool_size = (uint32_t)more };
    uint8_t *code = calloc(1, size);
    assert_non_null(code);
    memcpy(code, &h, sizeof h);
    memcpy(code + sizeof h, ins, n * sizeof *ins);
    int at = snprintf(out, room, HONEST ",\"if\":{\"text\":\"n\",\"code\":\"");
    assert_true((size_t)at + base64_encoded_len(size) + 3 < room);
    base64_encode(out + at, code, size);
    memcpy(out + at + base64_encoded_len(size), "\"}", 3);
    free(code);
}

static void put_compiled(char *out, size_t room, const char *text)
{
    struct arena arena;
    struct probe_expr *e;
    struct err err = { 0 };
    struct buf code;
    arena_init(&arena, 1 << 20);
    buf_init(&code, PROBE_CODE_SIZE_MAX);
    if (probe_condition_parse(str_z(text), &arena, &e, &err) < 0 || probe_expr_compile(e, &code, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    int at = snprintf(out, room, HONEST ",\"if\":{\"text\":\"%s\",\"code\":\"", text);
    assert_true((size_t)at + base64_encoded_len(code.len) + 3 < room);
    base64_encode(out + at, code.ptr, code.len);
    memcpy(out + at + base64_encoded_len(code.len), "\"}", 3);
    buf_free(&code);
    arena_free(&arena);
}

// What it does not understand, what is above its limits and what may not be run is a state with a reason, and only of that probe.
static void what_this_host_does_not_take(void **state)
{
    static char programs[5][64 << 10];
    struct probe_ins deep[PROBE_CODE_STACK_MAX + 2] = { 0 };
    for (size_t i = 0; i <= PROBE_CODE_STACK_MAX; i++)
        deep[i].op = PROBE_OP_LIT;
    const struct {
        const char *who, *members, *code, *says;
    } refused[] = {
        { "a kind of a newer server", "\"kind\":\"patch\",\"where\":{\"file\":\"honest.py\",\"line\":3}",
          "invalid_probe", "kind" },
        { "a place of a newer server", "\"kind\":\"snapshot\",\"where\":{\"offset\":3}", "invalid_probe", "where" },
        { "a word of a newer server", HONEST ",\"keep\":\"trace_random\"", "invalid_probe", "keep" },
        { "a billion frames", HONEST ",\"frames\":1000000000", "invalid_probe", "frames" },
        { "two gigabytes of text", HONEST ",\"string\":2147483648", "invalid_probe", "string" },
        { "more than a number holds", HONEST ",\"depth\":18446744073709551616", "invalid_probe", "depth" },
        { "less than nothing", HONEST ",\"items\":-1", "invalid_probe", "items" },
        { "no code at all", HONEST ",\"if\":{\"text\":\"n\",\"code\":\"!\"}", "invalid_probe", "code" },
        { "a huge literal", programs[0], "invalid_probe", "code" },
        { "a jump back", programs[1], "code_invalid", "code" },
        { "an unknown instruction", programs[2], "code_invalid", "code" },
        { "a stack that overflows", programs[3], "code_invalid", "code" },
        { "a loop without a head", programs[4], "code_invalid", "code" },
    };
    put_code(programs[0], sizeof programs[0], (struct probe_ins[]){ { .op = PROBE_OP_LIT }, { .op = PROBE_OP_RETURN } },
             2, 40000);
    put_code(programs[1], sizeof programs[1], (struct probe_ins[]){ { .op = PROBE_OP_JUMP, .x = 0 } }, 1, 0);
    put_code(programs[2], sizeof programs[2], (struct probe_ins[]){ { .op = PROBE_OPS }, { .op = PROBE_OP_RETURN } }, 2,
             0);
    put_code(programs[3], sizeof programs[3], deep, PROBE_CODE_STACK_MAX + 2, 0);
    put_code(programs[4], sizeof programs[4],
             (struct probe_ins[]){ { .op = PROBE_OP_LIT }, { .op = PROBE_OP_EACH, .x = 0 }, { .op = PROBE_OP_RETURN } },
             3, 0);
    struct buf b;
    struct liar *honest = start_honest();
    helper_start(NULL);
    begin_set(&b, honest, 1);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        put_beside(&b, beside(honest, refused[i].who), 1, refused[i].members);
    struct liar *newer = beside(honest, "a member of a newer server");
    put_beside(&b, newer, 1, HONEST ",\"newer\":{\"a\":[1]}");
    for (unsigned i = 0; i < DESIRED_MAX_TOLD; i++)
        buf_printf(
            &b, ",{\"id\":\"x%u\",\"kind\":\"snapshot\",\"where\":{\"file\":\"a\",\"line\":3},\"scope\":{\"pid\":1}}",
            i);
    struct liar *late = beside(honest, "one probe too many");
    put_beside(&b, late, 1, HONEST);
    tell_set(&b);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct liar *l = &liars[1 + i];
        UNTIL(l, "a reason", strcmp(l->state, "error") == 0);
        printf("# %s: %s: %s\n", l->who, l->code, l->message);
        assert_string_equal(l->code, refused[i].code);
        assert_non_null(strstr(l->message, refused[i].says));
    }
    UNTIL(late, "a reason", strcmp(late->state, "error") == 0);
    assert_string_equal(late->code, "too_many_probes");
    UNTIL(newer, "captures", newer->captures > 0);
    UNTIL(honest, "captures", honest->captures > 2);
    // Put right, it is placed; taken away, it is gone; and what was right is refused when it is not.
    struct liar *mended = &liars[4];
    begin_set(&b, honest, 1);
    put_beside(&b, mended, 2, HONEST);
    put_beside(&b, newer, 2, HONEST ",\"frames\":1000");
    tell_set(&b);
    UNTIL(mended, "captures", mended->captures > 0);
    UNTIL(newer, "a reason", strcmp(newer->state, "error") == 0);
    assert_string_equal(newer->code, "invalid_probe");
    UNTIL(late, "its removal", strcmp(late->state, "removed") == 0);
    begin_set(&b, honest, 1);
    tell_set(&b);
    UNTIL(newer, "its removal", strcmp(newer->state, "removed") == 0);
    helper_end();
}

// What is well-formed and would take for ever ends by itself, at each hit; the process runs on, and the probe beside it captures.
static void expressions_that_take_for_ever(void **state)
{
    static const char *const bombs[] = {
        "all(xs, a => all(xs, b => all(xs, c => a + b + c >= 0)))",
        "len(filter(xs, a => len(filter(xs, b => len(filter(xs, c => str(a + b + c) matches "
        "'(0|1|2|3|4|5|6|7|8|9)*x')) >= 0)) >= 0)) > 0",
    };
    static char members[64 << 10];
    struct buf b;
    struct liar *honest = start_honest();
    helper_start(NULL);
    begin_set(&b, honest, 1);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        put_compiled(members, sizeof members, bombs[i]);
        put_beside(&b, beside(honest, bombs[i]), 1, members);
    }
    tell_set(&b);
    for (size_t i = 1; i < liars_n; i++) {
        UNTIL(&liars[i], "an error, or to be out", liars[i].first_error[0] || strcmp(liars[i].state, "suspended") == 0);
        printf("# %s: %s %s\n", liars[i].who, liars[i].state, liars[i].first_error);
        assert_int_equal(liars[i].captures, 0);
    }
    unsigned before = honest->captures;
    UNTIL(honest, "captures", honest->captures > before + 2);
    assert_int_equal(kill(honest->pid, 0), 0);
    helper_end();
}

// As fast as the wire takes them: the last one is what holds.
static void a_set_that_changes_without_end(void **state)
{
    struct buf b;
    struct liar *honest = start_honest();
    helper_start(&(struct helper_options){ .brake_ms = 1000 });
    struct liar *other = beside(honest, "there and not there");
    for (unsigned i = 1; i <= 3000; i++) {
        begin_set(&b, honest, 1);
        if (i % 2)
            put_beside(&b, other, i, i % 4 == 1 ? HONEST : HONEST ",\"frames\":1000");
        tell_set(&b);
        while (i % 50 == 0 && poll(&(struct pollfd){ wire, POLLIN, 0 }, 1, 0) > 0)
            hear();
    }
    begin_set(&b, honest, 2);
    put_beside(&b, other, 4000, HONEST);
    tell_set(&b);
    unsigned before[2] = { honest->captures, other->captures };
    UNTIL(honest, "captures", honest->captures > before[0] + 2);
    UNTIL(other, "captures", other->captures > before[1] + 2);
    printf("# the helper took %ld MB at most\n", peak_kb() >> 10);
    assert_true(peak_kb() < HELPER_KB_MAX);
    helper_end();
}

// --- the host brake ---

static long resident_kb(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

// A set that takes the helper over its limit of memory: everything is out of every process, which says why, and comes back when it takes less.
static void what_takes_too_much_is_out_and_comes_back(void **state)
{
    struct buf b;
    struct liar *honest = start_honest();
    uint64_t limit = ((uint64_t)resident_kb(getpid()) << 10) + ((uint64_t)GROWTH_MB << 20);
    helper_start(&(struct helper_options){ .brake_rss = limit, .brake_ms = 1000 });
    begin_set(&b, honest, 1);
    tell_set(&b);
    UNTIL(honest, "captures", honest->captures > 2);
    begin_set(&b, honest, 1);
    while (b.len < SET_BYTES)
        buf_printf(&b, ",[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]");
    tell_set(&b);
    UNTIL(honest, "the brake", strcmp(honest->state, "suspended") == 0);
    printf("# %s: %s (%ld MB)\n", honest->code, honest->message, resident_kb(helper) >> 10);
    assert_string_equal(honest->code, "host_brake");
    assert_non_null(strstr(honest->message, "of memory on this host"));
    for (int i = 0; i < 3; i++) // as long as it is too much: no capture comes any more
        hear();
    unsigned before = honest->captures;
    for (int i = 0; i < 8; i++)
        hear();
    assert_int_equal(honest->captures, before);
    assert_string_equal(honest->state, "suspended");
    begin_set(&b, honest, 1);
    tell_set(&b);
    UNTIL(honest, "captures", honest->captures > before + 2);
    assert_int_equal(kill(honest->pid, 0), 0);
    helper_end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(inspectors_that_lie, clear_up),
                                               cmocka_unit_test_teardown(interpreters_that_lie, clear_up),
                                               cmocka_unit_test_teardown(what_is_shared_is_written_over, clear_up),
                                               cmocka_unit_test_teardown(a_descriptor_is_not_what_it_was, clear_up),
                                               cmocka_unit_test_teardown(frames_of_a_hostile_server, clear_up),
                                               cmocka_unit_test_teardown(what_this_host_does_not_take, clear_up),
                                               cmocka_unit_test_teardown(expressions_that_take_for_ever, clear_up),
                                               cmocka_unit_test_teardown(a_set_that_changes_without_end, clear_up),
                                               cmocka_unit_test_teardown(what_takes_too_much_is_out_and_comes_back,
                                                                         clear_up) };
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
