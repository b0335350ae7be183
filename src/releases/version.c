#include "releases/version.h"

enum { DIGITS_MAX = 18, HASH_SHORT = 12, HASH_SHA1 = 40, HASH_SHA256 = 64 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

bool release_version_valid(str name)
{
    if (name.len == 0 || name.len > RELEASE_VERSION_MAX || str_eq(name, STR(".")) || str_eq(name, STR("..")) ||
        str_ieq(name, STR("latest")))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f || name.ptr[i] == '/' || name.ptr[i] == '\\')
            return false;
    return str_trim(name).len == name.len;
}

static bool all(str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.len; i++)
        if (!is(s.ptr[i]))
            return false;
    return s.len > 0;
}

// Up to four numbers with dots between them; returns how many bytes they are, 0: none.
static size_t read_numbers(str s, uint64_t parts[4])
{
    size_t at = 0;
    for (int n = 0; n < 4; n++) {
        size_t begin = at;
        uint64_t value = 0;
        while (at < s.len && is_digit(s.ptr[at]) && at - begin < DIGITS_MAX)
            value = value * 10 + (uint64_t)(s.ptr[at++] - '0');
        if (at == begin || (at < s.len && is_digit(s.ptr[at])))
            return 0;
        parts[n] = value;
        if (n == 3 || at + 1 >= s.len || s.ptr[at] != '.' || !is_digit(s.ptr[at + 1]))
            break;
        at++;
    }
    return at;
}

static bool read_version(struct release_version *v)
{
    str s = v->version;
    if (s.len && (s.ptr[0] == 'v' || s.ptr[0] == 'V'))
        s = str_slice(s, 1, s.len);
    size_t n = read_numbers(s, v->parts);
    if (n == 0)
        return false;
    v->number = str_slice(s, 0, n);
    s = str_slice(s, n, s.len);
    ptrdiff_t plus = str_find_char(s, '+', 0);
    if (plus >= 0) {
        v->build = str_slice(s, (size_t)plus + 1, s.len);
        s = str_slice(s, 0, (size_t)plus);
        if (v->build.len == 0)
            return false;
    }
    if (s.len == 0)
        return true;
    // "1.0-rc1" and, as some write it, "1.0rc1".
    v->prerelease = s.ptr[0] == '-' ? str_slice(s, 1, s.len) : s;
    return all(v->prerelease, is_word) && v->prerelease.ptr[0] != '.';
}

void release_version_parse(str name, struct release_version *ret_version)
{
    struct release_version v = { .version = name };
    size_t at = name.len;
    while (at > 1 && name.ptr[at - 1] != '@')
        at--;
    if (at > 1 && at < name.len) { // "@scope/app@1.0": the first '@' begins a package
        v.package = str_slice(name, 0, at - 1);
        v.version = str_slice(name, at, name.len);
    }
    struct release_version whole = v;
    if (v.package.len && read_version(&whole)) {
        v = whole;
        v.ordered = true;
    }
    *ret_version = v;
}

static int compare_numbers(str a, str b)
{
    while (a.len > 1 && a.ptr[0] == '0')
        a = str_slice(a, 1, a.len);
    while (b.len > 1 && b.ptr[0] == '0')
        b = str_slice(b, 1, b.len);
    return a.len != b.len ? (a.len > b.len) - (a.len < b.len) : str_cmp(a, b);
}

static int compare_word(str a, str b)
{
    bool x = all(a, is_digit), y = all(b, is_digit);
    if (x && y)
        return compare_numbers(a, b);
    return x != y ? (y ? 1 : -1) : str_cmp(a, b);
}

// Word by word between dots; numbers come before words, fewer words first.
static int compare_words(str a, str b)
{
    while (a.len && b.len) {
        ptrdiff_t x = str_find_char(a, '.', 0), y = str_find_char(b, '.', 0);
        int c = compare_word(x < 0 ? a : str_slice(a, 0, (size_t)x), y < 0 ? b : str_slice(b, 0, (size_t)y));
        if (c)
            return c;
        a = x < 0 ? (str){ 0 } : str_slice(a, (size_t)x + 1, a.len);
        b = y < 0 ? (str){ 0 } : str_slice(b, (size_t)y + 1, b.len);
    }
    return (a.len > 0) - (b.len > 0);
}

int release_version_compare(const struct release_version *a, const struct release_version *b)
{
    for (int i = 0; i < 4; i++)
        if (a->parts[i] != b->parts[i])
            return a->parts[i] < b->parts[i] ? -1 : 1;
    if (!a->prerelease.len != !b->prerelease.len)
        return a->prerelease.len ? -1 : 1;
    int c = compare_words(a->prerelease, b->prerelease);
    return c ? c : compare_words(a->build, b->build);
}

static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

str release_version_short(str name)
{
    struct release_version v;
    release_version_parse(name, &v);
    bool hash = (v.version.len == HASH_SHA1 || v.version.len == HASH_SHA256) && all(v.version, is_hex);
    return hash ? str_slice(v.version, 0, HASH_SHORT) : v.version;
}
