// Snapshots in real servers: Flask under gunicorn (sync and threaded workers) and FastAPI under uvicorn, in the environments that
// tests/agent/python/victims.py makes (.setup/venvs). Without those the tests say that they were skipped.
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/python/python.h"
#include "program.h"
#include <cmocka.h>

enum { PATIENCE_S = 40 };

static glob_t pythons;
static char *captured;
static char state[32];

static void on_state(void *ctx, const struct backend_state *s)
{
    snprintf(state, sizeof state, "%.*s", STR_ARG(s->state));
}
static void on_capture(void *ctx, str probe, str json)
{
    if (!captured)
        captured = strndup(json.ptr, json.len);
}
static void on_counts(void *ctx, str probe, const struct probe_counts *c) {}
static void on_lost(void *ctx, str code, str message) { snprintf(state, sizeof state, "lost %.*s", STR_ARG(code)); }
static const struct backend_events events = { NULL, on_state, on_capture, on_counts, on_lost, on_capture };

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static uint16_t free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    return ntohs(at.sin_port);
}

// One request; what answers it, up to room.
static bool get(uint16_t port, char *out, size_t room)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    int fd = connect_to(port);
    size_t n = 0;
    if (fd < 0)
        return false;
    ssize_t got = write(fd, request, sizeof request - 1);
    while (got > 0 && n + 1 < room && (got = read(fd, out + n, room - n - 1)) > 0)
        n += (size_t)got;
    close(fd);
    out[n] = 0;
    return strstr(out, "\"total\":21") != NULL;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static pid_t serve(const char *python, const char *kind, uint16_t port)
{
    char address[32], text[16];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    snprintf(text, sizeof text, "%u", port);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM); // nor does it outlive a test that fails, whose output it would keep open
    unsetenv("LD_PRELOAD");
    if (chdir(VICTIMS) == 0 && strcmp(kind, "uvicorn") == 0)
        execl(python, python, "-m", "uvicorn", "--log-level", "critical", "--port", text, "victim_fastapi:app",
              (char *)NULL);
    else
        execl(python, python, "-m", "gunicorn", "--log-level", "critical", "-k", kind, "--threads",
              strcmp(kind, "sync") ? "4" : "1", "-b", address, "victim_flask:app", (char *)NULL);
    _exit(127);
}

// The one that serves: gunicorn's worker.
static pid_t worker_of(pid_t pid, const char *kind)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = strcmp(kind, "uvicorn") ? fopen(path, "r") : NULL;
    if (f && fscanf(f, "%d", &child) != 1)
        child = 0;
    if (f)
        fclose(f);
    return child ? child : pid;
}

static void snapshot_of(const char *python, const char *kind)
{
    char answer[4096];
    uint16_t port = free_port();
    pid_t server = serve(python, kind, port);
    time_t until = time(NULL) + PATIENCE_S;
    while (!get(port, answer, sizeof answer)) {
        assert_true(time(NULL) < until);
        usleep(20000);
    }
    struct process p = { .pid = worker_of(server, kind), .capabilities = UINT64_MAX };
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)p.pid);
    p.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct attachment *a = NULL;
    struct err err = { 0 };
    int rc = python_backend.attach(&p, &events, &a, &err);
    close(p.dir);
    if (rc < 0)
        print_message("# %s %s: %s %s\n", python, kind, err.slug, err.message);
    assert_int_equal(rc, 0);
    struct probe probe;
    probe_defaults(&probe, PROBE_SNAPSHOT);
    probe.id = STR("p1"), probe.revision = 1, probe.grant = 10;
    bool flask = strcmp(kind, "uvicorn") != 0;
    probe.where = (struct probe_where){ .kind = PROBE_AT_LINE,
                                        .line = flask ? 12 : 13,
                                        .file = flask ? STR("victim_flask.py") : STR("victim_fastapi.py") };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct probe_program expr = program_of(&arena, "quantity * each + len('!')", false);
    probe.has_condition = true, probe.condition = program_of(&arena, "total == 21 && quantity < each", true);
    probe.exprs = &expr, probe.n_exprs = 1;
    const struct probe *set = &probe;
    assert_int_equal(python_backend.apply(a, &set, 1, NULL), 0);
    captured = NULL, state[0] = 0;
    int64_t next;
    bool asked = false;
    while (!captured) {
        python_backend.poll(a, now_ns(), &next);
        // Idle until it is installed: the main thread waits in its system call.
        if (!asked && strcmp(state, "installed") == 0)
            asked = get(port, answer, sizeof answer);
        if (time(NULL) >= until)
            print_message("# %s %s: state %s\n", python, kind, state);
        assert_true(time(NULL) < until);
        usleep(500);
    }
    assert_non_null(strstr(captured, "\"name\":\"quantity\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":3}"));
    assert_non_null(strstr(captured, "\"name\":\"total\",\"kind\":\"local\",\"value\":{\"k\":\"int\",\"v\":21}"));
    assert_non_null(strstr(captured, "\"function\":\"home\""));
    assert_non_null(strstr(captured, "len('!')\",\"value\":{\"k\":\"int\",\"v\":22}"));
    free(captured);
    captured = NULL;
    python_backend.detach(a);
    arena_free(&arena);
    assert_true(get(port, answer, sizeof answer));
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
}

static void each(const char *kind)
{
    for (size_t i = 0; i < pythons.gl_pathc; i++)
        snapshot_of(pythons.gl_pathv[i], kind);
    if (!pythons.gl_pathc)
        skip();
}

static void test_gunicorn_sync(void **unused) { each("sync"); }
static void test_gunicorn_gthread(void **unused) { each("gthread"); }
static void test_uvicorn(void **unused) { each("uvicorn"); }

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (glob(VICTIMS "/../../../.setup/venvs/3.*/bin/python", 0, NULL, &pythons) != 0)
        printf("# skipped: there are no environments with servers (bench/python_attach.py makes them)\n");
    for (size_t i = 0; i < pythons.gl_pathc; i++)
        printf("# with %s\n", pythons.gl_pathv[i]);
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gunicorn_sync), cmocka_unit_test(test_gunicorn_gthread),
                                        cmocka_unit_test(test_uvicorn) };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    globfree(&pythons);
    return rc;
}
