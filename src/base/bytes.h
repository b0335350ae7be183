// Views: pointer + length, by value, never owning. Nothing from outside is NUL-terminated, so
// nothing here looks for a NUL except STR_Z, which is for literals and our own C strings.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *ptr;
    size_t len;
} bytes;

typedef struct {
    const char *ptr;
    size_t len;
} str;

#define STR(lit) ((str){ (lit), sizeof(lit) - 1 })
#define STR_INIT(lit)          \
    {                          \
        (lit), sizeof(lit) - 1 \
    }
// For printf("%.*s"): STR_ARG(s)
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline str str_z(const char *z) { return (str){ z, z ? strlen(z) : 0 }; }
static inline str str_of(const void *p, size_t n) { return (str){ (const char *)p, n }; }
static inline bytes bytes_of(const void *p, size_t n) { return (bytes){ (const uint8_t *)p, n }; }
static inline str str_of_bytes(bytes b) { return (str){ (const char *)b.ptr, b.len }; }
static inline bytes bytes_of_str(str s) { return (bytes){ (const uint8_t *)s.ptr, s.len }; }

static inline bool str_eq(str a, str b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }
static inline bool bytes_eq(bytes a, bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
// ASCII case-insensitive, for protocol words.
static inline bool str_ieq(str a, str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
        if ((unsigned)(x - 'A') < 26u)
            x |= 0x20;
        if ((unsigned)(y - 'A') < 26u)
            y |= 0x20;
        if (x != y)
            return false;
    }
    return true;
}
// Byte order, shorter first on a common prefix: the order of the query language.
static inline int str_cmp(str a, str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}
static inline bool str_starts(str s, str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}
static inline bool str_ends(str s, str suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}
// Index of the first c at or after from, or -1.
static inline ptrdiff_t str_find_char(str s, char c, size_t from)
{
    if (from >= s.len)
        return -1;
    const char *p = (const char *)memchr(s.ptr + from, c, s.len - from);
    return p ? p - s.ptr : -1;
}
// Index of the first occurrence of needle, or -1. Empty needle: 0.
static inline ptrdiff_t str_find(str s, str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len || !s.ptr) // the second only for gcc, which thinks that it can be
        return -1;
    const char *p = (const char *)memmem(s.ptr, s.len, needle.ptr, needle.len);
    return p ? p - s.ptr : -1;
}
static inline str str_slice(str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (str){ s.ptr + from, to - from };
}
// What stands behind the last slash of a path.
static inline str str_base_name(str path)
{
    const char *slash = path.len ? (const char *)memrchr(path.ptr, '/', path.len) : NULL;
    return slash ? str_slice(path, (size_t)(slash - path.ptr) + 1, path.len) : path;
}
static inline str str_trim(str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t' || s.ptr[0] == '\r' || s.ptr[0] == '\n'))
        s.ptr++, s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r' ||
                     s.ptr[s.len - 1] == '\n'))
        s.len--;
    return s;
}

// Explicit little-endian codecs for files and wires; compilers turn them into one move.
static inline uint16_t le16_get(const void *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
static inline uint32_t le32_get(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static inline uint64_t le64_get(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static inline void le16_put(void *p, uint16_t v) { memcpy(p, &v, 2); }
static inline void le32_put(void *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void le64_put(void *p, uint64_t v) { memcpy(p, &v, 8); }
static inline uint64_t be64_get(const void *p) { return __builtin_bswap64(le64_get(p)); }
static inline void be64_put(void *p, uint64_t v) { le64_put(p, __builtin_bswap64(v)); }
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the le codecs above assume a little-endian host"
#endif
