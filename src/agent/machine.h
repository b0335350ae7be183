// What shows the server that a connection is this host's, beside its key: the machine, and a turn that no connection before has had.
#pragma once
#include "base/bytes.h"

#include <stdint.h>

struct disk;
enum { MACHINE_ID_ROOM = 65 };

// A name of this machine that says nothing else of it: SHA-256 in hexadecimal digits of the one that its system was given when it was
// installed (/etc/machine-id). Empty when it has none.
void machine_id(char ret[MACHINE_ID_ROOM]);
// A turn above the one that was had last and above `least`; kept in the folder before it is used, as far as that can be written.
uint64_t turn_next(struct disk *d, uint64_t least);
