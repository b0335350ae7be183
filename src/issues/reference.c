#include "issues/reference.h"

#include "base/numfmt.h"

#include <strings.h>

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where the keyword ends that begins at `at`, with its colon and at least one white space; 0: none begins there.
static size_t keyword(str text, size_t at)
{
    static const str words[] = { STR_INIT("fix"),     STR_INIT("fixes"),    STR_INIT("fixed"),
                                 STR_INIT("close"),   STR_INIT("closes"),   STR_INIT("closed"),
                                 STR_INIT("resolve"), STR_INIT("resolves"), STR_INIT("resolved") };
    size_t end = at;
    if (at > 0 && is_word(text.ptr[at - 1]))
        return 0;
    while (end < text.len && is_word(text.ptr[end]))
        end++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].len != end - at || strncasecmp(text.ptr + at, words[i].ptr, words[i].len) != 0)
            continue;
        end += end < text.len && text.ptr[end] == ':';
        return end < text.len && is_space(text.ptr[end]) ? end : 0;
    }
    return 0;
}

static size_t add(str word, struct issue_reference *list, size_t n)
{
    uint64_t id;
    size_t dash = word.len;
    while (dash > 0 && word.ptr[dash - 1] != '-')
        dash--;
    if (dash < 2 || !parse_u64(str_slice(word, dash, word.len), &id) || id == 0 || id > INT64_MAX)
        return n;
    str slug = str_slice(word, 0, dash - 1);
    for (size_t i = 0; i < n; i++)
        if (list[i].id == (int64_t)id && list[i].slug.len == slug.len &&
            strncasecmp(list[i].slug.ptr, slug.ptr, slug.len) == 0)
            return n;
    list[n] = (struct issue_reference){ slug, (int64_t)id };
    return n + 1;
}

// The words of the list that begins at `at`; *ret_n grows. Returns where it ends.
static size_t words_from(str text, size_t at, struct issue_reference *list, size_t *ret_n)
{
    while (at < text.len && *ret_n < ISSUE_REFERENCES_MAX) {
        char c = text.ptr[at];
        size_t begin = at;
        if (c == ']' && at + 1 < text.len && text.ptr[at + 1] == '(') { // where a link leads
            ptrdiff_t end = str_find_char(text, ')', at);
            if (end < 0)
                return text.len;
            at = (size_t)end + 1;
        } else if (is_space(c) || c == ',' || c == '[') {
            at++;
        } else if (keyword(text, at)) { // begins a list of its own
            return at;
        } else if (is_word(c) || c == '-') {
            while (at < text.len && (is_word(text.ptr[at]) || text.ptr[at] == '-'))
                at++;
            *ret_n = add(str_slice(text, begin, at), list, *ret_n);
        } else {
            return at;
        }
    }
    return at;
}

size_t issue_references(str text, struct issue_reference ret[ISSUE_REFERENCES_MAX])
{
    size_t n = 0;
    for (size_t at = 0; at < text.len && n < ISSUE_REFERENCES_MAX;) {
        size_t begin = keyword(text, at);
        at = begin ? words_from(text, begin, ret, &n) : at + 1;
    }
    return n;
}
