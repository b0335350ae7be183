// The JSON of a source map: its members in any order, index maps flattened.
#include "wire/sourcemap.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/must.h"
#include "wire/sourcemap_internal.h"

enum {
    VERSION = 3,
    DEPTH_MAX = 64,
    ARENA_MAX = 2 * SOURCEMAP_TEXT_MAX,
    IGNORE_MAX = SOURCEMAP_SOURCES_MAX,
};

struct parse {
    str text;
    const struct sourcemap_limits *limits;
    struct sourcemap *map;
    struct mappings mappings;
    struct buf sources, names; // all sections'
    uint32_t sections_n;
    struct err *err;
};

// What stands in one map, before it is known whether it is one of sections.
struct members {
    struct json_reader sources, names, contents, ignore, sections;
    bool has_sources, has_names, has_contents, has_ignore, has_sections, has_mappings, has_version;
    str root, mappings, file, debug_id;
    int64_t version;
};

static int wrong(struct parse *p, const struct json_reader *r, int code)
{
    if (code == ERR_NOMEM)
        return err_set(p->err, code, NULL, "the source map needs too much memory");
    return json_reader_err(r, code, p->err);
}

// A text of the map's own: those without escapes are views into what was sent.
static int keep(struct parse *p, str *s)
{
    if (s->len && s->ptr >= p->text.ptr && s->ptr < p->text.ptr + p->text.len)
        return arena_dup(&p->map->arena, *s, s);
    return 0;
}

// A text, or null (and then *ret_s is as it was).
static int text_or_null(struct json_reader *r, str *ret_s)
{
    if (json_peek(r) == JSON_STRING)
        return json_text(r, ret_s);
    return json_null(r) ? 0 : json_skip(r, NULL);
}

static int member_read(struct json_reader *r, str name, struct members *m)
{
    static const struct {
        str name;
        size_t at, has;
    } arrays[] = {
        { STR_INIT("sources"), offsetof(struct members, sources), offsetof(struct members, has_sources) },
        { STR_INIT("names"), offsetof(struct members, names), offsetof(struct members, has_names) },
        { STR_INIT("sourcesContent"), offsetof(struct members, contents), offsetof(struct members, has_contents) },
        { STR_INIT("ignoreList"), offsetof(struct members, ignore), offsetof(struct members, has_ignore) },
        { STR_INIT("x_google_ignoreList"), offsetof(struct members, ignore), offsetof(struct members, has_ignore) },
        { STR_INIT("sections"), offsetof(struct members, sections), offsetof(struct members, has_sections) },
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        if (!str_eq(name, arrays[i].name) || json_peek(r) != JSON_ARRAY)
            continue;
        memcpy((char *)m + arrays[i].at, r, sizeof *r);
        *((bool *)m + arrays[i].has) = true;
        return json_pass(r);
    }
    if (str_eq(name, STR("mappings")) && json_peek(r) == JSON_STRING) {
        m->has_mappings = true;
        return json_text(r, &m->mappings);
    }
    if (str_eq(name, STR("version")) && json_peek(r) == JSON_NUMBER) {
        m->has_version = true;
        return json_int(r, &m->version);
    }
    if (str_eq(name, STR("sourceRoot")))
        return text_or_null(r, &m->root);
    if (str_eq(name, STR("file")))
        return text_or_null(r, &m->file);
    if (str_eq(name, STR("debugId")) || str_eq(name, STR("debug_id")))
        return text_or_null(r, &m->debug_id);
    return json_skip(r, NULL);
}

static int members_read(struct parse *p, struct json_reader *r, struct members *m)
{
    str name;
    memset(m, 0, sizeof *m);
    int c = json_object(r);
    while (c == 0 && (c = json_member(r, &name)) > 0)
        c = member_read(r, name, m);
    return c < 0 ? wrong(p, r, c) : 0;
}

// "src/" + "a.ts", but an absolute name stands for itself.
static int source_name(struct parse *p, str root, str name, str *ret)
{
    bool absolute = str_starts(name, STR("/")) || str_find(name, STR("://")) > 0 || str_starts(name, STR("webpack:"));
    if (!root.len || absolute) {
        int r = keep(p, &name);
        *ret = name;
        return r;
    }
    bool slash = str_ends(root, STR("/"));
    *ret = arena_printf(&p->map->arena, "%.*s%s%.*s", STR_ARG(root), slash ? "" : "/", STR_ARG(name));
    return ret->ptr ? 0 : ERR_NOMEM;
}

static int sources_read(struct parse *p, struct members *m, uint32_t *ret_n)
{
    struct json_reader *r = &m->sources;
    uint32_t before = (uint32_t)(p->sources.len / sizeof(struct sourcemap_source));
    int c = m->has_sources ? json_array(r) : 0;
    while (c == 0 && m->has_sources && (c = json_element(r)) > 0) {
        struct sourcemap_source s = { 0 };
        str name = { 0 };
        if ((c = text_or_null(r, &name)) == 0 && (c = source_name(p, m->root, name, &s.name)) == 0)
            c = buf_append(&p->sources, &s, sizeof s);
    }
    if (c == ERR_LIMIT && p->sources.error)
        return err_set(p->err, c, NULL, "the source map has too many sources");
    if (c < 0)
        return wrong(p, r, c);
    *ret_n = (uint32_t)(p->sources.len / sizeof(struct sourcemap_source)) - before;
    struct sourcemap_source *all = (struct sourcemap_source *)p->sources.ptr + before;

    r = &m->contents;
    c = m->has_contents ? json_array(r) : 0;
    for (uint32_t i = 0; c == 0 && m->has_contents && (c = json_element(r)) > 0; i++) {
        str content = { 0 };
        bool wanted = p->limits->content == SOURCEMAP_CONTENT_ALL || p->limits->content == before + i;
        c = wanted && i < *ret_n ? text_or_null(r, &content) : json_skip(r, NULL);
        if (c == 0 && content.ptr && (c = keep(p, &content)) == 0)
            all[i].content = content;
    }
    if (c < 0)
        return wrong(p, r, c);

    r = &m->ignore;
    c = m->has_ignore ? json_array(r) : 0;
    while (c == 0 && m->has_ignore && (c = json_element(r)) > 0) {
        int64_t i = -1;
        c = json_peek(r) == JSON_NUMBER ? json_int(r, &i) : json_skip(r, NULL);
        if (i >= 0 && i < *ret_n)
            all[i].ignored = true;
    }
    return c < 0 ? wrong(p, r, c) : 0;
}

static int names_read(struct parse *p, struct members *m, uint32_t *ret_n)
{
    struct json_reader *r = &m->names;
    size_t before = p->names.len;
    int c = m->has_names ? json_array(r) : 0;
    while (c == 0 && m->has_names && (c = json_element(r)) > 0) {
        str name = { 0 };
        if ((c = text_or_null(r, &name)) == 0 && (c = keep(p, &name)) == 0)
            c = buf_append(&p->names, &name, sizeof name);
    }
    if (c == ERR_LIMIT && p->names.error)
        return err_set(p->err, c, NULL, "the source map has too many names");
    *ret_n = (uint32_t)((p->names.len - before) / sizeof(str));
    return c < 0 ? wrong(p, r, c) : 0;
}

static int map_read(struct parse *p, struct json_reader *r, struct mappings_section area, unsigned nesting,
                    struct members *ret_m);

struct offset {
    bool has;
    int64_t line, column;
};

static int offset_read(struct json_reader *r, struct offset *ret)
{
    str name;
    int c = json_object(r);
    *ret = (struct offset){ .has = true, .line = -1, .column = -1 };
    while (c == 0 && (c = json_member(r, &name)) > 0) {
        bool line = str_eq(name, STR("line"));
        if ((line || str_eq(name, STR("column"))) && json_peek(r) == JSON_NUMBER)
            c = json_int(r, line ? &ret->line : &ret->column);
        else
            c = json_skip(r, NULL);
    }
    return c;
}

// {"offset": {"line", "column"}, "map": {...}}; *ret_map stands before its map.
static int section_read(struct parse *p, struct json_reader *r, struct offset *ret_offset, struct json_reader *ret_map)
{
    bool map = false, url = false;
    str name;
    *ret_offset = (struct offset){ 0 };
    int c = json_object(r);
    while (c == 0 && (c = json_member(r, &name)) > 0) {
        if (str_eq(name, STR("offset")) && json_peek(r) == JSON_OBJECT) {
            c = offset_read(r, ret_offset);
        } else if (str_eq(name, STR("map")) && json_peek(r) == JSON_OBJECT) {
            *ret_map = *r;
            map = true;
            c = json_pass(r);
        } else {
            url |= str_eq(name, STR("url"));
            c = json_skip(r, NULL);
        }
    }
    if (c < 0)
        return wrong(p, r, c);
    if (!map && url)
        return err_set(p->err, ERR_UNSUPPORTED, NULL, "a section of the source map is at an URL, which is not fetched");
    if (!map || !ret_offset->has || ret_offset->line < 0 || ret_offset->column < 0 ||
        ret_offset->line > SOURCEMAP_POSITION_MAX || ret_offset->column > SOURCEMAP_POSITION_MAX)
        return err_set(p->err, ERR_MALFORMED, NULL, "a section of the source map has no map, or no offset");
    return 0;
}

static bool before(uint32_t line, uint32_t column, uint32_t than_line, uint32_t than_column)
{
    return line < than_line || (line == than_line && column < than_column);
}

static int sections_read(struct parse *p, struct members *m, struct mappings_section area, unsigned nesting)
{
    struct json_reader *r = &m->sections, map, next_map;
    struct offset offset = { 0 }, next;
    struct members inner;
    int more = json_array(r), c = 0;
    if (more == 0 && (more = json_element(r)) > 0)
        c = section_read(p, r, &offset, &map);
    while (more > 0 && c == 0) {
        if (++p->sections_n > SOURCEMAP_SECTIONS_MAX)
            return err_set(p->err, ERR_LIMIT, NULL, "the source map has too many sections");
        next = (struct offset){ 0 };
        if ((more = json_element(r)) > 0)
            c = section_read(p, r, &next, &next_map);
        if (c < 0 || more < 0)
            break;
        struct mappings_section s = area;
        if (offset.line > SOURCEMAP_POSITION_MAX - area.line || offset.column > SOURCEMAP_POSITION_MAX - area.column)
            return err_set(p->err, ERR_LIMIT, NULL, "a section of the source map begins too far behind");
        s.line = area.line + (uint32_t)offset.line;
        s.column = (offset.line ? 0 : area.column) + (uint32_t)offset.column;
        if (next.has) {
            if (next.line < offset.line || (next.line == offset.line && next.column < offset.column))
                return err_set(p->err, ERR_MALFORMED, NULL, "the sections of the source map are out of order");
            uint64_t line = (uint64_t)area.line + (uint64_t)next.line;
            uint64_t column = (next.line ? 0 : (uint64_t)area.column) + (uint64_t)next.column;
            if (line < UINT32_MAX && column < UINT32_MAX &&
                before((uint32_t)line, (uint32_t)column, s.end_line, s.end_column))
                s.end_line = (uint32_t)line, s.end_column = (uint32_t)column;
        }
        if (before(s.line, s.column, s.end_line, s.end_column))
            c = map_read(p, &map, s, nesting + 1, &inner);
        offset = next;
        map = next_map;
    }
    if (more < 0)
        return wrong(p, r, more);
    return c;
}

static int map_read(struct parse *p, struct json_reader *r, struct mappings_section area, unsigned nesting,
                    struct members *m)
{
    if (nesting > SOURCEMAP_NESTING_MAX)
        return err_set(p->err, ERR_LIMIT, NULL, "the source map's sections are nested too deep");
    int c = members_read(p, r, m);
    if (c < 0)
        return c;
    if (m->has_version && m->version != VERSION)
        return err_set(p->err, ERR_UNSUPPORTED, NULL, "the source map is of version %lld, not 3",
                       (long long)m->version);
    if (m->has_sections)
        return sections_read(p, m, area, nesting);
    if (!m->has_mappings || !m->has_sources)
        return err_set(p->err, ERR_MALFORMED, NULL, "this is no source map: it has no mappings, or no sources");
    area.source = (uint32_t)(p->sources.len / sizeof(struct sourcemap_source));
    area.name = (uint32_t)(p->names.len / sizeof(str));
    c = sources_read(p, m, &area.source_n);
    if (c == 0)
        c = names_read(p, m, &area.name_n);
    return c < 0 ? c : mappings_decode(&p->mappings, m->mappings, &area, p->err);
}

static str prefix_skip(str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len);
    if (!str_starts(text, STR(")]}")))
        return text;
    ptrdiff_t end = str_find_char(text, '\n', 0);
    return end < 0 ? str_slice(text, text.len, text.len) : str_slice(text, (size_t)end + 1, text.len);
}

// The arrays that were built move into the map.
static int finish(struct parse *p, struct members *m)
{
    struct sourcemap *map = p->map;
    map->file = m->file;
    map->debug_id = m->debug_id;
    int r = keep(p, &map->file);
    if (r == 0)
        r = keep(p, &map->debug_id);
    if (r < 0)
        return err_set(p->err, r, NULL, "out of memory");
    map->sources = (struct sourcemap_source *)p->sources.ptr;
    map->sources_n = (uint32_t)(p->sources.len / sizeof *map->sources);
    map->names = (str *)p->names.ptr;
    map->names_n = (uint32_t)(p->names.len / sizeof *map->names);
    map->blocks = (struct sourcemap_block *)p->mappings.blocks.ptr;
    map->blocks_n = (uint32_t)(p->mappings.blocks.len / sizeof *map->blocks);
    map->segments = p->mappings.bytes.ptr;
    map->segments_len = p->mappings.bytes.len;
    map->segments_n = p->mappings.n;
    map->bytes =
        sizeof *map + map->arena.used + p->sources.cap + p->names.cap + p->mappings.blocks.cap + p->mappings.bytes.cap;
    p->sources = p->names = p->mappings.bytes = p->mappings.blocks = (struct buf){ 0 };
    return 0;
}

int sourcemap_parse(str text, struct sourcemap **ret_map, struct err *err)
{
    static const struct sourcemap_limits all = { SOURCEMAP_TEXT_MAX, ARENA_MAX, SOURCEMAP_SEGMENTS_MAX,
                                                 SOURCEMAP_CONTENT_ALL };
    return sourcemap_parse_within(text, &all, ret_map, err);
}

int sourcemap_parse_within(str text, const struct sourcemap_limits *limits, struct sourcemap **ret_map, struct err *err)
{
    struct parse p = { .text = text, .limits = limits, .err = err };
    struct mappings_section all = { .end_line = UINT32_MAX, .end_column = UINT32_MAX };
    struct json_reader r;
    struct members m;
    if (text.len > limits->text)
        return err_set(err, ERR_LIMIT, NULL, "the source map is larger than %zu MiB", limits->text >> 20);
    p.map = mem_zalloc(sizeof *p.map);
    if (!p.map)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    arena_init(&p.map->arena, limits->memory);
    mappings_init(&p.mappings, limits->segments);
    buf_init(&p.sources, SOURCEMAP_SOURCES_MAX * sizeof(struct sourcemap_source));
    buf_init(&p.names, SOURCEMAP_NAMES_MAX * sizeof(str));
    json_reader_init(&r, prefix_skip(text), &p.map->arena, DEPTH_MAX);
    int c = map_read(&p, &r, all, 0, &m);
    if (c == 0 && (c = json_done(&r)) < 0)
        wrong(&p, &r, c);
    if (c == 0)
        c = finish(&p, &m);
    buf_free(&p.sources);
    buf_free(&p.names);
    mappings_free(&p.mappings);
    if (c < 0) {
        sourcemap_free(p.map);
        return c;
    }
    *ret_map = p.map;
    return 0;
}

void sourcemap_free(struct sourcemap *map)
{
    if (!map)
        return;
    arena_free(&map->arena);
    mem_free(map->sources);
    mem_free(map->names);
    mem_free(map->blocks);
    mem_free(map->segments);
    mem_free(map);
}
