// Between h2.c (what comes in) and h2_answer.c (what goes out).
#pragma once
#include "net/net_internal.h"

#include <nghttp2/nghttp2.h>

struct h2 {
    nghttp2_session *session;
    bool stopping;
};

void h2_submit_deadline(struct net_conn *c, int32_t stream_id);
