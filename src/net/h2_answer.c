// Answers as HTTP/2 frames: headers, data out of the request's pieces, gRPC's trailers.
#include "base/err.h"
#include "base/must.h"
#include "net/grpc.h"
#include "net/h2_internal.h"

#include <stdio.h>

enum { H2_HEADERS_MAX = 64, H2_NAME_MAX = 64 };

static nghttp2_nv pair(str name, str value)
{
    return (nghttp2_nv){ (uint8_t *)name.ptr, (uint8_t *)value.ptr, name.len, value.len, NGHTTP2_NV_FLAG_NONE };
}

// What HTTP/2 does not have (RFC 9113 8.2.2).
static bool is_connection_header(str name)
{
    return str_ieq(name, STR("connection")) || str_ieq(name, STR("keep-alive")) ||
           str_ieq(name, STR("transfer-encoding")) || str_ieq(name, STR("upgrade")) ||
           str_ieq(name, STR("proxy-connection"));
}

// Lowers the handler's header in place: it is the request's own copy.
static int add_header(nghttp2_nv *nv, size_t *n, struct http_header h)
{
    if (!http_token_ok(h.name) || !http_value_ok(h.value) || *n >= H2_HEADERS_MAX)
        return ERR_INVALID;
    if (is_connection_header(h.name))
        return 0;
    for (size_t i = 0; i < h.name.len; i++)
        if (h.name.ptr[i] >= 'A' && h.name.ptr[i] <= 'Z')
            ((char *)h.name.ptr)[i] |= 0x20;
    nv[(*n)++] = pair(h.name, h.value);
    return 0;
}

static size_t grpc_trailer_pairs(const struct http_request_internal *r, char number[8], nghttp2_nv *nv)
{
    size_t n = 0, len = (size_t)snprintf(number, 8, "%d", r->grpc_status);
    nv[n++] = pair(STR("grpc-status"), str_of(number, len));
    if (r->grpc_message.len)
        nv[n++] = pair(STR("grpc-message"), r->grpc_message);
    if (r->grpc_details.len)
        nv[n++] = pair(STR("grpc-status-details-bin"), r->grpc_details);
    return n;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    struct http_request_internal *r = source->ptr;
    MAGIC_CHECK(&r->pub, HTTP_REQUEST_MAGIC);
    size_t n = 0;
    while (n < room && r->ready.first) {
        struct net_seg *seg = r->ready.first;
        size_t now = seg->len < room - n ? seg->len : room - n;
        memcpy(to + n, seg->ptr, now);
        n += now;
        if (now)
            chain_advance(&r->ready, now);
        else
            seg_free(chain_take(&r->ready));
    }
    request_drained(r, n);
    if (r->ready.first || !r->all_taken)
        return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
    if (!r->ok)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; // resets the stream: the client sees that it has not got all
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (r->grpc_answer) {
        char number[8];
        nghttp2_nv nv[3];
        size_t pairs = grpc_trailer_pairs(r, number, nv);
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, id, nv, pairs))
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

static void submit(struct http_request_internal *r, const nghttp2_nv *nv, size_t n, bool body)
{
    nghttp2_data_provider provider = { { .ptr = r }, on_read };
    nghttp2_session *session = r->conn->h2->session;
    r->head_sent = true;
    if (nghttp2_submit_response(session, r->stream_id, nv, n, body ? &provider : NULL))
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, r->stream_id, NGHTTP2_INTERNAL_ERROR);
}

static void submit_grpc(struct http_request_internal *r)
{
    char number[8];
    nghttp2_nv nv[8];
    size_t n = 0;
    nv[n++] = pair(STR(":status"), STR("200"));
    nv[n++] = pair(STR("content-type"), STR("application/grpc"));
    if (r->ready.first) {
        submit(r, nv, n, true);
    } else { // Trailers-Only
        n += grpc_trailer_pairs(r, number, nv + n);
        submit(r, nv, n, false);
    }
}

static void submit_http(struct http_request_internal *r)
{
    nghttp2_nv nv[H2_HEADERS_MAX + 3];
    char status[8], length[24];
    size_t n = 0;
    bool body = r->pub.method != HTTP_HEAD && r->status != 204 && r->status != 304;
    if (!r->streaming && r->ready.bytes == 0)
        body = false;
    nv[n++] = pair(STR(":status"), str_of(status, (size_t)snprintf(status, sizeof status, "%d", r->status)));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->answer_headers_n; i++)
        rc = add_header(nv, &n, r->answer_headers[i]);
    if (rc < 0 && !r->streaming) { // our own handler's fault
        memcpy(status, "500", 4);
        n = 1;
        body = false;
        chain_free(&r->ready);
    }
    nv[n++] = pair(STR("date"), str_z(io_date(r->io)));
    if (!r->streaming && r->status != 204)
        nv[n++] =
            pair(STR("content-length"), str_of(length, (size_t)snprintf(length, sizeof length, "%zu", r->ready.bytes)));
    if (!body) {
        request_drained(r, r->ready.bytes);
        chain_free(&r->ready);
    }
    submit(r, nv, n, body);
}

void h2_answer_ready(struct http_request_internal *r)
{
    if (!request_take_answer(r))
        return;
    if (!r->head_sent) {
        if (r->grpc_answer)
            submit_grpc(r);
        else
            submit_http(r);
    } else {
        nghttp2_session_resume_data(r->conn->h2->session, r->stream_id);
    }
}

void h2_submit_deadline(struct net_conn *c, int32_t stream_id)
{
    nghttp2_nv nv[] = {
        pair(STR(":status"), STR("200")),
        pair(STR("content-type"), STR("application/grpc")),
        pair(STR("grpc-status"), STR("4")),
        pair(STR("grpc-message"), STR("the deadline has passed")),
    };
    nghttp2_submit_response(c->h2->session, stream_id, nv, sizeof nv / sizeof *nv, NULL);
}
