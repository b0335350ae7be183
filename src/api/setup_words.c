#include "api/setup.h"

#include "base/clock.h"
#include "base/must.h"

#include <stdio.h>

#define SKEW_AHEAD_NS (10 * NS_PER_S)   // beyond what two synchronised clocks differ by
#define SKEW_BEHIND_NS (300 * NS_PER_S) // SDKs send within seconds, metrics within a minute

#define SAY(field, ...) snprintf(ret->field, sizeof ret->field, __VA_ARGS__)

static void put_span(char out[32], int64_t ns)
{
    long long s = ns / NS_PER_S;
    if (s < 120)
        snprintf(out, 32, "%lld s", s);
    else if (s < 7200)
        snprintf(out, 32, "%lld min", (s + 30) / 60);
    else if (s < 48 * 3600)
        snprintf(out, 32, "%lld h", (s + 1800) / 3600);
    else
        snprintf(out, 32, "%lld days", (s + 43200) / 86400);
}

// What a stranger has sent goes into lines to paste only where no shell and no file could read anything else in it.
static bool is_plain_name(const char *text)
{
    return text[0] && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:/[]")] == 0;
}

static void words_unknown_key(struct api_call *call, const struct door_entry *e, struct setup_words *ret)
{
    struct meta_token token;
    int64_t revoked = 0;
    bool admin = call->caller.scopes & META_SCOPE_ADMIN;
    ret->title = "Key refused";
    SAY(fix, "Make a key with the scope ingest and send it as Authorization: Bearer KEY. Most likely an old one is "
             "left in the "
             "environment or a secret.");
    SAY(paste, "OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer%%20KEY\"");
    if (!e->detail[0]) {
        SAY(text, "They sent a key that is not known here; it is too short to be one of Clew's.");
        return;
    }
    // Names of tokens are for who may see the list of them.
    if (!admin || meta_token_by_tail(call->api->options.meta, str_z(e->detail), &token, &revoked) < 0) {
        SAY(text, "They sent a key that ends in %s, which is not known here.", e->detail);
    } else if (revoked) {
        SAY(text, "They sent a key that ends in %s, like the token %s, which was revoked.", e->detail, token.name);
    } else if (token.expires_ns && token.expires_ns < clock_unix_ns()) {
        SAY(text, "They sent a key that ends in %s, like the token %s, which has expired.", e->detail, token.name);
    } else {
        SAY(text,
            "They sent a key that ends in %s, like the token %s, but it is not that one: a character may have been "
            "lost.",
            e->detail, token.name);
    }
}

static void words_no_key(const struct door_entry *e, struct setup_words *ret)
{
    ret->title = "A key is needed";
    if (strcmp(e->detail, "origin") == 0)
        SAY(text, "The request came from a web page. Only programs on this machine that ask under a loopback name need "
                  "no key.");
    else if (e->detail[0])
        SAY(text,
            "The request came through a proxy (%s). Only programs on this machine that connect directly need no key.",
            e->detail);
    else
        SAY(text,
            "The request came from %s without a key. Only programs on this machine, under the name 127.0.0.1 or "
            "localhost, need none.",
            e->peer);
    SAY(fix, "Make a key with the scope ingest and let the sender show it.");
    SAY(paste, "OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer%%20KEY\"");
}

static void words_path(const struct door_entry *e, str here, struct setup_words *ret)
{
    ret->title = "Wrong path";
    SAY(text, "They sent %s %s; records are taken at /v1/traces, /v1/logs and /v1/metrics.", e->method, e->path);
    if (strcmp(e->path, "/") == 0 || str_starts(str_z(e->path), STR("/v1/")))
        SAY(fix, "Most likely a variable for one signal holds the bare address: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "
                 "used as it is, "
                 "OTEL_EXPORTER_OTLP_ENDPOINT gets the path from the SDK.");
    else
        SAY(fix, "Give the address without a path; the SDK adds it.");
    SAY(paste, "OTEL_EXPORTER_OTLP_ENDPOINT=%.*s", STR_ARG(here));
}

static void words_type(const struct door_entry *e, struct setup_words *ret)
{
    ret->title = "Wrong content type";
    if (e->detail[0])
        SAY(text, "The body is declared as %s; OTLP is application/x-protobuf or application/json.", e->detail);
    else
        SAY(text, "The body is declared as nothing; OTLP is application/x-protobuf or application/json.");
    if (str_starts(str_z(e->detail), STR("application/grpc")))
        SAY(fix, "That is gRPC sent to a path of OTLP over HTTP: say OTEL_EXPORTER_OTLP_PROTOCOL=grpc and give the "
                 "address without a path.");
    else
        SAY(fix, "Send the header that fits the body; with curl: -H 'Content-Type: application/json'.");
}

static void words_host(const struct door_entry *e, str here, struct setup_words *ret)
{
    bool tls = str_starts(here, STR("https://"));
    ret->title = "Unknown name";
    SAY(text,
        "They asked for %s. This server answers to loopback names and to those of the setting public_url, else a page "
        "on "
        "another site could reach it under a name of its own.",
        e->detail);
    SAY(fix, "Start the server with that name, or send to a name that it knows. Under a name that is not loopback a "
             "key is needed.");
    if (is_plain_name(e->detail))
        SAY(paste, "clew serve --public-url %s://%s", tls ? "https" : "http", e->detail);
}

static void words_tls(const struct door_entry *e, str here, struct setup_words *ret)
{
    if (e->outcome == DOOR_TLS_ON_PLAIN) {
        ret->title = "TLS on a plain port";
        SAY(text, "They began with TLS, but port %d speaks plain HTTP and gRPC.", e->port);
        SAY(fix, "Write http:// instead of https://; gRPC exporters without a scheme want "
                 "OTEL_EXPORTER_OTLP_INSECURE=true. Or give "
                 "the server a certificate: --tls-cert and --tls-key.");
        SAY(paste, "OTEL_EXPORTER_OTLP_ENDPOINT=%.*s", STR_ARG(here));
    } else if (e->outcome == DOOR_PLAIN_ON_TLS) {
        ret->title = "Plain HTTP on a TLS port";
        SAY(text, "They spoke plain HTTP, but port %d speaks TLS.", e->port);
        SAY(fix, "Write https:// instead of http://.");
        SAY(paste, "OTEL_EXPORTER_OTLP_ENDPOINT=%.*s", STR_ARG(here));
    } else {
        ret->title = "Certificate not trusted";
        SAY(text, "They hung up when they saw this server's certificate: nobody they trust has signed it, it has "
                  "another name, or it is over.");
        SAY(fix, "Give the sender the authority that signed it.");
        SAY(paste, "OTEL_EXPORTER_OTLP_CERTIFICATE=/path/to/ca.pem");
    }
}

static void words_foreign(const struct door_entry *e, str here, struct setup_words *ret)
{
    if (e->outcome == DOOR_SENTRY) {
        ret->title = "A part of Sentry's protocol that is not taken yet";
        SAY(text, "They sent to %s. Envelopes and the old store endpoint are taken.", e->path);
        SAY(fix, "Errors, transactions and logs of the same SDK arrive all the same.");
    } else if (e->outcome == DOOR_GRPC_SERVICE) {
        ret->title = "Unknown gRPC service";
        SAY(text, "They called %s; the services here are OTLP's for traces, logs and metrics.", e->path);
        SAY(fix, "Turn the exporter for that signal off, or send it elsewhere.");
    } else {
        ret->title = "Another protocol";
        SAY(text, "They sent %s's format (%s). Clew takes OTLP.", e->detail, e->path);
        SAY(fix, "Put an OpenTelemetry Collector in between: it receives %s and exports OTLP.", e->detail);
        SAY(paste, "exporters:\n  otlphttp/clew:\n    endpoint: %.*s", STR_ARG(here));
    }
}

static void words_body(const struct door_entry *e, struct setup_words *ret)
{
    switch (e->outcome) {
    case DOOR_ENCODING:
        ret->title = "Unknown compression";
        SAY(text, "The body's Content-Encoding is %s; gzip, deflate, zstd and br are understood.",
            e->detail[0] ? e->detail : "repeated");
        SAY(fix, "OTEL_EXPORTER_OTLP_COMPRESSION=gzip, or none.");
        return;
    case DOOR_JSON_AS_PROTOBUF:
        ret->title = "JSON declared as protobuf";
        SAY(text, "The body is JSON, its content type says protobuf.");
        SAY(fix, "Content-Type: application/json; an SDK says it itself with OTEL_EXPORTER_OTLP_PROTOCOL=http/json.");
        return;
    case DOOR_PROTOBUF_AS_JSON:
        ret->title = "Protobuf declared as JSON";
        SAY(text, "The body is binary, its content type says JSON.");
        SAY(fix, "Content-Type: application/x-protobuf; an SDK says it itself with "
                 "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.");
        return;
    case DOOR_TOO_LARGE:
        ret->title = "Request too large";
        SAY(text, "One request is larger than is taken at once (settings body_max and inflated_max).");
        SAY(fix, "Send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE, the Collector's send_batch_max_size), or raise "
                 "the settings.");
        SAY(paste, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=256");
        return;
    default:
        ret->title = "Unreadable body";
        SAY(text, "The body is no OTLP: %s.", e->detail[0] ? e->detail : "it does not parse");
        SAY(fix, "An SDK sends it right by itself; for a body of your own compare with the OTLP examples.");
    }
}

void setup_words_refused(struct api_call *call, const struct door_entry *e, str here, struct setup_words *ret)
{
    memset(ret, 0, sizeof *ret);
    switch (e->outcome) {
    case DOOR_NO_KEY:
        words_no_key(e, ret);
        return;
    case DOOR_UNKNOWN_KEY:
        words_unknown_key(call, e, ret);
        return;
    case DOOR_BAD_AUTHORIZATION:
        ret->title = "Key sent in another way";
        SAY(text, "Their Authorization header is %s%s, not Bearer KEY.",
            e->detail[0] ? "of the kind " : "no bearer token", e->detail);
        SAY(fix, "In the variable the space is written %%20.");
        SAY(paste, "OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer%%20KEY\"");
        return;
    case DOOR_NO_SCOPE:
        ret->title = "This key may not send";
        SAY(text, "They sent the key that ends in %s. It is known, but lacks the scope ingest.", e->detail);
        SAY(fix, "Make a key for sending; one that reads stays a key that reads.");
        return;
    case DOOR_QUOTA:
        ret->title = "Over the quota";
        SAY(text,
            "They send more bytes a second than a project may (setting ingest_rate); they were told to come again.");
        SAY(fix, "Send less, or raise the setting.");
        return;
    case DOOR_BUSY:
        ret->title = "Told to come again";
        SAY(text, "Too much at once, or the disk is full: %s.", e->detail[0] ? e->detail : "busy");
        SAY(fix, "SDKs and Collectors try again by themselves. If it stays, look at Settings, Storage.");
        return;
    case DOOR_METHOD:
        ret->title = "Wrong method";
        SAY(text, "They sent %s %s; records come with POST.", e->method, e->path);
        SAY(fix, "A browser or a health check asks with GET: GET /healthz answers those.");
        return;
    case DOOR_PREFLIGHT:
        ret->title = "A web page may not send directly";
        SAY(text, "A page of %s asked whether it may send. A page would have to show its key to everybody.", e->detail);
        SAY(fix,
            "Send from the browser to an OpenTelemetry Collector with CORS for that page, and from there to Clew.");
        if (is_plain_name(e->detail))
            SAY(paste,
                "receivers:\n  otlp:\n    protocols:\n      http:\n        cors:\n          allowed_origins: [\"%s\"]",
                e->detail);
        return;
    case DOOR_CONTENT_TYPE:
        words_type(e, ret);
        return;
    case DOOR_PATH:
        words_path(e, here, ret);
        return;
    case DOOR_GRPC_ON_HTTP1:
        ret->title = "gRPC over HTTP/1.1";
        SAY(text, "They sent gRPC, but over HTTP/1.1, where it does not work. A proxy in between often does that.");
        SAY(fix, "Let the proxy speak HTTP/2 to Clew (nginx: grpc_pass), or use OTLP over HTTP.");
        SAY(paste, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");
        return;
    case DOOR_HOST:
        words_host(e, here, ret);
        return;
    case DOOR_TLS_ON_PLAIN:
    case DOOR_PLAIN_ON_TLS:
    case DOOR_CERTIFICATE:
        words_tls(e, here, ret);
        return;
    case DOOR_SENTRY:
    case DOOR_FOREIGN:
    case DOOR_GRPC_SERVICE:
        words_foreign(e, here, ret);
        return;
    case DOOR_ENCODING:
    case DOOR_JSON_AS_PROTOBUF:
    case DOOR_PROTOBUF_AS_JSON:
    case DOOR_MALFORMED:
    case DOOR_TOO_LARGE:
        words_body(e, ret);
        return;
    case DOOR_ACCEPTED:
    case DOOR_OUTCOMES_N:
        break;
    }
    must(!"a refusal");
}

bool setup_is_odd(const struct door_entry *e, enum setup_oddity oddity)
{
    switch (oddity) {
    case SETUP_CLOCK_AHEAD:
        return e->has_skew && e->skew_ns > SKEW_AHEAD_NS;
    case SETUP_CLOCK_BEHIND:
        return e->has_skew && e->skew_ns < -SKEW_BEHIND_NS;
    case SETUP_NAMELESS:
        return e->nameless;
    case SETUP_ODDITIES:
        break;
    }
    must(!"an oddity");
}

const char *setup_odd_slug(enum setup_oddity oddity)
{
    static const char *const slugs[] = { "clock_ahead", "clock_behind", "no_service_name" };
    must(oddity < SETUP_ODDITIES);
    return slugs[oddity];
}

void setup_words_odd(const struct door_entry *e, enum setup_oddity oddity, struct setup_words *ret)
{
    char span[32];
    memset(ret, 0, sizeof *ret);
    put_span(span, e->skew_ns < 0 ? -e->skew_ns : e->skew_ns);
    switch (oddity) {
    case SETUP_CLOCK_AHEAD:
        ret->title = "Their clock is ahead";
        SAY(text,
            "The newest record lay %s in the future when it arrived. It is stored, but ranges that end now do not show "
            "it yet.",
            span);
        SAY(fix, "Set the clock of that machine (chrony or systemd-timesyncd).");
        SAY(paste, "timedatectl set-ntp true");
        return;
    case SETUP_CLOCK_BEHIND:
        ret->title = "Their clock is behind, or they send late";
        SAY(text, "The newest record was %s old when it arrived: look for it with a longer range.", span);
        SAY(fix, "Set the clock of that machine; if a queue held the records back, there is nothing to do.");
        return;
    case SETUP_NAMELESS:
        ret->title = "No service.name";
        SAY(text, "Records came from a process that does not say which service it is%s%s.", e->services_n ? ": " : "",
            e->services_n ? e->services[e->services_n - 1] : "");
        SAY(fix, "Name it where the process is started.");
        SAY(paste, "OTEL_SERVICE_NAME=checkout");
        return;
    case SETUP_ODDITIES:
        break;
    }
    must(!"an oddity");
}
