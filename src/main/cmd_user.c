// user: people who may sign in. As token and project, on the data directory; a running server notices.
#include "base/clock.h"
#include "base/mem.h"
#include "main/address.h"
#include "main/admin.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/terminal.h"
#include "meta/person.h"

#include <stdio.h>

static int link_print(const struct invocation *inv, struct meta *m, const struct meta_user *u, struct err *err)
{
    char actor[META_NAME_MAX + 1], secret[META_SECRET_MAX], url[256];
    int64_t expires;
    int r = address_of_server(&inv->config, url, err);
    if (r == 0)
        r = meta_password_link_add(m, admin_actor(actor), u->id, secret, &expires, err);
    if (r < 0)
        return r;
    fprintf(stderr, u->joined_ns ? "sets a new password; good once, for a day; older links of this user are revoked\n"
                                 : "an invitation: sets a password and signs in; good once, for 7 days\n");
    printf("%s/signin#%s=%s\n", url, u->joined_ns ? "reset" : "invite", secret);
    return 0;
}

int command_user_add(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_user user;
    char actor[META_NAME_MAX + 1], words[64];
    uint32_t scopes = META_SCOPE_READ;
    const char *scope = invocation_option(inv, "scope");
    if (scope && meta_scopes_parse(str_z(scope), &scopes, &err) < 0) {
        command_fail(&err);
        return EXIT_USAGE;
    }
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_user_add(m, admin_actor(actor), str_z(inv->operands[0]), scopes, &user, &err);
    if (r == 0) {
        meta_scopes_text(scopes, words);
        fprintf(stderr, "user %s: %s\n", user.login, words);
        r = link_print(inv, m, &user, &err);
    }
    return admin_finish(m, r, &err);
}

static const char *user_state(const struct meta_user *u)
{
    return u->disabled_ns ? "disabled" : u->joined_ns ? "active" : "invited";
}

static void users_json(struct buf *out, const struct meta_user_row *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct meta_user *u = &list[i].user;
        struct json_writer w;
        char words[64];
        meta_scopes_text(u->scopes, words);
        json_writer_init(&w, out);
        json_put_object(&w);
        json_put_key(&w, STR("login"));
        json_put_str(&w, str_z(u->login));
        json_put_key(&w, STR("scopes"));
        json_put_str(&w, str_z(words));
        json_put_key(&w, STR("state"));
        json_put_str(&w, str_z(user_state(u)));
        json_put_key(&w, STR("sessions"));
        json_put_int(&w, list[i].sessions);
        admin_put_time(&w, STR("created"), u->created_ns);
        admin_put_time(&w, STR("joined"), u->joined_ns);
        admin_put_time(&w, STR("last_used"), list[i].last_used_ns);
        json_put_object_end(&w);
        buf_byte(out, '\n');
    }
}

static void users_grid(struct buf *out, const struct meta_user_row *list, size_t n)
{
    struct arena arena;
    struct grid g;
    struct buf cell;
    arena_init(&arena, 64 << 20);
    buf_init(&cell, 4096);
    grid_init(&g, &arena);
    size_t login = grid_column(&g, STR("user"), false), scopes = grid_column(&g, STR("scopes"), false);
    size_t state = grid_column(&g, STR("state"), false), sessions = grid_column(&g, STR("sessions"), true);
    size_t used = grid_column(&g, STR("last used"), false);
    for (size_t i = 0; i < n && grid_row(&g) == 0; i++) {
        char words[64], number[32];
        meta_scopes_text(list[i].user.scopes, words);
        snprintf(number, sizeof number, "%lld", (long long)list[i].sessions);
        grid_cell(&g, login, str_z(list[i].user.login));
        grid_cell(&g, scopes, str_z(words));
        grid_cell(&g, state, str_z(user_state(&list[i].user)));
        grid_cell(&g, sessions, str_z(number));
        buf_clear(&cell);
        human_ago(&cell, list[i].last_used_ns, clock_unix_ns());
        grid_cell(&g, used, buf_view(&cell));
    }
    grid_print(&g, out, terminal_width(), true);
    buf_free(&cell);
    arena_free(&arena);
}

int command_user_ls(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_user_row *list = NULL;
    struct buf out;
    size_t n = 0;
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_user_list(m, &list, &n, &err);
    if (r == 0) {
        buf_init(&out, 64 << 20);
        if (invocation_option(inv, "json"))
            users_json(&out, list, n);
        else
            users_grid(&out, list, n);
        command_print(&out);
        buf_free(&out);
    }
    mem_free(list);
    return admin_finish(m, r, &err);
}

int command_user_rm(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_user user;
    char actor[META_NAME_MAX + 1];
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_user_find(m, str_z(inv->operands[0]), &user, &err);
    if (r == 0)
        r = meta_user_remove(m, admin_actor(actor), user.id, &err);
    if (r == 0)
        fprintf(stderr, "user %s is removed; what was open is ended\n", user.login);
    return admin_finish(m, r, &err);
}

int command_user_link(struct invocation *inv)
{
    struct err err;
    struct meta *m;
    struct meta_user user;
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = meta_user_find(m, str_z(inv->operands[0]), &user, &err);
    if (r == 0)
        r = link_print(inv, m, &user, &err);
    return admin_finish(m, r, &err);
}
