// token, project, login-link, audit: they open the data directory, also of a server that is not running;
// a running one notices.
#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "main/address.h"
#include "main/admin.h"
#include "main/command.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/terminal.h"
#include "meta/audit.h"
#include "meta/person.h"
#include "meta/token.h"
#include "query/literal.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int admin_open(const struct invocation *inv, struct meta **ret_meta, struct err *err)
{
    return meta_open(config_text(&inv->config, CONFIG_KEY_DATA), false, ret_meta, err);
}

str admin_actor(char out[META_NAME_MAX + 1])
{
    struct passwd pw, *found = NULL;
    char space[4096];
    if (getpwuid_r(getuid(), &pw, space, sizeof space, &found) == 0 && found)
        snprintf(out, META_NAME_MAX + 1, "cli:%s", pw.pw_name);
    else
        snprintf(out, META_NAME_MAX + 1, "cli:%u", (unsigned)getuid());
    return str_z(out);
}

int admin_finish(struct meta *m, int r, const struct err *err)
{
    meta_close(m);
    return r < 0 ? command_fail(err) : EXIT_DONE;
}

static int ttl_read(const char *text, int64_t *ret_expires_ns, struct err *err)
{
    int64_t ns;
    bool overflow;
    if (!text) {
        *ret_expires_ns = 0;
        return 0;
    }
    if (!query_duration_read(str_z(text), &ns, &overflow) || overflow || ns <= 0 || ns > INT64_MAX - clock_unix_ns())
        return err_set(err, ERR_INVALID, "usage", "--ttl: \"%s\" is not a time (12h, 30d)", text);
    *ret_expires_ns = clock_unix_ns() + ns;
    return 0;
}

int command_token_add(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_project project = { 0 };
    struct meta_token token;
    char secret[META_SECRET_MAX], actor[META_NAME_MAX + 1];
    uint32_t scopes = META_SCOPE_READ;
    int64_t expires = 0;
    const char *scope = invocation_option(inv, "scope"), *slug = invocation_option(inv, "project");
    if ((scope && meta_scopes_parse(str_z(scope), &scopes, &err) < 0) ||
        ttl_read(invocation_option(inv, "ttl"), &expires, &err) < 0) {
        command_fail(&err);
        return EXIT_USAGE;
    }
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = slug ? meta_project_find(m, str_z(slug), &project, &err) : 0;
    if (r == 0)
        r = meta_token_add(m, admin_actor(actor), str_z(inv->operands[0]), scopes, project.id, expires, secret, &token,
                           &err);
    if (r == 0) {
        char words[64];
        meta_scopes_text(scopes, words);
        fprintf(stderr, "token #%lld: %s, %s. It is shown this once.\n", (long long)token.id, words,
                slug ? slug : "all projects");
        printf("%s\n", secret);
    }
    return admin_finish(m, r, &err);
}

static str project_slug(const struct meta_project *list, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id)
            return str_z(list[i].slug);
    return STR("all");
}

void admin_put_time(struct json_writer *w, str key, int64_t ns)
{
    char text[32];
    if (ns == 0)
        return; // a missing value is an absent key
    json_put_key(w, key);
    json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, ns)));
}

static void tokens_json(struct buf *out, const struct meta_token *list, size_t n, const struct meta_project *projects,
                        size_t projects_n)
{
    for (size_t i = 0; i < n; i++) {
        struct json_writer w;
        char words[64];
        meta_scopes_text(list[i].scopes, words);
        json_writer_init(&w, out);
        json_put_object(&w);
        json_put_key(&w, STR("id"));
        json_put_int(&w, list[i].id);
        json_put_key(&w, STR("name"));
        json_put_str(&w, str_z(list[i].name));
        json_put_key(&w, STR("scopes"));
        json_put_str(&w, str_z(words));
        json_put_key(&w, STR("project"));
        json_put_str(&w, project_slug(projects, projects_n, list[i].project));
        admin_put_time(&w, STR("created"), list[i].created_ns);
        admin_put_time(&w, STR("last_used"), list[i].last_used_ns);
        admin_put_time(&w, STR("expires"), list[i].expires_ns);
        json_put_object_end(&w);
        buf_byte(out, '\n');
    }
}

static void tokens_grid(struct buf *out, const struct meta_token *list, size_t n, const struct meta_project *projects,
                        size_t projects_n)
{
    struct arena arena;
    struct grid g;
    struct buf cell;
    arena_init(&arena, 64 << 20);
    buf_init(&cell, 4096);
    grid_init(&g, &arena);
    size_t number = grid_column(&g, STR("#"), true), name = grid_column(&g, STR("name"), false);
    size_t scopes = grid_column(&g, STR("scopes"), false), project = grid_column(&g, STR("project"), false);
    size_t tail = grid_column(&g, STR("ends in"), false), used = grid_column(&g, STR("last used"), false);
    size_t expires = grid_column(&g, STR("expires"), false);
    for (size_t i = 0; i < n && grid_row(&g) == 0; i++) {
        char words[64], text[32];
        meta_scopes_text(list[i].scopes, words);
        snprintf(text, sizeof text, "%lld", (long long)list[i].id);
        grid_cell(&g, number, str_z(text));
        grid_cell(&g, name, str_z(list[i].name));
        grid_cell(&g, scopes, str_z(words));
        grid_cell(&g, project, project_slug(projects, projects_n, list[i].project));
        grid_cell(&g, tail, str_z(list[i].tail));
        buf_clear(&cell);
        human_ago(&cell, list[i].last_used_ns, clock_unix_ns());
        grid_cell(&g, used, buf_view(&cell));
        buf_clear(&cell);
        human_time(&cell, list[i].expires_ns);
        grid_cell(&g, expires, buf_view(&cell));
    }
    grid_print(&g, out, terminal_width(), true);
    buf_free(&cell);
    arena_free(&arena);
}

int command_token_ls(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_token *list = NULL;
    struct meta_project *projects = NULL;
    size_t n = 0, projects_n = 0;
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_token_list(m, &list, &n, &err);
    if (r == 0)
        r = meta_project_list(m, &projects, &projects_n, &err);
    if (r == 0) {
        struct buf out;
        buf_init(&out, 64 << 20);
        if (invocation_option(inv, "json"))
            tokens_json(&out, list, n, projects, projects_n);
        else
            tokens_grid(&out, list, n, projects, projects_n);
        command_print(&out);
        buf_free(&out);
    }
    mem_free(list);
    mem_free(projects);
    return admin_finish(m, r, &err);
}

int command_token_rm(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_token token;
    char actor[META_NAME_MAX + 1];
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_token_find(m, str_z(inv->operands[0]), &token, &err);
    if (r == 0)
        r = meta_token_remove(m, admin_actor(actor), token.id, &err);
    if (r == 0)
        fprintf(stderr, "token #%lld is revoked\n", (long long)token.id);
    return admin_finish(m, r, &err);
}

int command_project_add(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_project p;
    char actor[META_NAME_MAX + 1];
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_project_add(m, admin_actor(actor), str_z(inv->operands[0]), &p, &err);
    if (r == 0)
        printf("%lld\n", (long long)p.id);
    return admin_finish(m, r, &err);
}

int command_project_ls(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_project *list = NULL;
    size_t n = 0;
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_project_list(m, &list, &n, &err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (invocation_option(inv, "json"))
            printf("{\"id\":%lld,\"slug\":\"%s\"}\n", (long long)list[i].id, list[i].slug);
        else
            printf("%lld  %s\n", (long long)list[i].id, list[i].slug);
    }
    mem_free(list);
    return admin_finish(m, r, &err);
}

int command_project_dsn(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_project p;
    char actor[META_NAME_MAX + 1], key[META_SECRET_MAX], url[256], dsn[512];
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_project_find(m, str_z(inv->operands[0]), &p, &err);
    if (r == 0)
        r = meta_project_dsn_key(m, admin_actor(actor), p.id, key, &err);
    if (r == 0)
        r = address_of_server(&inv->config, url, &err);
    if (r == 0 && (r = address_dsn(url, key, p.id, dsn)) < 0)
        err_set(&err, r, "bad_setting", "the address of the server is no URL: %s", url);
    if (r == 0)
        printf("%s\n", dsn);
    return admin_finish(m, r, &err);
}

int command_login_link(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    char actor[META_NAME_MAX + 1], secret[META_SECRET_MAX], url[256];
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = address_of_server(&inv->config, url, &err);
    if (r == 0)
        r = meta_link_add(m, admin_actor(actor), inv->operands_n ? str_z(inv->operands[0]) : STR("admin"), secret,
                          &err);
    if (r == 0) {
        fprintf(stderr, "good once, for 10 minutes; older links of this user are revoked\n");
        printf("%s/signin#%s\n", url, secret);
    }
    return admin_finish(m, r, &err);
}

int command_audit_verify(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_audit_report report = { 0 };
    uint8_t head[32];
    const char *text = invocation_option(inv, "head");
    if (text && (strlen(text) != 64 || !hex_decode(head, str_z(text)))) {
        err_set(&err, ERR_INVALID, "usage", "--head takes the 64 hex digits that an earlier run printed");
        command_fail(&err);
        return EXIT_USAGE;
    }
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_audit_verify(m, text ? head : NULL, &report, &err);
    if (r == 0) {
        char hash[64];
        hex_encode(hash, report.head, 32);
        fprintf(stderr, "%lld %s, the chain holds; newest hash:\n", (long long)report.entries,
                report.entries == 1 ? "entry" : "entries");
        printf("%.64s\n", hash);
    }
    return admin_finish(m, r, &err);
}
