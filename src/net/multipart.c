#include "net/multipart.h"

#include "base/err.h"
#include "net/http.h"

// The value of a parameter of a header: `; name=value` or `; name="value"`. ptr NULL: it has none.
static str parameter(str header, str name)
{
    ptrdiff_t semicolon = str_find_char(header, ';', 0);
    size_t at = semicolon < 0 ? header.len : (size_t)semicolon + 1;
    while (at < header.len) {
        while (at < header.len && (header.ptr[at] == ' ' || header.ptr[at] == '\t' || header.ptr[at] == ';'))
            at++;
        size_t begin = at;
        while (at < header.len && header.ptr[at] != '=' && header.ptr[at] != ';')
            at++;
        str key = str_trim(str_slice(header, begin, at)), value = { 0 };
        if (at < header.len && header.ptr[at] == '=') {
            at++;
            bool quoted = at < header.len && header.ptr[at] == '"';
            begin = at += quoted;
            while (at < header.len && header.ptr[at] != (quoted ? '"' : ';'))
                at += quoted && header.ptr[at] == '\\' && at + 1 < header.len ? 2 : 1;
            value = str_slice(header, begin, at);
            if (!quoted)
                value = str_trim(value);
            at += quoted && at < header.len;
        }
        if (str_ieq(key, name))
            return value.ptr ? value : STR("");
    }
    return (str){ 0 };
}

static str from(const struct multipart *m) { return str_slice(str_of_bytes(m->body), m->at, m->body.len); }

// Behind a delimiter: the end of its line, or the two dashes of the last one. false: no line of a delimiter.
static bool line_end(struct multipart *m)
{
    str rest = from(m);
    if (str_starts(rest, STR("--"))) {
        m->ended = true;
        return true;
    }
    size_t n = 0;
    while (n < rest.len && (rest.ptr[n] == ' ' || rest.ptr[n] == '\t'))
        n++;
    if (!str_starts(str_slice(rest, n, rest.len), STR("\r\n")))
        return false;
    m->at += n + 2;
    return true;
}

int multipart_begin(struct multipart *m, str content_type, bytes body)
{
    str boundary = parameter(content_type, STR("boundary"));
    if (!str_ieq(http_media_type(content_type), STR("multipart/form-data")) || boundary.len == 0 ||
        boundary.len > MULTIPART_BOUNDARY_MAX)
        return ERR_MALFORMED;
    struct multipart x = { .body = body, .delimiter_n = 4 + boundary.len };
    memcpy(x.delimiter, "\r\n--", 4);
    memcpy(x.delimiter + 4, boundary.ptr, boundary.len);
    // The first delimiter may stand at the very beginning; a preamble before it is nobody's.
    str delimiter = str_of(x.delimiter, x.delimiter_n), bare = str_slice(delimiter, 2, delimiter.len);
    str all = str_of_bytes(body);
    if (str_starts(all, bare)) {
        x.at = bare.len;
    } else {
        ptrdiff_t found = str_find(all, delimiter);
        if (found < 0)
            return ERR_MALFORMED;
        x.at = (size_t)found + delimiter.len;
    }
    if (!line_end(&x))
        return ERR_MALFORMED;
    *m = x;
    return 0;
}

static bool header_split(str line, str *ret_name, str *ret_value)
{
    ptrdiff_t colon = line.ptr ? str_find_char(line, ':', 0) : -1;
    if (colon < 0)
        return false;
    *ret_name = str_trim(str_slice(line, 0, (size_t)colon));
    *ret_value = str_trim(str_slice(line, (size_t)colon + 1, line.len));
    return true;
}

str multipart_header(const struct multipart_part *part, str wanted)
{
    str name, value;
    for (size_t at = 0; at < part->head.len;) {
        str rest = str_slice(part->head, at, part->head.len);
        ptrdiff_t end = str_find(rest, STR("\r\n"));
        str line = str_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
        if (header_split(line, &name, &value) && str_ieq(name, wanted))
            return value;
        at += line.len + 2;
    }
    return (str){ 0 };
}

static void read_header(str line, struct multipart_part *part)
{
    str name, value;
    if (!header_split(line, &name, &value))
        return;
    if (str_ieq(name, STR("content-type"))) {
        part->content_type = value;
    } else if (str_ieq(name, STR("content-disposition"))) {
        part->name = parameter(value, STR("name"));
        part->filename = parameter(value, STR("filename"));
    }
}

int multipart_next(struct multipart *m, struct multipart_part *ret_part)
{
    struct multipart_part part = { 0 };
    if (m->ended)
        return 0;
    size_t first = m->at;
    for (size_t head = 0;;) {
        str rest = from(m);
        ptrdiff_t end = str_find(str_slice(rest, 0, MULTIPART_HEAD_MAX), STR("\r\n"));
        head += end < 0 ? 0 : (size_t)end;
        if (end < 0 || head > MULTIPART_HEAD_MAX)
            return rest.len < MULTIPART_HEAD_MAX ? ERR_TRUNCATED : ERR_MALFORMED;
        m->at += (size_t)end + 2;
        if (end == 0)
            break;
        read_header(str_slice(rest, 0, (size_t)end), &part);
    }
    // Contents may hold what looks like the beginning of a delimiter; the line's end decides. An empty one has the
    // delimiter's line break as that of its head.
    str delimiter = str_of(m->delimiter, m->delimiter_n);
    size_t begin = m->at;
    m->at -= 2;
    part.head = str_of(m->body.ptr + first, m->at - first);
    for (;;) {
        ptrdiff_t found = str_find(from(m), delimiter);
        if (found < 0)
            return ERR_TRUNCATED;
        size_t end = m->at + (size_t)found;
        m->at = end + delimiter.len;
        if (!line_end(m))
            continue;
        part.content = bytes_of(m->body.ptr + begin, end > begin ? end - begin : 0);
        break;
    }
    if (!part.name.ptr)
        return ERR_MALFORMED;
    *ret_part = part;
    return 1;
}
