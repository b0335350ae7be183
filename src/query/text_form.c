// What a form tells of the texts that have it. Tokens of a form are those of its texts, one for one, since digits stand
// where digits do; inside a token each 0 may be any digits.
#include "query/text.h"

static bool hex_digits(str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

// Can `form`, a token in which 0 stands for anything, be `word`, or begin with it?
static bool token_may(str form, str word, bool prefix)
{
    ptrdiff_t first = str_find_char(form, '0', 0);
    if (first < 0)
        return prefix ? str_starts(form, word) : str_eq(form, word);
    size_t head = (size_t)first, tail = 0;
    while (form.ptr[form.len - 1 - tail] != '0')
        tail++;
    // Between the first 0 and the last there may be letters; without any, digits stand for digits alone.
    bool digits = hex_digits(str_slice(form, head, form.len - tail));
    if (word.len <= head && prefix)
        return str_starts(form, word);
    if (!str_starts(word, str_slice(form, 0, head)))
        return false;
    if (prefix)
        return !digits || tail > 0 || hex_digits(str_slice(word, head, word.len));
    return word.len >= head + tail &&
           str_eq(str_slice(word, word.len - tail, word.len), str_slice(form, form.len - tail, form.len)) &&
           (!digits || hex_digits(str_slice(word, head, word.len - tail)));
}

// Does the phrase stand where pos is?
static bool phrase_at(const struct query_phrase *p, str form, size_t pos)
{
    char buf[QUERY_TOKEN_MAX];
    str token;
    bool cut;
    for (uint32_t i = 0; i < p->count; i++) {
        if (!query_token_next(form, &pos, buf, &token, &cut))
            return false;
        if (!cut && !token_may(token, p->tokens[i], p->last_is_prefix && i + 1 == p->count))
            return false;
    }
    return true;
}

bool query_phrase_may(const struct query_phrase *p, str form)
{
    char buf[QUERY_TOKEN_MAX];
    size_t pos = 0;
    str token;
    bool cut;
    do {
        if (phrase_at(p, form, pos))
            return true;
    } while (query_token_next(form, &pos, buf, &token, &cut));
    return false;
}

static bool may_be_digits(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; }

// What cannot be digits, or the dashes of a UUID, stands in the form as it is.
bool query_bytes_may(str needle, str form)
{
    for (size_t from = 0, to; from < needle.len; from = to + 1) {
        for (to = from; to < needle.len && !may_be_digits(needle.ptr[to]); to++)
            ;
        if (to > from && str_find(form, str_slice(needle, from, to)) < 0)
            return false;
    }
    return true;
}
