// Looking at the records of a request while they go by to the store: whose they are, how new.
#pragma once
#include "ingest/door.h"
#include "wire/record.h"

struct looking {
    struct door_look *look;
    const struct record_sink *sink; // where they go
};
struct record_sink looking_sink(struct looking *l);
