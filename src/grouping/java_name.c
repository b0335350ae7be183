// Classes that Java's frameworks make at run time carry numbers that differ each time.
#include "grouping/grouping_internal.h"

enum { OUT_MAX = 1024 }; // a longer name stays as it is

struct cleaner {
    char out[OUT_MAX + 64];
    size_t n;
};

static size_t run_of(str s, size_t i, bool hex, bool word)
{
    size_t k = i;
    for (; k < s.len; k++) {
        char c = s.ptr[k], l = c | 0x20;
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(hex && l >= 'a' && l <= 'f') && !(word && ((l >= 'a' && l <= 'z') || c == '_')))
            break;
    }
    return k - i;
}

// _12 behind a generated number
static size_t serial(str s, size_t i)
{
    size_t n = i < s.len && s.ptr[i] == '_' ? run_of(s, i + 1, false, false) : 0;
    return n ? n + 1 : 0;
}

// $$NAME$$0a1b2c of CGLIB, Guice, Hibernate: the length up to the number, and that of the number.
static size_t proxy(str s, size_t i, size_t *ret_number)
{
    static const str by[] = { STR_INIT("EnhancerBy"), STR_INIT("FastClassBy") };
    bool two = i + 1 < s.len && s.ptr[i + 1] == '$', hex = true;
    size_t k = i + 1 + two, end = k + run_of(s, k, false, true), dollars = 0;
    str name = str_slice(s, k, end);
    while (dollars < 2 && end + dollars < s.len && s.ptr[end + dollars] == '$')
        dollars++;
    bool known = str_eq(name, STR("HibernateProxy"));
    hex = !known;
    for (size_t b = 0; b < 2; b++)
        known |= str_starts(name, by[b]) && name.len > by[b].len;
    known |= two && dollars == 2 && str_ends(name, STR("CGLIB")) && name.len > 5;
    *ret_number = known && dollars ? run_of(s, end + dollars, hex, !hex) : 0;
    if (!*ret_number)
        return 0;
    *ret_number += serial(s, end + dollars + *ret_number);
    return end + dollars - i;
}

// What is generated at i: how much of it stays, and how much after that goes (0: nothing is).
static size_t generated(str s, size_t i, size_t *ret_number)
{
    static const str reflect[] = { STR_INIT("sun.reflect.GeneratedSerializationConstructorAccessor"),
                                   STR_INIT("sun.reflect.GeneratedConstructorAccessor") };
    str rest = str_slice(s, i, s.len);
    for (size_t r = 0; r < 2; r++)
        if (str_starts(rest, reflect[r]) && (*ret_number = run_of(rest, reflect[r].len, false, false)))
            return reflect[r].len;
    if (rest.ptr[0] != '$')
        return 0;
    if (str_starts(rest, STR("$$_javassist"))) {
        size_t n = sizeof "$$_javassist" - 1, k = n + (str_starts(str_slice(rest, n, rest.len), STR("_seam")) ? 5 : 0);
        *ret_number = k - n + serial(rest, k);
        return n;
    }
    if (str_starts(rest, STR("$fn__")) && (*ret_number = run_of(rest, 5, false, false)))
        return 5;
    return proxy(s, i, ret_number);
}

static int clean(str text, bool javassist_only, struct arena *arena, str *ret)
{
    static const str instead = STR_INIT("<auto>");
    struct cleaner c = { .n = 0 };
    bool changed = false;
    *ret = text;
    if (text.len > OUT_MAX || (str_find_char(text, '$', 0) < 0 && !str_starts(text, STR("sun.reflect."))))
        return 0;
    for (size_t i = 0; i < text.len && c.n < OUT_MAX;) {
        size_t number = 0, n = 0;
        bool javassist = str_starts(str_slice(text, i, text.len), STR("$$_javassist"));
        if (!javassist_only || javassist)
            n = generated(text, i, &number);
        if (!n) {
            c.out[c.n++] = text.ptr[i++];
            continue;
        }
        if (c.n + n + instead.len > OUT_MAX)
            return 0;
        memcpy(c.out + c.n, text.ptr + i, n);
        memcpy(c.out + c.n + n, instead.ptr, instead.len);
        c.n += n + instead.len;
        i += n + number;
        changed = true;
    }
    return changed ? arena_dup(arena, str_of(c.out, c.n), ret) : 0;
}

int module_clean(str module, struct arena *arena, str *ret)
{
    static const str accessors[] = { STR_INIT("sun.reflect.GeneratedMethodAccessor"),
                                     STR_INIT("jdk.internal.reflect.GeneratedMethodAccessor") };
    for (size_t i = 0; i < 2; i++)
        if (str_starts(module, accessors[i])) {
            *ret = accessors[i];
            return 0;
        }
    return clean(module, false, arena, ret);
}

int javassist_clean(str text, struct arena *arena, str *ret) { return clean(text, true, arena, ret); }
