#include "order_test.h"
#include "agent/python/interp.h"
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>

char *pythons[PYTHONS_MAX];
size_t python_count;
struct seen seen;
struct attachment *attached;

static void on_state(void *ctx, const struct backend_state *s)
{
    snprintf(seen.state, sizeof seen.state, "%.*s", STR_ARG(s->state));
    seen.suspended += str_eq(s->state, STR("suspended"));
    snprintf(seen.code, sizeof seen.code, "%.*s", STR_ARG(s->code));
    snprintf(seen.data, sizeof seen.data, "%.*s", STR_ARG(s->data));
    snprintf(seen.message, sizeof seen.message, "%.*s", STR_ARG(s->message));
}
static void on_capture(void *ctx, str probe, str json)
{
    if (seen.n < CAPTURES_MAX)
        seen.captures[seen.n++] = strndup(json.ptr, json.len);
}
static void on_counts(void *ctx, str probe, const struct probe_counts *c)
{
    seen.hits = c->hits, seen.captured = c->captured, seen.rate = c->dropped.rate;
    seen.filtered = c->filtered, seen.errors = c->errors, seen.ns = c->ns;
    snprintf(seen.first_error, sizeof seen.first_error, "%.*s", STR_ARG(c->first_error));
}
static void on_lost(void *ctx, str code, str message)
{
    snprintf(seen.state, sizeof seen.state, "lost %.*s", STR_ARG(code));
}
static const struct backend_events events = { NULL, on_state, on_capture, on_counts, on_lost, on_capture };

void forget(void)
{
    for (size_t i = 0; i < seen.n; i++)
        free(seen.captures[i]);
    seen = (struct seen){ 0 };
}

struct victim start(const char *python, const char *mode) { return start_file(python, "/victim_order.py", mode); }

static struct victim start_with(const char *python, const char *const *args)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    struct victim v = { .python = python, .pid = fork() };
    if (v.pid == 0) {
        dup2(pipes[1], 1);
        close(pipes[0]), close(pipes[1]);
        unsetenv("LD_PRELOAD");
        setenv("PYTHONPATH", VICTIMS, 1);
        setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
        execl(python, python, args[0], args[1], (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    v.out = fdopen(pipes[0], "r");
    setvbuf(v.out, NULL, _IONBF, 0); // or poll() would not know of what has been read
    char line[64];
    assert_non_null(fgets(line, sizeof line, v.out));
    return v;
}

struct victim start_file(const char *python, const char *file, const char *mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", VICTIMS, file);
    return start_with(python, (const char *[]){ path, mode });
}

struct victim start_module(const char *python, const char *module)
{
    return start_with(python, (const char *[]){ "-m", module });
}

// While it says nothing the back end is asked what there is to do, as the agent does: a thread that stopped late waits for that.
static void wait_for_words(struct victim *v)
{
    struct pollfd p = { .fd = fileno(v->out), .events = POLLIN };
    int64_t next;
    while (attached && poll(&p, 1, 1) == 0)
        python_backend.poll(attached, now_ns(), &next);
}

void hear(struct victim *v)
{
    char line[128];
    wait_for_words(v);
    if (!fgets(line, sizeof line, v->out)) {
        int status = 0;
        waitpid(v->pid, &status, WNOHANG);
        print_message("# %s has ended with status %#x\n", v->python, (unsigned)status);
        fail();
    }
    assert_int_equal(sscanf(line, "%ld %ld %ld", &v->n, &v->called, &v->same), 3);
}

void hear_restored(struct victim *v)
{
    time_t until = time(NULL) + PATIENCE_S;
    for (int k = 0; k < 20 || !v->same; k++) {
        if (time(NULL) > until)
            give_up(v, "the code from before in the victim");
        hear(v);
    }
}

pid_t child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%d", &child) != 1)
        child = 0;
    if (f)
        fclose(f);
    return child;
}

void give_up(const struct victim *v, const char *wanted)
{
    pid_t child = child_of(v->pid);
    print_message(
        "# %s: after %d s not %s: state %s %s %s, %zu captures, %lu hits, %lu ns; the victim said %ld %ld %ld\n",
        v->python, (int)PATIENCE_S, wanted, seen.state, seen.code, seen.message, seen.n, (unsigned long)seen.hits,
        (unsigned long)seen.ns, v->n, v->called, v->same);
    // What is left running holds the pipes of whoever reads what this program says.
    if (child)
        kill(child, SIGKILL);
    kill(v->pid, SIGKILL);
    fail();
}

void end(struct victim *v)
{
    kill(v->pid, SIGKILL);
    waitpid(v->pid, NULL, 0);
    fclose(v->out);
}

void turns(struct victim *v, struct attachment *a, int n) { UNTIL(v, a, n-- <= 0); }

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct probe line_probe(uint32_t line)
{
    struct probe p;
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.id = STR("p1"), p.revision = 1;
    p.where = (struct probe_where){ .kind = PROBE_AT_LINE, .file = STR("python/victim_order.py"), .line = line };
    p.grant = 1000;
    return p;
}

uint32_t line_of(const char *text) { return line_in("/victim_order.py", text); }

uint32_t line_in(const char *file, const char *text)
{
    char line[512];
    snprintf(line, sizeof line, "%s%s", VICTIMS, file);
    FILE *f = fopen(line, "r");
    uint32_t n = 0, found = 0;
    assert_non_null(f);
    while (!found && fgets(line, sizeof line, f))
        n++, found = strstr(line, text) ? n : 0;
    fclose(f);
    return found;
}

struct attachment *attach(const struct victim *v) { return attach_with(v, false); }

struct attachment *attach_with(const struct victim *v, bool shapes)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)v->pid);
    struct process p = { .pid = v->pid,
                         .shapes = shapes,
                         .capabilities = UINT64_MAX,
                         .dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
    struct attachment *a = NULL;
    struct err err = { 0 };
    struct process_facts facts;
    assert_int_equal(python_backend.examine(&p, &facts), 1);
    assert_true(facts.attachable);
    int rc = python_backend.attach(&p, &events, &a, &err);
    close(p.dir);
    if (rc < 0)
        print_message("# %s: %s\n", err.slug, err.message);
    assert_int_equal(rc, 0);
    forget();
    return a;
}

void detach(struct attachment *a)
{
    if (attached == a)
        attached = NULL;
    python_backend.detach(a);
}

void place(struct attachment *a, const struct probe *p)
{
    assert_int_equal(python_backend.apply(a, &p, p ? 1 : 0, NULL), 0);
}

void has(const char *json, const char *what)
{
    if (!strstr(json, what))
        print_message("# no %s in %s\n", what, json);
    assert_non_null(strstr(json, what));
}

void has_not(const char *json, const char *what)
{
    const char *at = strstr(json, what);
    if (at)
        print_message("# %s in .. %.*s\n", what, 200, at - json > 100 ? at - 100 : json);
    assert_null(at);
}

bool any_has(const char *what)
{
    for (size_t i = 0; i < seen.n; i++)
        if (strstr(seen.captures[i], what))
            return true;
    return false;
}

bool stands(void) { return strcmp(seen.state, "installed") == 0 || strcmp(seen.state, "partial") == 0; }

bool python_is_older(const char *python)
{
    const char *minor = strstr(python, "/3.");
    return !minor || atoi(minor + 3) <= 11; // /usr/bin/python3
}

static void python_add(const char *path)
{
    const char *only = getenv("CLEW_ONLY_PYTHON"); // those with this in their path
    if (python_count == PYTHONS_MAX || access(path, X_OK) != 0 || (only && !strstr(path, only)))
        return;
    pythons[python_count] = strdup(path);
    struct victim v = start(path, NULL);
    struct process p = { .pid = v.pid };
    struct process_facts facts = { 0 };
    int rc = python_backend.examine(&p, &facts);
    end(&v);
    if (rc == 1 && facts.attachable) {
        printf("# with %s %s\n", path, facts.version);
        python_count++;
    } else {
        printf("# skipped %s %s: %s\n", path, facts.version, facts.code);
        free(pythons[python_count]);
    }
}

void pythons_find(void)
{
    signal(SIGPIPE, SIG_IGN);
    char system[PATH_MAX] = "", same[PATH_MAX];
    bool known = !realpath("/usr/bin/python3", system);
    // Environments that have the SDKs, where tools/setup or an experiment has made some: one on the system's interpreter stands for it.
    glob_t g = { 0 };
    if (glob(VICTIMS "/../../../.setup/venvs/3.*/bin/python", 0, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc; i++) {
            known |= realpath(g.gl_pathv[i], same) && strcmp(same, system) == 0;
            python_add(g.gl_pathv[i]);
        }
    globfree(&g);
    if (!known)
        python_add("/usr/bin/python3");
    bool environments = python_count > (known ? 0 : 1);
    for (int minor = INTERP_MINOR_MIN; !environments && getenv("HOME") && minor <= INTERP_MINOR_MAX; minor++) {
        char pattern[512];
        snprintf(pattern, sizeof pattern, "%s/.pyenv/versions/3.%d.*/bin/python3", getenv("HOME"), minor);
        if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc)
            python_add(g.gl_pathv[g.gl_pathc - 1]);
        globfree(&g);
    }
}

void pythons_free(void)
{
    forget();
    for (size_t i = 0; i < python_count; i++)
        free(pythons[i]);
}
