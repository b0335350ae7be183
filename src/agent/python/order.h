// One probe as an order for the in-process part.
#pragma once
#include "probe/probe.h"

struct refusal {
    const char *state, *code, *message;
};
// Whether Python 3.minor cannot do what this probe asks; texts are constants.
bool order_refused(const struct probe *probe, int minor, struct refusal *ret);
// Writes it. The bytes it takes, or 0 when there is no room.
// line: where it stands, 0: where it says.
size_t order_put(uint8_t *at, size_t room, const struct probe *probe, int line, uint32_t slot, uint64_t id,
                 const char *host);
