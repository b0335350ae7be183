// The functions of generated code: which one a place lies in, and what it is called there. Names are those of a
// declaration, or what an anonymous function is given to: a variable, a member, a key, a method of a class.
//
// This is no parser but a reading of tokens: it knows strings, templates, regular expressions and comments, brackets,
// and what stands before a function's parameters. What is no JavaScript gives fewer functions, never an error.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "wire/sourcemap.h"

enum { JS_SCOPES_MAX = 1 << 20, JS_SCOPE_DEPTH_MAX = 4096 };

struct js_scopes;

// Names are looked up in the map where they stand, so that they are those of the source. ERR_NOMEM, ERR_LIMIT.
int js_scopes_read(str source, const struct sourcemap *map, struct js_scopes **ret_scopes);
void js_scopes_free(struct js_scopes *s); // NULL is allowed
size_t js_scopes_bytes(const struct js_scopes *s);
// Line and column from 0, in UTF-16 code units. False: in no function. An empty name: anonymous.
bool js_scopes_find(const struct js_scopes *s, uint32_t line, uint32_t column, str *ret_name);
