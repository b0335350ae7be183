#include "main/run_file.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUN_FILE_MAX = 4096 };

static int run_path(const char *dir, const char *name, char *path, size_t size, struct err *err)
{
    if ((size_t)snprintf(path, size, "%s/%s", dir, name) < size)
        return 0;
    return err_set(err, ERR_LIMIT, "data_directory", "the path of the data directory is too long");
}

int run_file_write(const char *dir, const struct run_file *f, struct err *err)
{
    char path[4096], next[4096];
    struct buf text;
    struct json_writer w;
    int r = run_path(dir, "run.json", path, sizeof path, err);
    if (r == 0)
        r = run_path(dir, "run.json.new", next, sizeof next, err);
    if (r < 0)
        return r;
    buf_init(&text, RUN_FILE_MAX);
    json_writer_init(&w, &text);
    json_put_object(&w);
    json_put_key(&w, STR("url"));
    json_put_str(&w, str_z(f->url));
    json_put_key(&w, STR("local"));
    json_put_str(&w, str_z(f->local));
    json_put_key(&w, STR("token"));
    json_put_str(&w, str_z(f->token));
    json_put_key(&w, STR("pid"));
    json_put_int(&w, f->pid);
    json_put_key(&w, STR("otlp_grpc"));
    json_put_int(&w, f->otlp_grpc);
    json_put_key(&w, STR("otlp_http"));
    json_put_int(&w, f->otlp_http);
    json_put_object_end(&w);
    unlink(next);
    int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && !text.error && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && rename(next, path) == 0;
    if (!ok) {
        r = err_set(err, err_of_errno(errno), "run_file", "cannot write: %s", strerror(errno));
        err_set_place(err, "%s", path);
        unlink(next);
    }
    buf_free(&text);
    return r;
}

static void take(char *out, size_t size, str s)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;
    memcpy(out, s.ptr, n);
    out[n] = 0;
}

static int run_parse(str text, struct run_file *f)
{
    struct arena arena;
    struct json_reader r;
    str name, value;
    int64_t pid = 0, grpc = 0, http = 0;
    arena_init(&arena, 1 << 16);
    json_reader_init(&r, text, &arena, 4);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        if (str_eq(name, STR("pid")))
            rc = json_int(&r, &pid);
        else if (str_eq(name, STR("otlp_grpc")))
            rc = json_int(&r, &grpc);
        else if (str_eq(name, STR("otlp_http")))
            rc = json_int(&r, &http);
        else if (str_eq(name, STR("url")) && (rc = json_text(&r, &value)) == 0)
            take(f->url, sizeof f->url, value);
        else if (str_eq(name, STR("local")) && (rc = json_text(&r, &value)) == 0)
            take(f->local, sizeof f->local, value);
        else if (str_eq(name, STR("token")) && (rc = json_text(&r, &value)) == 0)
            take(f->token, sizeof f->token, value);
        else if (rc > 0)
            rc = json_skip(&r, NULL);
    }
    if (rc == 0)
        rc = json_done(&r);
    arena_free(&arena);
    f->pid = (int)pid;
    f->otlp_grpc = (int)grpc;
    f->otlp_http = (int)http;
    return rc == 0 && pid > 0 && f->url[0] && f->local[0] ? 0 : ERR_CORRUPT;
}

int run_file_read(const char *dir, struct run_file *ret_file, struct err *err)
{
    char path[4096], text[RUN_FILE_MAX];
    struct run_file f = { 0 };
    struct stat st;
    int r = run_path(dir, "run.json", path, sizeof path, err);
    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0) {
        // The file says where to send a token: only its owner may have written it.
        if (fstat(fd, &st) < 0 || (st.st_mode & 022) || (st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0))
            n = -1;
        close(fd);
    }
    bool alive = n > 0 && run_parse(str_of(text, (size_t)n), &f) == 0 && (kill(f.pid, 0) == 0 || errno == EPERM);
    if (!alive) {
        err_set(err, ERR_NOENT, "no_server", "no server runs on this data directory");
        err_set_place(err, "%s", dir);
        err_set_hint(err, "start one with `clew serve`, or name one with --server and --token");
        return ERR_NOENT;
    }
    *ret_file = f;
    return 0;
}

void run_file_remove(const char *dir)
{
    char path[4096];
    if (run_path(dir, "run.json", path, sizeof path, NULL) == 0)
        unlink(path);
}
