// Where a frame's file stands in a repository: frames say "./src/a.js", "app:///src/a.js", "webpack://shop/./src/a.js",
// "/srv/app/src/a.py", "Cart.java" with a module; a repository knows "src/a.js".
#pragma once
#include "base/arena.h"
#include "wire/sentry_event.h"

enum { CODE_PATH_MAX = 1024, CODE_PATH_SUFFIXES = 8, CODE_PATH_MAPPED = 4 };

// Relative, with slashes, without "." and ".." steps; empty: the frame names no file that a repository could have.
// ERR_NOMEM.
int code_path(const struct sentry_frame *f, struct arena *arena, str *ret_path);
// The path and what is left without its first directories, longest first, never a bare name of a path with directories.
size_t code_path_suffixes(str path, str ret[CODE_PATH_SUFFIXES]);

// The same by a code mapping: of a frame whose file begins with the stack root, what follows it, below the source root;
// empty: of another. Roots end at a step: "src/a" is none of "src/ab.js". ERR_NOMEM.
int code_path_mapped(const struct sentry_frame *f, str stack_root, str source_root, struct arena *arena, str *ret_path);

enum { CODE_FRAMES_MAX = 30 };
// The frames of the application, innermost first; of an event that has none: the innermost ones.
size_t code_frames(const struct sentry_event *e, const struct sentry_frame *ret[CODE_FRAMES_MAX]);
