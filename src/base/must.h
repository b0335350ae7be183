// must(): a programming error ends the process at once with the place; it is never used for what
// input, disk or network can cause. Stays on in release builds: a wrong process is worse than none.
#pragma once

_Noreturn void must_fail(const char *expr, const char *file, int line);

#define must(cond) (__builtin_expect(!!(cond), 1) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))

// Heap objects begin with a magic word, checked on every cast and zeroed when freed.
#define MAGIC_CHECK(obj, value) must((obj) && (obj)->magic == (value))
