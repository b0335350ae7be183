#include "wire/sentry_payload.h"

#include <pthread.h>
#include <zstd.h>

enum { LEVEL = 3, DICTIONARY = 1 };

// Dictionary 1, never changed: payloads are read with the one that they were written with. What is most frequent stands
// last, where references to it are shortest.
static const char dictionary_1[] =
    "\"mechanism\":{\"type\":\"onunhandledrejection\",\"handled\":false}\"mechanism\":{\"type\":\"auto.node."
    "onuncaughtexception\","
    "\"handled\":false,\"synthetic\":true,\"exception_id\":0,\"parent_id\":0}"
    "\"gunicorn\"\"django\"\"flask\"\"express\"\"fastapi\""
    "\"contexts\":{\"trace\":{\"trace_id\":\"\",\"span_id\":\"\",\"parent_span_id\":\"\",\"op\":\"http.server\","
    "\"origin\":"
    "\"auto.http.\",\"status\":\"internal_error\",\"data\":{}},\"runtime\":{\"name\":\"CPython\",\"version\":\"3.11."
    "2\",\"build\":"
    "\"3.11.2 (main) [GCC "
    "12.2.0]\"},\"app\":{\"app_start_time\":\"2026-01-01T00:00:00.000Z\",\"app_memory\":},\"os\":{\"name\":"
    "\"Linux\",\"version\":\"\",\"kernel_version\":\"\",\"build\":\"\"},\"device\":{\"boot_time\":\"\",\"arch\":"
    "\"x64\",\"memory_size\""
    ":,\"free_memory\":,\"processor_count\":,\"cpu_description\":\"\",\"processor_frequency\":},\"culture\":{"
    "\"locale\":\"en-US\","
    "\"timezone\":\"UTC\"},\"cloud_resource\":{}}\"sdk\":{\"name\":\"sentry.python.flask\",\"version\":\"2.\","
    "\"packages\":[{\"name\":"
    "\"pypi:sentry-sdk\",\"version\":\"\"}],\"integrations\":[\"argv\",\"atexit\",\"dedupe\",\"excepthook\",\"flask\","
    "\"logging\","
    "\"modules\",\"redis\",\"stdlib\",\"threading\"]}\"sdk\":{\"integrations\":[\"InboundFilters\","
    "\"FunctionToString\",\"BrowserApiErrors\""
    ",\"Breadcrumbs\",\"GlobalHandlers\",\"LinkedErrors\",\"Dedupe\",\"HttpContext\",\"BrowserSession\",\"Http\","
    "\"NodeFetch\","
    "\"OnUncaughtException\",\"OnUnhandledRejection\",\"ContextLines\",\"LocalVariables\",\"Context\",\"ChildProcess\","
    "\"Express\","
    "\"Postgres\"],\"name\":\"sentry.javascript.node\",\"version\":\"\",\"packages\":[{\"name\":\"npm:@sentry/"
    "node\",\"version\":\"\"}],"
    "\"settings\":{\"infer_ip\":\"never\"}}\"request\":{\"url\":\"http://"
    "localhost:\",\"method\":\"POST\",\"headers\":{\"host\":"
    "\"localhost\",\"connection\":\"keep-alive\",\"content-type\":\"application/json\",\"accept\":\"*/"
    "*\",\"accept-language\":\"*\","
    "\"sec-fetch-mode\":\"cors\",\"user-agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
    "Gecko) Chrome/"
    " Safari/537.36\",\"accept-encoding\":\"gzip, "
    "deflate\",\"content-length\":\"\",\"Referer\":\"\"},\"cookies\":{},\"query_string\":\"\","
    "\"data\":{},\"env\":{\"SERVER_NAME\":\"127.0.0.1\",\"SERVER_PORT\":\"\"}}\"user\":{\"id\":\"\",\"email\":\"\","
    "\"username\":\"\","
    "\"ip_address\":\"127.0.0.1\"}\"breadcrumbs\":{\"values\":[{\"type\":\"http\",\"category\":\"httplib\",\"data\":{"
    "\"url\":\"\",\"method\""
    ":\"GET\",\"status_code\":200,\"reason\":\"OK\"},\"message\":\"SELECT "
    "\",\"category\":\"query\",\"level\":\"info\",\"timestamp\":"
    "\"2026-01-01T00:00:00.000000Z\"},{\"category\":\"console\",\"level\":\"log\",\"data\":{\"arguments\":[],"
    "\"logger\":\"console\"}},"
    "{\"category\":\"ui.click\",\"message\":\"body > div > "
    "button\"},{\"type\":\"default\",\"category\":\"navigation\",\"data\":{\"from\":"
    "\"/\",\"to\":\"/"
    "\"}}]}\"modules\":{\"debug_meta\":{\"images\":[{\"type\":\"sourcemap\",\"code_file\":\"\",\"debug_id\":\"\"}]}"
    "\"tags\":{\"logger\":\"\",\"environment\":\"production\",\"release\":\"\",\"server_name\":\"\",\"dist\":\"\","
    "\"level\":\"error\",\"platform\":"
    "\"python\",\"transaction\":\"\",\"transaction_info\":{\"source\":\"route\"},\"extra\":{\"sys.argv\":[]},\"_meta\":"
    "{},\"event_id\":\"\","
    "\"timestamp\":\"platform\":\"javascript\"\"platform\":\"node\"\"exception\":{\"values\":[{\"mechanism\":{\"type\":"
    "\"generic\","
    "\"handled\":true},\"module\":null,\"type\":\"TypeError\",\"value\":\"Cannot read properties of undefined (reading "
    "'')\","
    "\"type\":\"ValueError\",\"value\":\"\",\"stacktrace\":{\"frames\":[{\"filename\":\"node:internal/process/"
    "task_queues\",\"module\":"
    "\"node:internal\",\"function\":\"process.processTicksAndRejections\",\"lineno\":95,\"colno\":5,\"in_app\":false},{"
    "\"filename\":"
    "\"/usr/lib/python3/dist-packages/flask/app.py\",\"abs_path\":\"/app/node_modules/express/lib/router/"
    "layer.js\",\"function\":"
    "\"wrapper\",\"function\":\"<anonymous>\",\"module\":\"\",\"lineno\":,\"colno\":,\"in_app\":true,\"pre_context\":["
    "\"\",\"    \",\"    if "
    "\",\"    return \",\"def \"],\"context_line\":\"        raise \",\"post_context\":[\"    \",\"        \",\"\",\"  "
    "  }\",\"  });\"],"
    "\"vars\":{\"self\":\"<\",\"args\":[],\"kwargs\":{}},\"in_app\":false},";

static ZSTD_CDict *compress_dict;
static ZSTD_DDict *open_dict;
static pthread_once_t dicts_once = PTHREAD_ONCE_INIT;

// Live as long as the process.
static void dicts_make(void)
{
    compress_dict = ZSTD_createCDict(dictionary_1, sizeof dictionary_1 - 1, LEVEL);
    open_dict = ZSTD_createDDict(dictionary_1, sizeof dictionary_1 - 1);
}

void sentry_packer_init(struct sentry_packer *p)
{
    p->zstd = NULL;
    buf_init(&p->json, SENTRY_PAYLOAD_MAX);
    buf_init(&p->packed, ZSTD_COMPRESSBOUND(SENTRY_PAYLOAD_MAX) + 1);
}

void sentry_packer_free(struct sentry_packer *p)
{
    ZSTD_freeCCtx(p->zstd);
    buf_free(&p->json);
    buf_free(&p->packed);
}

int sentry_payload_pack(struct sentry_packer *p, const struct json_node *event, bytes *ret_packed)
{
    struct json_writer w;
    pthread_once(&dicts_once, dicts_make);
    buf_clear(&p->json);
    buf_clear(&p->packed);
    json_writer_init(&w, &p->json);
    json_put_tree(&w, event);
    if (p->json.error)
        return p->json.error;
    if (!p->zstd && !(p->zstd = ZSTD_createCCtx()))
        return ERR_NOMEM;
    size_t room = ZSTD_compressBound(p->json.len);
    if (!compress_dict || buf_byte(&p->packed, DICTIONARY) < 0 || buf_reserve(&p->packed, room) < 0)
        return ERR_NOMEM;
    size_t n = ZSTD_compress_usingCDict(p->zstd, p->packed.ptr + 1, room, p->json.ptr, p->json.len, compress_dict);
    if (ZSTD_isError(n))
        return ERR_NOMEM;
    *ret_packed = bytes_of(p->packed.ptr, n + 1);
    return 0;
}

int sentry_payload_open(bytes packed, struct buf *out)
{
    pthread_once(&dicts_once, dicts_make);
    if (packed.len < 2)
        return ERR_CORRUPT;
    if (packed.ptr[0] != DICTIONARY)
        return ERR_UNSUPPORTED;
    unsigned long long size = ZSTD_getFrameContentSize(packed.ptr + 1, packed.len - 1);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > SENTRY_PAYLOAD_MAX)
        return ERR_CORRUPT;
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    if (!ctx || !open_dict || buf_reserve(out, size) < 0) {
        ZSTD_freeDCtx(ctx);
        return ERR_NOMEM;
    }
    size_t n = ZSTD_decompress_usingDDict(ctx, out->ptr + out->len, size, packed.ptr + 1, packed.len - 1, open_dict);
    ZSTD_freeDCtx(ctx);
    if (ZSTD_isError(n) || n != size)
        return ERR_CORRUPT;
    out->len += n;
    return 0;
}
