// Releases, commits and deploys as JSON of Sentry's.
#include "api/api0.h"

#include <stdio.h>

enum { AUTHORS_MAX = 100 };

static void put_author(struct json_writer *w, const struct release_commit *c)
{
    json_put_object(w);
    api0_put_known(w, STR("name"), c->author_name);
    api0_put_known(w, STR("email"), c->author_email);
    json_put_object_end(w);
}

void api0_put_commit(struct json_writer *w, const struct release_commit *c)
{
    json_put_object(w);
    api0_put_text(w, STR("id"), c->id);
    api0_put_known(w, STR("message"), c->message);
    api0_put_time(w, STR("dateCreated"), c->time);
    json_put_key(w, STR("author"));
    put_author(w, c);
    json_put_key(w, STR("repository"));
    json_put_object(w);
    api0_put_text(w, STR("name"), c->repository);
    json_put_object_end(w);
    json_put_object_end(w);
}

void api0_put_deploy(struct json_writer *w, const struct release_deploy *d)
{
    json_put_object(w);
    api0_put_id(w, STR("id"), d->id);
    api0_put_text(w, STR("environment"), d->environment);
    api0_put_known(w, STR("name"), d->name);
    api0_put_known(w, STR("url"), d->url);
    api0_put_time(w, STR("dateStarted"), d->started);
    api0_put_time(w, STR("dateFinished"), d->finished);
    json_put_object_end(w);
}

static void put_version_info(struct json_writer *w, str name)
{
    struct release_version v;
    release_version_parse(name, &v);
    json_put_key(w, STR("versionInfo"));
    json_put_object(w);
    api0_put_known(w, STR("package"), v.package);
    json_put_key(w, STR("version"));
    json_put_object(w);
    api0_put_text(w, STR("raw"), v.version);
    if (v.ordered) {
        api0_put_int(w, STR("major"), (int64_t)v.parts[0]);
        api0_put_int(w, STR("minor"), (int64_t)v.parts[1]);
        api0_put_int(w, STR("patch"), (int64_t)v.parts[2]);
        api0_put_known(w, STR("pre"), v.prerelease);
        api0_put_known(w, STR("buildCode"), v.build);
    }
    json_put_object_end(w);
    api0_put_text(w, STR("description"), release_version_short(name));
    json_put_object_end(w);
}

static void put_authors(struct json_writer *w, const struct release_commit *commits, size_t n)
{
    const struct release_commit *seen[AUTHORS_MAX];
    size_t count = 0;
    json_put_array(w);
    for (size_t i = 0; i < n && count < AUTHORS_MAX; i++) {
        bool known = commits[i].author_name.len == 0 && commits[i].author_email.len == 0;
        for (size_t k = 0; k < count && !known; k++)
            known = str_eq(seen[k]->author_email, commits[i].author_email) &&
                    str_eq(seen[k]->author_name, commits[i].author_name);
        if (known)
            continue;
        put_author(w, &commits[i]);
        seen[count++] = &commits[i];
    }
    json_put_array_end(w);
}

// What all rows of a version say together: the earliest and the latest.
static struct release together(const struct api0_release *in)
{
    struct release x = in->rows[0];
    for (size_t i = 1; i < in->n; i++) {
        const struct release *y = &in->rows[i];
        if (y->created < x.created)
            x.created = y->created;
        if (y->first_event && (!x.first_event || y->first_event < x.first_event))
            x.first_event = y->first_event;
        if (y->last_event > x.last_event)
            x.last_event = y->last_event;
        if (y->released > x.released)
            x.released = y->released;
        if (y->commits > x.commits) {
            x.commits = y->commits;
            x.id = y->id;
        }
        if (!x.ref.len)
            x.ref = y->ref;
        if (!x.url.len)
            x.url = y->url;
        if (y->status == RELEASE_OPEN)
            x.status = RELEASE_OPEN;
    }
    return x;
}

static void put_projects(struct json_writer *w, const struct meta_project *projects, size_t n,
                         const struct api0_release *in)
{
    json_put_array(w);
    for (size_t i = 0; i < in->n; i++) {
        const struct meta_project *p = api0_project_of(projects, n, in->rows[i].project);
        json_put_object(w);
        api0_put_int(w, STR("id"), p->id);
        api0_put_text(w, STR("slug"), str_z(p->slug));
        api0_put_text(w, STR("name"), str_z(p->name[0] ? p->name : p->slug));
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

int api0_put_release(struct json_writer *w, struct api_call *call, const struct meta_project *projects,
                     size_t projects_n, const struct api0_release *in, struct err *err)
{
    struct releases *releases = call->api->options.releases;
    struct arena *arena = &call->req->arena;
    struct release x = together(in);
    struct release_commit *commits = NULL;
    struct release_deploy *deploys = NULL;
    size_t commits_n = 0, deploys_n = 0;
    int64_t *ids = arena_alloc_array(arena, in->n, sizeof *ids);
    if (!ids)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    bool has_deploys = false;
    for (size_t i = 0; i < in->n; i++) {
        ids[i] = in->rows[i].id;
        has_deploys |= in->rows[i].deploys > 0;
    }
    int rc = x.commits ? releases_commits(releases, x.id, false, arena, &commits, &commits_n, err) : 0;
    if (rc == 0 && has_deploys)
        rc = releases_deploys(releases, ids, in->n, arena, &deploys, &deploys_n, err);
    if (rc < 0)
        return rc;
    json_put_object(w);
    api0_put_int(w, STR("id"), x.id);
    api0_put_text(w, STR("version"), x.version);
    api0_put_text(w, STR("status"), x.status == RELEASE_ARCHIVED ? STR("archived") : STR("open"));
    api0_put_text(w, STR("shortVersion"), release_version_short(x.version));
    put_version_info(w, x.version);
    api0_put_known(w, STR("ref"), x.ref);
    api0_put_known(w, STR("url"), x.url);
    api0_put_time(w, STR("dateCreated"), x.created);
    api0_put_time(w, STR("dateStarted"), x.started);
    api0_put_time(w, STR("dateReleased"), x.released);
    api0_put_time(w, STR("firstEvent"), x.first_event);
    api0_put_time(w, STR("lastEvent"), x.last_event);
    api0_put_int(w, STR("commitCount"), (int64_t)commits_n);
    api0_put_int(w, STR("deployCount"), (int64_t)deploys_n);
    json_put_key(w, STR("lastCommit"));
    if (commits_n)
        api0_put_commit(w, &commits[0]);
    else
        json_put_null(w);
    json_put_key(w, STR("lastDeploy"));
    if (deploys_n)
        api0_put_deploy(w, &deploys[0]);
    else
        json_put_null(w);
    json_put_key(w, STR("authors"));
    put_authors(w, commits, commits_n);
    json_put_key(w, STR("projects"));
    put_projects(w, projects, projects_n, in);
    json_put_key(w, STR("data"));
    json_put_object(w);
    json_put_object_end(w);
    json_put_object_end(w);
    return 0;
}
