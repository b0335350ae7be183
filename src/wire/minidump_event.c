// What a minidump says of a crash, as Sentry's event has it.
#include "base/err.h"
#include "wire/minidump.h"

#include <stdio.h>

enum { WINDOWS = 2, MAC = 0x8101, IOS = 0x8102, LINUX = 0x8201, ANDROID = 0x8203, SIGNAL_DUMP_REQUESTED = 0xffffffff };

struct named {
    uint32_t code;
    str name;
};
#define NAMED(code, name)    \
    {                        \
        code, STR_INIT(name) \
    }

static const struct named signals[] = {
    NAMED(1, "SIGHUP"),
    NAMED(2, "SIGINT"),
    NAMED(3, "SIGQUIT"),
    NAMED(4, "SIGILL"),
    NAMED(5, "SIGTRAP"),
    NAMED(6, "SIGABRT"),
    NAMED(7, "SIGBUS"),
    NAMED(8, "SIGFPE"),
    NAMED(9, "SIGKILL"),
    NAMED(11, "SIGSEGV"),
    NAMED(13, "SIGPIPE"),
    NAMED(15, "SIGTERM"),
    NAMED(16, "SIGSTKFLT"),
    NAMED(24, "SIGXCPU"),
    NAMED(25, "SIGXFSZ"),
    NAMED(31, "SIGSYS"),
    NAMED(SIGNAL_DUMP_REQUESTED, "DUMP_REQUESTED"),
};
static const struct named windows[] = {
    NAMED(0x80000001, "EXCEPTION_GUARD_PAGE"),          NAMED(0x80000002, "EXCEPTION_DATATYPE_MISALIGNMENT"),
    NAMED(0x80000003, "EXCEPTION_BREAKPOINT"),          NAMED(0x80000004, "EXCEPTION_SINGLE_STEP"),
    NAMED(0xc0000005, "EXCEPTION_ACCESS_VIOLATION"),    NAMED(0xc0000006, "EXCEPTION_IN_PAGE_ERROR"),
    NAMED(0xc0000008, "EXCEPTION_INVALID_HANDLE"),      NAMED(0xc0000017, "STATUS_NO_MEMORY"),
    NAMED(0xc000001d, "EXCEPTION_ILLEGAL_INSTRUCTION"), NAMED(0xc0000025, "EXCEPTION_NONCONTINUABLE_EXCEPTION"),
    NAMED(0xc0000026, "EXCEPTION_INVALID_DISPOSITION"), NAMED(0xc000008c, "EXCEPTION_ARRAY_BOUNDS_EXCEEDED"),
    NAMED(0xc000008e, "EXCEPTION_FLT_DIVIDE_BY_ZERO"),  NAMED(0xc0000090, "EXCEPTION_FLT_INVALID_OPERATION"),
    NAMED(0xc0000094, "EXCEPTION_INT_DIVIDE_BY_ZERO"),  NAMED(0xc0000095, "EXCEPTION_INT_OVERFLOW"),
    NAMED(0xc0000096, "EXCEPTION_PRIV_INSTRUCTION"),    NAMED(0xc00000fd, "EXCEPTION_STACK_OVERFLOW"),
    NAMED(0xc0000194, "EXCEPTION_POSSIBLE_DEADLOCK"),   NAMED(0xc0000374, "STATUS_HEAP_CORRUPTION"),
    NAMED(0xc0000409, "STATUS_STACK_BUFFER_OVERRUN"),   NAMED(0xe06d7363, "Unhandled C++ Exception"),
};
static const struct named mach[] = {
    NAMED(1, "EXC_BAD_ACCESS"),     NAMED(2, "EXC_BAD_INSTRUCTION"), NAMED(3, "EXC_ARITHMETIC"),
    NAMED(4, "EXC_EMULATION"),      NAMED(5, "EXC_SOFTWARE"),        NAMED(6, "EXC_BREAKPOINT"),
    NAMED(7, "EXC_SYSCALL"),        NAMED(8, "EXC_MACH_SYSCALL"),    NAMED(9, "EXC_RPC_ALERT"),
    NAMED(10, "EXC_CRASH"),         NAMED(11, "EXC_RESOURCE"),       NAMED(12, "EXC_GUARD"),
    NAMED(13, "EXC_CORPSE_NOTIFY"),
};

static str name_of(const struct named *of, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (of[i].code == code)
            return of[i].name;
    return (str){ 0 };
}
#define NAME_OF(of, code) name_of(of, sizeof of / sizeof of[0], code)

str minidump_reason(const struct minidump *m, struct arena *arena)
{
    str name = { 0 };
    if (!m->crashed)
        return STR("Minidump");
    if (m->platform == LINUX || m->platform == ANDROID)
        name = NAME_OF(signals, m->code);
    else if (m->platform == MAC || m->platform == IOS)
        name = NAME_OF(mach, m->code);
    else if (m->platform == WINDOWS)
        name = NAME_OF(windows, m->code);
    return name.len ? name : arena_printf(arena, "0x%x", m->code);
}

static str base_name(str path)
{
    size_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/' && path.ptr[i - 1] != '\\')
        i--;
    return str_slice(path, i, path.len);
}

static void put_text(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    json_put_str(w, text);
}

static void put_address(struct json_writer *w, str key, uint64_t address)
{
    char text[32];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)address);
    put_text(w, key, str_z(text));
}

// The instruction: what the context says, else what the system does, which is one on Windows.
static uint64_t instruction(const struct minidump *m) { return m->pc ? m->pc : m->address; }

// "libshop.so+0x1f3a"; an address of no module changes from run to run, and is not said.
static str place(const struct minidump *m, struct arena *arena)
{
    uint64_t at = instruction(m);
    const struct minidump_module *module = minidump_module_at(m, at);
    if (!module)
        return STR("<unknown>");
    return arena_printf(arena, "%.*s+0x%llx", STR_ARG(base_name(module->path)),
                        (unsigned long long)(at - module->base));
}

static bool is_system(str path)
{
    static const str below[] = { STR_INIT("/lib"),       STR_INIT("/usr/lib"),  STR_INIT("/System/"),
                                 STR_INIT("/system/"),   STR_INIT("/apex/"),    STR_INIT("/vendor/lib"),
                                 STR_INIT("linux-gate"), STR_INIT("linux-vdso") };
    static const str system_drive = STR_INIT(":\\Windows\\");
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        if (str_starts(path, below[i]))
            return true;
    return path.len > 1 + system_drive.len && str_ieq(str_slice(path, 1, 1 + system_drive.len), system_drive);
}

static int put_stack(struct json_writer *w, const struct minidump *m, struct arena *arena)
{
    const struct minidump_module *module = minidump_module_at(m, instruction(m));
    str function = place(m, arena);
    if (!function.ptr)
        return ERR_NOMEM;
    json_put_key(w, STR("stacktrace"));
    json_put_object(w);
    json_put_key(w, STR("frames"));
    json_put_array(w);
    json_put_object(w);
    put_text(w, STR("function"), function);
    put_address(w, STR("instruction_addr"), instruction(m));
    if (module) {
        put_text(w, STR("package"), module->path);
        put_address(w, STR("image_addr"), module->base);
        json_put_key(w, STR("in_app"));
        json_put_bool(w, !is_system(module->path));
    }
    json_put_object_end(w);
    json_put_array_end(w);
    json_put_object_end(w);
    return 0;
}

int minidump_put_exception(struct json_writer *w, const struct minidump *m, struct arena *arena)
{
    str reason = minidump_reason(m, arena), where = place(m, arena),
        says = STR("the process did not crash; its dump was asked for");
    if (m->crashed)
        says = arena_printf(arena, "at %.*s", STR_ARG(where));
    if (!reason.ptr || !where.ptr || !says.ptr)
        return ERR_NOMEM;
    json_put_key(w, STR("exception"));
    json_put_object(w);
    json_put_key(w, STR("values"));
    json_put_array(w);
    json_put_object(w);
    put_text(w, STR("type"), reason);
    put_text(w, STR("value"), says);
    if (m->crashed) {
        json_put_key(w, STR("thread_id"));
        json_put_uint(w, m->thread);
    }
    json_put_key(w, STR("mechanism"));
    json_put_object(w);
    put_text(w, STR("type"), STR("minidump"));
    json_put_key(w, STR("handled"));
    json_put_bool(w, false);
    if (m->crashed) {
        json_put_key(w, STR("data"));
        json_put_object(w);
        put_address(w, STR("code"), m->code);
        put_address(w, STR("flags"), m->flags);
        put_address(w, STR("address"), m->address);
        json_put_object_end(w);
    }
    json_put_object_end(w);
    int r = m->crashed ? put_stack(w, m, arena) : 0;
    json_put_object_end(w);
    json_put_array_end(w);
    json_put_object_end(w);
    return r;
}

void minidump_put_images(struct json_writer *w, const struct minidump *m)
{
    str kind = m->platform == WINDOWS                     ? STR("pe")
               : m->platform == MAC || m->platform == IOS ? STR("macho")
                                                          : STR("elf");
    json_put_key(w, STR("debug_meta"));
    json_put_object(w);
    json_put_key(w, STR("images"));
    json_put_array(w);
    for (uint32_t i = 0; i < m->modules_n; i++) {
        const struct minidump_module *module = &m->modules[i];
        json_put_object(w);
        put_text(w, STR("type"), kind);
        put_text(w, STR("code_file"), module->path);
        if (module->debug.len)
            put_text(w, STR("debug_id"), module->debug);
        put_address(w, STR("image_addr"), module->base);
        json_put_key(w, STR("image_size"));
        json_put_uint(w, module->size);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    json_put_object_end(w);
}
