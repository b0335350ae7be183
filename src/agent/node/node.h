#pragma once
#include "agent/backend.h"

extern const struct backend node_backend; // Node 18 and later
