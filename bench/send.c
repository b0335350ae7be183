#include "feed.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, CONNECTIONS_MAX = 20000 };

static int64_t feed_due_ns(const struct feed *f)
{
    const struct send_options *o = f->options;
    return o->rate > 0 ? f->start_ns + (int64_t)((double)f->given / o->rate * 1e9) : f->start_ns;
}

static bool feed_closed(const struct feed *f, int64_t now_ns)
{
    const struct send_options *o = f->options;
    return f->gave_up || f->given >= o->records || (o->stop_after_ns && now_ns - f->start_ns >= o->stop_after_ns);
}

bool feed_take(struct feed *f, int64_t now_ns, struct feed_item *ret_item)
{
    if (feed_closed(f, now_ns) || feed_due_ns(f) > now_ns)
        return false;
    struct payload *p = &f->set->items[f->next];
    if (p->busy)
        return false; // a whole round is in flight: wait for it
    payload_to_round(f->set, p, f->round);
    p->busy = true;
    *ret_item = (struct feed_item){ p, f->options->rate > 0 ? feed_due_ns(f) : now_ns };
    f->given += p->records;
    f->in_flight++;
    f->result->last_round = f->round;
    if (++f->next == f->set->count) {
        f->next = 0;
        f->round++;
    }
    return true;
}

bool feed_done(const struct feed *f, int64_t now_ns) { return feed_closed(f, now_ns) && f->in_flight == 0; }

int feed_wait_ms(const struct feed *f, int64_t now_ns)
{
    int64_t wait = feed_due_ns(f) - now_ns;
    return wait <= 0 || f->options->rate <= 0 ? 100 : wait > 100 * NS_PER_MS ? 100 : (int)(wait / NS_PER_MS) + 1;
}

void feed_answered(struct feed *f, const struct feed_item *item, enum feed_answer answer, int64_t now_ns)
{
    struct send_result *r = f->result;
    if (answer == FEED_RETRY) {
        r->retries++;
        return;
    }
    item->payload->busy = false;
    f->in_flight--;
    if (answer == FEED_FINAL) {
        r->failures++;
        return;
    }
    if (r->requests == r->latency_cap) {
        r->latency_cap = r->latency_cap ? r->latency_cap * 2 : 4096;
        r->latency_us = mem_reallocarray(r->latency_us, r->latency_cap, sizeof *r->latency_us);
        must(r->latency_us);
    }
    r->latency_us[r->requests++] = (uint32_t)((now_ns - item->since_ns) / NS_PER_US);
    r->records += item->payload->records;
    r->bytes += item->payload->len;
}

void feed_failed(struct feed *f, const char *fmt, ...)
{
    if (f->result->first_failure[0])
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->result->first_failure, sizeof f->result->first_failure, fmt, ap);
    va_end(ap);
}

int feed_connect(struct feed *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&f->options->to, sizeof f->options->to) < 0) {
        feed_failed(f, "connect to %s: %s", f->options->host, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static double cpu_now_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// The two transports behind one name.
struct sender {
    bool grpc, open, armed_write;
    union {
        struct http_conn *http;
        struct grpc_conn *rpc;
    };
};

static bool sender_open(struct sender *s, struct feed *f, int epoll)
{
    s->grpc = f->options->transport == SEND_GRPC;
    if (s->grpc)
        s->open = (s->rpc = grpc_conn_open(f)) != NULL;
    else
        s->open = (s->http = http_conn_open(f)) != NULL;
    if (!s->open)
        return false;
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, s->grpc ? grpc_conn_fd(s->rpc) : http_conn_fd(s->http), &ev) == 0;
}

static void sender_close(struct sender *s)
{
    if (s->open && s->grpc)
        grpc_conn_close(s->rpc);
    else if (s->open)
        http_conn_close(s->http);
    s->open = false;
}

static void sender_run(struct sender *s, struct feed *f, int epoll, uint32_t events)
{
    int64_t now = clock_mono_ns();
    bool good = s->grpc ? grpc_conn_run(s->rpc, events, now) : http_conn_run(s->http, events, now);
    if (!good) {
        f->gave_up = true;
        sender_close(s);
        return;
    }
    if (!s->grpc && http_conn_reopened(s->http)) {
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
        epoll_ctl(epoll, EPOLL_CTL_ADD, http_conn_fd(s->http), &ev);
        s->armed_write = false;
    }
    bool write = s->grpc ? grpc_conn_wants_write(s->rpc) : http_conn_wants_write(s->http);
    if (write != s->armed_write) {
        struct epoll_event ev = { .events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = s };
        epoll_ctl(epoll, EPOLL_CTL_MOD, s->grpc ? grpc_conn_fd(s->rpc) : http_conn_fd(s->http), &ev);
        s->armed_write = write;
    }
}

static void send_loop(struct sender *senders, int count, struct feed *f, int epoll)
{
    struct epoll_event events[EVENTS];
    while (!feed_done(f, clock_mono_ns())) {
        int n = epoll_wait(epoll, events, EVENTS, feed_wait_ms(f, clock_mono_ns()));
        for (int i = 0; i < n; i++) {
            struct sender *s = events[i].data.ptr;
            if (s->open)
                sender_run(s, f, epoll, events[i].events);
        }
        if (n <= 0 || f->options->rate > 0) {
            // Idle ones look for work that has become due, and for retries.
            for (int i = 0; i < count; i++)
                if (senders[i].open)
                    sender_run(&senders[i], f, epoll, 0);
        }
        bool any = false;
        for (int i = 0; i < count && !any; i++)
            any = senders[i].open;
        if (!any)
            return;
    }
}

bool send_run(const struct send_options *o, struct payload_set *set, struct send_result *ret_result)
{
    *ret_result = (struct send_result){ 0 };
    struct feed f = { .options = o, .set = set, .result = ret_result };
    must(o->connections > 0 && o->connections <= CONNECTIONS_MAX);
    struct sender *senders = mem_calloc((size_t)o->connections, sizeof *senders);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    must(senders && epoll >= 0);
    bool connected = true;
    for (int i = 0; i < o->connections && connected; i++)
        connected = sender_open(&senders[i], &f, epoll);
    double cpu = cpu_now_s();
    f.start_ns = clock_mono_ns();
    if (connected) {
        for (int i = 0; i < o->connections; i++)
            sender_run(&senders[i], &f, epoll, 0);
        send_loop(senders, o->connections, &f, epoll);
    }
    ret_result->elapsed_ns = clock_mono_ns() - f.start_ns;
    ret_result->cpu_s = cpu_now_s() - cpu;
    ret_result->failures += (uint64_t)f.in_flight;
    for (int i = 0; i < o->connections; i++)
        sender_close(&senders[i]);
    close(epoll);
    mem_free(senders);
    return connected;
}
