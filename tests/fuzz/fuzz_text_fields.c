// Texts that the steps extract and parse read: the part before the first newline is a pattern, the rest
// the text. What is extracted lies in the text, in order; fields are well-formed maps without repeated names.
#include "base/must.h"
#include "query/extract.h"
#include "query/text_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void extract(struct arena *arena, str pattern, str text)
{
    struct extract_pattern p;
    struct extract_fault fault = { 0 };
    struct qval v[EXTRACT_PLACES_MAX];
    if (extract_compile(arena, pattern, &p, &fault) < 0) {
        must(fault.code != QUERY_OK && fault.message && fault.off + fault.len <= pattern.len);
        return;
    }
    must(p.count > 0 && p.count <= EXTRACT_PLACES_MAX);
    if (!extract_match(&p, text, v))
        return;
    const char *at = text.ptr;
    for (uint32_t i = 0; i < p.count; i++) {
        if (v[i].type != QVAL_STR || v[i].s.len == 0)
            continue;
        must(v[i].s.ptr >= at && v[i].s.ptr + v[i].s.len <= text.ptr + text.len);
        at = v[i].s.ptr + v[i].s.len;
        struct extract_place *place = &p.places[i];
        must(place->after.len == 0 || (size_t)(text.ptr + text.len - at) >= place->after.len);
        must(memcmp(at, place->after.ptr, place->after.len) == 0);
    }
}

static void check(const struct value *map)
{
    struct value_reader r;
    struct value v;
    uint64_t n;
    str keys[TEXT_FIELDS_MAX];
    if (map->type == VALUE_NULL)
        return;
    must(map->type == VALUE_MAP && value_check(bytes_of_str(map->s)) == 0);
    must(value_open(map, &r, &n) == 0 && n > 0 && n <= TEXT_FIELDS_MAX);
    for (uint64_t i = 0; i < n; i++) {
        must(value_read_key(&r, &keys[i]) == 0 && value_read(&r, &v) == 0 && v.type != VALUE_NULL);
        for (uint64_t k = 0; k < i && n < 64; k++)
            must(!str_eq(keys[k], keys[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    str all = str_of(data, size);
    ptrdiff_t nl = str_find_char(all, '\n', 0);
    str head = nl < 0 ? all : str_slice(all, 0, (size_t)nl), rest = nl < 0 ? all : str_slice(all, (size_t)nl + 1, size);
    struct value json, logfmt, both;
    bool cut;
    arena_init(&arena, 256 << 20);
    extract(&arena, head, rest);
    must(text_fields_json(&arena, rest, &json, &cut) == 0);
    check(&json);
    must(text_fields_logfmt(&arena, rest, &logfmt, &cut) == 0);
    check(&logfmt);
    must(text_fields_join(&arena, &json, &logfmt, &both) == 0);
    check(&both);
    arena_free(&arena);
    return 0;
}
