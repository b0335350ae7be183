// Names of files and functions in the form that Sentry gives them, so that events group alike here and there.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

enum { JS_URLS_MAX = 4 };

// All that may fail for want of memory: ptr is NULL.

// "https://host/a/b.js" and "../c.ts" -> "https://host/c.ts"; what has a scheme of its own stays as it is.
str js_url_join(struct arena *arena, str base, str right);
// "webpack:///./src/x.ts", "webpack://name/./src/x.ts" -> "./src/x.ts"; "webpack:///a/~/b.js" -> "~/b.js".
str js_webpack_path(struct arena *arena, str name);
// 1, 0; -1: that does not follow from where a file is.
int js_in_app(str abs_path, str filename);
// "http://host/js/v1.0/foo/bar.min.js" -> "foo/bar".
str js_module(str abs_path);
// "a.a.a.b" -> "{a#3}.b".
str js_function_folded(struct arena *arena, str name);
// Under which a release's file may have been uploaded: itself, without its query, and both with "~" for scheme and host.
// Returns how many.
unsigned js_url_candidates(struct arena *arena, str url, str ret_urls[JS_URLS_MAX]);
