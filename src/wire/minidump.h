// Minidumps (Microsoft's format, also Breakpad's and Crashpad's): what crashed, where, and what was loaded. Pure; every offset is
// checked against the bytes that are there. Nothing is unwound: a caller's frame is a guess without the programs' own tables.
#pragma once
#include "base/arena.h"
#include "base/json.h"

enum { MINIDUMP_STREAMS_MAX = 256, MINIDUMP_MODULES_MAX = 1024, MINIDUMP_NAME_MAX = 1024 };

struct minidump_module {
    uint64_t base;
    uint32_t size;
    str path;  // as the system names it
    str debug; // id of its symbols, as Sentry writes it; empty: not known
};
struct minidump {
    uint16_t processor;
    uint32_t platform, major, minor, build; // of the system; 0: not said
    bool crashed;                           // there is an exception
    uint32_t thread, code, flags;
    uint64_t address; // that the system says of it
    uint64_t pc;      // instruction of the crashed thread; 0: not known
    uint32_t threads;
    const struct minidump_module *modules;
    uint32_t modules_n;
};
// ERR_MALFORMED, ERR_NOMEM. Streams that are broken are as if they were not there.
int minidump_read(bytes dump, struct arena *arena, struct minidump *ret_dump);

// "SIGSEGV", "EXCEPTION_ACCESS_VIOLATION", "0xe06d7363"; in the arena or a constant.
str minidump_reason(const struct minidump *m, struct arena *arena);
// NULL: in none.
const struct minidump_module *minidump_module_at(const struct minidump *m, uint64_t address);
// Members of an event that is open in w: exception (with the place of the crash as its frame), debug_meta. ERR_NOMEM.
int minidump_put_exception(struct json_writer *w, const struct minidump *m, struct arena *arena);
void minidump_put_images(struct json_writer *w, const struct minidump *m);
