// What is to be sent next, and when; shared by the transports.
#pragma once
#include "send.h"

struct feed {
    const struct send_options *options;
    struct payload_set *set;
    struct send_result *result;
    size_t next;
    uint32_t round;
    uint64_t given; // records handed out
    int in_flight;
    int64_t start_ns;
    bool gave_up; // a connection is lost: finish what is in flight
};

struct feed_item {
    struct payload *payload;
    int64_t since_ns; // when it was due: latency counts from here
};

enum feed_answer { FEED_OK, FEED_RETRY, FEED_FINAL };

// False when there is nothing (now).
bool feed_take(struct feed *f, int64_t now_ns, struct feed_item *ret_item);
bool feed_done(const struct feed *f, int64_t now_ns);
// Milliseconds until the next one is due (at a rate), at most 100.
int feed_wait_ms(const struct feed *f, int64_t now_ns);
// The answer came. FEED_RETRY: the item stays the caller's, to be sent again.
void feed_answered(struct feed *f, const struct feed_item *item, enum feed_answer answer, int64_t now_ns);
void feed_failed(struct feed *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// A transport's connections; each function returns false when the connection is lost for good.
struct http_conn;
struct http_conn *http_conn_open(struct feed *f);
bool http_conn_run(struct http_conn *c, uint32_t epoll_events, int64_t now_ns); // events 0: look for work
int http_conn_fd(const struct http_conn *c);
bool http_conn_wants_write(const struct http_conn *c);
bool http_conn_reopened(struct http_conn *c); // it has another descriptor since the last call
void http_conn_close(struct http_conn *c);

struct grpc_conn;
struct grpc_conn *grpc_conn_open(struct feed *f);
bool grpc_conn_run(struct grpc_conn *c, uint32_t epoll_events, int64_t now_ns);
int grpc_conn_fd(const struct grpc_conn *c);
bool grpc_conn_wants_write(const struct grpc_conn *c);
void grpc_conn_close(struct grpc_conn *c);

// Connected, non-blocking, without Nagle; -1 with feed_failed() otherwise.
int feed_connect(struct feed *f);
