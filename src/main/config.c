// Reading settings. Values are checked where they are read, so that an error can name its place.
#include "main/config.h"

#include "base/must.h"
#include "base/numfmt.h"
#include "query/literal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const struct config_key config_keys[CONFIG_KEYS] = {
#define CONFIG_ROW(id, key, type, def, least, most, who, arg, doc) \
    { #key, CONFIG_##type, def, least, most, who, arg, doc },
    CONFIG_TABLE(CONFIG_ROW)
#undef CONFIG_ROW
};

static bool bool_read(str s, int64_t *ret)
{
    static const str yes[] = { STR_INIT("true"), STR_INIT("yes"), STR_INIT("on"), STR_INIT("1") };
    static const str no[] = { STR_INIT("false"), STR_INIT("no"), STR_INIT("off"), STR_INIT("0") };
    for (size_t i = 0; i < 4; i++) {
        if (str_ieq(s, yes[i]) || str_ieq(s, no[i])) {
            *ret = str_ieq(s, yes[i]);
            return true;
        }
    }
    return false;
}

static bool choice_has(const char *words, str s)
{
    str all = str_z(words);
    for (size_t at = 0; at <= all.len;) {
        ptrdiff_t bar = str_find_char(all, '|', at);
        size_t end = bar < 0 ? all.len : (size_t)bar;
        if (str_eq(str_slice(all, at, end), s))
            return true;
        at = end + 1;
    }
    return false;
}

static int value_error(const struct config_key *k, str value, struct err *err, const char *want)
{
    err_set(err, ERR_INVALID, "bad_setting", "%s: \"%.*s\" is not %s", k->key, STR_ARG(str_slice(value, 0, 100)), want);
    err_set_hint(err, "`clew config explain %s` says more", k->key);
    return ERR_INVALID;
}

static int value_read(const struct config_key *k, str value, int64_t *ret_number, struct err *err)
{
    int64_t n = 0;
    bool overflow = false, ok = true;
    const char *want = "";
    switch (k->type) {
    case CONFIG_BOOL:
        want = "true or false";
        ok = bool_read(value, &n);
        break;
    case CONFIG_INT:
        want = "a whole number";
        ok = parse_i64(value, &n);
        break;
    case CONFIG_SIZE:
        want = "a size (500MB, 10GiB, 0)";
        ok = query_size_read(value, &n, &overflow) && !overflow;
        ok = ok || parse_i64(value, &n);
        break;
    case CONFIG_DURATION:
        want = "a time (30s, 12h, 14d, 0)";
        ok = str_eq(value, STR("0")) || (query_duration_read(value, &n, &overflow) && !overflow);
        break;
    case CONFIG_CHOICE:
        want = k->argument;
        ok = choice_has(k->argument, value);
        break;
    case CONFIG_TEXT:
        want = "plain text";
        for (size_t i = 0; i < value.len && ok; i++)
            ok = (unsigned char)value.ptr[i] >= 0x20 && value.ptr[i] != 0x7f;
        break;
    }
    if (!ok || value.len >= CONFIG_TEXT_MAX)
        return value_error(k, value, err, want);
    if (k->most && (n < k->least || n > k->most))
        return value_error(k, value, err, "within its range");
    *ret_number = n;
    return 0;
}

void config_init(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < CONFIG_KEYS; i++) {
        str def = str_z(config_keys[i].def);
        must(value_read(&config_keys[i], def, &c->values[i].number, NULL) == 0);
        memcpy(c->values[i].text, def.ptr, def.len);
    }
}

static bool name_same(const char *key, str name)
{
    size_t n = strlen(key);
    if (n != name.len)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((name.ptr[i] == '-' ? '_' : name.ptr[i]) != key[i])
            return false;
    return true;
}

unsigned config_distance(str a, str b, unsigned limit)
{
    enum { WORD_MAX = 40 };
    unsigned row[3][WORD_MAX + 1];
    if (a.len > WORD_MAX || b.len > WORD_MAX)
        return limit + 1;
    for (unsigned j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *now = row[i % 3], *above = row[(i + 2) % 3], *above2 = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            bool same = a.ptr[i - 1] == b.ptr[j - 1];
            unsigned best = above[j - 1] + !same;
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            now[j] = best;
        }
    }
    unsigned d = row[a.len % 3][b.len];
    return d > limit ? limit + 1 : d;
}

static int nearest(str name)
{
    unsigned best = 4;
    int found = -1;
    char plain[64];
    size_t n = name.len < sizeof plain ? name.len : sizeof plain - 1;
    for (size_t i = 0; i < n; i++)
        plain[i] = name.ptr[i] == '-' ? '_' : name.ptr[i];
    for (int i = 0; i < CONFIG_KEYS; i++) {
        unsigned d = config_distance(str_of(plain, n), str_z(config_keys[i].key), 3);
        if (d < best) {
            best = d;
            found = i;
        }
    }
    return found;
}

int config_find(str name, struct err *err)
{
    for (int i = 0; i < CONFIG_KEYS; i++)
        if (name_same(config_keys[i].key, name))
            return i;
    int near = nearest(name);
    err_set(err, ERR_INVALID, "unknown_setting", "there is no setting \"%.*s\"", STR_ARG(str_slice(name, 0, 60)));
    if (near >= 0)
        err_set_hint(err, "did you mean %s?", config_keys[near].key);
    else
        err_set_hint(err, "`clew config explain` lists them");
    return -1;
}

int config_set(struct config *c, enum config_id id, str value, enum config_origin from, struct err *err)
{
    struct config_value *v = &c->values[id];
    int64_t n;
    int r = value_read(&config_keys[id], value, &n, err);
    if (r < 0 || from < v->origin)
        return r;
    v->origin = from;
    v->number = n;
    memcpy(v->text, value.ptr, value.len);
    v->text[value.len] = 0;
    return 0;
}

void config_environment_name(const struct config_key *k, char ret[64])
{
    int n = snprintf(ret, 64, "CLEW_%s", strcmp(k->key, "server") == 0 ? "url" : k->key);
    for (int i = 5; i < n; i++)
        if (ret[i] >= 'a' && ret[i] <= 'z')
            ret[i] = (char)(ret[i] - 'a' + 'A');
}

void config_flag_name(const struct config_key *k, char ret[64])
{
    int n = snprintf(ret, 64, "--%s", k->key);
    for (int i = 2; i < n; i++)
        if (ret[i] == '_')
            ret[i] = '-';
}

static void environment_odd(str name, struct buf *ret_odd)
{
    char known[64];
    for (int i = 0; ret_odd && i < CONFIG_KEYS; i++) {
        config_environment_name(&config_keys[i], known);
        if (config_distance(name, str_z(known), 2) <= 2) {
            buf_printf(ret_odd, "%s%.*s (did you mean %s?)", ret_odd->len ? ", " : "", STR_ARG(name), known);
            return;
        }
    }
}

int config_read_environment(struct config *c, char *const *environment, struct buf *ret_odd, struct err *err)
{
    char known[64];
    for (; environment && *environment; environment++) {
        str pair = str_z(*environment);
        ptrdiff_t eq = str_find_char(pair, '=', 0);
        if (eq < 0 || !str_starts(pair, STR("CLEW_")))
            continue;
        str name = str_slice(pair, 0, (size_t)eq), value = str_slice(pair, (size_t)eq + 1, pair.len);
        int id = -1;
        for (int i = 0; i < CONFIG_KEYS && id < 0; i++) {
            config_environment_name(&config_keys[i], known);
            id = str_eq(name, str_z(known)) ? i : -1;
        }
        if (id < 0) {
            // Others may have CLEW_ names of their own (the demo, the tests): only a near miss is worth words.
            environment_odd(name, ret_odd);
            continue;
        }
        int r = value.len ? config_set(c, (enum config_id)id, value, CONFIG_FROM_ENVIRONMENT, err) : 0;
        if (r < 0) {
            err_set_place(err, "environment %.*s", STR_ARG(name));
            return r;
        }
    }
    return 0;
}

static int line_read(struct config *c, str line, struct err *err)
{
    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return 0;
    ptrdiff_t eq = str_find_char(line, '=', 0);
    if (eq < 0)
        return err_set(err, ERR_INVALID, "bad_setting", "a line has the form key = value");
    str key = str_trim(str_slice(line, 0, (size_t)eq)), value = str_trim(str_slice(line, (size_t)eq + 1, line.len));
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = str_slice(value, 1, value.len - 1);
    int id = config_find(key, err);
    if (id < 0)
        return ERR_INVALID;
    if (id == CONFIG_KEY_CONFIG || id == CONFIG_KEY_TOKEN)
        return err_set(err, ERR_INVALID, "bad_setting", "%s has no place in a file", config_keys[id].key);
    return config_set(c, (enum config_id)id, value, CONFIG_FROM_FILE, err);
}

int config_read_text(struct config *c, str text, const char *path, struct err *err)
{
    int number = 0;
    for (size_t at = 0; at < text.len;) {
        ptrdiff_t nl = str_find_char(text, '\n', at);
        size_t end = nl < 0 ? text.len : (size_t)nl;
        number++;
        int r = line_read(c, str_slice(text, at, end), err);
        if (r < 0) {
            err_set_place(err, "%s:%d", path, number);
            return r;
        }
        at = end + 1;
    }
    return 0;
}

int config_read_file(struct config *c, const char *path, struct err *err)
{
    enum { FILE_MAX = 1 << 20 };
    struct buf text;
    buf_init(&text, FILE_MAX);
    int r = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t n = fd < 0 ? -1 : 1; r == 0 && n != 0;) {
        if (n > 0 && buf_reserve(&text, 4096) < 0)
            r = err_set(err, text.error, "bad_setting", "the configuration file is too large");
        else if (n < 0 || (n = read(fd, text.ptr + text.len, 4096)) < 0)
            r = err_set(err, err_of_errno(errno), "bad_setting", "cannot read the configuration: %s", strerror(errno));
        else
            text.len += (size_t)n;
    }
    err_set_place(r < 0 ? err : NULL, "%s", path);
    if (r == 0)
        r = config_read_text(c, buf_view(&text), path, err);
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    return r;
}

// The data directory of somebody who said nothing.
static int data_default(struct config *c, struct err *err)
{
    struct config_value *v = &c->values[CONFIG_KEY_DATA];
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;
    if (v->text[0])
        return 0;
    if (geteuid() == 0 && !xdg)
        n = snprintf(v->text, sizeof v->text, "/var/lib/clew");
    else if (xdg && xdg[0] == '/')
        n = snprintf(v->text, sizeof v->text, "%s/clew", xdg);
    else if (home && home[0] == '/')
        n = snprintf(v->text, sizeof v->text, "%s/.local/share/clew", home);
    else
        return err_set(err, ERR_INVALID, "bad_setting",
                       "there is no home directory: say where the data is with --data DIR");
    return (size_t)n < sizeof v->text
               ? 0
               : err_set(err, ERR_LIMIT, "bad_setting", "the path of the data directory is too long");
}

int config_complete(struct config *c, char *const *environment, struct buf *ret_odd, struct err *err)
{
    static const char usual[] = "/etc/clew/clew.conf";
    int r = config_read_environment(c, environment, ret_odd, err);
    if (r < 0)
        return r;
    const char *path = config_text(c, CONFIG_KEY_CONFIG);
    if (path[0])
        r = config_read_file(c, path, err);
    else if (access(usual, R_OK) == 0)
        r = config_read_file(c, usual, err);
    return r < 0 ? r : data_default(c, err);
}
