// Source files of a process, as people are shown them: read from the process' own view of the disk, below its root and where it
// stands. No "..": a question is about files below.
#pragma once
#include "agent/backend.h"

// The path of the file that people mean by `path`, which may be the end of one ("orders.py"), as the place of a probe may: itself; beside the
// arguments of the program; the only one below where it stands, bounded. *ret_path lives in the arena, or is path. err: "no_source".
int source_find(const struct process *p, str path, struct arena *arena, str *ret_path, struct err *err);
// One of a regular file of at most size_max bytes; *ret_text lives in the arena. err: "no_source".
int source_read(const struct process *p, str path, size_t size_max, struct arena *arena, str *ret_text,
                struct err *err);
// RESOLVE_FILES: the folders, and the files of which `shown` says so by their names. Neither hidden ones.
// more: puts entries behind them; may be NULL.
int source_list(const struct process *p, str path, bool (*shown)(str name, bool folder),
                void (*more)(const struct process *p, str path, struct json_writer *out), struct json_writer *out,
                struct err *err);
