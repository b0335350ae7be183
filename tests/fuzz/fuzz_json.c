// Whatever the reader takes, the writer can say again, and that reads as the same tokens.
#include "base/json.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int rewrite(str text, struct arena *a, struct buf *out)
{
    struct json_reader r;
    struct json_writer w;
    struct json_token t;
    int rc;
    json_reader_init(&r, text, a, 64);
    json_writer_init(&w, out);
    while ((rc = json_next(&r, &t)) == 0 && t.type != JSON_END) {
        double d;
        int64_t i;
        switch (t.type) {
        case JSON_OBJECT:
            json_put_object(&w);
            break;
        case JSON_OBJECT_END:
            json_put_object_end(&w);
            break;
        case JSON_ARRAY:
            json_put_array(&w);
            break;
        case JSON_ARRAY_END:
            json_put_array_end(&w);
            break;
        case JSON_KEY:
            json_put_key(&w, t.text);
            break;
        case JSON_STRING:
            json_put_str(&w, t.text);
            break;
        case JSON_NUMBER:
            must(json_number_double(t.text, &d));
            if (json_number_int(t.text, &i))
                must((double)i == d);
            json_put_raw(&w, t.text);
            break;
        case JSON_TRUE:
            json_put_bool(&w, true);
            break;
        case JSON_FALSE:
            json_put_bool(&w, false);
            break;
        default:
            json_put_null(&w);
        }
    }
    if (rc < 0)
        json_reader_err(&r, rc, NULL);
    must(w.lossy == 0);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct buf once, twice;
    struct json_reader r;
    arena_init(&a, 64 << 20);
    buf_init(&once, 256 << 20);
    buf_init(&twice, 256 << 20);
    int rc = rewrite(str_of(data, size), &a, &once);
    json_reader_init(&r, str_of(data, size), &a, 64);
    int skipped = json_skip(&r, NULL);
    if (rc == 0) {
        must(skipped == 0 && json_done(&r) == 0);
        must(rewrite(buf_view(&once), &a, &twice) == 0);
        must(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
    }
    buf_free(&once);
    buf_free(&twice);
    arena_free(&a);
    return 0;
}
