// Issues that the commits of a release say they mend ("Fixes SHOP-42") are resolved in it.
#include "api/api0.h"

#include "issues/issues.h"
#include "issues/reference.h"
#include "meta/person.h"
#include "owners/owners.h"

#include <strings.h>

enum { GIT_ASKS_MAX = 50 }; // of one call

// A person of the workspace whose name is the author's address; else nobody.
static str author_of(struct meta *meta, const struct release_commit *c, struct meta_user *user)
{
    if (c->author_email.len && meta_user_find(meta, c->author_email, user, NULL) == 0)
        return str_z(user->login);
    return (str){ 0 };
}

// Only issues of the release's project: the caller may write that one.
static bool is_of(struct api_call *call, const struct meta_project *p, const struct issue_reference *ref)
{
    int64_t id;
    uint32_t project;
    return ref->slug.len == strlen(p->slug) && strncasecmp(ref->slug.ptr, p->slug, ref->slug.len) == 0 &&
           issues_find(call->api->options.issues, ref->id, &id, &project) == 0 && project == (uint64_t)p->id;
}

// A commit that was named by its id alone: what a repository on this machine says of it, where there is one.
static void ask_git(struct api_call *call, const struct meta_project *p, struct release_commit *c, size_t *asks)
{
    struct owners *owners = call->api->options.owners;
    if (c->message.len || !owners || !*asks)
        return;
    --*asks;
    str message, email;
    if (owners_commit(owners, (uint32_t)p->id, c->id, &call->req->arena, &message, &email, NULL) == 0) {
        c->message = message;
        c->author_email = email;
    }
}

static int fix_of(struct api_call *call, const struct meta_project *p, str version, const struct release_commit *c,
                  size_t *left, struct err *err)
{
    struct issue_reference refs[ISSUE_REFERENCES_MAX];
    struct meta_user user;
    char actor[META_NAME_MAX + 1];
    size_t n = issue_references(c->message, refs);
    for (size_t i = 0; i < n && *left; i++) {
        bool fixed;
        if (!is_of(call, p, &refs[i]))
            continue;
        int rc = issues_fix(call->api->options.issues, api_actor(call, actor), refs[i].id, c->id, version,
                            author_of(call->api->options.meta, c, &user), &fixed, err);
        if (rc < 0 && rc != ERR_NOENT && rc != ERR_INVALID)
            return rc;
        *left -= fixed;
    }
    return 0;
}

int api0_fixes(struct api_call *call, uint32_t project, int64_t release, str version, struct err *err)
{
    struct release_commit *commits;
    struct meta_project p;
    size_t n = 0, left = ISSUE_CHANGE_MAX, asks = GIT_ASKS_MAX;
    int rc = meta_project_get(call->api->options.meta, project, &p, err);
    // As they are kept: a commit that was named by its id alone has the message that is known of it.
    if (rc == 0)
        rc = releases_commits(call->api->options.releases, release, false, &call->req->arena, &commits, &n, err);
    for (size_t i = n; rc == 0 && i > 0 && left; i--) { // the oldest first
        ask_git(call, &p, &commits[i - 1], &asks);
        rc = fix_of(call, &p, version, &commits[i - 1], &left, err);
    }
    return rc;
}
