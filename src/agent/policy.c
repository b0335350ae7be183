#include "agent/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLICY_ARENA = 256 << 10 };

void policy_init(struct policy *p)
{
    *p = (struct policy){ 0 };
    arena_init(&p->arena, POLICY_ARENA);
}

void policy_free(struct policy *p) { arena_free(&p->arena); }

static int too_many(struct err *err)
{
    return err_set(err, ERR_LIMIT, "too_many", "there are more than %d in the list", POLICY_ITEMS);
}

static int add_user(struct policy *p, void *list, str name, struct err *err)
{
    bool not = name.ptr[0] == '!';
    str text, copy;
    if (p->users_n == POLICY_ITEMS || arena_dup(&p->arena, name, &text) < 0)
        return too_many(err);
    copy = not ? str_slice(text, 1, text.len) : text;
    char *end;
    unsigned long id = strtoul(copy.ptr, &end, 10);
    if (copy.len && *end == 0 && copy.ptr[0] >= '0' && copy.ptr[0] <= '9' && id < (uid_t)-1) {
        p->users[p->users_n++] = (struct policy_user){ (uid_t)id, not, text };
        return 0;
    }
    struct passwd *pw = copy.len ? getpwnam(copy.ptr) : NULL;
    if (!pw)
        return err_set(err, ERR_NOENT, "unknown_user", "there is no user \"%s\"", copy.ptr);
    p->users[p->users_n++] = (struct policy_user){ pw->pw_uid, not, text };
    return 0;
}

static int add_item(struct policy *p, void *to, str name, struct err *err)
{
    struct policy_list *list = to;
    if (str_eq(name, STR("!")))
        return err_set(err, ERR_INVALID, "bad_value", "\"!\" stands before what it takes out");
    if (list->n == POLICY_ITEMS || arena_dup(&p->arena, name, &list->items[list->n]) < 0)
        return too_many(err);
    list->n++;
    return 0;
}

static int add_list(struct policy *p, str value, int (*add)(struct policy *, void *, str, struct err *), void *to,
                    struct err *err)
{
    bool any = false;
    for (size_t at = 0; at <= value.len;) {
        ptrdiff_t comma = str_find_char(value, ',', at);
        size_t end = comma < 0 ? value.len : (size_t)comma;
        str item = str_trim(str_slice(value, at, end));
        int rc = item.len ? add(p, to, item, err) : 0;
        if (rc < 0)
            return rc;
        any = any || item.len;
        at = end + 1;
    }
    return any ? 0 : err_set(err, ERR_INVALID, "no_value", "the list is empty");
}

static int set(struct policy *p, str key, str value, struct err *err)
{
    const struct {
        str key;
        struct policy_list *list;
    } lists[] = { { STR("services"), &p->services },
                  { STR("environments"), &p->environments },
                  { STR("cgroups"), &p->cgroups },
                  { STR("shapes-services"), &p->shape_services },
                  { STR("shapes-environments"), &p->shape_environments } };
    // An empty list would mean "all" to the one who forgot to fill it.
    if (value.len == 0)
        return err_set(err, ERR_INVALID, "no_value", "\"%.*s\" has no value", STR_ARG(key));
    if (str_eq(key, STR("users")))
        return add_list(p, value, add_user, NULL, err);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (str_eq(key, lists[i].key))
            return add_list(p, value, add_item, lists[i].list, err);
    if (str_eq(key, STR("values"))) {
        p->shapes = str_eq(value, STR("shapes"));
        if (p->shapes || str_eq(value, STR("full")))
            return 0;
        return err_set(err, ERR_INVALID, "bad_value", "values is \"full\" or \"shapes\", not \"%.*s\"", STR_ARG(value));
    }
    if (str_eq(key, STR("patch"))) {
        if (str_eq(value, STR("off")))
            return 0;
        return err_set(err, ERR_UNSUPPORTED, "bad_value", "patch can only be \"off\": this version changes no code");
    }
    err_set(err, ERR_INVALID, "unknown_key", "there is no setting \"%.*s\"", (int)(key.len < 64 ? key.len : 64),
            key.ptr);
    err_set_hint(err, "the settings are: users, services, environments, cgroups, values, shapes-services, "
                      "shapes-environments, patch");
    return ERR_INVALID;
}

int policy_read_text(struct policy *p, str text, const char *place, struct err *err)
{
    int number = 0;
    while (text.len) {
        ptrdiff_t nl = str_find_char(text, '\n', 0);
        str line = str_trim(str_slice(text, 0, nl < 0 ? text.len : (size_t)nl));
        text = nl < 0 ? (str){ 0 } : str_slice(text, (size_t)nl + 1, text.len);
        number++;
        if (!line.len || line.ptr[0] == '#')
            continue;
        ptrdiff_t equals = str_find_char(line, '=', 0);
        int rc = equals < 0 ? err_set(err, ERR_MALFORMED, "no_setting", "the line is not `key = value`")
                            : set(p, str_trim(str_slice(line, 0, (size_t)equals)),
                                  str_trim(str_slice(line, (size_t)equals + 1, line.len)), err);
        if (rc < 0) {
            err_set_place(err, "%s:%d", place, number);
            return rc;
        }
    }
    return 0;
}

static int unsafe(struct err *err, const char *path)
{
    err_set(err, ERR_DENIED, "unsafe_policy", "others than root may change the policy that root's agent is to keep");
    err_set_place(err, "%s", path);
    err_set_hint(err, "chown root it, and chmod go-w it");
    return ERR_DENIED;
}

int policy_read_file(struct policy *p, const char *path, bool may_miss, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 && errno == ENOENT && may_miss)
        return 0;
    if (fd < 0)
        return err_set(err, err_of_errno(errno), NULL, "%s: %s", path, strerror(errno));
    int rc = 0;
    char *text = NULL;
    ssize_t n = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        rc = err_set(err, ERR_INVALID, "no_file", "%s is no file", path);
    else if (geteuid() == 0 && (st.st_uid != 0 || (st.st_mode & 022)))
        rc = unsafe(err, path);
    else if (!(text = arena_alloc_bytes(&p->arena, POLICY_FILE_MAX)) || (n = read(fd, text, POLICY_FILE_MAX)) < 0)
        rc = err_set(err, ERR_IO, NULL, "%s cannot be read", path);
    else if (n == POLICY_FILE_MAX)
        rc = err_set(err, ERR_LIMIT, NULL, "%s is too long", path);
    close(fd);
    return rc < 0 ? rc : policy_read_text(p, (str){ text, (size_t)n }, path, err);
}

// * stands for any text. Linear but for the last star's retries, and both sides are short.
static bool matches(str pattern, str s)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
    while (i < s.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pattern.len && pattern.ptr[p] == s.ptr[i]) {
            p++, i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool in_list(const struct policy_list *l, str name)
{
    bool in = true, named = false;
    for (size_t i = 0; i < l->n; i++) {
        bool not = l->items[i].ptr[0] == '!';
        str pattern = not ? str_slice(l->items[i], 1, l->items[i].len) : l->items[i];
        bool is = name.len == 0 && str_eq(pattern, STR("-")) ? true : matches(pattern, name);
        if (not &&is)
            return false; // wherever it stands in the list
        named = named || (!not &&is);
        in = in && not ;
    }
    return in || named;
}

static bool user_in(const struct policy *p, uid_t uid)
{
    bool in = true, named = false;
    for (size_t i = 0; i < p->users_n; i++) {
        bool not = p->users[i].not, is = p->users[i].uid == uid;
        if (not &&is)
            return false;
        named = named || (!not &&is);
        in = in && not ;
    }
    return in || named;
}

bool policy_shapes(const struct policy *p, str service, str environment)
{
    return p->shapes || (p->shape_services.n && in_list(&p->shape_services, service)) ||
           (p->shape_environments.n && in_list(&p->shape_environments, environment));
}

int policy_allows(const struct policy *p, const struct process *process, str service, str environment, struct err *err)
{
    const char *what = NULL, *key = NULL;
    if (!user_in(p, process->uid))
        what = "processes of this user", key = "users";
    else if (!in_list(&p->services, service))
        what = "this service", key = "services";
    else if (!in_list(&p->environments, environment))
        what = environment.len ? "this environment" : "processes that name no environment", key = "environments";
    else if (!in_list(&p->cgroups, process->cgroup))
        what = "this control group", key = "cgroups";
    if (!what)
        return 0;
    err_set(err, ERR_DENIED, "policy", "this host's policy leaves %s out", what);
    err_set_hint(err, "its administrator decides: `%s` in the agent's policy file", key);
    return ERR_DENIED;
}

static void put_item(struct json_writer *w, str item, unsigned *n, uint64_t *more)
{
    if (*n == POLICY_TOLD_ITEMS || item.len > POLICY_TOLD_BYTES) {
        (*more)++;
    } else {
        (*n)++;
        json_put_str(w, item);
    }
}

void policy_put(const struct policy *p, struct json_writer *w)
{
    const struct {
        const char *key;
        const struct policy_list *list;
    } lists[] = { { "services", &p->services },
                  { "environments", &p->environments },
                  { "cgroups", &p->cgroups },
                  { "shapes_services", &p->shape_services },
                  { "shapes_environments", &p->shape_environments } };
    uint64_t more = 0;
    unsigned n = 0;
    json_put_object(w);
    json_put_key(w, STR("shapes"));
    json_put_bool(w, p->shapes);
    json_put_key(w, STR("patch"));
    json_put_bool(w, false);
    if (p->users_n) {
        json_put_key(w, STR("users"));
        json_put_array(w);
        for (size_t i = 0; i < p->users_n; i++)
            put_item(w, p->users[i].text, &n, &more);
        json_put_array_end(w);
    }
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        n = 0;
        if (!lists[k].list->n)
            continue;
        json_put_key(w, str_z(lists[k].key));
        json_put_array(w);
        for (size_t i = 0; i < lists[k].list->n; i++)
            put_item(w, lists[k].list->items[i], &n, &more);
        json_put_array_end(w);
    }
    if (more) {
        json_put_key(w, STR("more"));
        json_put_uint(w, more);
    }
    json_put_object_end(w);
}
