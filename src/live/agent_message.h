// What an agent says, read from JSON into actions. Pure: no state, no clock; what does not have its form is refused whole.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"

enum {
    AGENT_MESSAGE_DEPTH = 64,
    AGENT_PROCESSES_MAX = 5000,
    AGENT_STATES_MAX = 20000,
    AGENT_CAPTURES_MAX = 1000, // of one message
    AGENT_TRACES_MAX = 4096,
    AGENT_ID_MAX = 64, // bytes of a capture's id
    AGENT_CODE_MAX = 64,
    AGENT_RULES_MAX = 16, // of each list of a policy
    AGENT_RULE_MAX = 128, // bytes
    AGENT_RULES_JSON_MAX = 32 << 10,
};

enum agent_message_kind {
    AGENT_HELLO,
    AGENT_PROCESSES,
    AGENT_STATES,
    AGENT_COUNTS,
    AGENT_CAPTURES,
    AGENT_RESOLVED,
    AGENT_STATUS,
    AGENT_POLICY,
    AGENT_TRACES,
    AGENT_UNREAD, // it could not read its set of probes, and has none in
};

struct agent_state {
    int64_t probe, revision;
    str process, state, code, message, file;
    const struct json_node *data;
    int64_t line; // 0: not known
};
struct agent_count {
    int64_t probe;
    str process, first_error;
    int64_t hits, filtered, captured, dropped, errors, ns;
};
struct agent_process {
    str id, service, environment, version, instance, runtime, runtime_version;
    int64_t pid;
    bool attachable, attached;
    const struct json_node *json; // as it came
};
struct agent_capture {
    str id;
    int64_t probe, revision;
    const struct json_node *json;
};

// A trace whose end captures wait for on the host.
struct agent_trace {
    uint8_t id[16];
    int64_t waited_ms;
    bool slow; // its duration is asked for; else only whether it has an error
};

// Views into the text and the arena.
struct agent_message {
    enum agent_message_kind kind;
    size_t n;
    union {
        struct {
            int64_t protocol, revision;
            str host, version;
            bool shapes; // the host lets no value out: types and sizes instead
        } hello;
        const struct agent_process *processes;
        const struct agent_state *states;
        const struct agent_count *counts;
        const struct agent_capture *captures;
        const struct agent_trace *traces;
        struct {
            int64_t request;
            bool ok;
            const struct json_node *result;
            str error;
        } resolved;
        struct {
            double cpu_ratio;
            int64_t rss, spool_bytes, attached, dropped;
        } status;
        struct {
            bool shapes;
            const struct json_node *json;
        } policy;
        struct {
            str message;
        } unread;
    };
};

// "p3" -> 3; 0: it is no probe's id.
int64_t probe_id_of(str text);
// What a host's policy says of processes, as an object of lists: no more and no longer ones than the limits above say; "more" counts what is
// left out, here and by the agent.
void agent_rules_put(const struct json_node *policy, struct json_writer *w);
// ERR_MALFORMED with what is wrong; ERR_UNSUPPORTED: a type that is not known (to be passed over); ERR_NOMEM, ERR_LIMIT.
int agent_message_read(str text, struct arena *arena, struct agent_message *ret, struct err *err);
