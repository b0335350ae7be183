// The memory map of a process, as /proc/PID/maps has it, and what of it matters for attaching to an interpreter.
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include <sys/types.h>

enum { MAPS_BYTES_MAX = 16 << 20, MAPS_PATH_MAX = 4096 };

struct maps_entry {
    uint64_t start, end, offset;
    bool read, write, exec, shared;
    uint64_t inode;
    str path; // as the process sees it; may end in " (deleted)"; a view into the text
};

// Takes the next line off *text; false at its end. Lines that are none are passed over.
bool maps_next(str *text, struct maps_entry *ret);
// A whole file of /proc/PID into a buffer that the caller frees with mem_free(); NUL-terminated. ERR_NOENT when the process is gone.
int maps_proc_read(pid_t pid, const char *name, size_t bytes_max, char **ret_text, size_t *ret_len);
// A number behind a name in /proc/PID/status ("TracerPid"); false when it is not there.
bool maps_status_number(str status, const char *name, uint64_t *ret);
// Opens the file that is mapped there: through map_files, which is the very inode (also of a file that was replaced by an upgrade), else by its path
// below the root of the process, compared by inode. Read-only; ERR_NOENT when neither works.
int maps_open(pid_t pid, const struct maps_entry *entry, int *ret_fd);
