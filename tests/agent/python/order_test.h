// What the tests of the back end share: victims on every interpreter of this machine, an attachment, what was seen of it.
#pragma once
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/python/python.h"
#include "program.h"
#include <cmocka.h>

enum { PYTHONS_MAX = 16, PATIENCE_S = 120, CAPTURES_MAX = 64 };

extern char *pythons[PYTHONS_MAX];
extern size_t python_count;

struct seen {
    char state[32], code[32], data[256], message[256], first_error[256];
    char *captures[CAPTURES_MAX];
    size_t n;
    uint64_t hits, filtered, captured, errors, rate, ns;
    unsigned suspended; // how often that was told
};
extern struct seen seen;
void forget(void);

struct victim {
    const char *python; // the interpreter's path
    pid_t pid;
    FILE *out;
    long n, called, same;
};
struct victim start(const char *python, const char *mode);
struct victim start_file(const char *python, const char *file, const char *mode);
struct victim start_module(const char *python, const char *module); // python -m, of the victims' folder
void hear(struct victim *v);
// Until it has its own code again, past all that it wrote before; fails the test after a long while.
void hear_restored(struct victim *v);
void end(struct victim *v);
int64_t now_ns(void);

// The one that is polled while the victim is listened to.
extern struct attachment *attached;

// Fails the test, and says what was seen of the probe and of the victim.
void give_up(const struct victim *v, const char *wanted);
// The one that a process has forked off, 0: none.
pid_t child_of(pid_t pid);

// Polls, and reads what the victim says, until the condition holds.
#define UNTIL(v, a, condition)                          \
    do {                                                \
        attached = (a);                                 \
        time_t until_ = time(NULL) + PATIENCE_S;        \
        while (!(condition)) {                          \
            int64_t next_;                              \
            if (time(NULL) > until_)                    \
                give_up((v), #condition);               \
            python_backend.poll((a), now_ns(), &next_); \
            hear(v);                                    \
        }                                               \
    } while (0)

// Polls, and hears the victim so many times.
void turns(struct victim *v, struct attachment *a, int n);
void detach(struct attachment *a);
struct probe line_probe(uint32_t line);
uint32_t line_of(const char *text);
uint32_t line_in(const char *file, const char *text);
struct attachment *attach(const struct victim *v);
struct attachment *attach_with(const struct victim *v, bool shapes);
void place(struct attachment *a, const struct probe *p);
void has(const char *json, const char *what);
bool any_has(const char *what); // of the captures
void has_not(const char *json, const char *what);

bool stands(void); // the probe, as far as it is told

void pythons_find(void);
void pythons_free(void);
// Up to 3.11: code is copied, and exceptions are told of only where they leave a function.
bool python_is_older(const char *python);
