#include "owners/git.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWERS = 256, KEY_MAX = 64 << 10, ANSWER_KEPT_MAX = GIT_OUTPUT_MAX, CPU_MAX_S = 5, WAIT_FOR_TURN_S = 2 };

struct answer {
    char *key;
    struct buf text;
    size_t key_len;
    int64_t until, used; // monotonic ns; until 0: for good
    int code;            // 0 or ERR_NOENT
};

struct git {
    char own[4096];
    pthread_mutex_t lock; // of the answers
    pthread_mutex_t turn; // one process at a time
    struct answer answers[ANSWERS];
    size_t bytes;
};

// ---- one process ---------------------------------------------------------------------------------------

static const char *program(void)
{
    static const char *const places[] = { "/usr/bin/git", "/usr/local/bin/git", "/bin/git" };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

// What the repository's own settings could make git run or read is switched off by name; settings of the system and of a home
// are not read; a fetch of what a partial clone lacks has no transport that it may use.
static const char *const settings[] = {
    "--no-pager",
    "--literal-pathspecs",
    "--no-replace-objects",
    "--no-optional-locks",
    "-c",
    "safe.directory=*",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "core.pager=cat",
    "-c",
    "blame.ignoreRevsFile=",
    "-c",
    "mailmap.file=",
    "-c",
    "mailmap.blob=",
    "-c",
    "protocol.allow=never",
    "-c",
    "core.askPass=/bin/false",
    "-c",
    "core.sshCommand=/bin/false",
    "-c",
    "credential.helper=",
    "-c",
    "log.showSignature=false",
};
static const char *const environment[] = {
    "PATH=/usr/bin:/bin",
    "HOME=/nonexistent",
    "LC_ALL=C",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_CONFIG_SYSTEM=/dev/null",
    "GIT_ATTR_NOSYSTEM=1",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_OPTIONAL_LOCKS=0",
    "GIT_NO_LAZY_FETCH=1",
    "GIT_NO_REPLACE_OBJECTS=1",
    "GIT_ALLOW_PROTOCOL=none",
    "GIT_PROTOCOL_FROM_USER=0",
    "GIT_PAGER=cat",
};
enum {
    SETTINGS = sizeof settings / sizeof settings[0],
    ENVIRONMENT = sizeof environment / sizeof environment[0],
};

static int spawn(char *const *argv, char *const *environ_of, int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    const char *path = argv[0];
    sigfillset(&all);
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ERR_NOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ERR_NOMEM;
    }
    int rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (rc == 0)
        rc = posix_spawn_file_actions_addchdir_np(&actions, "/");
    if (rc == 0)
        rc = posix_spawnattr_setflags(&attributes,
                                      POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(&attributes, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(&attributes, &all);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(&attributes, &none);
    if (rc == 0)
        rc = posix_spawn(ret_pid, path, &actions, &attributes, argv, environ_of);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? 0 : err_of_errno(rc);
}

static void bound(pid_t pid)
{
    static const struct rlimit cpu = { CPU_MAX_S, CPU_MAX_S }, file = { 0, 0 };
    prlimit(pid, RLIMIT_CPU, &cpu, NULL);
    prlimit(pid, RLIMIT_FSIZE, &file, NULL); // it writes no file
}

static int drain(int fd, int64_t end, struct buf *out)
{
    char chunk[16384];
    for (;;) {
        int64_t left = end - clock_mono_ns();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (left <= 0)
            return ERR_TIMEOUT;
        int n = poll(&p, 1, (int)(left / NS_PER_MS) + 1);
        if (n < 0 && errno != EINTR)
            return err_of_errno(errno);
        if (n <= 0)
            continue;
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return err_of_errno(errno);
        if (got > 0 && (out->len + (size_t)got > GIT_OUTPUT_MAX || buf_append(out, chunk, (size_t)got) < 0))
            return out->error == ERR_NOMEM ? ERR_NOMEM : ERR_LIMIT;
    }
}

// Standard output may be closed and the process still there: that too has an end.
static int reap(pid_t pid, int64_t end, int r)
{
    int status = 0;
    for (;;) {
        pid_t got = waitpid(pid, &status, r < 0 ? 0 : WNOHANG);
        if (got == pid)
            break;
        if (got < 0 && errno != EINTR)
            return r < 0 ? r : err_of_errno(errno);
        if (got == 0 && clock_mono_ns() > end)
            r = ERR_TIMEOUT;
        if (got == 0 && r == 0)
            usleep(500);
        if (r < 0)
            kill(-pid, SIGKILL);
    }
    return r < 0 ? r : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ERR_NOENT;
}

static int run(const struct git *g, enum git_what what, const char *directory, const char *const *arguments,
               struct buf *out)
{
    const char *envp[ENVIRONMENT + 3] = { NULL };
    char objects[4096 + 64], shallow[4096 + 64];
    const char *argv[SETTINGS + GIT_ARGUMENTS_MAX + 4];
    char dir[4096 + 16];
    size_t n = 0;
    int fds[2], r;
    pid_t pid;
    if (!(argv[n++] = program()))
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < SETTINGS; i++)
        argv[n++] = settings[i];
    memcpy(envp, environment, sizeof environment);
    if (what == GIT_OBJECTS) {
        snprintf(objects, sizeof objects, "GIT_OBJECT_DIRECTORY=%s/objects", directory);
        snprintf(shallow, sizeof shallow, "GIT_SHALLOW_FILE=%s/shallow", directory);
        envp[ENVIRONMENT] = objects;
        envp[ENVIRONMENT + 1] = shallow;
    }
    snprintf(dir, sizeof dir, "--git-dir=%s", what == GIT_OBJECTS ? g->own : directory);
    argv[n++] = dir;
    for (size_t i = 0; arguments[i]; i++) {
        if (i == GIT_ARGUMENTS_MAX)
            return ERR_LIMIT;
        argv[n++] = arguments[i];
    }
    argv[n] = NULL;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_of_errno(errno);
    int64_t end = clock_mono_ns() + GIT_TIME_MAX_NS;
    r = spawn((char *const *)argv, (char *const *)envp, fds[1], &pid);
    close(fds[1]);
    if (r == 0) {
        bound(pid);
        r = drain(fds[0], end, out);
        if (r < 0)
            kill(-pid, SIGKILL);
        r = reap(pid, end, r);
    }
    close(fds[0]);
    return r;
}

// ---- answers that are kept -----------------------------------------------------------------------------

static void forget(struct git *g, struct answer *a)
{
    g->bytes -= a->text.len + a->key_len;
    mem_free(a->key);
    buf_free(&a->text);
    *a = (struct answer){ 0 };
}

static struct answer *find(struct git *g, str key)
{
    for (size_t i = 0; i < ANSWERS; i++)
        if (g->answers[i].key && str_eq(str_of(g->answers[i].key, g->answers[i].key_len), key))
            return &g->answers[i];
    return NULL;
}

static bool known(struct git *g, str key, struct buf *out, int *ret_code)
{
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&g->lock);
    struct answer *a = find(g, key);
    if (a && a->until && a->until < now) {
        forget(g, a);
        a = NULL;
    }
    if (a) {
        a->used = now;
        *ret_code = a->code < 0 ? a->code : buf_str(out, buf_view(&a->text));
    }
    pthread_mutex_unlock(&g->lock);
    return a != NULL;
}

static void keep(struct git *g, str key, str text, int code, int64_t keep_ns)
{
    int64_t now = clock_mono_ns();
    struct answer a = { .key = mem_dup(key.ptr, key.len),
                        .key_len = key.len,
                        .code = code,
                        .used = now,
                        .until = keep_ns ? now + keep_ns : 0 };
    buf_init(&a.text, ANSWER_KEPT_MAX);
    if (!a.key || buf_str(&a.text, text) < 0) {
        mem_free(a.key);
        buf_free(&a.text);
        return;
    }
    pthread_mutex_lock(&g->lock);
    struct answer *place = find(g, key);
    if (place)
        forget(g, place);
    for (;;) {
        struct answer *oldest = NULL;
        place = NULL;
        for (size_t i = 0; i < ANSWERS; i++) {
            if (!g->answers[i].key)
                place = &g->answers[i];
            else if (!oldest || g->answers[i].used < oldest->used)
                oldest = &g->answers[i];
        }
        if (place && (!oldest || g->bytes + text.len + key.len <= GIT_CACHE_MAX))
            break;
        forget(g, oldest);
    }
    *place = a;
    g->bytes += text.len + key.len;
    pthread_mutex_unlock(&g->lock);
}

static int key_make(const char *directory, const char *const *arguments, struct buf *key)
{
    buf_append(key, directory, strlen(directory) + 1);
    for (size_t i = 0; arguments[i]; i++)
        buf_append(key, arguments[i], strlen(arguments[i]) + 1);
    return key->error;
}

static int take_turn(struct git *g)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_FOR_TURN_S;
    return pthread_mutex_timedlock(&g->turn, &until) == 0 ? 0 : ERR_BUSY;
}

int git_ask(struct git *g, enum git_what what, const char *directory, const char *const *arguments, int64_t keep_ns,
            struct buf *out, struct err *err)
{
    struct buf key, answer;
    int r;
    buf_init(&key, KEY_MAX);
    buf_init(&answer, GIT_OUTPUT_MAX);
    if ((r = key_make(directory, arguments, &key)) == 0 && !known(g, buf_view(&key), out, &r) &&
        (r = take_turn(g)) == 0) {
        r = run(g, what, directory, arguments, &answer);
        pthread_mutex_unlock(&g->turn);
        if (r == 0 || r == ERR_NOENT)
            keep(g, buf_view(&key), buf_view(&answer), r, r == 0 ? keep_ns : 30 * NS_PER_S);
        if (r == 0)
            r = buf_str(out, buf_view(&answer));
    }
    buf_free(&key);
    buf_free(&answer);
    if (r == ERR_UNSUPPORTED)
        return err_set(err, r, "no_git", "there is no git on this machine");
    return r < 0 ? err_set(err, r, "git", "git %s: %s", arguments[0], err_text(r)) : 0;
}

// ---- where it is ---------------------------------------------------------------------------------------

static bool is_there(const char *path, const char *name)
{
    char text[4200];
    struct stat st;
    return snprintf(text, sizeof text, "%s/%s", path, name) < (int)sizeof text && stat(text, &st) == 0;
}

int git_directory(const char *path, char ret_directory[4096], struct err *err)
{
    if (path[0] == '/' && strlen(path) < 4000) {
        bool bare = is_there(path, "HEAD") && is_there(path, "objects");
        if (bare || is_there(path, ".git")) {
            snprintf(ret_directory, 4096, "%s%s", path, bare ? "" : "/.git");
            return 0;
        }
    }
    return err_set(err, ERR_NOENT, "no_repository", "%s is no git repository", path);
}

// HEAD, refs and objects are what git takes for a repository.
static int own_make(const char *own, struct err *err)
{
    static const char head[] = "ref: refs/heads/none\n";
    static const char *const directories[] = { "", "/refs", "/objects" };
    char path[4200];
    int fd = -1;
    bool made = true;
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        snprintf(path, sizeof path, "%s%s", own, directories[i]);
        made = made && (mkdir(path, 0700) == 0 || errno == EEXIST);
    }
    snprintf(path, sizeof path, "%s/HEAD", own);
    if (made)
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    made = fd >= 0 && write(fd, head, sizeof head - 1) == (ssize_t)sizeof head - 1;
    int code = made ? 0 : err_of_errno(errno);
    if (fd >= 0)
        close(fd);
    return code < 0 ? err_set(err, code, "git", "%s cannot be made: %s", own, err_text(code)) : 0;
}

int git_new(const char *own, struct git **ret_git, struct err *err)
{
    struct git *g = mem_zalloc(sizeof *g);
    if (!g)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    int r = own ? own_make(own, err) : 0;
    if (r < 0 || (own && strlen(own) >= sizeof g->own)) {
        mem_free(g);
        return r < 0 ? r : err_set(err, ERR_LIMIT, "git", "the path is too long");
    }
    snprintf(g->own, sizeof g->own, "%s", own ? own : "");
    must(pthread_mutex_init(&g->lock, NULL) == 0);
    must(pthread_mutex_init(&g->turn, NULL) == 0);
    *ret_git = g;
    return 0;
}

void git_free(struct git *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < ANSWERS; i++)
        if (g->answers[i].key)
            forget(g, &g->answers[i]);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->turn);
    mem_free(g);
}
