// One request of a client command, over net/client.h.
#include "main/client.h"

#include "main/run_file.h"
#include "net/client.h"

#include <stdio.h>

enum { CLIENT_ERROR_MAX = 1 << 20, CLIENT_SILENCE_MS = 60000 };

int client_find(const struct config *c, struct client *ret_client, struct err *err)
{
    struct run_file f;
    const char *url = config_text(c, CONFIG_KEY_SERVER), *token = config_text(c, CONFIG_KEY_TOKEN);
    memset(ret_client, 0, sizeof *ret_client);
    if (url[0]) {
        // The token of a local server is for that server only: a URL from elsewhere never gets it.
        snprintf(ret_client->url, sizeof ret_client->url, "%s", url);
        snprintf(ret_client->token, sizeof ret_client->token, "%s", token);
        return 0;
    }
    int r = run_file_read(config_text(c, CONFIG_KEY_DATA), &f, err);
    if (r < 0)
        return r;
    snprintf(ret_client->url, sizeof ret_client->url, "%s", f.local);
    snprintf(ret_client->token, sizeof ret_client->token, "%s", token[0] ? token : f.token);
    return 0;
}

static int client_open(const struct client *c, int silence_ms, struct net_client **ret_net, struct err *err)
{
    struct net_client_options o = { .silence_ms = silence_ms };
    struct net_client *net;
    char bearer[CONFIG_TEXT_MAX + 16];
    int n = snprintf(bearer, sizeof bearer, "Bearer %s", c->token);
    int r = net_client_new(str_z(c->url), &o, &net, err);
    if (r < 0)
        return r;
    if (c->token[0] && (r = net_client_header(net, STR("authorization"), str_of(bearer, (size_t)n))) < 0) {
        net_client_free(net);
        return err_set(err, r, "bad_setting", "the token holds characters that no token has");
    }
    *ret_net = net;
    return 0;
}

struct stream {
    struct client_answer *answer;
    int (*line)(void *ctx, str line);
    void *ctx;
};

static int stream_begin(void *ctx, const struct net_answer *answer)
{
    struct stream *s = ctx;
    s->answer->status = answer->status;
    return 0;
}

static int stream_line(void *ctx, str line)
{
    struct stream *s = ctx;
    return s->answer->status == 200 ? s->line(s->ctx, line) : buf_str(&s->answer->error, line);
}

int client_lines(const struct client *c, str path, str body, int silence_ms, int (*line)(void *ctx, str line),
                 void *ctx, struct client_answer *ret_answer, struct err *err)
{
    struct net_client *net;
    struct stream s = { ret_answer, line, ctx };
    buf_init(&ret_answer->error, CLIENT_ERROR_MAX);
    int r = client_open(c, silence_ms, &net, err);
    if (r < 0)
        return r;
    r = net_client_stream(net, body.len ? STR("POST") : STR("GET"), path,
                          body.len ? STR("application/json") : (str){ 0 }, bytes_of_str(body), stream_begin,
                          stream_line, &s, err);
    net_client_free(net);
    return r;
}

int client_fetch(const struct client *c, str path, struct buf *out, struct client_answer *ret_answer, struct err *err)
{
    return client_call(c, STR("GET"), path, (str){ 0 }, out, ret_answer, err);
}

int client_call(const struct client *c, str method, str path, str body, struct buf *out,
                struct client_answer *ret_answer, struct err *err)
{
    struct net_client *net;
    struct net_answer answer;
    buf_init(&ret_answer->error, CLIENT_ERROR_MAX);
    int r = client_open(c, CLIENT_SILENCE_MS, &net, err);
    if (r < 0)
        return r;
    r = net_client_call(net, method, path, body.len ? STR("application/json") : (str){ 0 }, bytes_of_str(body), &answer,
                        out, err);
    if (r == 0) {
        ret_answer->status = answer.status;
        if (answer.status != 200)
            buf_append(&ret_answer->error, out->ptr, out->len);
    }
    net_client_free(net);
    return r;
}
