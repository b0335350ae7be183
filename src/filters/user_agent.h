// What a User-Agent says: which browser, and whether it is a crawler.
#pragma once
#include "base/bytes.h"

// Families, with the newest version that counts as old (Sentry's filter of legacy browsers).
#define USER_AGENT_FAMILIES(X)      \
    X(IE, "ie", 11)                 \
    X(EDGE, "edge", 110)            \
    X(SAFARI, "safari", 15)         \
    X(FIREFOX, "firefox", 110)      \
    X(CHROME, "chrome", 110)        \
    X(OPERA, "opera", 99)           \
    X(OPERA_MINI, "opera_mini", 34) \
    X(ANDROID, "android", 3)

enum user_agent_family {
#define USER_AGENT_ENUM(name, slug, old) USER_AGENT_##name,
    USER_AGENT_FAMILIES(USER_AGENT_ENUM)
#undef USER_AGENT_ENUM
        USER_AGENT_FAMILIES_N // another, or none
};

struct user_agent {
    enum user_agent_family family;
    int major; // version; -1: not said
};
struct user_agent user_agent_read(str header);
// By what contexts.browser says ("Mobile Safari", "15.2").
struct user_agent user_agent_named(str name, str version);
bool user_agent_is_old(struct user_agent a);
bool user_agent_is_crawler(str header);
str user_agent_family_name(enum user_agent_family family);
