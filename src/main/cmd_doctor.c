// `clew doctor`: what a server needs of this host, tried out; also for the page of a running server.
#include "agent/agent.h"
#include "base/buf.h"
#include "base/must.h"
#include "main/command.h"
#include "main/doctor.h"
#include "main/human.h"
#include "main/run_file.h"
#include "os/socket.h"
#include "query/calendar.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DOCTOR_FILES_WANTED = 4096 };
#define DOCTOR_SPACE_WANTED (1000u << 20)

struct doctor {
    struct api_finding *out;
    int n;
};

static void say(struct doctor *d, bool ok, const char *what, const char *more, const char *fix)
{
    must(d->n < API_FINDINGS_MAX);
    struct api_finding *f = &d->out[d->n++];
    f->ok = ok;
    snprintf(f->what, sizeof f->what, "%s", what);
    snprintf(f->more, sizeof f->more, "%s", more);
    snprintf(f->fix, sizeof f->fix, "%s", fix);
}

static void check_data(struct doctor *d, const char *dir)
{
    struct stat st;
    struct statvfs vfs;
    struct buf more;
    char at[CONFIG_TEXT_MAX];
    buf_init(&more, 4096);
    bool exists = stat(dir, &st) == 0;
    if (exists) {
        say(d, access(dir, W_OK | X_OK) == 0, "data directory", dir,
            "its owner must run the server, or give another with --data");
        say(d, (st.st_mode & 077) == 0, "data directory is closed to others", "", "chmod 700 it");
    } else {
        say(d, errno == ENOENT, "data directory", "will be made at the first start",
            "a part of the path is no directory or may not be entered");
    }
    // Space where it is or will be.
    snprintf(at, sizeof at, "%s", dir);
    while (!exists && strlen(at) > 1 && stat(at, &st) < 0) {
        char *slash = strrchr(at, '/');
        if (!slash)
            break;
        slash[slash == at] = 0;
    }
    if (statvfs(at, &vfs) == 0) {
        uint64_t space = (uint64_t)vfs.f_bavail * vfs.f_frsize;
        human_size(&more, space);
        buf_byte(&more, 0);
        say(d, space >= DOCTOR_SPACE_WANTED, "free space", (const char *)more.ptr,
            "a gigabyte is the least to start with; --disk-cap bounds what records take");
    }
    buf_free(&more);
}

// port: 0 for that of the address.
static void check_port(struct doctor *d, struct socket_address a, int port, const char *what, const char *fix)
{
    struct err err = { 0 };
    int fd = -1;
    if (port)
        socket_address_set_port(&a, (uint16_t)port);
    int r = socket_listen(&a, 1, true, &fd, &err);
    if (fd >= 0)
        close(fd);
    say(d, r == 0, what, r == 0 ? "free" : err.message, fix);
}

static void check_otlp(struct doctor *d, const struct config *c, const struct socket_address *a)
{
    if (!config_number(c, CONFIG_KEY_OTLP_PORTS))
        return;
    check_port(d, *a, (int)config_number(c, CONFIG_KEY_OTLP_GRPC_PORT), "OTLP port for gRPC",
               "--no-otlp-ports does without; the main port takes gRPC, too");
    check_port(d, *a, (int)config_number(c, CONFIG_KEY_OTLP_HTTP_PORT), "OTLP port for HTTP",
               "--no-otlp-ports does without; the main port takes HTTP, too");
}

// As it was started, which is not how this command was.
static void tell_ports(struct doctor *d, const struct run_file *run)
{
    static const char used[] = "in use by the server that runs", without[] = "the server that runs does without";
    say(d, true, "main port", used, "");
    say(d, true, "OTLP port for gRPC", run->otlp_grpc ? used : without, "");
    say(d, true, "OTLP port for HTTP", run->otlp_http ? used : without, "");
}

int doctor_look(const struct config *c, struct api_finding out[API_FINDINGS_MAX])
{
    struct doctor d = { .out = out };
    struct run_file run;
    struct socket_address a;
    struct err err;
    const struct query_zone *zone;
    char more[64];
    bool running = run_file_read(config_text(c, CONFIG_KEY_DATA), &run, NULL) == 0;
    say(&d, true, "server", running ? run.url : "none runs on this data directory", "");
    check_data(&d, config_text(c, CONFIG_KEY_DATA));
    if (running) {
        tell_ports(&d, &run);
    } else if (socket_address_parse(str_z(config_text(c, CONFIG_KEY_LISTEN)), &a, &err) < 0) {
        say(&d, false, "address", err.message, "ADDR:PORT, numbers only");
    } else {
        check_port(&d, a, 0, "main port", "another program has it: --listen takes another one");
        check_otlp(&d, c, &a);
    }
    uint64_t files = socket_raise_fd_limit();
    snprintf(more, sizeof more, "%llu", (unsigned long long)files);
    say(&d, files >= DOCTOR_FILES_WANTED, "open files", more,
        "raise the hard limit (ulimit -Hn, LimitNOFILE): each connection is one");
    say(&d, query_zone_get(STR("Europe/Berlin"), &zone) == 0, "time zones", "",
        "install tzdata: days and weeks of queries need it");
    return d.n;
}

int command_doctor(struct invocation *inv)
{
    struct api_finding found[API_FINDINGS_MAX];
    struct buf out;
    int n = doctor_look(&inv->config, found), failed = 0;
    buf_init(&out, 1 << 20);
    for (int i = 0; i < n; i++) {
        const struct api_finding *f = &found[i];
        buf_printf(&out, "%-6s %s%s%s\n", f->ok ? "ok" : "fails", f->what, f->more[0] ? ": " : "", f->more);
        if (!f->ok)
            buf_printf(&out, "       %s\n", f->fix);
        failed += !f->ok;
    }
    agent_doctor(&out);              // what it does not allow a server can do without
    doctor_door(&inv->config, &out); // a refused sender is no fault of this host
    int status = command_print(&out);
    buf_free(&out);
    return failed ? EXIT_FAILED : status;
}
