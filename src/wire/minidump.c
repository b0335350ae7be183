#include "wire/minidump.h"

#include "base/err.h"
#include "base/hex.h"
#include "base/utf8.h"

#include <string.h>

// Streams, and sizes of what stands in them.
enum {
    HEADER = 32,
    ENTRY = 12,
    THREADS = 3,
    MODULES = 4,
    EXCEPTION = 6,
    SYSTEM = 7,
    MODULE = 108,
    EXCEPTION_LEN = 168,
    SYSTEM_LEN = 24,
};
static const uint32_t SIGNATURE = 0x504d444d, VERSION = 0xa793;
static const uint32_t RSDS = 0x53445352, BUILD_ID = 0x4270454c;

// [at, at + n) of the dump; empty when it does not lie inside.
static bytes part(bytes dump, uint64_t at, uint64_t n)
{
    if (at > dump.len || n > dump.len - at)
        return (bytes){ 0 };
    return bytes_of(dump.ptr + at, (size_t)n);
}

// UTF-16, little endian, after its length in bytes.
static int name_read(bytes dump, uint32_t at, struct arena *arena, str *ret)
{
    bytes head = part(dump, at, 4);
    uint32_t n = head.len ? le32_get(head.ptr) : 0;
    bytes text = part(dump, (uint64_t)at + 4, n < 2 * MINIDUMP_NAME_MAX ? n & ~1u : 2 * MINIDUMP_NAME_MAX);
    char *out = arena_alloc_bytes(arena, text.len * 2 + 4);
    size_t len = 0;
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        uint32_t c = le16_get(text.ptr + i);
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < text.len) {
            uint32_t low = le16_get(text.ptr + i + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        if ((c >= 0xd800 && c < 0xe000) || c < 0x20)
            c = 0xfffd;
        len += utf8_put(out + len, c);
    }
    *ret = str_of(out, len);
    return 0;
}

// A GUID and an age (PDB), or a build id (ELF): the first 16 bytes of either, mixed-endian as GUIDs are written.
static int debug_read(bytes record, struct arena *arena, str *ret)
{
    uint8_t id[16] = { 0 };
    uint32_t age = 0;
    if (record.len < 5)
        return 0;
    bytes body = bytes_of(record.ptr + 4, record.len - 4);
    if (le32_get(record.ptr) == RSDS && body.len >= 20) {
        memcpy(id, body.ptr, sizeof id);
        age = le32_get(body.ptr + 16);
    } else if (le32_get(record.ptr) == BUILD_ID) {
        memcpy(id, body.ptr, body.len < sizeof id ? body.len : sizeof id);
    } else {
        return 0;
    }
    *ret = arena_printf(arena, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", le32_get(id), le16_get(id + 4),
                        le16_get(id + 6), id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
    if (ret->ptr && age)
        *ret = arena_printf(arena, "%.*s-%x", STR_ARG(*ret), age);
    return ret->ptr ? 0 : ERR_NOMEM;
}

static int modules_read(bytes dump, bytes stream, struct arena *arena, struct minidump *m)
{
    if (stream.len < 4)
        return 0;
    uint32_t n = le32_get(stream.ptr);
    // Some writers align what follows the count.
    size_t at = stream.len >= 8 && stream.len - 8 == (uint64_t)n * MODULE ? 8 : 4;
    if (n > (stream.len - at) / MODULE)
        n = (uint32_t)((stream.len - at) / MODULE);
    if (n > MINIDUMP_MODULES_MAX)
        n = MINIDUMP_MODULES_MAX;
    struct minidump_module *modules = arena_alloc_array(arena, n + 1, sizeof *modules);
    if (!modules)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = stream.ptr + at + (size_t)i * MODULE;
        modules[i] = (struct minidump_module){ .base = le64_get(p), .size = le32_get(p + 8) };
        int r = name_read(dump, le32_get(p + 20), arena, &modules[i].path);
        if (r == 0)
            r = debug_read(part(dump, le32_get(p + 80), le32_get(p + 76)), arena, &modules[i].debug);
        if (r < 0)
            return r;
    }
    m->modules = modules;
    m->modules_n = n;
    return 0;
}

// Where the instruction pointer stands in a context, by processor.
static uint64_t pc_read(bytes context, uint16_t processor)
{
    enum { X86 = 0, ARM = 5, AMD64 = 9, ARM64 = 12, ARM64_OLD = 0x8003 };
    static const struct {
        uint16_t processor;
        uint16_t at;
        bool wide;
    } places[] = { { X86, 0xb8, false },
                   { ARM, 0x40, false },
                   { AMD64, 0xf8, true },
                   { ARM64, 0x108, true },
                   { ARM64_OLD, 0x108, true } };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].processor != processor)
            continue;
        if (context.len < (size_t)places[i].at + (places[i].wide ? 8 : 4))
            return 0;
        return places[i].wide ? le64_get(context.ptr + places[i].at) : le32_get(context.ptr + places[i].at);
    }
    return 0;
}

static void exception_read(bytes dump, bytes stream, struct minidump *m)
{
    if (stream.len < EXCEPTION_LEN)
        return;
    m->crashed = true;
    m->thread = le32_get(stream.ptr);
    m->code = le32_get(stream.ptr + 8);
    m->flags = le32_get(stream.ptr + 12);
    m->address = le64_get(stream.ptr + 24);
    m->pc = pc_read(part(dump, le32_get(stream.ptr + 164), le32_get(stream.ptr + 160)), m->processor);
}

static void system_read(bytes stream, struct minidump *m)
{
    if (stream.len < SYSTEM_LEN)
        return;
    m->processor = le16_get(stream.ptr);
    m->major = le32_get(stream.ptr + 8);
    m->minor = le32_get(stream.ptr + 12);
    m->build = le32_get(stream.ptr + 16);
    m->platform = le32_get(stream.ptr + 20);
}

int minidump_read(bytes dump, struct arena *arena, struct minidump *ret_dump)
{
    struct minidump m = { 0 };
    bytes found[SYSTEM + 1] = { 0 };
    if (dump.len < HEADER || le32_get(dump.ptr) != SIGNATURE || (le32_get(dump.ptr + 4) & 0xffff) != VERSION)
        return ERR_MALFORMED;
    uint32_t n = le32_get(dump.ptr + 8);
    if (n > MINIDUMP_STREAMS_MAX)
        n = MINIDUMP_STREAMS_MAX;
    bytes directory = part(dump, le32_get(dump.ptr + 12), (uint64_t)n * ENTRY);
    if (!directory.len)
        return ERR_MALFORMED;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = directory.ptr + (size_t)i * ENTRY;
        uint32_t type = le32_get(p);
        if (type <= SYSTEM && !found[type].len)
            found[type] = part(dump, le32_get(p + 8), le32_get(p + 4));
    }
    system_read(found[SYSTEM], &m); // first: the context is its processor's
    exception_read(dump, found[EXCEPTION], &m);
    m.threads = found[THREADS].len >= 4 ? le32_get(found[THREADS].ptr) : 0;
    int r = modules_read(dump, found[MODULES], arena, &m);
    if (r < 0)
        return r;
    *ret_dump = m;
    return 0;
}

const struct minidump_module *minidump_module_at(const struct minidump *m, uint64_t address)
{
    for (uint32_t i = 0; i < m->modules_n; i++)
        if (address >= m->modules[i].base && address - m->modules[i].base < m->modules[i].size)
            return &m->modules[i];
    return NULL;
}
