// A sink that writes records as lines, the same as tools/gen_otlp_vectors.py does from the messages.
#pragma once
#include "base/buf.h"
#include "wire/record.h"

struct otlp_dump {
    struct buf out;
};

void otlp_dump_init(struct otlp_dump *d);
struct record_sink otlp_dump_sink(struct otlp_dump *d);
