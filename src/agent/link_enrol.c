#include "agent/link.h"
#include "base/json_tree.h"
#include "net/client.h"

#include <stdio.h>

enum { ANSWER_MAX = 64 << 10 };

static int read_answer(struct link_identity *ret, const struct net_answer *a, str body, struct err *err)
{
    struct arena arena;
    const struct json_node *root = NULL;
    arena_init(&arena, 256 << 10);
    int rc = json_tree_read(body, &arena, 8, &root, NULL);
    str agent = json_get_text(root, STR("agent")), secret = json_get_text(root, STR("secret"));
    if (a->status == 404) {
        rc = err_set(err, ERR_UNSUPPORTED, "no_live", "this server does not take agents");
        err_set_hint(err, "it needs a version of Clew with the server's half of live debugging");
    } else if (a->status / 100 != 2) {
        str words = json_get_text(json_get(root, STR("error")), STR("message"));
        rc = err_set(err, ERR_DENIED, "enrol_refused", "the server refuses the enrolment: %.*s",
                     (int)(words.len < 200 ? words.len : 200), words.len ? words.ptr : "it does not say why");
        err_set_hint(err, "a token is good once, for an hour: `clew agents token` on the server makes another one");
    } else if (rc < 0 || !agent.len || agent.len >= sizeof ret->agent || !secret.len ||
               secret.len >= sizeof ret->secret || !http_value_ok(secret)) {
        rc = err_set(err, ERR_MALFORMED, "bad_answer", "the server's answer to the enrolment is not understood");
    } else {
        snprintf(ret->agent, sizeof ret->agent, "%.*s", STR_ARG(agent));
        snprintf(ret->secret, sizeof ret->secret, "%.*s", STR_ARG(secret));
    }
    arena_free(&arena);
    return rc;
}

int link_enrol(struct link_identity *ret, const char *token, const char *host, struct err *err)
{
    struct net_client *c;
    struct net_answer answer;
    struct buf request, body;
    struct json_writer w;
    int rc = net_client_new(str_z(ret->server), &(struct net_client_options){ .plain_loopback_only = true }, &c, err);
    if (rc < 0)
        return rc;
    buf_init(&request, 8192);
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &request);
    json_put_object(&w);
    json_put_key(&w, STR("token"));
    json_put_str(&w, str_z(token));
    json_put_key(&w, STR("host"));
    json_put_str(&w, str_z(host));
    json_put_object_end(&w);
    rc = net_client_call(c, STR("POST"), STR("/api/v1/agents/enrol"), STR("application/json"), buf_bytes(&request),
                         &answer, &body, err);
    if (rc == 0) {
        ret->pinned = net_client_peer_key(c, ret->pin);
        rc = read_answer(ret, &answer, buf_view(&body), err);
    }
    if (rc == 0 && !ret->pinned && str_starts(str_z(ret->server), STR("https://")))
        rc = err_set(err, ERR_DENIED, "no_key", "the server closed the connection before its key could be pinned");
    buf_free(&request);
    buf_free(&body);
    net_client_free(c);
    return rc;
}
