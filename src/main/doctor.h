// What a server needs of this host, tried out.
#pragma once
#include "api/api.h"
#include "main/config.h"

// Fills out, returns how many.
int doctor_look(const struct config *c, struct api_finding out[API_FINDINGS_MAX]);
// What lately went wrong with senders, as lines, if a server runs on the data directory; nothing if none answers.
void doctor_door(const struct config *c, struct buf *out);
