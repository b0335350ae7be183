// Which service a process is, which version of it, where: from what people have told OpenTelemetry's or Sentry's SDKs in its
// environment, else from its command line and its container.
#pragma once
#include "agent/backend.h"

enum { IDENTITY_TEXT = 200 };

struct identity {
    char service[IDENTITY_TEXT], version[IDENTITY_TEXT], environment[IDENTITY_TEXT], instance[IDENTITY_TEXT];
    char container[65]; // id, empty outside of one
    char command[IDENTITY_TEXT];
    char user[64];
};

void identity_of(const struct process *p, struct identity *ret);
