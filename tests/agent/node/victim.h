// What the tests of the back end for Node share: a real process that is probed, and what was told of it.
#pragma once
#include <stdio.h>

#include "agent/node/node.h"
#include "agent/process.h"
#include "probe/probe.h"

struct CMUnitTest;

enum { NODES_MAX = 16, CAPTURES_MAX = 64, VICTIM_OPTIONS_MAX = 4 };

extern char *nodes[NODES_MAX], *old_node; // old_node: whose functions are not changed
extern size_t node_count;
extern const struct backend_events events;

extern struct seen {
    char state[32], code[32], message[256], data[256], error[128];
    int line;
    char *captures[CAPTURES_MAX];
    size_t n;
    struct probe_counts counts;
} seen;

struct victim {
    pid_t pid;
    FILE *out;
    int port; // where it serves
    struct arena arena;
    struct process process;
    char file[256];
};

void forget(void);
struct victim start(const char *node, const char *file, const char *mode);
// options: of Node itself, NULL at their end.
struct victim start_with(const char *node, const char *const *options, const char *file, const char *mode);
// It still works: two of its own lines later, and nothing that must not run has run.
void works(struct victim *v);
// Its next line; the agent goes on meanwhile.
void hears(struct victim *v, struct attachment *a, char *line, int room);
// Until so many workers of victim_pool.js have loaded their files; nobody looks at them meanwhile.
void until_begun(struct victim *v, int wanted);
void end(struct victim *v);

struct probe probe_at(struct victim *v, const char *id, uint32_t line);
struct probe_program program(struct arena *arena, const char *text);
struct attachment *attach(struct victim *v);
void apply(struct attachment *a, const struct probe *p, size_t n);
int64_t now_ns(void);
void polls(struct attachment *a);
void until_state(struct attachment *a, const char *state);
void until_code(struct attachment *a, const char *state, const char *code);
void until_captures(struct attachment *a, size_t n);
void has(const char *json, const char *part);
void has_not(const char *json, const char *part);

int victims_run(const char *name, const struct CMUnitTest *tests, size_t n);
