// A checked expression as JavaScript text that calls nothing but the helpers of runtimes/node/walk.js (`H`, in a realm of their own).
// Every name and literal of the text comes from the tree and is escaped here.
#pragma once
#include "base/buf.h"
#include "probe/expr.h"

struct lower_found {
    unsigned tables;
    bool callers; // it asks for variables of callers, which nothing inside the process can read
};

struct lower {
    void *ctx;
    // Writes what stands for a variable: a parameter of the function that is made. False: it is not in scope.
    // file: of the file's own names alone, past those of functions.
    bool (*name)(void *ctx, str name, bool file, struct buf *out);
    const struct probe_policy *policy;
    str service, host;
    struct buf *tables; // what is made once, in front of the function: patterns
    struct lower_found *found;
    bool
        event; // the exit of a function, or an exception: @return and so on are known, and some names are only at some exits
};

// Appends. Where the program's code would have to run, or a thing is not known in this runtime, the text says so at the hit.
void lower_expr(const struct lower *l, const struct probe_expr *e, struct buf *out);
// A string literal; also valid JSON.
void lower_text(struct buf *out, str s);
