// sourcemap_answers MAP [JS]: reads places from standard input, "LINE COLUMN" from 0, and answers each with a line: index of the
// source, line, column, name and function, or "-". For comparison with other implementations.
#include "symbols/js_scopes.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

static struct buf file_read(const char *path)
{
    struct buf out;
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(2);
    buf_init(&out, SOURCEMAP_TEXT_MAX);
    for (int c; (c = getc(file)) != EOF;)
        buf_byte(&out, (uint8_t)c);
    fclose(file);
    return out;
}

int main(int argc, char **argv)
{
    struct sourcemap *map;
    struct sourcemap_place p;
    struct js_scopes *scopes = NULL;
    struct err err = { 0 };
    unsigned line, column;
    if (argc < 2)
        return 2;
    struct buf text = file_read(argv[1]);
    if (sourcemap_parse(buf_view(&text), &map, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    buf_free(&text);
    if (argc > 2) {
        text = file_read(argv[2]);
        if (js_scopes_read(buf_view(&text), map, &scopes) < 0)
            return 1;
        buf_free(&text);
    }
    while (scanf("%u %u", &line, &column) == 2) {
        str function = { 0 };
        if (scopes && !js_scopes_find(scopes, line, column, &function))
            function = STR("-");
        if (!sourcemap_find(map, line, column, &p)) {
            printf("-\n");
            continue;
        }
        str name = p.name == SOURCEMAP_NONE ? (str){ 0 } : map->names[p.name];
        printf("%u\t%u\t%u\t%.*s\t%.*s\n", p.source, p.line, p.column, STR_ARG(name), STR_ARG(function));
    }
    js_scopes_free(scopes);
    sourcemap_free(map);
    return 0;
}
