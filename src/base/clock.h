// Clocks. All times in Clew are int64 nanoseconds: Unix time for records, monotonic for timers.
#pragma once
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

int64_t clock_unix_ns(void);
int64_t clock_mono_ns(void);
// CPU time of the calling thread.
int64_t clock_thread_cpu_ns(void);
