// Real processes, on every Node of this machine, and what is told of them.
#include "victim.h"

#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/expr.h"
#include <cmocka.h>

enum { PATIENCE_S = 100 };

char *nodes[NODES_MAX], *old_node;
size_t node_count;

struct seen seen;

static void on_state(void *ctx, const struct backend_state *s)
{
    snprintf(seen.state, sizeof seen.state, "%.*s", STR_ARG(s->state));
    snprintf(seen.code, sizeof seen.code, "%.*s", (int)s->code.len, s->code.len ? s->code.ptr : "");
    snprintf(seen.message, sizeof seen.message, "%.*s", (int)s->message.len, s->message.len ? s->message.ptr : "");
    snprintf(seen.data, sizeof seen.data, "%.*s", (int)s->data.len, s->data.len ? s->data.ptr : "");
    seen.line = s->line;
    if (getenv("TEST_VERBOSE"))
        printf("# %s %s %s %s\n", seen.state, seen.code, seen.message, seen.data);
}
static void on_capture(void *ctx, str probe, str json)
{
    if (seen.n < CAPTURES_MAX)
        seen.captures[seen.n++] = strndup(json.ptr, json.len);
}
static void on_counts(void *ctx, str probe, const struct probe_counts *c)
{
    seen.counts = *c;
    if (c->first_error.len)
        snprintf(seen.error, sizeof seen.error, "%.*s", STR_ARG(c->first_error));
}
static void on_lost(void *ctx, str code, str message)
{
    snprintf(seen.state, sizeof seen.state, "lost %.*s", STR_ARG(code));
}
const struct backend_events events = { NULL, on_state, on_capture, on_counts, on_lost, on_capture };

void forget(void)
{
    for (size_t i = 0; i < seen.n; i++)
        free(seen.captures[i]);
    seen = (struct seen){ 0 };
}

// --- a process ---

struct victim start_with(const char *node, const char *const *options, const char *file, const char *mode)
{
    int pipes[2];
    char line[64];
    forget();
    assert_int_equal(pipe(pipes), 0);
    struct victim v = { .pid = fork() };
    if (v.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipes[1], 1);
        if (!getenv("TEST_VERBOSE"))
            dup2(pipes[1], 2);
        close(pipes[0]), close(pipes[1]);
        unsetenv("LD_PRELOAD");
        unsetenv("NODE_OPTIONS");
        snprintf(line, sizeof line, "%s", mode);
        char path[256];
        snprintf(path, sizeof path, "%s/%s", strstr(file, ".mjs") ? MADE : VICTIMS, file);
        const char *argv[VICTIM_OPTIONS_MAX + 4] = { node };
        size_t n = 1;
        for (; options && n <= VICTIM_OPTIONS_MAX && options[n - 1]; n++)
            argv[n] = options[n - 1];
        argv[n++] = path, argv[n] = mode;
        execv(node, (char **)argv);
        _exit(127);
    }
    close(pipes[1]);
    v.out = fdopen(pipes[0], "r");
    setvbuf(v.out, NULL, _IONBF, 0); // hears() asks the descriptor
    do {
        assert_non_null(fgets(line, sizeof line, v.out));
        sscanf(line, "port %d", &v.port);
    } while (strcmp(line, "ready\n") != 0);
    arena_init(&v.arena, 1 << 20);
    assert_int_equal(process_read(v.pid, &v.arena, &v.process), 0);
    snprintf(v.file, sizeof v.file, "agent/node/%s", file);
    return v;
}

struct victim start(const char *node, const char *file, const char *mode) { return start_with(node, NULL, file, mode); }

// Its next line. Its main thread may be waiting for the agent meanwhile.
void hears(struct victim *v, struct attachment *a, char *line, int room)
{
    struct pollfd p = { fileno(v->out), POLLIN, 0 };
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; poll(&p, 1, 0) == 0; polls(a))
        if (now_ns() > until)
            fail_msg("it says nothing any more; %s %s: %s", seen.state, seen.code, seen.message);
    if (!fgets(line, room, v->out))
        fail_msg("it has ended");
}

// It still works: two of its own lines later, and nothing that must not run has run.
void works(struct victim *v)
{
    char line[256];
    long calls, ran, before = -1;
    for (int good = 0; good < 3;) {
        if (!fgets(line, sizeof line, v->out)) {
            int status = 0;
            waitpid(v->pid, &status, 0);
            fail_msg("it has ended: exit %d signal %d", WEXITSTATUS(status), WTERMSIG(status));
        }
        if (sscanf(line, "calls %ld ran %ld", &calls, &ran) != 2)
            continue;
        assert_int_equal(ran, 0);
        good += calls > before;
        before = calls;
    }
}

void until_begun(struct victim *v, int wanted)
{
    char line[256];
    for (int n = 0; n < wanted;) {
        if (!fgets(line, sizeof line, v->out))
            fail_msg("it has ended");
        sscanf(line, "calls %*d ran %*d changed %*d begun %d", &n);
    }
}

void end(struct victim *v)
{
    assert_int_equal(waitpid(v->pid, NULL, WNOHANG), 0);
    kill(v->pid, SIGKILL);
    waitpid(v->pid, NULL, 0);
    fclose(v->out);
    process_done(&v->process);
    arena_free(&v->arena);
    forget();
}

// --- a probe ---

struct probe probe_at(struct victim *v, const char *id, uint32_t line)
{
    struct probe p;
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.id = str_z(id), p.revision = 1;
    p.where.kind = PROBE_AT_LINE, p.where.file = str_z(v->file), p.where.line = line;
    p.rate = 50, p.burst = 5;
    return p;
}

struct probe_program program(struct arena *arena, const char *text)
{
    struct probe_expr *e;
    struct err err = { 0 };
    struct buf tree;
    struct json_writer w;
    if (probe_expr_parse(str_z(text), arena, &e, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    buf_init(&tree, 1 << 20);
    json_writer_init(&w, &tree);
    probe_expr_json(e, &w);
    struct probe_program p = { .text = str_z(text) };
    assert_int_equal(arena_dup(arena, buf_view(&tree), &p.tree), 0);
    buf_free(&tree);
    return p;
}

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

void polls(struct attachment *a)
{
    int64_t next;
    assert_int_equal(node_backend.poll(a, now_ns(), &next), 0);
    usleep(1000);
}

struct attachment *attach(struct victim *v)
{
    struct attachment *a = NULL;
    struct err err = { 0 };
    if (node_backend.attach(&v->process, &events, &a, &err) < 0)
        fail_msg("%s: %s", err.slug, err.message);
    return a;
}

void apply(struct attachment *a, const struct probe *p, size_t n)
{
    const struct probe *list[8];
    struct err err;
    for (size_t i = 0; i < n; i++)
        list[i] = &p[i];
    assert_int_equal(node_backend.apply(a, list, n, &err), 0);
}

void until_state(struct attachment *a, const char *state)
{
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; strcmp(seen.state, state) != 0;) {
        int status;
        if (strncmp(seen.state, "lost", 4) == 0 && waitpid(-1, &status, WNOHANG) > 0)
            fail_msg("the target has ended: exit %d signal %d", WEXITSTATUS(status), WTERMSIG(status));
        if (now_ns() > until)
            fail_msg("waited for %s, it is %s %s: %s", state, seen.state, seen.code, seen.message);
        polls(a);
    }
}

// On a machine that is slow it may be in that state for another reason first.
void until_code(struct attachment *a, const char *state, const char *code)
{
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll;
         strcmp(seen.state, state) != 0 || strcmp(seen.code, code) != 0;) {
        if (now_ns() > until)
            fail_msg("waited for %s %s, it is %s %s: %s", state, code, seen.state, seen.code, seen.message);
        polls(a);
    }
}

void until_captures(struct attachment *a, size_t n)
{
    for (int64_t until = now_ns() + PATIENCE_S * 1000000000ll; seen.n < n;) {
        if (now_ns() > until)
            fail_msg("waited for %zu captures, there are %zu; %s %s: %s; hits %llu errors %llu %s", n, seen.n,
                     seen.state, seen.code, seen.message, (unsigned long long)seen.counts.hits,
                     (unsigned long long)seen.counts.errors, seen.error);
        polls(a);
    }
}

void has(const char *json, const char *part)
{
    if (!json || !strstr(json, part))
        fail_msg("no %s in %s", part, json ? json : "nothing");
}
void has_not(const char *json, const char *part)
{
    if (strstr(json, part))
        fail_msg("%s in %s", part, json);
}

static void find_nodes(void)
{
    static const char *const places[] = { "/usr/bin/node", "/usr/local/bin/node",
                                          NODES "/*/node_modules/node/bin/node" };
    glob_t found;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (glob(places[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc && node_count < NODES_MAX; k++) {
            char *path = realpath(found.gl_pathv[k], NULL);
            bool known = !path || access(path, X_OK) < 0;
            for (size_t j = 0; j < node_count && !known; j++)
                known = strcmp(nodes[j], path) == 0;
            if (known)
                free(path);
            else if (strstr(path, "/18/") || strstr(path, "/v18/"))
                old_node = path;
            else
                printf("# %s\n", nodes[node_count++] = path);
        }
        globfree(&found);
    }
}

// SIGUSR1 opens Node's inspector at one port of the network namespace, always: in one of their own these tests meet nobody there. Where that is not
// allowed they run one after the other.
static void alone_at_the_port(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    if (unshare(CLONE_NEWNET) == 0) {
        int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (ioctl(s, SIOCSIFFLAGS, &lo) < 0)
            perror("lo"), exit(1);
        close(s);
    } else if (flock(open(VICTIMS, O_RDONLY | O_CLOEXEC), LOCK_EX) < 0) { // until the program's end
        perror(VICTIMS), exit(1);
    }
}

int victims_run(const char *name, const struct CMUnitTest *tests, size_t n)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    alone_at_the_port();
    if (getenv("TEST_NODE"))
        nodes[node_count++] = strdup(getenv("TEST_NODE"));
    else
        find_nodes();
    if (!node_count) {
        printf("1..0 # SKIP no Node on this machine\n");
        return 0;
    }
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}
