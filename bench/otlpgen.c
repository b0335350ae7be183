// otlpgen: generates OTLP telemetry of an invented shop, sends it to a server and says as JSON how
// that went. Requests are prebuilt before the clock runs. See `otlpgen --help`.
#include "gen.h"
#include "send.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

static const char help[] =
    "usage: otlpgen --to 127.0.0.1:4318 [options]\n"
    "  --signal traces|logs|metrics|events   what to send (traces); events: Sentry's envelopes, one event a request\n"
    "  --transport http|grpc          HTTP/1.1 or gRPC over clear-text HTTP/2 (http)\n"
    "  --encoding identity|gzip|zstd  of the bodies (identity)\n"
    "  --records N                    spans, log records or metric points in all (1000000)\n"
    "  --prebuilt N                   of them made beforehand; the rest repeats these with new ids and times\n"
    "                                 (1000000; compressed ones cannot repeat: all of them)\n"
    "  --batch N                      records a request (512); above 512 as a Collector sends them, many resources\n"
    "                                 in one, else one resource as an SDK does\n"
    "  --connections N                connections (8)\n"
    "  --streams N                    calls in flight on each gRPC connection (8)\n"
    "  --spread N                     seconds that the records' own times cover (0: as dense as at full rate)\n"
    "  --rate N                       records a second (0: as fast as they are acknowledged)\n"
    "  --seconds N                    stop after this time (0: when all is sent)\n"
    "  --seed N                       of the contents (1)\n"
    "  --run N                        of the ids (random): the same run again sends the same ids\n"
    "  --token KEY                    ingest key; of events the DSN's\n"
    "  --project N                    of the DSN (1)\n"
    "  --issues N                     that the events are of (1000)\n"
    "  --users N                      that they happen to (10000)\n"
    "  --size N                       bytes of an event, about (2970)\n"
    "  --no-trace-ids                 logs without trace context\n"
    "  --dry                          only build: print what would be sent\n";

struct args {
    struct gen_options gen;
    struct send_options send;
    const char *signal, *to, *transport, *encoding;
    uint64_t records, prebuilt, run;
    double seconds, spread;
    bool dry;
    uint64_t project;
    char path[160];
};

// More than one thread sends: bounds how far back event times begin when only --seconds ends the run.
static const double RATE_MAX = 2e6;

enum { OPT_NO_TRACE_IDS = 256, OPT_PROJECT, OPT_ISSUES, OPT_USERS, OPT_SIZE, OPT_DRY, OPT_HELP };
static const struct option options[] = {
    { "to", 1, NULL, 't' },
    { "signal", 1, NULL, 's' },
    { "transport", 1, NULL, 'x' },
    { "encoding", 1, NULL, 'e' },
    { "records", 1, NULL, 'n' },
    { "prebuilt", 1, NULL, 'p' },
    { "batch", 1, NULL, 'b' },
    { "connections", 1, NULL, 'c' },
    { "streams", 1, NULL, 'm' },
    { "rate", 1, NULL, 'r' },
    { "seconds", 1, NULL, 'T' },
    { "spread", 1, NULL, 'w' },
    { "seed", 1, NULL, 'S' },
    { "run", 1, NULL, 'R' },
    { "token", 1, NULL, 'k' },
    { "no-trace-ids", 0, NULL, OPT_NO_TRACE_IDS },
    { "project", 1, NULL, OPT_PROJECT },
    { "issues", 1, NULL, OPT_ISSUES },
    { "users", 1, NULL, OPT_USERS },
    { "size", 1, NULL, OPT_SIZE },
    { "dry", 0, NULL, OPT_DRY },
    { "help", 0, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

static _Noreturn void usage(int status)
{
    fputs(help, status ? stderr : stdout);
    exit(status);
}

static void args_parse(struct args *a, int argc, char **argv)
{
    *a = (struct args){ .signal = "traces",
                        .transport = "http",
                        .encoding = "identity",
                        .records = 1000000,
                        .prebuilt = 1000000,
                        .project = 1,
                        .gen = { .batch = 512, .seed = 1, .issues = 1000, .users = 10000, .event_size = 2970 },
                        .send = { .connections = 8, .streams = 8 } };
    if (getrandom(&a->run, sizeof a->run, 0) != sizeof a->run)
        usage(1);
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t n = optarg ? strtoull(optarg, NULL, 10) : 0;
        switch (c) {
        case 't':
            a->to = optarg;
            break;
        case 's':
            a->signal = optarg;
            break;
        case 'x':
            a->transport = optarg;
            break;
        case 'e':
            a->encoding = optarg;
            break;
        case 'n':
            a->records = n;
            break;
        case 'p':
            a->prebuilt = n;
            break;
        case 'b':
            a->gen.batch = (uint32_t)n;
            break;
        case 'c':
            a->send.connections = (int)n;
            break;
        case 'm':
            a->send.streams = (int)n;
            break;
        case 'r':
            a->send.rate = (double)n;
            break;
        case 'T':
            a->seconds = (double)n;
            break;
        case 'w':
            a->spread = (double)n;
            break;
        case 'S':
            a->gen.seed = n;
            break;
        case 'R':
            a->run = n;
            break;
        case 'k':
            a->send.token = optarg;
            break;
        case OPT_NO_TRACE_IDS:
            a->gen.no_trace_ids = true;
            break;
        case OPT_PROJECT:
            a->project = n;
            break;
        case OPT_ISSUES:
            a->gen.issues = (uint32_t)n;
            break;
        case OPT_USERS:
            a->gen.users = (uint32_t)n;
            break;
        case OPT_SIZE:
            a->gen.event_size = n;
            break;
        case OPT_DRY:
            a->dry = true;
            break;
        case OPT_HELP:
            usage(0);
        default:
            usage(2);
        }
    }
    if (optind != argc || (!a->to && !a->dry) || !a->gen.batch || !a->records || !a->prebuilt || !a->gen.issues ||
        !a->gen.users || a->send.connections < 1 || a->send.streams < 1 || a->send.streams > 100)
        usage(2);
}

static int one_of(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    fprintf(stderr, "otlpgen: %s: not known\n", word);
    usage(2);
}

static const char *const signals[] = { "traces", "logs", "metrics", "events", NULL };
enum { SIGNAL_EVENTS = 3 };
static const char *const http_paths[] = { "/v1/traces", "/v1/logs", "/v1/metrics" };
static const char *const grpc_paths[] = { "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                                          "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                                          "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" };
static const char *const transports[] = { "http", "grpc", NULL };
static const char *const encodings[] = { "identity", "gzip", "zstd", NULL };
static void (*const makers[])(const struct gen_options *, struct payload_set *,
                              struct gen_facts *) = { gen_traces, gen_logs, gen_metrics, gen_events };

static void address_parse(struct args *a)
{
    char host[64];
    const char *colon = strrchr(a->to, ':');
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - a->to) : 0, a->to);
    a->send.host = a->to;
    a->send.to =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(colon ? (uint16_t)atoi(colon + 1) : 0) };
    if (inet_pton(AF_INET, host, &a->send.to.sin_addr) != 1) {
        fprintf(stderr, "otlpgen: --to wants an address like 127.0.0.1:4318\n");
        exit(2);
    }
}

static int latency_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double latency_ms(const struct send_result *r, double quantile)
{
    return r->requests ? r->latency_us[(size_t)(quantile * (double)(r->requests - 1))] / 1000.0 : 0;
}

// The ids as they were sent in the last whole round, so that they are found whatever came before.
static void print_samples(const struct payload_set *set, const struct gen_facts *facts, uint32_t round)
{
    printf(" \"sample_traces\": [");
    for (int i = 0; i < facts->sample_count; i++) {
        uint8_t id[16];
        memcpy(id, facts->sample_traces[i], 16);
        le64_put(id + 8, le64_get(id + 8) ^ payload_round_key(set, round));
        printf("%s{\"id\": \"", i ? ", " : "");
        for (int k = 0; k < 16; k++)
            printf("%02x", id[k]);
        printf("\", \"spans\": %u}", facts->sample_spans[i]);
    }
    printf("],\n");
}

static void print_json_text(const char *key, const char *text)
{
    printf(" \"%s\": \"", key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            printf(" ");
        else
            putchar(*text);
    }
    printf("\",\n");
}

static void report(const struct args *a, const struct payload_set *set, const struct gen_facts *facts,
                   struct send_result *r, double prepare_s)
{
    if (r->requests)
        qsort(r->latency_us, r->requests, sizeof *r->latency_us, latency_order);
    double seconds = (double)r->elapsed_ns / 1e9, millions = (double)r->records / 1e6;
    uint32_t rounds = r->last_round + 1;
    uint32_t whole = set->records * rounds > r->records && rounds > 1 ? rounds - 2 : rounds - 1;
    printf("{\"signal\": \"%s\", \"transport\": \"%s\", \"encoding\": \"%s\", \"batch\": %u, \"seed\": %llu,\n",
           a->signal, a->transport, a->encoding, a->gen.batch, (unsigned long long)a->gen.seed);
    printf(" \"records\": %llu, \"requests\": %llu, \"bytes\": %llu, \"seconds\": %.3f, \"rate\": %.0f,\n",
           (unsigned long long)r->records, (unsigned long long)r->requests, (unsigned long long)r->bytes, seconds,
           seconds > 0 ? (double)r->records / seconds : 0);
    printf(" \"retries\": %llu, \"failures\": %llu,\n", (unsigned long long)r->retries,
           (unsigned long long)r->failures);
    print_json_text("first_failure", r->first_failure);
    printf(" \"ack_ms\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f},\n", latency_ms(r, 0.5),
           latency_ms(r, 0.9), latency_ms(r, 0.99), latency_ms(r, 1));
    printf(" \"generator_cpu_s\": %.3f, \"generator_cpu_s_per_million\": %.3f, \"prepare_s\": %.1f,\n", r->cpu_s,
           millions > 0 ? r->cpu_s / millions : 0, prepare_s);
    printf(" \"set\": {\"records\": %llu, \"requests\": %zu, \"bytes\": %llu, \"bytes_per_record\": %.1f, \"rounds\": "
           "%u, \"traces\": %llu, "
           "\"errors\": %llu},\n",
           (unsigned long long)set->records, set->count, (unsigned long long)set->bytes,
           (double)set->raw_bytes / (double)set->records, rounds, (unsigned long long)facts->traces,
           (unsigned long long)facts->errors);
    printf(" \"first_ns\": %lld, \"last_ns\": %lld,\n", (long long)a->gen.start_ns,
           (long long)(a->gen.start_ns + set->span_ns * rounds));
    print_samples(set, facts, whole);
    printf(" \"services\": {");
    for (int i = 0; i < SHOP_SERVICES; i++)
        printf("%s\"%.*s\": %llu", i ? ", " : "", STR_ARG(shop_services[i].name),
               (unsigned long long)facts->by_service[i]);
    printf("}}\n");
}

int main(int argc, char **argv)
{
    struct args a;
    args_parse(&a, argc, argv);
    int signal = one_of(a.signal, signals);
    a.send.transport = one_of(a.transport, transports) ? SEND_GRPC : SEND_HTTP;
    a.send.encoding = a.gen.encoding = (enum payload_encoding)one_of(a.encoding, encodings);
    if (signal == SIGNAL_EVENTS) {
        if (a.send.transport == SEND_GRPC)
            usage(2);
        snprintf(a.path, sizeof a.path, "/api/%llu/envelope/?sentry_key=%s", (unsigned long long)a.project,
                 a.send.token ? a.send.token : "");
        a.send.path = a.path;
        a.send.token = NULL;
        a.send.type = "application/x-sentry-envelope";
    } else {
        a.send.path = a.send.transport == SEND_GRPC ? grpc_paths[signal] : http_paths[signal];
        a.send.type = "application/x-protobuf";
    }
    a.send.records = a.records;
    a.send.stop_after_ns = (int64_t)(a.seconds * 1e9);
    if (a.to)
        address_parse(&a);
    a.gen.records = a.records < a.prebuilt || a.gen.encoding ? a.records : a.prebuilt;
    a.gen.collector = a.gen.batch > 512;
    a.gen.run_key = hash64_int(a.run);

    // Event times lie in the past, the last ones near now. An upper bound of what a set covers is enough:
    // 10 spans and 100 us a trace, 10 us a log line, 10 s for 440 points.
    uint64_t rounds = (a.records + a.gen.records - 1) / a.gen.records;
    if (a.seconds > 0 && (double)rounds > a.seconds * RATE_MAX / (double)a.gen.records + 1)
        rounds = (uint64_t)(a.seconds * RATE_MAX / (double)a.gen.records) + 1;
    double set_s = signal == 0   ? (double)a.gen.records * 1.2e-5
                   : signal == 1 ? (double)a.gen.records * 1e-5
                                 : (double)a.gen.records / 40;
    if (a.spread > 0) {
        a.gen.stretch = a.spread / (set_s * (double)rounds);
        set_s = a.spread / (double)rounds;
    }
    // Events carry their time as text, the same in all rounds.
    if (signal == SIGNAL_EVENTS)
        set_s = 60.0 / (double)rounds;
    a.gen.start_ns = clock_unix_ns() - (int64_t)(set_s * (double)rounds * 1e9);

    struct payload_set set;
    struct gen_facts facts = { 0 };
    struct send_result result = { 0 };
    int64_t began = clock_mono_ns();
    payload_set_init(&set, a.gen.run_key);
    makers[signal](&a.gen, &set, &facts);
    double prepare_s = (double)(clock_mono_ns() - began) / 1e9;
    bool good = a.dry || send_run(&a.send, &set, &result);
    report(&a, &set, &facts, &result, prepare_s);
    payload_set_free(&set);
    mem_free(result.latency_us);
    return good && !result.failures ? 0 : 1;
}
