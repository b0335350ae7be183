// Who owns what: rules of a project in Sentry's syntax (`path:src/*.py ada@example.com #web`, `module:`, `url:`, `tags.KEY:`,
// `codeowners:`) and the text of a CODEOWNERS file (GitHub's and GitLab's), matched against an event.
//
// Of rules, every one that matches names owners, the last one first, as Sentry assigns. Of CODEOWNERS, the last line that
// matches counts, in each section; then the innermost frame of the application that a line matches decides. Rules come before
// CODEOWNERS. Case does not matter. Pure: reads no file and asks nobody.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "wire/sentry_event.h"

enum {
    OWNER_RULES_MAX = 1000,   // of each text
    OWNER_RULE_OWNERS = 20,   // of one line
    OWNER_RULES_TEXT = 65536, // bytes of each text
    OWNERS_MAX = 20,          // of an event
};

enum owner_kind { OWNER_USER, OWNER_TEAM };
struct owner {
    enum owner_kind kind;
    str name; // "ada", "ada@example.com"; of a team: "web", "acme/web"
    str rule; // "path:src/*.py", "codeowners:/docs/"
};

struct owner_rules;
// err->place is "rules" or "codeowners", err->line the line. ERR_INVALID, ERR_LIMIT, ERR_NOMEM.
int owner_rules_parse(str rules, str codeowners, struct owner_rules **ret_rules, struct err *err);
void owner_rules_free(struct owner_rules *r); // NULL is allowed
bool owner_rules_empty(const struct owner_rules *r);

// The first one is whom the event goes to. Names and rules are the rules' own. prefix: what stands before the frames' paths
// in the repository ("src/"); may be empty. ERR_NOMEM.
int owner_rules_match(const struct owner_rules *r, const struct sentry_event *e, str prefix, struct arena *arena,
                      struct owner **ret_owners, size_t *ret_n);
