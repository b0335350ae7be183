// `clew serve`: builds the house from the ground up, waits for a signal, takes it down in reverse.
#include "alerts/alerts.h"
#include "api/api.h"
#include "artifacts/artifacts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/ingest.h"
#include "issues/issues.h"
#include "issues/query.h"
#include "live/live.h"
#include "main/address.h"
#include "main/command.h"
#include "main/doctor.h"
#include "main/run_file.h"
#include "meta/person.h"
#include "meta/token.h"
#include "monitors/monitors.h"
#include "net/server.h"
#include "net/tls.h"
#include "owners/owners.h"
#include "red/red.h"
#include "releases/releases.h"
#include "store/store.h"
#include "symbols/symbols.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Of the command line's own token. Who may read the run file may open meta.db beside it, and so is the administrator: he reads
// and places probes without being asked for another token. Users, tokens and issues are not changed with it.
enum { LOCAL_SCOPES = META_SCOPE_READ | META_SCOPE_VALUES | META_SCOPE_PROBE | META_SCOPE_PROBE_PROD };

enum {
    WAIT_THREADS = 16,
    WAIT_QUEUE = 64,
    ADMIN_THREADS = 2,
    ADMIN_QUEUE = 1024,
    LIVE_THREADS = 2,
    LIVE_QUEUE = 4096,
    INGEST_QUEUE = 65536,
    LOOPS_MAX = 4,
    WORKERS_MAX = 62
};

struct house {
    const struct config *config;
    struct meta *meta;
    struct store *store;
    struct red *red;
    struct releases *releases;
    struct releases_follow *follow;
    struct issues *issues;
    struct owners *owners;
    struct issues_for_queries issues_for_queries;
    struct symbols *symbols;
    struct artifacts *artifacts;
    struct pool *ingest_pool, *query_pool, *wait_pool, *admin_pool, *live_pool;
    struct ingest *ingest;
    struct alerts *alerts;
    struct monitors *monitors;
    struct live *live;
    struct api *api;
    struct net_tls *tls;
    struct net_server *server;
    struct socket_address main_address, local_address; // local: where this machine's command line asks
    bool run_file;
    struct api_setting settings[CONFIG_KEYS];
    char setting_names[CONFIG_KEYS][2][64]; // flag, environment
};

static int64_t number(const struct house *h, enum config_id id) { return config_number(h->config, id); }
static const char *text(const struct house *h, enum config_id id) { return config_text(h->config, id); }

static int cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (int)n;
}

static int workers(const struct house *h)
{
    int64_t n = number(h, CONFIG_KEY_WORKERS);
    return n > WORKERS_MAX ? WORKERS_MAX : n ? (int)n : cores();
}

static int open_pools(struct house *h, struct err *err)
{
    // A query keeps a thread for as long as it runs, and ingest must never wait for one: pools of their own.
    int queries = (int)number(h, CONFIG_KEY_QUERIES), threads = workers(h) < 2 ? 2 : workers(h);
    if (threads > queries)
        threads = queries;
    int r = pool_new("ingest", workers(h), INGEST_QUEUE, &h->ingest_pool);
    if (r == 0)
        r = pool_new("query", threads, (size_t)(queries - threads > 0 ? queries - threads : 1), &h->query_pool);
    if (r == 0) // and nor must a query for an agent that does not answer
        r = pool_new("wait", WAIT_THREADS, WAIT_QUEUE, &h->wait_pool);
    if (r == 0)
        r = pool_new("admin", ADMIN_THREADS, ADMIN_QUEUE, &h->admin_pool);
    if (r == 0) // what agents say waits for the disk
        r = pool_new("live", LIVE_THREADS, LIVE_QUEUE, &h->live_pool);
    return r < 0 ? err_set(err, r, "threads", "the worker threads cannot be started: %s", err_text(r)) : 0;
}

static int open_store(struct house *h, struct err *err)
{
    char dir[CONFIG_TEXT_MAX + 16];
    snprintf(dir, sizeof dir, "%s/store", text(h, CONFIG_KEY_DATA));
    struct store_options o = {
        .dir = dir,
        .lanes = (unsigned)workers(h) + 2, // and one for what monitors write, one for what probes capture
        .durability_os = strcmp(text(h, CONFIG_KEY_DURABILITY), "os") == 0,
        .disk_cap_bytes = (uint64_t)number(h, CONFIG_KEY_DISK_CAP),
        .cache_bytes = (uint64_t)number(h, CONFIG_KEY_CACHE),
        .allow_hole = number(h, CONFIG_KEY_ALLOW_HOLE),
        .consumers = 1u << CONSUMER_RED | 1u << CONSUMER_RELEASES | 1u << CONSUMER_ISSUES | 1u << CONSUMER_MONITORS,
    };
    for (unsigned source = 0; source < RECORD_SOURCES; source++)
        o.retention_ns[source] =
            number(h, source == RECORD_SNAPSHOTS ? CONFIG_KEY_SNAPSHOT_RETENTION : CONFIG_KEY_RETENTION);
    int r = store_open(&o, &h->store, err);
    if (r < 0)
        return r;
    struct store_stats stats;
    store_stats(h->store, &stats);
    if (stats.read_only)
        log_warn("serve", "the store takes no new records: %s", stats.why);
    return 0;
}

// The server's own settings, for the page of them. None of them is a secret: those stand in files that they name.
static size_t settings_read(struct house *h)
{
    static const char *const origins[] = { "default", "file", "environment", "flag" };
    size_t n = 0;
    for (int i = 0; i < CONFIG_KEYS; i++) {
        const struct config_key *k = &config_keys[i];
        const struct config_value *v = &h->config->values[i];
        if (!(k->who & CONFIG_SERVE))
            continue;
        config_flag_name(k, h->setting_names[i][0]);
        config_environment_name(k, h->setting_names[i][1]);
        h->settings[n++] = (struct api_setting){ .key = k->key,
                                                 .flag = h->setting_names[i][0],
                                                 .environment = h->setting_names[i][1],
                                                 .doc = k->doc,
                                                 .value = v->text,
                                                 .def = k->def,
                                                 .origin = origins[v->origin] };
    }
    return n;
}

static int look_at_host(void *ctx, struct api_finding out[API_FINDINGS_MAX])
{
    const struct house *h = ctx;
    return doctor_look(h->config, out);
}

static int open_red(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/derived.db", text(h, CONFIG_KEY_DATA));
    struct red_options o = { .path = path, .retention_ns = number(h, CONFIG_KEY_RETENTION) };
    return red_open(&o, h->store, &h->red, err);
}

static int open_releases(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/releases.db", text(h, CONFIG_KEY_DATA));
    struct releases_options o = { .path = path, .retention_ns = number(h, CONFIG_KEY_RETENTION) };
    int r = releases_open(&o, &h->releases, err);
    return r < 0 ? r : releases_follow_new(h->releases, h->store, false, &h->follow, err);
}

static int open_issues(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/issues.db", text(h, CONFIG_KEY_DATA));
    struct issues_options o = { .releases = h->releases,
                                .path = path,
                                .retention_ns = number(h, CONFIG_KEY_RETENTION) };
    int r = issues_open(&o, h->store, &h->issues, err);
    if (r == 0)
        issues_for_queries(&h->issues_for_queries, h->issues, h->meta);
    return r;
}

static int issue_of_hash(void *ctx, uint32_t project, str hash, int64_t *ret_issue)
{
    return issues_of_hash(ctx, project, hash, ret_issue);
}

static int issue_hash_add(void *ctx, int64_t issue, str hash)
{
    struct err err;
    return issues_hash_add(ctx, issue, hash, &err);
}

static struct grouping_rules *grouping_of(void *ctx, int64_t project) { return ingest_grouping_rules(ctx, project); }

static int open_owners(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16], data[4096], git[4096 + 16];
    if (!realpath(text(h, CONFIG_KEY_DATA), data)) // git runs in another directory
        return err_set(err, ERR_IO, "data", "%s cannot be found", text(h, CONFIG_KEY_DATA));
    snprintf(path, sizeof path, "%s/owners.db", text(h, CONFIG_KEY_DATA));
    snprintf(git, sizeof git, "%s/git", data);
    struct owners_options o = { .path = path,
                                .git = git,
                                .meta = h->meta,
                                .store = h->store,
                                .issues = h->issues,
                                .releases = h->releases,
                                .symbols = h->symbols,
                                .grouping = grouping_of,
                                .grouping_ctx = h->ingest };
    return owners_open(&o, &h->owners, err);
}

static int open_artifacts(struct house *h, struct err *err)
{
    struct artifacts_options o = { .data = text(h, CONFIG_KEY_DATA),
                                   .retention_ns = number(h, CONFIG_KEY_RETENTION),
                                   .cap_bytes = (uint64_t)number(h, CONFIG_KEY_ARTIFACT_CAP) };
    return artifacts_open(&o, &h->artifacts, err);
}

// One line, as editors leave it.
static int read_password(struct house *h, struct smtp_server *server, struct err *err)
{
    const char *path = text(h, CONFIG_KEY_SMTP_PASSWORD_FILE);
    if (!path[0])
        return 0;
    FILE *f = fopen(path, "re");
    char *got = f ? fgets(server->password, sizeof server->password, f) : NULL;
    int e = errno;
    if (f)
        fclose(f);
    if (!got) {
        err_set(err, ERR_NOENT, "bad_setting", "cannot read the mail server's password: %s",
                f ? "the file is empty" : strerror(e));
        err_set_place(err, "%s", path);
        return ERR_NOENT;
    }
    server->password[strcspn(server->password, "\r\n")] = 0;
    return 0;
}

static int open_alerts(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16];
    struct smtp_server smtp;
    const char *url = text(h, CONFIG_KEY_SMTP), *from = text(h, CONFIG_KEY_MAIL_FROM);
    snprintf(path, sizeof path, "%s/alerts.db", text(h, CONFIG_KEY_DATA));
    struct alerts_options o = {
        .path = path,
        .store = h->store,
        .issues = h->issues,
        .query_issues = &h->issues_for_queries.query,
        .meta = h->meta,
        .mail_from = from,
        .private_targets = number(h, CONFIG_KEY_PRIVATE_TARGETS),
    };
    int r = url[0] ? smtp_server_parse(str_z(url), &smtp, err) : 0;
    if (r == 0 && url[0])
        r = read_password(h, &smtp, err);
    if (r == 0 && url[0] && !smtp_address_ok(str_z(from)))
        r = err_set(err, ERR_INVALID, "bad_setting", "smtp needs mail_from, a mail address");
    if (r < 0)
        return r;
    o.smtp = url[0] ? &smtp : NULL;
    return alerts_open(&o, &h->alerts, err);
}

static int open_monitors(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/monitors.db", text(h, CONFIG_KEY_DATA));
    // The lane behind those of the workers.
    struct monitors_options o = { .path = path, .store = h->store, .lane = (unsigned)workers(h), .issues = h->issues };
    return monitors_open(&o, &h->monitors, err);
}

// Of what probes have captured in processes without an SDK. Agents connect after ingest is there.
static int probe_event(void *ctx, uint32_t project, str id, str service, str json, const struct record_sink *sink)
{
    struct house *h = ctx;
    struct err err;
    struct ingest_own_event e = { .project = project, .id = id, .service = service, .json = json };
    int r = ingest_own_event(h->ingest, &e, sink, &err);
    if (r == ERR_MALFORMED || r == ERR_TRUNCATED)
        log_warn("live", "no event is made of a capture: %s", err.message);
    return r == ERR_MALFORMED || r == ERR_TRUNCATED ? ERR_LIMIT : r < 0 ? r : r == INGEST_OWN_STORED;
}

static int open_live(struct house *h, struct err *err)
{
    char path[CONFIG_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/live.db", text(h, CONFIG_KEY_DATA));
    struct live_options o = { .path = path,
                              .store = h->store,
                              .lane = (unsigned)workers(h) + 1,
                              .meta = h->meta,
                              .event = probe_event,
                              .event_ctx = h };
    return live_open(&o, &h->live, err);
}

static int start_alerts(struct house *h, struct err *err)
{
    char url[256];
    int r = address_of_settings(h->config, socket_address_port(&h->main_address), url, err);
    return r < 0 ? r : alerts_start(h->alerts, url, err);
}

static int artifact_content(void *ctx, const uint8_t digest[SYMBOLS_DIGEST], size_t cap, struct buf *out,
                            struct err *err)
{
    return artifact_load(ctx, digest, cap, out, err);
}

static int open_symbols(struct house *h, struct err *err)
{
    struct symbols_options o = { .data = text(h, CONFIG_KEY_DATA),
                                 .load = artifact_content,
                                 .load_ctx = h->artifacts,
                                 .cache_bytes = (size_t)number(h, CONFIG_KEY_SYMBOLS_CACHE) };
    return symbols_open(&o, &h->symbols, err);
}

static int open_rooms(struct house *h, struct err *err)
{
    struct meta_project project;
    int r = meta_open(text(h, CONFIG_KEY_DATA), true, &h->meta, err);
    if (r == 0)
        r = meta_project_find(h->meta, STR("default"), &project, err);
    if (r == 0)
        r = open_store(h, err);
    if (r == 0)
        r = open_releases(h, err);
    if (r == 0)
        r = open_artifacts(h, err);
    if (r == 0)
        r = open_symbols(h, err);
    if (r == 0)
        r = open_issues(h, err);
    if (r == 0)
        r = open_monitors(h, err);
    if (r == 0)
        r = open_live(h, err);
    if (r == 0)
        r = open_alerts(h, err);
    if (r == 0)
        r = open_red(h, err);
    if (r == 0)
        r = open_pools(h, err);
    if (r < 0)
        return r;
    struct ingest_options in = {
        .meta = h->meta,
        .store = h->store,
        .artifacts = h->artifacts,
        .symbols = h->symbols,
        .issues = { issue_of_hash, issue_hash_add, h->issues },
        .pool = h->ingest_pool,
        .default_project = project.id,
        .body_max = (size_t)number(h, CONFIG_KEY_BODY_MAX),
        .inflated_max = (size_t)number(h, CONFIG_KEY_INFLATED_MAX),
        .event_max = (size_t)number(h, CONFIG_KEY_EVENT_MAX),
        .item_max = (size_t)number(h, CONFIG_KEY_ITEM_MAX),
        .attachment_max = (size_t)number(h, CONFIG_KEY_ATTACHMENT_MAX),
        .envelope_max = (size_t)number(h, CONFIG_KEY_ENVELOPE_MAX),
        .tunnels = text(h, CONFIG_KEY_TUNNEL),
        .rate = number(h, CONFIG_KEY_INGEST_RATE),
    };
    r = ingest_new(&in, &h->ingest, err);
    if (r == 0)
        r = open_owners(h, err);
    if (r < 0)
        return r;
    size_t settings_n = settings_read(h);
    struct api_options api = {
        .meta = h->meta,
        .store = h->store,
        .red = h->red,
        .releases = h->releases,
        .issues = h->issues,
        .owners = h->owners,
        .query_issues = &h->issues_for_queries.query,
        .artifacts = h->artifacts,
        .symbols = h->symbols,
        .ingest = h->ingest,
        .alerts = h->alerts,
        .monitors = h->monitors,
        .live = h->live,
        .live_pool = h->live_pool,
        .alerts_mail = text(h, CONFIG_KEY_SMTP)[0] != 0,
        .ingest_pool = h->ingest_pool,
        .query_pool = h->query_pool,
        .wait_pool = h->wait_pool,
        .admin_pool = h->admin_pool,
        .public_urls = text(h, CONFIG_KEY_PUBLIC_URL),
        .version = CLEW_VERSION,
        .data = text(h, CONFIG_KEY_DATA),
        .settings = h->settings,
        .settings_n = settings_n,
        .doctor = look_at_host,
        .doctor_ctx = h,
        .tails_max = (int)number(h, CONFIG_KEY_TAILS),
        .query_memory_max = (size_t)number(h, CONFIG_KEY_QUERY_MEMORY),
        .query_time_max_ns = number(h, CONFIG_KEY_QUERY_TIME),
    };
    return api_new(&api, &h->api, err);
}

static int listen_on(struct house *h, struct socket_address *a, int tag, struct net_tls *tls, struct err *err)
{
    int r = net_server_listen(h->server, a, tag, tls, err);
    if (r == 0)
        api_add_listener(h->api, a, tag, tls != NULL);
    return r;
}

static int listen_otlp(struct house *h, enum config_id port, struct err *err)
{
    struct socket_address a = h->main_address;
    if (!number(h, CONFIG_KEY_OTLP_PORTS) || number(h, port) == 0)
        return 0;
    socket_address_set_port(&a, (uint16_t)number(h, port));
    int r = listen_on(h, &a, API_TAG_INGEST, h->tls, err);
    if (r < 0 && err->hint[0] == 0)
        err_set_hint(err, "another program may have the port: --no-otlp-ports leaves 4317 and 4318 alone");
    return r;
}

// The command line of this machine asks over loopback. With TLS the certificate is for another name, so it
// gets a plain listener of its own, on loopback and a free port.
static int listen_local(struct house *h, struct err *err)
{
    h->local_address = h->main_address;
    if (!h->tls)
        return 0;
    int r = socket_address_parse(STR("127.0.0.1:0"), &h->local_address, err);
    return r < 0 ? r : net_server_listen(h->server, &h->local_address, API_TAG_MAIN, NULL, err);
}

static int open_server(struct house *h, struct err *err)
{
    const char *cert = text(h, CONFIG_KEY_TLS_CERT), *key = text(h, CONFIG_KEY_TLS_KEY);
    if (!cert[0] != !key[0])
        return err_set(err, ERR_INVALID, "bad_setting", "tls_cert and tls_key need each other");
    int r = cert[0] ? net_tls_new(cert, key, &h->tls, err) : 0;
    struct net_config config = {
        .limits = net_limits_default(), .route = api_route, .refuse = api_refuse, .observe = api_observe, .ctx = h->api
    };
    config.threads = number(h, CONFIG_KEY_LOOPS) ? (int)number(h, CONFIG_KEY_LOOPS)
                     : cores() < LOOPS_MAX       ? cores()
                                                 : LOOPS_MAX;
    config.limits.connections = (size_t)number(h, CONFIG_KEY_CONNECTIONS);
    config.limits.connections_per_peer = number(h, CONFIG_KEY_CONNECTIONS_PER_PEER)
                                             ? (size_t)number(h, CONFIG_KEY_CONNECTIONS_PER_PEER)
                                             : config.limits.connections / 4;
    config.limits.body_bytes_in_flight = (size_t)number(h, CONFIG_KEY_INGEST_MEMORY);
    config.limits.body_bytes = (size_t)number(h, CONFIG_KEY_BODY_MAX);
    config.limits.inflated_bytes = (size_t)number(h, CONFIG_KEY_INFLATED_MAX);
    if (r == 0)
        r = net_server_new(&config, &h->server, err);
    if (r == 0)
        r = listen_on(h, &h->main_address, API_TAG_MAIN, h->tls, err);
    if (r == 0)
        r = listen_local(h, err);
    if (r == 0)
        r = listen_otlp(h, CONFIG_KEY_OTLP_GRPC_PORT, err);
    if (r == 0)
        r = listen_otlp(h, CONFIG_KEY_OTLP_HTTP_PORT, err);
    if (r < 0)
        return r;
    api_set_server(h->api, h->server, socket_address_port(&h->main_address), h->tls != NULL);
    return net_server_start(h->server, err);
}

// For commands of the same user on this machine: they can read the data directory anyway.
static int write_run_file(struct house *h, struct err *err)
{
    struct run_file f = { .pid = (int)getpid() };
    if (number(h, CONFIG_KEY_OTLP_PORTS)) {
        f.otlp_grpc = (int)number(h, CONFIG_KEY_OTLP_GRPC_PORT);
        f.otlp_http = (int)number(h, CONFIG_KEY_OTLP_HTTP_PORT);
    }
    char address[SOCKET_ADDRESS_TEXT], secret[META_SECRET_MAX];
    socket_address_format(&h->local_address, address);
    bool any = str_starts(str_z(address), STR("0.0.0.0:")) || str_starts(str_z(address), STR("[::]:"));
    if (any)
        snprintf(f.local, sizeof f.local, "http://127.0.0.1:%d", socket_address_port(&h->local_address));
    else
        snprintf(f.local, sizeof f.local, "http://%s", address);
    int r = address_of_settings(h->config, socket_address_port(&h->main_address), f.url, err);
    if (r < 0)
        return r;
    r = meta_token_local(h->meta, STR("command line"), LOCAL_SCOPES, secret);
    if (r < 0)
        return err_set(err, r, "run_file", "no token for the command line: %s", err_text(r));
    snprintf(f.token, sizeof f.token, "%s", secret);
    r = run_file_write(text(h, CONFIG_KEY_DATA), &f, err);
    h->run_file = r == 0;
    return r;
}

static int say_hello(struct house *h, struct err *err)
{
    char url[256], link[META_SECRET_MAX], key[META_SECRET_MAX], dsn[512] = "";
    struct meta_project project;
    int r = address_of_settings(h->config, socket_address_port(&h->main_address), url, err);
    if (r == 0)
        r = meta_link_add(h->meta, STR("server"), STR("admin"), link, err);
    if (r == 0)
        r = meta_project_find(h->meta, STR("default"), &project, err);
    if (r < 0)
        return r;
    r = meta_project_dsn_key(h->meta, STR("server"), project.id, key, err);
    if (r == ERR_NOENT) // all were revoked
        snprintf(dsn, sizeof dsn, "none: %s", err->message);
    else if (r < 0)
        return r;
    else
        address_dsn(url, key, project.id, dsn);
    printf("Clew %s\n\n  open      %s/signin#%s\n            (once, within 10 minutes; `clew login-link` prints "
           "another)\n",
           CLEW_VERSION, url, link);
    printf("  OTLP      OTEL_EXPORTER_OTLP_ENDPOINT=%s\n", url);
    if (number(h, CONFIG_KEY_OTLP_PORTS))
        printf("            (this port takes HTTP and gRPC; so do %d for gRPC and %d for HTTP)\n",
               (int)number(h, CONFIG_KEY_OTLP_GRPC_PORT), (int)number(h, CONFIG_KEY_OTLP_HTTP_PORT));
    printf("  DSN       %s\n  data      %s\n\n", dsn, text(h, CONFIG_KEY_DATA));
    fflush(stdout);
    if (!socket_address_is_loopback(&h->main_address) && !h->tls)
        log_warn("serve",
                 "keys and records travel unencrypted: this address is not loopback and there is no --tls-cert");
    if (!socket_address_is_loopback(&h->main_address) && !text(h, CONFIG_KEY_PUBLIC_URL)[0])
        log_warn("serve", "only loopback names are answered: say with --public-url how others reach this server");
    return 0;
}

// Blocked before any thread is started, so that only wait_for_signal takes them.
static void signals_block(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void wait_for_signal(struct house *h, const sigset_t *set)
{
    static const struct timespec second = { .tv_sec = 1 };
    for (;;) {
        int sig = sigtimedwait(set, NULL, &second);
        if (sig == SIGTERM || sig == SIGINT)
            return;
        releases_save(h->releases, NULL);
        releases_expire(h->releases, clock_unix_ns(), NULL);
        meta_tick(h->meta); // SIGHUP (a terminal that closed) does not end a server
    }
}

static void stop_all(struct house *h)
{
    // A second Ctrl-C does not wait.
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
    if (h->run_file)
        run_file_remove(text(h, CONFIG_KEY_DATA));
    bool owed = h->server && net_server_stop(h->server) == ERR_BUSY;
    if (owed)
        log_warn("serve", "some requests are still at work; waiting for them");
    pool_stop(h->query_pool);
    pool_stop(h->wait_pool);
    pool_stop(h->admin_pool);
    pool_stop(h->live_pool);
    pool_stop(h->ingest_pool);
    owners_close(h->owners);
    symbols_close(h->symbols);
    api_free(h->api);
    alerts_close(h->alerts);
    monitors_close(h->monitors);
    live_close(h->live);
    red_close(h->red);
    releases_follow_free(h->follow);
    issues_close(h->issues);
    if (h->store)
        store_close(h->store);
    if (owed)
        net_server_stop(h->server);
    net_server_free(h->server);
    ingest_free(h->ingest);
    net_tls_free(h->tls);
    pool_free(h->query_pool);
    pool_free(h->wait_pool);
    pool_free(h->admin_pool);
    pool_free(h->live_pool);
    pool_free(h->ingest_pool);
    releases_close(h->releases);
    artifacts_close(h->artifacts);
    meta_close(h->meta);
}

int command_serve(struct invocation *inv)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    struct house h = { .config = &inv->config };
    struct err err = { 0 };
    sigset_t signals;
    for (int i = 0; i < 4; i++)
        if (strcmp(config_text(&inv->config, CONFIG_KEY_LOG_LEVEL), levels[i]) == 0)
            log_set_level((enum log_level)i);
    int r = api_public_urls_check(str_z(config_text(&inv->config, CONFIG_KEY_PUBLIC_URL)), &err);
    if (r == 0)
        r = socket_address_parse(str_z(config_text(&inv->config, CONFIG_KEY_LISTEN)), &h.main_address, &err);
    if (r < 0) {
        command_fail(&err);
        return EXIT_USAGE;
    }
    signals_block(&signals);
    socket_raise_fd_limit();
    r = open_rooms(&h, &err);
    if (r == 0)
        r = open_server(&h, &err);
    if (r == 0)
        r = start_alerts(&h, &err);
    if (r == 0)
        r = write_run_file(&h, &err);
    if (r == 0)
        r = say_hello(&h, &err);
    if (r == 0)
        wait_for_signal(&h, &signals);
    else
        command_fail(&err);
    stop_all(&h);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
