// What lately went wrong with senders, asked of the running server.
#include "base/json.h"
#include "main/client.h"
#include "main/doctor.h"

#include <stdio.h>

enum { DOOR_SHOWN_MAX = 8 };

struct door_problem {
    str title, text, fix, peer, agent;
    int64_t requests;
    bool current;
};

static int read_problem(struct json_reader *r, struct door_problem *p)
{
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        struct {
            const char *name;
            str *to;
        } const texts[] = { { "title", &p->title },
                            { "text", &p->text },
                            { "fix", &p->fix },
                            { "peer", &p->peer },
                            { "agent", &p->agent } };
        str *to = NULL;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            if (str_eq(name, str_z(texts[i].name)))
                to = texts[i].to;
        if (to)
            rc = json_text(r, to);
        else if (str_eq(name, STR("requests")))
            rc = json_int(r, &p->requests);
        else if (str_eq(name, STR("current")))
            rc = json_bool(r, &p->current);
        else
            rc = json_skip(r, NULL);
    }
    return rc;
}

static void print_problem(struct buf *out, const struct door_problem *p)
{
    buf_printf(out, "note   %.*s: %.*s%s%.*s, %lld time%s\n       %.*s\n       %.*s\n", STR_ARG(p->title),
               STR_ARG(p->peer), p->agent.len ? ", " : "", STR_ARG(p->agent), (long long)p->requests,
               p->requests == 1 ? "" : "s", STR_ARG(p->text), STR_ARG(p->fix));
}

static int read_setup(struct buf *json, struct arena *arena, struct buf *out)
{
    struct json_reader r;
    str name;
    int shown = 0;
    json_reader_init(&r, buf_view(json), arena, 16);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        if (!str_eq(name, STR("problems"))) {
            rc = json_skip(&r, NULL);
            continue;
        }
        rc = json_array(&r);
        while (rc == 0 && (rc = json_element(&r)) == 1) {
            struct door_problem p = { { 0 } };
            rc = read_problem(&r, &p);
            if (rc == 0 && p.current && shown++ < DOOR_SHOWN_MAX)
                print_problem(out, &p);
        }
    }
    return rc < 0 ? rc : shown;
}

void doctor_door(const struct config *c, struct buf *out)
{
    struct client client;
    struct client_answer answer = { 0 };
    struct buf json;
    struct arena arena;
    buf_init(&json, 4 << 20);
    arena_init(&arena, 4 << 20);
    int r = client_find(c, &client, NULL);
    if (r == 0)
        r = client_fetch(&client, STR("/api/v1/setup"), &json, &answer, NULL);
    if (r == 0 && answer.status == 200) {
        int n = read_setup(&json, &arena, out);
        if (n == 0)
            buf_str(out, STR("ok     senders: none is refused\n"));
        else if (n > DOOR_SHOWN_MAX)
            buf_printf(out, "note   %d more: the page /setup shows them\n", n - DOOR_SHOWN_MAX);
    }
    buf_free(&answer.error);
    buf_free(&json);
    arena_free(&arena);
}
