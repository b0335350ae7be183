// Words in text and literals: the part before the first newline is what is searched for, the rest the
// text. A phrase made of a text is found in it, and the streaming matcher agrees with lists of tokens.
#include "base/buf.h"
#include "base/must.h"
#include "query/compare.h"
#include "query/text.h"
#include "query/text_pattern.h"
#include "query/wildcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool found_in_list(const struct query_phrase *p, const struct query_phrase *list)
{
    for (uint32_t i = 0; p->count && i + p->count <= list->count; i++) {
        bool same = true;
        for (uint32_t k = 0; k < p->count && same; k++) {
            str t = list->tokens[i + k];
            same = p->last_is_prefix && k + 1 == p->count ? str_starts(t, p->tokens[k]) : str_eq(t, p->tokens[k]);
        }
        if (same)
            return true;
    }
    return false;
}

static void literals(struct arena *arena, str head, str rest)
{
    struct query_literal lit;
    for (int form = QUERY_WORD; form <= QUERY_SQUOTED; form++) {
        struct query_ast_value v = { .form = (enum query_form)form, .raw = head };
        // The parser never hands over a word or quoted text that ends in a lone backslash.
        if (head.len && head.ptr[head.len - 1] == '\\')
            continue;
        if (query_literal_read(arena, head, &v, 1767225600000000000, NULL, &lit, NULL) != 0)
            continue;
        for (int cmp = QUERY_EQ; cmp <= QUERY_GE; cmp++) {
            query_compare_string(rest, (enum query_cmp)cmp, &lit, NULL);
            query_compare_int((int64_t)rest.len - 5, (enum query_cmp)cmp, &lit, NULL);
            query_compare_double((double)rest.len / 3, (enum query_cmp)cmp, &lit, NULL);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    str all = str_of(data, size);
    ptrdiff_t nl = str_find_char(all, '\n', 0);
    str head = nl < 0 ? all : str_slice(all, 0, (size_t)nl), rest = nl < 0 ? all : str_slice(all, (size_t)nl + 1, size);
    arena_init(&arena, 64 << 20);
    struct query_phrase p, list;
    if (query_phrase_make(&arena, head, size & 1, &p) == 0 && query_phrase_make(&arena, rest, false, &list) == 0) {
        must(query_phrase_match(&p, rest) == found_in_list(&p, &list));
        must(query_phrase_match(&p, head) == (p.count > 0));
        char buf[QUERY_TOKEN_MAX];
        size_t pos = 0;
        str t;
        bool cut;
        uint32_t n = 0;
        for (; query_token_next(rest, &pos, buf, &t, &cut); n++)
            must(n < list.count && (cut ? str_starts(list.tokens[n], t) : str_eq(t, list.tokens[n])));
        must(n == list.count && pos == rest.len);
    }
    literals(&arena, head, rest);
    struct buf b;
    buf_init(&b, 1 << 20);
    must(query_text_pattern(rest, &b) == 0);
    buf_free(&b);
    arena_free(&arena);
    return 0;
}
