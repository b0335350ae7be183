#include "main/probe_place.h"

#include "base/numfmt.h"

// What a place on the command line says: "orders.py:42"; "place()"; "orders.py:place()"; "orders.py".
struct place {
    str file, function;
    uint64_t line;
    bool has_line, wrong;
};

bool probe_place_is_exception(const struct invocation *inv)
{
    return invocation_option(inv, "exception") || invocation_option(inv, "uncaught");
}

static struct place read_place(str s)
{
    struct place p = { 0 };
    ptrdiff_t colon = -1;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == ':')
            colon = (ptrdiff_t)i;
    str before = colon > 0 ? str_slice(s, 0, (size_t)colon) : (str){ 0 };
    if (str_ends(s, STR("()"))) {
        p.file = before;
        p.function = str_slice(s, (size_t)(colon + 1), s.len - 2);
        p.wrong = !p.function.len;
    } else if (before.len && parse_u64(str_slice(s, (size_t)colon + 1, s.len), &p.line)) {
        p.file = before;
        p.has_line = true;
        p.wrong = !p.line;
    } else {
        p.file = s;
        p.wrong = !s.len;
    }
    return p;
}

// "*", or one name as programs write it. A list of them, or a pattern, would never be met, without a word of it.
static bool type_is_valid(str s)
{
    if (str_eq(s, STR("*")))
        return true;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i], lower = c | 0x20;
        bool first = (lower >= 'a' && lower <= 'z') || c == '_' || c == '$' || c >= 0x80;
        if (!first && (i == 0 || !((c >= '0' && c <= '9') || c == '.')))
            return false;
    }
    return s.len > 0;
}

// The function's entry, unless an option says at which end of it.
static int read_point(const struct invocation *inv, bool function, str *ret_at, struct err *err)
{
    bool timer = invocation_option(inv, "timer"), at_exit = invocation_option(inv, "exit"),
         at_throw = invocation_option(inv, "throw");
    const char *option = at_throw ? "throw" : "exit";
    if ((at_throw || at_exit) && probe_place_is_exception(inv))
        return err_set(err, ERR_INVALID, "usage", "--%s is of a function, --%s of an exception: one of the two", option,
                       invocation_option(inv, "exception") ? "exception" : "uncaught");
    if (at_throw && (at_exit || timer))
        return err_set(err, ERR_INVALID, "usage", "--throw goes without --%s%s", timer ? "timer" : "exit",
                       timer ? ": calls are measured whichever way they end" : "");
    if ((at_throw || at_exit) && !function) {
        err_set(err, ERR_INVALID, "usage", "--%s is of a function", option);
        err_set_hint(err, "clew probe add checkout 'orders.py:place()' --%s", option);
        return ERR_INVALID;
    }
    *ret_at = at_throw ? STR("throw") : at_exit || timer ? STR("exit") : STR("entry");
    return 0;
}

static int check_exception(const struct invocation *inv, const struct place *p, struct err *err)
{
    const char *type = invocation_option(inv, "exception");
    if (type && !type_is_valid(str_z(type))) {
        err_set(err, ERR_INVALID, "usage", "--exception: \"%.200s\" is not the name of a type", type);
        err_set_hint(err, "one type (what is built on it counts, too), or '*' for all");
        return ERR_INVALID;
    }
    if (invocation_option(inv, "timer"))
        return err_set(err, ERR_INVALID, "usage", "--timer measures a function, not an exception");
    if (p->has_line) {
        err_set(err, ERR_INVALID, "usage", "an exception is looked for in a file or a function, not at a line");
        err_set_hint(err, "clew probe add checkout 'orders.py:place()' --exception '%s'", type ? type : "*");
        return ERR_INVALID;
    }
    return 0;
}

int probe_place_put(struct json_writer *w, const struct invocation *inv, const char *place, struct err *err)
{
    struct place p = place ? read_place(str_z(place)) : (struct place){ 0 };
    bool exception = probe_place_is_exception(inv), named = p.has_line || p.function.len;
    str at = { 0 };
    if (place && (p.wrong || (!exception && !named))) {
        err_set(err, ERR_INVALID, "usage", "\"%.200s\" is neither %s nor FUNCTION()", place,
                exception ? "FILE" : "FILE:LINE");
        err_set_hint(err, "clew probe add checkout orders.py%s", exception ? " --exception '*'" : ":42");
        return ERR_INVALID;
    }
    int r = read_point(inv, p.function.len > 0, &at, err);
    if (r == 0 && exception)
        r = check_exception(inv, &p, err);
    if (r < 0)
        return r;
    const char *type = invocation_option(inv, "exception");
    json_put_key(w, STR("where"));
    json_put_object(w);
    if (exception) {
        json_put_key(w, STR("exception"));
        json_put_str(w, str_z(type ? type : "*"));
        if (invocation_option(inv, "uncaught")) {
            json_put_key(w, STR("uncaught"));
            json_put_bool(w, true);
        }
    }
    if (p.file.len) {
        json_put_key(w, STR("file"));
        json_put_str(w, p.file);
    }
    if (p.function.len) {
        json_put_key(w, STR("function"));
        json_put_str(w, p.function);
    }
    if (p.function.len && !exception) {
        json_put_key(w, STR("at"));
        json_put_str(w, at);
    }
    if (p.has_line) {
        json_put_key(w, STR("line"));
        json_put_uint(w, p.line);
    }
    json_put_object_end(w);
    return 0;
}
