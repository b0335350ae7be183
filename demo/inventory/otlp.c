#include "otlp.h"

#include "client.h"
#include "json.h"

#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define BATCH_BYTES_MAX (512 * 1024)
#define BATCH_EVERY_S 1
#define HEADERS_MAX 512

// One kind of record, as `{...},{...}`: what is being sent, once more if need be, and what came meanwhile.
struct signal {
    const char *path, *batches, *records;
    struct json sending, waiting;
    unsigned dropped;
};

static struct signal spans = {
    .path = "/v1/traces", .batches = "Spans", .records = "spans", .waiting = { .max = BATCH_BYTES_MAX }
};
static struct signal logs = {
    .path = "/v1/logs", .batches = "Logs", .records = "logRecords", .waiting = { .max = BATCH_BYTES_MAX }
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of what is waiting, and `stopping`
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool stopping;
static pthread_t sender;
static struct place collector;
static char headers[HEADERS_MAX];
static struct json resource = { .max = 8192 };
static long long clock_off_ns;
static _Thread_local struct span *current;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)((long long)t.tv_sec * 1000000000 + t.tv_nsec + clock_off_ns);
}

static void random_id(uint8_t *id, size_t n)
{
    if (getrandom(id, n, 0) != (ssize_t)n)
        abort();
}

// ---- What sends: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, and which build this is

static void put_attribute(struct json *j, const char *key, struct text value)
{
    json_put(j, "%s{\"key\":", j->n && j->p[j->n - 1] == '}' ? "," : "");
    json_string(j, (struct text){ key, strlen(key) });
    json_put(j, ",\"value\":{\"stringValue\":");
    json_string(j, value);
    json_put(j, "}}");
}

// The linker's build id, from the note that every loaded program carries: which binary this is, whatever version it claims.
static int find_build_id(struct dl_phdr_info *info, size_t size, void *out)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        const char *p = (const char *)info->dlpi_addr + h->p_vaddr, *end = p + h->p_memsz;
        while (h->p_type == PT_NOTE && end - p >= (long)sizeof(ElfW(Nhdr))) {
            ElfW(Nhdr) note;
            memcpy(&note, p, sizeof note);
            const char *name = p + sizeof note, *id = name + ((note.n_namesz + 3u) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
                *(struct text *)out = (struct text){ id, note.n_descsz };
                return 1;
            }
            p = id + ((note.n_descsz + 3u) & ~3u);
        }
    }
    return 1; // the program itself comes first; its libraries are not asked
}

static void describe_resource(void)
{
    const char *service = getenv("OTEL_SERVICE_NAME"), *more = getenv("OTEL_RESOURCE_ATTRIBUTES");
    char host[256] = "", hex[128] = "", pid[16];
    struct text build = { 0 };
    json_put(&resource, "{\"attributes\":[");
    put_attribute(&resource, "service.name",
                  (struct text){ service ? service : "inventory", strlen(service ? service : "inventory") });
    while (more && *more) {
        size_t n = strcspn(more, ","), key_n = strcspn(more, "=,");
        char key[128];
        if (key_n < n && key_n < sizeof key) {
            memcpy(key, more, key_n);
            key[key_n] = 0;
            put_attribute(&resource, key, (struct text){ more + key_n + 1, n - key_n - 1 });
        }
        more += n + (more[n] == ',');
    }
    gethostname(host, sizeof host - 1);
    put_attribute(&resource, "host.name", (struct text){ host, strlen(host) });
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    put_attribute(&resource, "process.pid", (struct text){ pid, strlen(pid) });
    put_attribute(&resource, "telemetry.sdk.language", (struct text){ "c", 1 });
    put_attribute(&resource, "telemetry.sdk.name", (struct text){ "inventory", 9 });
    dl_iterate_phdr(find_build_id, &build);
    for (size_t i = 0; i < build.n && 2 * i + 3 < sizeof hex; i++)
        sprintf(hex + 2 * i, "%02x", (unsigned char)build.p[i]);
    if (hex[0])
        put_attribute(&resource, "process.executable.build_id.gnu", (struct text){ hex, strlen(hex) });
    json_put(&resource, "]}");
}

// OTEL_EXPORTER_OTLP_HEADERS, "key=value,key=value", percent-encoded: as lines.
static int read_headers(void)
{
    const char *p = getenv("OTEL_EXPORTER_OTLP_HEADERS");
    size_t n = 0;
    bool in_value = false, any = false;
    for (; p && *p; p++) {
        char c = *p;
        unsigned byte;
        if (n + 4 >= sizeof headers)
            return -1;
        if (c == '=' && !in_value) {
            in_value = any = true;
            headers[n++] = ':';
            continue;
        }
        if (c == ',') {
            in_value = false;
            headers[n++] = '\r', headers[n++] = '\n';
            continue;
        }
        if (c == '%' && sscanf(p + 1, "%2x", &byte) == 1 && p[1] && p[2]) {
            c = (char)byte;
            p += 2;
        }
        if ((unsigned char)c < ' ')
            return -1;
        headers[n++] = c;
    }
    if (any)
        headers[n++] = '\r', headers[n++] = '\n';
    headers[n] = 0;
    return 0;
}

// ---- The way out

static bool is_retryable(int status) { return status < 0 || status == 429 || (status >= 502 && status <= 504); }

static void flush(struct signal *s)
{
    struct json body = { .max = BATCH_BYTES_MAX + resource.n + 1024 };
    if (!s->sending.n) {
        pthread_mutex_lock(&lock);
        s->sending = s->waiting;
        s->waiting = (struct json){ .max = BATCH_BYTES_MAX };
        pthread_mutex_unlock(&lock);
    }
    if (!s->sending.n)
        return;
    json_put(&body, "{\"resource%s\":[{\"resource\":", s->batches);
    json_raw(&body, (struct text){ resource.p, resource.n });
    json_put(&body, ",\"scope%s\":[{\"scope\":{\"name\":\"inventory\"},\"%s\":[", s->batches, s->records);
    json_raw(&body, (struct text){ s->sending.p, s->sending.n });
    json_put(&body, "]}]}]}");
    if (body.full || !is_retryable(client_post(&collector, s->path, headers, (struct text){ body.p, body.n }))) {
        free(s->sending.p);
        s->sending = (struct json){ 0 };
    }
    free(body.p);
}

static void *run_sender(void *unused)
{
    bool last = false;
    while (!last) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += BATCH_EVERY_S;
        pthread_mutex_lock(&lock);
        while (!stopping && pthread_cond_timedwait(&wake, &lock, &until) == 0)
            continue;
        last = stopping;
        pthread_mutex_unlock(&lock);
        flush(&spans);
        flush(&logs);
    }
    return unused;
}

int otlp_start(void)
{
    const char *endpoint = getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), *off = getenv("CLOCK_OFF_MS");
    if (place_parse(endpoint ? endpoint : "http://127.0.0.1:4318", &collector) < 0 || read_headers() < 0) {
        fprintf(stderr,
                "inventory: OTEL_EXPORTER_OTLP_ENDPOINT has to be http://HOST:PORT here, and the headers short: %s\n",
                endpoint);
        return -1;
    }
    clock_off_ns = off ? strtol(off, NULL, 10) * 1000000LL : 0;
    describe_resource();
    return pthread_create(&sender, NULL, run_sender, NULL) == 0 ? 0 : -1;
}

void otlp_stop(void)
{
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    pthread_join(sender, NULL);
    if (spans.dropped || logs.dropped)
        fprintf(stderr, "inventory: %u spans and %u logs dropped, the collector was away\n", spans.dropped,
                logs.dropped);
}

// Takes `record` (and frees it) if it fits as a whole.
static void enqueue(struct signal *s, struct json *record)
{
    pthread_mutex_lock(&lock);
    if (record->full || record->n + 1 > s->waiting.max - s->waiting.n) {
        s->dropped++;
    } else {
        if (s->waiting.n)
            json_raw(&s->waiting, (struct text){ ",", 1 });
        json_raw(&s->waiting, (struct text){ record->p, record->n });
    }
    pthread_mutex_unlock(&lock);
    free(record->p);
}

// ---- Records

void span_begin(struct span *s, const char *name, enum span_kind kind, const struct trace_context *from)
{
    *s = (struct span){ .name = name, .kind = kind, .sampled = true, .outer = current };
    if (current) {
        memcpy(s->trace, current->trace, sizeof s->trace);
        memcpy(s->parent, current->id, sizeof s->parent);
        s->has_parent = true;
        s->sampled = current->sampled;
    } else if (from && from->known) {
        memcpy(s->trace, from->trace, sizeof s->trace);
        memcpy(s->parent, from->span, sizeof s->parent);
        s->has_parent = true;
        s->sampled = from->sampled;
    } else {
        random_id(s->trace, sizeof s->trace);
    }
    random_id(s->id, sizeof s->id);
    s->start_ns = now_ns();
    current = s;
}

static void add_attribute(struct span *s, struct json *j)
{
    // One that does not fit is left away whole.
    if (!j->full && j->n + 1 <= sizeof s->attributes - s->attributes_n) {
        if (s->attributes_n)
            s->attributes[s->attributes_n++] = ',';
        memcpy(s->attributes + s->attributes_n, j->p, j->n);
        s->attributes_n += j->n;
    }
    free(j->p);
}

void span_text(struct span *s, const char *key, struct text value)
{
    struct json j = { .max = SPAN_ATTRIBUTES_MAX };
    put_attribute(&j, key, value);
    add_attribute(s, &j);
}

void span_number(struct span *s, const char *key, long long value)
{
    struct json j = { .max = SPAN_ATTRIBUTES_MAX };
    json_put(&j, "{\"key\":\"%s\",\"value\":{\"intValue\":\"%lld\"}}", key, value);
    add_attribute(s, &j);
}

void span_end(struct span *s)
{
    struct json j = { .max = SPAN_ATTRIBUTES_MAX + 1024 };
    current = s->outer;
    if (!s->sampled)
        return;
    json_put(&j, "{\"traceId\":");
    json_hex(&j, s->trace, sizeof s->trace);
    json_put(&j, ",\"spanId\":");
    json_hex(&j, s->id, sizeof s->id);
    if (s->has_parent) {
        json_put(&j, ",\"parentSpanId\":");
        json_hex(&j, s->parent, sizeof s->parent);
    }
    json_put(
        &j, ",\"name\":\"%s\",\"kind\":%d,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[",
        s->name, (int)s->kind, (unsigned long long)s->start_ns, (unsigned long long)now_ns());
    json_raw(&j, (struct text){ s->attributes, s->attributes_n });
    json_put(&j, "]%s}", s->failed ? ",\"status\":{\"code\":2}" : "");
    enqueue(&spans, &j);
}

void log_write(enum severity severity, const char *format, ...)
{
    struct json j = { .max = 4096 };
    char line[512];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    fprintf(stderr, "%s\n", line);
    unsigned long long now = now_ns();
    json_put(&j,
             "{\"timeUnixNano\":\"%llu\",\"observedTimeUnixNano\":\"%llu\",\"severityNumber\":%d,\"severityText\":\"%"
             "s\",\"body\":{\"stringValue\":",
             now, now, (int)severity,
             severity >= SEVERITY_ERROR  ? "ERROR"
             : severity >= SEVERITY_WARN ? "WARN"
                                         : "INFO");
    json_string(&j, (struct text){ line, strlen(line) });
    json_put(&j, "}");
    if (current) {
        json_put(&j, ",\"traceId\":");
        json_hex(&j, current->trace, sizeof current->trace);
        json_put(&j, ",\"spanId\":");
        json_hex(&j, current->id, sizeof current->id);
        json_put(&j, ",\"flags\":%d", current->sampled);
    }
    json_put(&j, "}");
    enqueue(&logs, &j);
}
