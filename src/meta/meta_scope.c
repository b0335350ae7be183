// Scopes in words.
#include "meta/meta.h"

#include <stdio.h>

static const struct {
    str word;
    uint32_t bit;
} scope_words[] = {
    { STR_INIT("ingest"), META_SCOPE_INGEST },         { STR_INIT("read"), META_SCOPE_READ },
    { STR_INIT("values"), META_SCOPE_VALUES },         { STR_INIT("probe"), META_SCOPE_PROBE },
    { STR_INIT("probe_prod"), META_SCOPE_PROBE_PROD }, { STR_INIT("patch"), META_SCOPE_PATCH },
    { STR_INIT("admin"), META_SCOPE_ADMIN },
};
enum { SCOPE_WORDS = sizeof scope_words / sizeof scope_words[0] };

static int scope_add(str word, uint32_t *scopes, struct err *err)
{
    for (size_t i = 0; i < SCOPE_WORDS; i++)
        if (str_eq(word, scope_words[i].word)) {
            *scopes |= scope_words[i].bit;
            return 0;
        }
    err_set(err, ERR_INVALID, "bad_scope", "there is no scope \"%.*s\"", STR_ARG(str_slice(word, 0, 40)));
    err_set_hint(err, "scopes are ingest, read, values, probe, probe_prod, patch, admin");
    return ERR_INVALID;
}

int meta_scopes_parse(str text, uint32_t *ret_scopes, struct err *err)
{
    uint32_t scopes = 0;
    for (size_t at = 0; at <= text.len;) {
        ptrdiff_t comma = str_find_char(text, ',', at);
        size_t end = comma < 0 ? text.len : (size_t)comma;
        int r = scope_add(str_trim(str_slice(text, at, end)), &scopes, err);
        if (r < 0)
            return r;
        at = end + 1;
    }
    *ret_scopes = scopes;
    return 0;
}

void meta_scopes_text(uint32_t scopes, char ret[64])
{
    size_t n = 0;
    ret[0] = 0;
    for (size_t i = 0; i < SCOPE_WORDS; i++)
        if (scopes & scope_words[i].bit)
            n += (size_t)snprintf(ret + n, 64 - n, "%s%s", n ? "," : "", scope_words[i].word.ptr);
}
