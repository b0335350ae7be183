// Back end for CPython: struct backend of agent/backend.h.
#pragma once
#include "agent/backend.h"

extern const struct backend python_backend;
