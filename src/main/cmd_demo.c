// `clew demo`: starts the demo shop that comes with the source tree (demo/run) against the server.
#include "main/address.h"
#include "main/admin.h"
#include "main/command.h"
#include "main/run_file.h"
#include "meta/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// demo/run beside the binary or in a directory above it (build/release/src/main/clew), or installed.
// Only what belongs to us or root and nobody else may write is run.
static bool find_demo(char *path, size_t size)
{
    char exe[4096];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return false;
    exe[n] = 0;
    for (int up = 0; up < 6; up++) {
        static const char *const places[] = { "demo/run", "share/clew/demo/run" };
        char *slash = strrchr(exe, '/');
        if (!slash)
            return false;
        *slash = 0;
        for (size_t i = 0; i < 2; i++) {
            snprintf(path, size, "%s/%s", exe, places[i]);
            if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == geteuid() || st.st_uid == 0) &&
                !(st.st_mode & 022) && access(path, X_OK) == 0)
                return true;
        }
    }
    return false;
}

#define PROJECT "shop" // its own: its issues are SHOP-1, SHOP-2, ...
#define TOKEN "demo shop"

// What OpenTelemetry's and Sentry's SDKs and sentry-cli read. The token takes records in and uploads the page's source map, for
// this project alone; the one of the run before ends here.
static int environment(const struct invocation *inv, const char *url, struct err *err)
{
    struct meta *m;
    struct meta_project p;
    struct meta_token t;
    struct err none;
    char actor[META_NAME_MAX + 1], key[META_SECRET_MAX], dsn[512], secret[META_SECRET_MAX],
        headers[META_SECRET_MAX + 32];
    if (admin_open(inv, &m, err) < 0)
        return err->code;
    int r = meta_project_find(m, STR(PROJECT), &p, &none);
    if (r == ERR_NOENT)
        r = meta_project_add(m, admin_actor(actor), STR(PROJECT), &p, err);
    if (r == 0)
        r = meta_project_dsn_key(m, admin_actor(actor), p.id, key, err);
    if (r == 0 && meta_token_find(m, STR(TOKEN), &t, &none) == 0)
        r = meta_token_remove(m, admin_actor(actor), t.id, err);
    if (r == 0)
        r = meta_token_add(m, admin_actor(actor), STR(TOKEN), META_SCOPE_INGEST, p.id, 0, secret, &t, err);
    meta_close(m);
    if (r == 0 && (r = address_dsn(url, key, p.id, dsn)) < 0)
        err_set(err, r, "bad_setting", "the address of the server is no URL: %s", url);
    if (r < 0)
        return r;
    snprintf(headers, sizeof headers, "authorization=Bearer%%20%s", secret);
    const char *const set[][2] = {
        { "OTEL_EXPORTER_OTLP_HEADERS", headers }, { "SENTRY_DSN", dsn },    { "SENTRY_URL", url },
        { "SENTRY_AUTH_TOKEN", secret },           { "SENTRY_ORG", "clew" }, { "SENTRY_PROJECT", PROJECT }
    };
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
        if (setenv(set[i][0], set[i][1], 1) < 0)
            return err_set(err, ERR_NOMEM, "no_memory", "no memory for the environment");
    return 0;
}

int command_demo(struct invocation *inv)
{
    char path[5000];
    struct run_file f = { 0 };
    struct err err;
    const char *url = config_text(&inv->config, CONFIG_KEY_SERVER);
    if (!url[0]) {
        if (run_file_read(config_text(&inv->config, CONFIG_KEY_DATA), &f, &err) < 0)
            return command_fail(&err);
        url = f.local;
        if (environment(inv, url, &err) < 0)
            return command_fail(&err);
    } // another machine's: SENTRY_DSN and the headers are for whoever starts this to set
    if (!find_demo(path, sizeof path)) {
        err_set(&err, ERR_NOENT, "no_demo", "the demo shop is not installed beside this binary");
        err_set_hint(&err, "it comes with the source tree: `make run` there starts both");
        return command_fail(&err);
    }
    if (setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url, 1) == 0)
        execl(path, path, (char *)NULL);
    err_set(&err, err_of_errno(errno), "no_demo", "%s: %s", path, strerror(errno));
    return command_fail(&err);
}
