// Words of the wire for enumerations, and the stable codes with their texts: see probe.h, value.h, redact.h.
#include "probe/names_internal.h"
#include "probe/redact.h"

#define TEXT(name, text) STR_INIT(text),
const str probe_kind_names[] = { PROBE_KIND_TABLE(TEXT) };
const str probe_point_names[] = { PROBE_POINT_TABLE(TEXT) };
const str probe_match_names[] = { PROBE_MATCH_TABLE(TEXT) };
const str probe_keep_names[] = { PROBE_KEEP_TABLE(TEXT) };
const str probe_metric_names[] = { PROBE_METRIC_TABLE(TEXT) };
const str probe_level_names[] = { PROBE_LEVEL_TABLE(TEXT) };
static const str state_names[] = { PROBE_STATE_TABLE(TEXT) };
static const str why_names[] = { PROBE_WHY_TABLE(TEXT) };
static const str rule_names[] = { PROBE_RULE_TABLE(TEXT) };
static const str drop_names[] = { STR_INIT("rate"), STR_INIT("ring"), STR_INIT("spool"), STR_INIT("budget"),
                                  STR_INIT("grant") };
#undef TEXT

static str name_of(const str *names, size_t n, unsigned i) { return i < n ? names[i] : (str){ 0 }; }
#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof((names)[0]), (unsigned)(i))

str probe_kind_name(enum probe_kind kind) { return NAME_OF(probe_kind_names, kind); }
str probe_state_name(enum probe_state state) { return NAME_OF(state_names, state); }
str probe_point_name(enum probe_point point) { return NAME_OF(probe_point_names, point); }
str probe_level_name(enum probe_level level) { return NAME_OF(probe_level_names, level); }
str probe_drop_name(enum probe_drop drop) { return NAME_OF(drop_names, drop); }
str probe_why_name(unsigned why) { return NAME_OF(why_names, why); }
str probe_rule_name(unsigned rule) { return NAME_OF(rule_names, rule); }

bool probe_name_find(const str *names, size_t n, str name, unsigned *ret_i)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name)) {
            *ret_i = (unsigned)i;
            return true;
        }
    return false;
}

bool probe_state_of(str name, enum probe_state *ret_state)
{
    unsigned i;
    if (!probe_name_find(state_names, PROBE_STATES, name, &i))
        return false;
    *ret_state = (enum probe_state)i;
    return true;
}

static const struct probe_code_text codes[] = {
#define CODE(code, message, hint)                         \
    {                                                     \
        STR_INIT(code), STR_INIT(message), STR_INIT(hint) \
    }
    CODE("no_code_at_line", "No code begins on this line.", "Choose one of the nearest lines that have code."),
    CODE("ambiguous_file", "Several loaded files match this path.",
         "Give more of the path, as one of the candidates has it."),
    CODE("no_such_function", "No loaded function has this name.", "Choose one of the functions of the module."),
    CODE("source_mismatch", "The process runs another version of this file than the one shown.",
         "Look at the source as this process has it, or let the probe follow its line."),
    CODE("module_not_loaded", "The process has not loaded this file yet.",
         "Nothing to do: the probe is installed when the file is loaded."),
    CODE("optimized_out", "The compiler has left variables no place here.", "Choose another line, or build with -Og."),
    CODE("no_debug_info", "The executable has no debug information.", "Build with -g, or upload the symbols."),
    CODE("inlined_only", "The function exists only inlined into others.",
         "Choose one of the places where it was inlined."),
    CODE("no_permission", "The agent may not reach this process.",
         "Run the agent as root, or as the same user with the capability SYS_PTRACE; see clew doctor."),
    CODE("policy", "The policy of this host forbids it.", "Whoever keeps the host can change the agent's policy file."),
    CODE("other_debugger", "Another debugger or tracer is attached to the process.",
         "End that one first; the probe is installed as soon as it is gone."),
    CODE("other_agent", "Another agent on this host has its probes in the process.",
         "Let one agent of the host do it all; the probe is installed when the other one has left."),
    CODE("runtime_disabled", "The runtime was started with this turned off.",
         "Start the process without the setting that is named."),
    CODE("runtime_unsupported", "This version or build of the runtime is not supported.",
         "Use one of the versions in the manual."),
    CODE("musl", "The process uses musl, into which the agent's part cannot be loaded.",
         "Use an image with the GNU C library."),
    CODE("busy_in_native", "The process is inside native code that must not be interrupted.",
         "Nothing to do: the agent tries again until it comes out."),
    CODE("on_stack", "The function is running, and cannot be changed under a frame of its own.",
         "Nothing to do: the agent tries again until it returns."),
    CODE("old_code_running", "Frames, generators or closures made before still run the old code.",
         "New calls are seen; restart what has run since before to see the rest."),
    CODE("breakpoint", "The probe stands at a breakpoint inside the process, which costs more than a call.",
         "Choose a line of a function that ends and is called again, in a line that is not minified."),
    CODE("worker_threads", "The probe is not in all threads of the process that may run this file.",
         "What the others run is captured; a thread that was busy is tried again by itself."),
    CODE("attach_failed", "Attaching to the process failed.",
         "Look at the agent's log; the process runs on unchanged."),
    CODE("process_gone", "The process has ended.", "Nothing to do: new instances get the probe by themselves."),
    CODE("budget", "The probe cost more time than it may.",
         "Add a condition that is true less often, sample, or choose a line that runs less often."),
    CODE("host_brake", "The agent took more of its host than it may, so all probes are off.",
         "Nothing to do: they come back a minute after it takes less."),
    CODE("lease_expired", "The agent has not heard from the server for too long and took its probes away.",
         "Look whether the host reaches the server."),
    CODE("cond_error", "The condition fails.", "The first error is shown; a missing name or field makes it false."),
    CODE("code_invalid", "The agent refused the compiled expression.", "Use the same version of agent and server."),
    CODE("code_unsupported", "This runtime cannot evaluate the expression here.", "Use a simpler expression."),
    CODE("too_many_probes", "The process or its host has as many probes as it may have.", "Remove some of them."),
    CODE("no_agent", "The agent of the host is away.", "Start the agent on its host again."),
    CODE("set_unreadable", "The agent cannot read the probes of its host, and has taken all of them out.",
         "Use the same version of agent and server, or remove some of the probes."),
    CODE("invalid_probe", "The agent does not understand the probe.", "Use the same version of agent and server."),
#undef CODE
};

const struct probe_code_text *probe_code_at(size_t i)
{
    return i < sizeof(codes) / sizeof(codes[0]) ? &codes[i] : NULL;
}

const struct probe_code_text *probe_code_text(str code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (str_eq(codes[i].code, code))
            return &codes[i];
    return NULL;
}
