// `clew demo`: starts the demo shop that comes with the source tree (demo/run) against the server.
#include "main/address.h"
#include "main/command.h"
#include "main/run_file.h"

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
    }
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
