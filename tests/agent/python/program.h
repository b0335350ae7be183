// An expression as the server compiles it.
#pragma once
#include "probe/probe.h"

struct probe_program program_of(struct arena *arena, const char *text, bool condition);
