#include "agent/identity.h"
#include "base/hex.h"
#include "base/utf8.h"

#include <pwd.h>
#include <stdio.h>

// Text of a stranger: printable UTF-8 only, the rest becomes '?'.
static void put(char *out, size_t room, str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        const uint8_t *at = (const uint8_t *)s.ptr + i;
        size_t len = utf8_char_len(at, (const uint8_t *)s.ptr + s.len);
        if (n + (len ? len : 1) >= room)
            break;
        if (len == 0 || *at < 0x20 || *at == 0x7f) {
            out[n++] = *at == 0 ? ' ' : '?';
            i++;
        } else {
            memcpy(out + n, at, len);
            n += len;
            i += len;
        }
    }
    out[n] = 0;
}

// %XX in OTEL_RESOURCE_ATTRIBUTES.
static void put_decoded(char out[IDENTITY_TEXT], str s)
{
    char text[IDENTITY_TEXT];
    size_t n = 0;
    for (size_t i = 0; i < s.len && n < sizeof text; i++) {
        uint8_t c;
        if (s.ptr[i] == '%' && i + 2 < s.len + 0 && hex_decode(&c, str_slice(s, i + 1, i + 3))) {
            text[n++] = (char)c;
            i += 2;
        } else {
            text[n++] = s.ptr[i];
        }
    }
    put(out, IDENTITY_TEXT, (str){ text, n });
}

static str resource_attribute(const struct process *p, str name)
{
    str s = process_env(p, STR("OTEL_RESOURCE_ATTRIBUTES"));
    while (s.len) {
        ptrdiff_t comma = str_find_char(s, ',', 0);
        str pair = str_slice(s, 0, comma < 0 ? s.len : (size_t)comma);
        s = comma < 0 ? (str){ 0 } : str_slice(s, (size_t)comma + 1, s.len);
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        if (equals > 0 && str_eq(str_trim(str_slice(pair, 0, (size_t)equals)), name))
            return str_trim(str_slice(pair, (size_t)equals + 1, pair.len));
    }
    return (str){ 0 };
}

static void from_attribute(char out[IDENTITY_TEXT], const struct process *p, const char *const *names)
{
    for (; !out[0] && *names; names++)
        put_decoded(out, resource_attribute(p, str_z(*names)));
}

static str without_suffix(str name)
{
    static const str suffixes[] = { STR_INIT(".py"), STR_INIT(".mjs"), STR_INIT(".cjs"), STR_INIT(".js"),
                                    STR_INIT(".ts") };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (str_ends(name, suffixes[i]))
            return str_slice(name, 0, name.len - suffixes[i].len);
    return name;
}

static bool says_nothing(str name)
{
    static const str words[] = { STR_INIT("app"),    STR_INIT("main"),  STR_INIT("index"),
                                 STR_INIT("server"), STR_INIT("start"), STR_INIT("__main__"),
                                 STR_INIT("wsgi"),   STR_INIT("asgi"),  STR_INIT("manage") };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(name, words[i]))
            return true;
    return name.len == 0;
}

// shop.checkout
static bool module_text(str s)
{
    bool begins = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
        if (!letter && (begins || !((c >= '0' && c <= '9') || c == '.')))
            return false;
        begins = c == '.';
    }
    return s.len && !begins;
}

// The program that the interpreter runs: the first argument that is no option ("-m" names a module). A name that says nothing
// (app.py) gives way to its folder's.
static str from_command(const struct process *p)
{
    str program = { 0 }, folder = { 0 };
    for (unsigned i = 1; i < 64; i++) {
        str a = process_arg(p, i);
        if (!a.ptr)
            break;
        if (str_eq(a, STR("-m"))) {
            program = process_arg(p, i + 1);
            break;
        }
        if (str_eq(a, STR("-c")) || str_eq(a, STR("-e")))
            break;
        if (str_eq(a, STR("-W")) || str_eq(a, STR("-X")) || str_eq(a, STR("-r")) || str_eq(a, STR("--require")) ||
            str_eq(a, STR("--import"))) {
            i++;
            continue;
        }
        if (a.len && a.ptr[0] != '-') {
            program = a;
            break;
        }
    }
    str name = without_suffix(str_base_name(program));
    static const str servers[] = { STR_INIT("gunicorn"), STR_INIT("uvicorn"), STR_INIT("hypercorn"), STR_INIT("flask"),
                                   STR_INIT("celery") };
    for (size_t k = 0; k < sizeof servers / sizeof servers[0]; k++) {
        if (!str_eq(name, servers[k]))
            continue;
        for (unsigned i = 1; i < 64; i++) { // shop.checkout:app
            str a = process_arg(p, i);
            ptrdiff_t colon = a.ptr ? str_find_char(a, ':', 0) : -1;
            if (!a.ptr)
                break;
            if (colon > 0 && module_text(str_slice(a, 0, (size_t)colon)) &&
                module_text(str_slice(a, (size_t)colon + 1, (size_t)colon + 2))) { // no address (localhost:8000)
                name = str_slice(a, 0, (size_t)colon);
                break;
            }
        }
        folder = p->cwd;
    }
    if (!says_nothing(name))
        return name;
    if (!folder.len)
        folder = program.len > str_base_name(program).len
                     ? str_slice(program, 0, program.len - str_base_name(program).len - 1)
                     : p->cwd;
    str parent = str_base_name(folder);
    return parent.len ? parent : str_base_name(p->exe);
}

// 64 hexadecimal digits in the control group: docker, containerd, podman, kubernetes.
static void container_of(const struct process *p, char out[65])
{
    size_t run = 0;
    out[0] = 0;
    for (size_t i = 0; i < p->cgroup.len; i++) {
        run = hex_digit(p->cgroup.ptr[i]) >= 0 ? run + 1 : 0;
        if (run == 64) {
            memcpy(out, p->cgroup.ptr + i - 63, 64);
            out[64] = 0;
        }
    }
}

void identity_of(const struct process *p, struct identity *ret)
{
    static const char *const service[] = { "service.name", NULL }, *const version[] = { "service.version", NULL },
                             *const environment[] = { "deployment.environment.name", "deployment.environment", NULL },
                             *const instance[] = { "service.instance.id", "k8s.pod.name", "host.name", NULL };
    *ret = (struct identity){ 0 };
    put(ret->service, IDENTITY_TEXT, process_env(p, STR("OTEL_SERVICE_NAME")));
    from_attribute(ret->service, p, service);
    if (!ret->service[0])
        put(ret->service, IDENTITY_TEXT, process_env(p, STR("CLEW_SERVICE")));
    str release = process_env(p, STR("SENTRY_RELEASE"));
    ptrdiff_t at = release.len ? str_find_char(release, '@', 0) : -1;
    if (!ret->service[0] && at > 0)
        put(ret->service, IDENTITY_TEXT, str_slice(release, 0, (size_t)at));
    if (!ret->service[0])
        put(ret->service, IDENTITY_TEXT, from_command(p));
    if (!ret->service[0])
        put(ret->service, IDENTITY_TEXT, STR("unknown_service"));
    from_attribute(ret->version, p, version);
    if (!ret->version[0] && release.len)
        put(ret->version, IDENTITY_TEXT, str_slice(release, (size_t)(at + 1), release.len));
    from_attribute(ret->environment, p, environment);
    if (!ret->environment[0])
        put(ret->environment, IDENTITY_TEXT, process_env(p, STR("SENTRY_ENVIRONMENT")));
    from_attribute(ret->instance, p, instance);
    container_of(p, ret->container);
    if (!ret->instance[0] && ret->container[0])
        put(ret->instance, IDENTITY_TEXT, (str){ ret->container, 12 });
    if (!ret->instance[0])
        put(ret->instance, IDENTITY_TEXT, p->id);
    put(ret->command, IDENTITY_TEXT, str_trim(p->argv.len ? str_slice(p->argv, 0, p->argv.len - 1) : p->exe));
    struct passwd *pw = getpwuid(p->uid);
    if (pw)
        put(ret->user, sizeof ret->user, str_z(pw->pw_name));
    else
        snprintf(ret->user, sizeof ret->user, "%u", (unsigned)p->uid);
}
