#include "main/rows.h"

#include "base/err.h"
#include "base/json.h"
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "main/grid.h"
#include "main/human.h"

#include <stdio.h>
#include <time.h>

enum { ROWS_TYPES_MAX = 256, CELL_MAX = 4096 };

// Types of the columns, out of _stats.columns.
struct column_types {
    struct {
        str name, type;
    } list[ROWS_TYPES_MAX];
    size_t n;
};

void rows_table_init(struct rows_table *t)
{
    buf_init(&t->lines, ROWS_LINES_MAX);
    buf_init(&t->stats, 1 << 20);
}

void rows_table_free(struct rows_table *t)
{
    buf_free(&t->lines);
    buf_free(&t->stats);
}

int rows_table_line(struct rows_table *t, str line)
{
    if (str_starts(line, STR("{\"_")))
        return buf_str(&t->stats, line);
    buf_str(&t->lines, line);
    return buf_byte(&t->lines, '\n');
}

static int read_columns(struct json_reader *r, struct column_types *types)
{
    str name;
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1) {
        str column = { 0 }, type = { 0 };
        rc = json_object(r);
        while (rc == 0 && (rc = json_member(r, &name)) == 1)
            rc = str_eq(name, STR("name"))   ? json_text(r, &column)
                 : str_eq(name, STR("type")) ? json_text(r, &type)
                                             : json_skip(r, NULL);
        if (rc == 0 && types->n < ROWS_TYPES_MAX) {
            types->list[types->n].name = column;
            types->list[types->n++].type = type;
        }
    }
    return rc;
}

static str type_of(const struct column_types *types, str name)
{
    for (size_t i = 0; i < types->n; i++)
        if (str_eq(types->list[i].name, name))
            return types->list[i].type;
    if (str_eq(name, STR("duration")) || str_eq(name, STR("self")))
        return STR("duration");
    if (str_eq(name, STR("time")) || str_eq(name, STR("received")) || str_eq(name, STR("observed")))
        return STR("time");
    return (str){ 0 };
}

static void put_time(struct buf *out, int64_t ns, bool clock)
{
    size_t begin = out->len;
    human_time(out, ns);
    if (clock && out->len - begin > 11) { // "2026-01-01 " in front
        memmove(out->ptr + begin, out->ptr + begin + 11, out->len - begin - 11);
        out->len -= 11;
    }
}

// Do all rows fall on one day, here? Then the date on each line says nothing.
static bool one_day(str lines)
{
    static const str key = STR_INIT("\"time\":\"");
    int64_t first = 0, ns;
    for (size_t at = 0; at < lines.len;) {
        str rest = str_slice(lines, at, lines.len);
        ptrdiff_t found = str_find(rest, key);
        if (found < 0)
            break;
        at += (size_t)found + key.len;
        if (!parse_rfc3339(str_slice(lines, at, at + TIME_RFC3339_LEN), &ns))
            continue;
        struct tm tm;
        time_t s = (time_t)(ns / 1000000000);
        if (!localtime_r(&s, &tm))
            return false;
        int64_t day = (int64_t)tm.tm_year * 366 + tm.tm_yday + 1;
        if (first && first != day)
            return false;
        first = day;
    }
    return first != 0;
}

// A list of plain values without its brackets: "x, y". False: it holds something else, and nothing was written.
static bool put_list(struct buf *out, str raw, struct arena *arena)
{
    struct json_reader r;
    struct json_token token;
    size_t begin = out->len;
    json_reader_init(&r, raw, arena, 2);
    if (json_next(&r, &token) < 0 || token.type != JSON_ARRAY)
        return false;
    while (json_next(&r, &token) == 0 && token.type != JSON_ARRAY_END) {
        bool text = token.type == JSON_STRING || token.type == JSON_NUMBER;
        if (!text && token.type != JSON_TRUE && token.type != JSON_FALSE) {
            out->len = begin;
            return false;
        }
        if (out->len - begin > CELL_MAX)
            break;
        if (out->len > begin)
            buf_str(out, STR(", "));
        buf_str(out, text ? str_slice(token.text, 0, CELL_MAX) : token.type == JSON_TRUE ? STR("true") : STR("false"));
    }
    return true;
}

// A cell as people read it. raw: the value's JSON. clock: times without their date.
static void put_cell(struct buf *out, str type, str raw, bool clock, struct arena *arena)
{
    struct json_reader r;
    struct json_token token;
    int64_t i;
    if (raw.len && raw.ptr[0] == '[' && put_list(out, raw, arena))
        return;
    json_reader_init(&r, raw, arena, 2);
    if (raw.len && (raw.ptr[0] == '{' || raw.ptr[0] == '[')) {
        buf_str(out, str_slice(raw, 0, CELL_MAX));
        return;
    }
    if (json_next(&r, &token) < 0)
        return;
    if (str_eq(type, STR("duration")) && json_number_int(token.text, &i))
        human_duration(out, i);
    else if (str_eq(type, STR("time")) && parse_rfc3339(token.text, &i))
        put_time(out, i, clock);
    else if (token.type == JSON_STRING || token.type == JSON_NUMBER)
        buf_str(out, str_slice(token.text, 0, CELL_MAX));
    else
        buf_str(out, raw);
}

// Records have more fields than a line has room for: these are the ones that matter, in this order.
static const str record_fields[] = { STR_INIT("time"), STR_INIT("source"), STR_INIT("level"),    STR_INIT("service"),
                                     STR_INIT("name"), STR_INIT("status"), STR_INIT("duration"), STR_INIT("value"),
                                     STR_INIT("unit"), STR_INIT("count"),  STR_INIT("body"),     STR_INIT("message"),
                                     STR_INIT("trace") };
// An issue is told by what it is and whom it hits, not by when it was received.
static const str issue_fields[] = { STR_INIT("short"), STR_INIT("state"), STR_INIT("priority"), STR_INIT("events"),
                                    STR_INIT("users"), STR_INIT("last"),  STR_INIT("service"),  STR_INIT("title") };
enum {
    RECORD_FIELDS = sizeof record_fields / sizeof record_fields[0],
    ISSUE_FIELDS = sizeof issue_fields / sizeof issue_fields[0],
};

static bool is_record_row(str line)
{
    return str_starts(line, STR("{\"source\":")) &&
           (str_find(line, STR("\"resource\":{")) >= 0 || str_find(line, STR("\"time\":")) >= 0);
}

static bool field_shown(const str *fields, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(fields[i], name))
            return true;
    return false;
}

// Records of one kind need no column for it.
static bool mixed_sources(str lines)
{
    str first = { 0 };
    for (size_t at = 0; at < lines.len;) {
        ptrdiff_t nl = str_find_char(lines, '\n', at);
        size_t end = nl < 0 ? lines.len : (size_t)nl;
        str head = str_slice(lines, at, at + 16 < end ? at + 16 : end);
        if (at == 0)
            first = head;
        else if (!str_eq(head, first))
            return true;
        at = end + 1;
    }
    return false;
}

struct table_pass {
    struct grid grid;
    struct arena *arena;
    const struct column_types *types;
    const str *fields; // of records: the columns, in order
    size_t fields_n;
    bool records, mixed, clock;
};

static size_t column_of(struct table_pass *p, str name)
{
    str type = type_of(p->types, name);
    bool right = str_eq(type, STR("duration")) || str_eq(type, STR("int")) || str_eq(type, STR("double"));
    size_t column = grid_column(&p->grid, name, right);
    if (column < p->grid.columns_n)
        p->grid.columns[column].keep = str_eq(type, STR("time")) || str_eq(type, STR("id"));
    return column;
}

static int add_cell(struct table_pass *p, str name, str raw)
{
    struct buf text;
    size_t column = column_of(p, name);
    buf_init(&text, 1 << 16);
    put_cell(&text, type_of(p->types, name), raw, p->clock, p->arena);
    int r = grid_cell(&p->grid, column, buf_view(&text));
    buf_free(&text);
    return r;
}

static int add_row(struct table_pass *p, str line)
{
    struct json_reader r;
    str name, raw;
    json_reader_init(&r, line, p->arena, 64);
    int rc = grid_row(&p->grid);
    if (rc == 0)
        rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        rc = json_skip(&r, &raw);
        if (rc < 0 ||
            (p->records && (!field_shown(p->fields, p->fields_n, name) || (str_eq(name, STR("source")) && !p->mixed))))
            continue;
        rc = add_cell(p, name, raw);
    }
    return rc;
}

struct stats_view {
    struct column_types types;
    int64_t rows, scanned;
    double ms;
    bool more;
    str partial;
    struct buf *notes;
    bool error;
};

static int read_hints(struct json_reader *r, struct stats_view *s)
{
    str hint;
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1) {
        rc = json_text(r, &hint);
        if (rc == 0) {
            buf_str(s->notes, STR("hint: "));
            visible_escape(s->notes, hint);
            buf_byte(s->notes, '\n');
        }
    }
    return rc;
}

static int stats_member(struct stats_view *s, str name, struct json_reader *r)
{
    if (json_null(r))
        return 0;
    if (str_eq(name, STR("columns")))
        return read_columns(r, &s->types);
    if (str_eq(name, STR("rows")))
        return json_int(r, &s->rows);
    if (str_eq(name, STR("scanned")))
        return json_int(r, &s->scanned);
    if (str_eq(name, STR("ms")))
        return json_double(r, &s->ms);
    if (str_eq(name, STR("more")))
        return json_bool(r, &s->more);
    if (str_eq(name, STR("partial")))
        return json_text(r, &s->partial);
    if (str_eq(name, STR("hints")))
        return read_hints(r, s);
    return json_skip(r, NULL);
}

static int stats_read(str line, struct arena *arena, struct stats_view *s)
{
    struct json_reader r;
    str name;
    json_reader_init(&r, line, arena, 16);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        s->error |= str_eq(name, STR("_error"));
        if (!str_eq(name, STR("_stats"))) {
            rc = json_skip(&r, NULL);
            continue;
        }
        rc = json_object(&r);
        while (rc == 0 && (rc = json_member(&r, &name)) == 1)
            rc = stats_member(s, name, &r);
    }
    return rc;
}

static void put_notes(const struct stats_view *s, struct buf *notes)
{
    if (s->error)
        return;
    buf_printf(notes, "%lld row%s, %lld read in %.3g ms%s", (long long)s->rows, s->rows == 1 ? "" : "s",
               (long long)s->scanned, s->ms, s->more ? "; there are more (--limit)" : "");
    if (s->partial.len) {
        buf_str(notes, STR("; not whole: "));
        visible_escape(notes, s->partial);
    }
    buf_byte(notes, '\n');
}

static int print_lines(struct rows_table *t, struct arena *arena, struct stats_view *s, size_t width, struct buf *out)
{
    struct table_pass p = { .arena = arena, .types = &s->types };
    str lines = buf_view(&t->lines);
    if (!lines.ptr)
        return 0;
    grid_init(&p.grid, arena);
    p.records = is_record_row(lines);
    p.mixed = p.records && mixed_sources(lines);
    p.clock = p.records && one_day(lines);
    bool issues = !p.mixed && str_starts(lines, STR("{\"source\":\"issues\""));
    p.fields = issues ? issue_fields : record_fields;
    p.fields_n = issues ? ISSUE_FIELDS : RECORD_FIELDS;
    for (size_t i = 0; p.records && i < p.fields_n; i++) { // order of columns, whatever the first row lacks
        char key[64];
        int n = snprintf(key, sizeof key, "\"%s\":", p.fields[i].ptr);
        if (str_find(lines, str_of(key, (size_t)n)) >= 0 && (p.mixed || !str_eq(p.fields[i], STR("source"))))
            column_of(&p, p.fields[i]);
    }
    int r = 0;
    for (size_t at = 0; at < lines.len && r == 0;) {
        ptrdiff_t nl = str_find_char(lines, '\n', at);
        size_t end = nl < 0 ? lines.len : (size_t)nl;
        r = add_row(&p, str_slice(lines, at, end));
        at = end + 1;
    }
    if (r == 0 && p.grid.rows_n)
        grid_print(&p.grid, out, width, true);
    return r;
}

int rows_table_print(struct rows_table *t, size_t width, struct buf *out, struct buf *notes)
{
    struct arena arena;
    static struct stats_view s; // 8 KiB
    s = (struct stats_view){ .notes = notes };
    arena_init(&arena, (size_t)1 << 30);
    int r = stats_read(buf_view(&t->stats), &arena, &s);
    if (r == 0)
        r = print_lines(t, &arena, &s, width, out);
    if (r == 0)
        put_notes(&s, notes);
    arena_free(&arena);
    return r;
}

int rows_record_line(str json, bool colours, struct buf *out)
{
    struct arena arena;
    struct json_reader r;
    str name, raw, time = { 0 }, mark = { 0 }, service = { 0 }, text = { 0 }, span_name = { 0 }, duration = { 0 };
    int64_t ns;
    arena_init(&arena, 16 << 20);
    json_reader_init(&r, json, &arena, 64);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        bool is_text = json_peek(&r) == JSON_STRING;
        str *to = str_eq(name, STR("time"))                                   ? &time
                  : str_eq(name, STR("level")) || str_eq(name, STR("status")) ? &mark
                  : str_eq(name, STR("service"))                              ? &service
                  : str_eq(name, STR("name"))                                 ? &span_name
                  : str_eq(name, STR("body"))                                 ? &text
                  : str_eq(name, STR("duration"))                             ? &duration
                                                                              : NULL;
        if (!to)
            rc = json_skip(&r, NULL);
        else if (is_text)
            rc = json_text(&r, to);
        else if ((rc = json_skip(&r, &raw)) == 0)
            *to = raw;
    }
    if (rc == 0) {
        bool bad = str_eq(mark, STR("error")) || str_eq(mark, STR("fatal")), warn = str_eq(mark, STR("warn"));
        if (parse_rfc3339(time, &ns))
            human_time(out, ns);
        buf_byte(out, ' ');
        if (colours && (bad || warn))
            buf_str(out, bad ? STR("\x1b[31m") : STR("\x1b[33m"));
        buf_printf(out, "%-5.*s", STR_ARG(str_slice(mark, 0, 5)));
        if (colours && (bad || warn))
            buf_str(out, STR("\x1b[0m"));
        buf_byte(out, ' ');
        visible_escape(out, service);
        buf_str(out, STR("  "));
        visible_escape(out, span_name);
        if (span_name.len && text.len)
            buf_byte(out, ' ');
        visible_escape(out, text);
        if (duration.len && json_number_int(duration, &ns)) {
            buf_str(out, STR("  "));
            human_duration(out, ns);
        }
        buf_byte(out, '\n');
    }
    arena_free(&arena);
    return rc;
}
