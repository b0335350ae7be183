// bench_sourcemap MAP JS: what it costs to read a source map and the functions of its code, what they take in memory, and
// what a look-up costs.
#include "wire/sourcemap.h"
#include "base/buf.h"
#include "base/clock.h"
#include "symbols/js_scopes.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, LOOKUPS = 2000000 };

static struct buf file_read(const char *path)
{
    struct buf out;
    uint8_t piece[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(2);
    buf_init(&out, SOURCEMAP_TEXT_MAX);
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        buf_append(&out, piece, n);
    fclose(file);
    return out;
}

static double mb_s(size_t bytes, int64_t ns) { return (double)bytes * 1e3 / (double)ns; }

int main(int argc, char **argv)
{
    struct sourcemap *map = NULL;
    struct js_scopes *scopes = NULL;
    struct sourcemap_cursor c;
    struct sourcemap_place p, *at;
    struct err err;
    int64_t parse = INT64_MAX, read = INT64_MAX;
    if (argc < 3)
        return 2;
    struct buf json = file_read(argv[1]), js = file_read(argv[2]);
    for (int i = 0; i < ROUNDS; i++) {
        sourcemap_free(map);
        js_scopes_free(scopes);
        int64_t t = clock_thread_cpu_ns();
        if (sourcemap_parse(buf_view(&json), &map, &err) < 0) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        int64_t parsed = clock_thread_cpu_ns();
        if (js_scopes_read(buf_view(&js), map, &scopes) < 0)
            return 1;
        int64_t done = clock_thread_cpu_ns();
        parse = parsed - t < parse ? parsed - t : parse;
        read = done - parsed < read ? done - parsed : read;
    }
    size_t texts = 0;
    for (uint32_t i = 0; i < map->sources_n; i++)
        texts += map->sources[i].content.len;
    printf("map        %.1f MB, %u segments, %u sources (%.1f MB), %u names\n", (double)json.len / 1e6, map->segments_n,
           map->sources_n, (double)texts / 1e6, map->names_n);
    printf("parse      %.1f ms, %.0f MB/s\n", (double)parse / 1e6, mb_s(json.len, parse));
    printf("memory     %.1f MB, of it mappings %.1f MB (%.1f bytes a segment)\n", (double)map->bytes / 1e6,
           (double)map->segments_len / 1e6, (double)map->segments_len / map->segments_n);
    printf("functions  %.1f ms, %.0f MB/s of %.1f MB; %.1f MB in memory\n", (double)read / 1e6, mb_s(js.len, read),
           (double)js.len / 1e6, (double)js_scopes_bytes(scopes) / 1e6);
    uint32_t n = 0;
    at = calloc(map->segments_n, sizeof *at);
    sourcemap_walk(map, &c);
    while (sourcemap_next(&c))
        at[n++] = c.place;
    uint64_t found = 0, step = 0;
    int64_t t = clock_thread_cpu_ns();
    for (int i = 0; i < LOOKUPS; i++) {
        step = (step + 7919 * 31) % n;
        found += sourcemap_find(map, at[step].generated_line, at[step].generated_column, &p);
    }
    int64_t lookup = clock_thread_cpu_ns() - t;
    str name;
    t = clock_thread_cpu_ns();
    for (int i = 0; i < LOOKUPS; i++) {
        step = (step + 7919 * 31) % n;
        found += js_scopes_find(scopes, at[step].generated_line, at[step].generated_column, &name);
    }
    printf("look-up    %.0f ns a place, %.0f ns its function (%llu)\n", (double)lookup / LOOKUPS,
           (double)(clock_thread_cpu_ns() - t) / LOOKUPS, (unsigned long long)found);
    free(at);
    js_scopes_free(scopes);
    sourcemap_free(map);
    buf_free(&json);
    buf_free(&js);
    return 0;
}
