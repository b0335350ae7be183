// The table of settings in words: for `clew config explain`, --help and the manual page.
#include "main/config.h"

#include <stdio.h>

str config_summary(const struct config_key *k)
{
    str doc = str_z(k->doc);
    ptrdiff_t dot = str_find(doc, STR(". "));
    return str_slice(doc, 0, dot < 0 ? doc.len - 1 : (size_t)dot);
}

static const char *type_words(const struct config_key *k)
{
    switch (k->type) {
    case CONFIG_BOOL:
        return "true or false";
    case CONFIG_INT:
        return "number";
    case CONFIG_SIZE:
        return "bytes (500MB, 10GiB)";
    case CONFIG_DURATION:
        return "time (30s, 12h, 14d)";
    case CONFIG_CHOICE:
        return k->argument;
    default:
        return "text";
    }
}

// Words wrapped at 76 columns behind an indent of two.
static void put_wrapped(struct buf *out, str text)
{
    size_t column = 0;
    for (size_t at = 0; at < text.len;) {
        ptrdiff_t space = str_find_char(text, ' ', at);
        size_t end = space < 0 ? text.len : (size_t)space;
        if (column && column + 1 + (end - at) > 74) {
            buf_byte(out, '\n');
            column = 0;
        }
        buf_printf(out, "%s%.*s", column ? " " : "  ", STR_ARG(str_slice(text, at, end)));
        column += (column ? 1 : 0) + (end - at);
        at = end + 1;
    }
    buf_byte(out, '\n');
}

static void explain_one(struct buf *out, const struct config *c, int id)
{
    static const char *const origins[] = { "default", "file", "environment", "flag" };
    const struct config_key *k = &config_keys[id];
    char flag[64], name[64];
    config_flag_name(k, flag);
    config_environment_name(k, name);
    buf_printf(out, "%s\n", k->key);
    put_wrapped(out, str_z(k->doc));
    buf_printf(out, "  type: %s; default: %s\n", type_words(k), k->def[0] ? k->def : "none");
    if (k->type == CONFIG_BOOL)
        buf_printf(out, "  flag: %s or --no-%s; ", flag, flag + 2);
    else
        buf_printf(out, "  flag: %s %s; ", flag, k->type == CONFIG_CHOICE ? "WORD" : k->argument);
    buf_printf(out, "environment: %s\n", name);
    if (c && id != CONFIG_KEY_TOKEN && c->values[id].text[0])
        buf_printf(out, "  now: %s (%s)\n", c->values[id].text, origins[c->values[id].origin]);
}

void config_explain(struct buf *out, const struct config *c, int id)
{
    for (int i = id < 0 ? 0 : id; i < (id < 0 ? CONFIG_KEYS : id + 1); i++) {
        if (i > 0 && id < 0)
            buf_byte(out, '\n');
        explain_one(out, c, i);
    }
}

// Text in mdoc: a leading dot or quote would be a request, a backslash an escape; each sentence on a line.
static void put_manual_text(struct buf *out, str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        if (ch == '\\')
            buf_str(out, STR("\\e"));
        else if (ch == '.' && i + 1 < text.len && text.ptr[i + 1] == ' ') {
            buf_str(out, STR(".\n"));
            i++;
        } else if ((ch == '.' || ch == '\'') && (i == 0 || text.ptr[i - 1] == '\n'))
            buf_printf(out, "\\&%c", ch);
        else if (ch == '`')
            buf_str(out, STR("\\(oq"));
        else
            buf_byte(out, (uint8_t)ch);
    }
    buf_byte(out, '\n');
}

void config_manual(struct buf *out)
{
    char flag[64], name[64];
    buf_str(out, STR(".Bl -tag -width Ds\n"));
    for (int i = 0; i < CONFIG_KEYS; i++) {
        const struct config_key *k = &config_keys[i];
        config_flag_name(k, flag);
        config_environment_name(k, name);
        buf_printf(out, ".It Fl Fl %s", flag + 2);
        if (k->type == CONFIG_BOOL)
            buf_printf(out, " , Fl Fl no-%s", flag + 2);
        else
            buf_printf(out, " Ar %s", k->argument);
        buf_printf(out, " Pq Ev %s\n", name);
        put_manual_text(out, str_z(k->doc));
        if (k->def[0] && k->type != CONFIG_BOOL)
            buf_printf(out, "The default is\n.Ql %s .\n", k->def);
    }
    buf_str(out, STR(".El\n"));
}
