// Names of releases: what may be one, and the order of those that say a version: `package@1.2.3-rc.1+77`.
// Pure functions; the parts are views into the name.
#pragma once
#include "base/bytes.h"

enum { RELEASE_VERSION_MAX = 200 };

// 1 to 200 bytes, without slashes, backslashes and control characters, not "." or "..", not "latest" (of any case): what
// Sentry's tools and pages take as one segment of a path.
bool release_version_valid(str name);

struct release_version {
    str package; // before the last '@'; empty: none
    str version; // behind it: all of the name when there is no package
    str number, prerelease, build;
    uint64_t parts[4]; // major, minor, patch, revision
    bool ordered;      // a package, and a version that has an order
};
void release_version_parse(str name, struct release_version *ret_version);
// Both are ordered and of one package: <0, 0, >0. As semver has it, with a fourth number, and builds at the end: as numbers
// when both are, since `1.0+9` and `1.0+10` are two uploads of one app.
int release_version_compare(const struct release_version *a, const struct release_version *b);
static inline bool release_version_comparable(const struct release_version *a, const struct release_version *b)
{
    return a->ordered && b->ordered && str_eq(a->package, b->package);
}
// For a narrow column: without the package, a commit's hash cut to 12 digits. A view.
str release_version_short(str name);
