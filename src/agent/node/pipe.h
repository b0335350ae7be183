// The pipe by which captures leave the process: a name in its /dev/shm (or /tmp) for the moment that it takes to open it, then none.
#pragma once
#include "agent/backend.h"

struct node_pipe {
    int fd; // -1: none
    int dir;
    char name[40], path[64]; // path: as the process sees it
};

int node_pipe_make(const struct process *p, struct node_pipe *ret, struct err *err);
// Takes the name away.
void node_pipe_hide(struct node_pipe *pipe);
void node_pipe_close(struct node_pipe *pipe);
// Whether a descriptor of the process is its end still; true where that cannot be asked.
bool node_pipe_held(const struct node_pipe *pipe, const struct process *p, int descriptor);
