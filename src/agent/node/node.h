#pragma once
#include "agent/backend.h"

extern const struct backend node_backend; // Node 20 and later
