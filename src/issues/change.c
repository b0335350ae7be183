// What people do with issues. Each is looked at, done in memory and made durable with `writing` held; `state` only for the
// moments in which memory changes.
#include "base/json.h"
#include "base/must.h"
#include "issues/issues_internal.h"
#include "releases/releases.h"

#include <stdio.h>

enum { NAME_MAX_BYTES = 200, WHY_MAX = 400, UNTIL_N_MAX = 1000000000, RELEASES_BYTES_MAX = 64 << 20 };

static int no_issue(struct err *err) { return err_set(err, ERR_NOENT, "no_issue", "there is no such issue"); }
static int nomem(struct err *err) { return err_set(err, ERR_NOMEM, NULL, "out of memory"); }

// `writing` is held. ERR_BUSY: what is in memory is not to be built on; it is read anew within a second.
static int look_up(struct issues *is, int64_t id, struct issue **ret_issue, struct err *err)
{
    if (is->reload)
        return err_set(err, ERR_BUSY, "busy", "issues are being read anew; try again");
    struct issue *issue = id > 0 ? index_visible(&is->index, (uint64_t)id) : NULL;
    if (!issue)
        return no_issue(err);
    *ret_issue = issue;
    return 0;
}

static int bad(struct err *err, const char *member, const char *why)
{
    err_set(err, ERR_INVALID, "bad_change", "%s %s", member, why);
    err_set_place(err, "%s", member);
    return ERR_INVALID;
}

static int check(const struct issue_change *c, struct err *err)
{
    if (c->has_state && c->state != ISSUE_ONGOING && c->state != ISSUE_ARCHIVED && c->state != ISSUE_RESOLVED)
        return bad(err, "state", "must be ongoing, archived or resolved");
    if (c->has_state && c->state == ISSUE_ARCHIVED && (c->until.kind == UNTIL_EVENTS || c->until.kind == UNTIL_USERS) &&
        (c->until.n < 1 || c->until.n > UNTIL_N_MAX))
        return bad(err, "until", "needs n, a number of events or users");
    if (c->has_state && c->state == ISSUE_ARCHIVED && c->until.kind == UNTIL_TIME && c->until.time <= 0)
        return bad(err, "until", "needs a time");
    if (c->until.window_s < 0 || c->until.window_s > 30 * 86400)
        return bad(err, "until", "has a window of more than 30 days");
    if (c->resolved.release.len > NAME_MAX_BYTES || c->resolved.commit.len > NAME_MAX_BYTES)
        return bad(err, "resolved_in", "is too long");
    if (c->has_assignee &&
        (c->assignee.name.len > NAME_MAX_BYTES ||
         (c->assignee.name.len && !str_eq(c->assignee.kind, STR("user")) && !str_eq(c->assignee.kind, STR("team")))))
        return bad(err, "assignee", "is a user or a team");
    return 0;
}

// ---- state ---------------------------------------------------------------------------------------------

static void state_words(const struct issue_change *c, char text[WHY_MAX], char data[WHY_MAX])
{
    static const char *const untils[] = { "for good", "until it escalates", "until a time", "until more events",
                                          "until more users" };
    static const char *const in[] = { "", "", "the release after ", "the commit " };
    str word = issue_state_word(c->state);
    text[0] = 0;
    if (c->state == ISSUE_ARCHIVED) {
        snprintf(text, WHY_MAX, "archived %s", untils[c->until.kind]);
        if (c->until.kind == UNTIL_EVENTS || c->until.kind == UNTIL_USERS)
            snprintf(text, WHY_MAX, "archived until %lld more %s", (long long)c->until.n,
                     c->until.kind == UNTIL_EVENTS ? "events" : "users");
    } else if (c->state == ISSUE_RESOLVED) {
        str what = c->resolved.kind == RESOLVED_COMMIT ? c->resolved.commit : c->resolved.release;
        if (what.len && c->resolved.kind != RESOLVED_NOW)
            snprintf(text, WHY_MAX, "resolved in %s%.*s", in[c->resolved.kind], STR_ARG(what));
        else
            snprintf(text, WHY_MAX, "resolved");
    } else {
        snprintf(text, WHY_MAX, "back to ongoing");
    }
    snprintf(data, WHY_MAX, "{\"state\":\"%.*s\"}", STR_ARG(word));
}

static int change_state(struct issues *is, str actor, struct issue *issue, const struct issue_change *c,
                        const char *words, str data, int64_t now)
{
    struct issue_more *m = issue_more(issue);
    if (!m)
        return ERR_NOMEM;
    if (issue_text_set(&m->release, c->state == ISSUE_RESOLVED ? c->resolved.release : (str){ 0 }) < 0 ||
        issue_text_set(&m->commit, c->state == ISSUE_RESOLVED ? c->resolved.commit : (str){ 0 }) < 0 ||
        issue_text_set(&m->reason, str_z(words)) < 0)
        return ERR_NOMEM;
    m->until = c->until;
    m->resolved = c->resolved.kind;
    m->users_base = issue_users(is, issue);
    state_set(issue, c->state, now);
    return activity_add(is, issue, now, actor, STR("state"), str_z(words), data);
}

// The figures that what is decided here rests on must be there: those of an issue that was quiet for long are on disk.
static int load_all(struct issues *is, const struct issue *issue, struct err *err)
{
    int r = 0;
    for (uint32_t id = issue->groups; id && r == 0; id = is->index.groups[id]->next) {
        struct group *g = is->index.groups[id];
        struct detail *d = NULL;
        if (g->detail)
            continue;
        if ((r = issues_db_detail(&is->writer, id, &d, err)) < 0)
            return r;
        if (!d && !(d = detail_new()))
            return nomem(err);
        pthread_mutex_lock(&is->state);
        index_detail_set(&is->index, g, d);
        g->used = is->serial;
        pthread_mutex_unlock(&is->state);
    }
    return r;
}

static str last_release(const struct issues *is, const struct issue *issue)
{
    const struct share *newest = NULL;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct detail *d = is->index.groups[id]->detail;
        const struct share *t = d ? shares_end(&d->releases, true) : NULL;
        if (t && (!newest || t->last > newest->last))
            newest = t;
    }
    return newest ? share_name(newest) : (str){ 0 };
}

static int change_assignee(struct issues *is, str actor, struct issue *issue, struct issue_assignee to, str why,
                           int64_t now)
{
    char text[WHY_MAX];
    struct issue_more *m = issue_more(issue);
    if (!m)
        return ERR_NOMEM;
    if (str_eq(to.name, str_z(m->assignee ? m->assignee : "")) &&
        str_eq(to.kind, str_z(m->assignee_kind ? m->assignee_kind : "")))
        return 0;
    if (issue_text_set(&m->assignee_kind, to.name.len ? to.kind : (str){ 0 }) < 0 ||
        issue_text_set(&m->assignee, to.name) < 0)
        return ERR_NOMEM;
    issue->changed = true;
    if (to.name.len)
        snprintf(text, sizeof text, "assigned to %.*s%s%.*s", STR_ARG(to.name), why.len ? ": " : "",
                 (int)(why.len < 150 ? why.len : 150), why.ptr);
    else
        snprintf(text, sizeof text, "assigned to nobody");
    return activity_add(is, issue, now, actor, STR("assigned"), str_z(text), (str){ 0 });
}

static int change_priority(struct issues *is, str actor, struct issue *issue, enum issue_priority p, int64_t now)
{
    char text[64];
    if (issue->priority == p)
        return 0;
    issue->priority = (uint8_t)p;
    issue->changed = true;
    str word = issue_priority_word(p);
    if (p == PRIORITY_AUTO)
        snprintf(text, sizeof text, "priority as it comes");
    else
        snprintf(text, sizeof text, "priority %.*s", STR_ARG(word));
    return activity_add(is, issue, now, actor, STR("priority"), str_z(text), (str){ 0 });
}

// The release that a fix comes with, or after, where nobody says it: the last one that the issue was seen in. One that is
// out by now, though nobody has met the issue in it yet, does not have the fix either: the next one is behind it.
static int fill_release(struct issues *is, const struct issue *issue, struct arena *arena, struct issue_resolution *in,
                        struct err *err)
{
    pthread_mutex_lock(&is->state);
    int r = arena_dup(arena, last_release(is, issue), &in->release);
    pthread_mutex_unlock(&is->state);
    if (r < 0)
        return nomem(err);
    if (in->kind != RESOLVED_NEXT_RELEASE || !in->release.len || !is->o.releases)
        return 0;
    str newest;
    r = releases_newest_of(is->o.releases, issue->project, in->release, arena, &newest, err);
    if (r == 0 && release_order(newest, in->release, 1, 0) > 0) // where versions say nothing, the newest is newer
        in->release = newest;
    return r;
}

static int change(struct issues *is, str actor, struct issue *issue, struct issue_change c, struct err *err)
{
    char words[WHY_MAX], data[WHY_MAX];
    int64_t now = issues_now(is);
    struct arena arena;
    int r = c.has_state ? load_all(is, issue, err) : 0;
    if (r < 0)
        return r;
    arena_init(&arena, RELEASES_BYTES_MAX);
    if (c.has_state && c.state == ISSUE_RESOLVED && !c.resolved.release.len &&
        (c.resolved.kind == RESOLVED_RELEASE || c.resolved.kind == RESOLVED_NEXT_RELEASE) &&
        (r = fill_release(is, issue, &arena, &c.resolved, err)) < 0) {
        arena_free(&arena);
        return r;
    }
    pthread_mutex_lock(&is->state);
    if (c.has_state) {
        state_words(&c, words, data);
        r = change_state(is, actor, issue, &c, words, str_z(data), now);
    }
    if (r == 0 && c.has_assignee)
        r = change_assignee(is, actor, issue, c.assignee, (str){ 0 }, now);
    if (r == 0 && c.has_priority)
        r = change_priority(is, actor, issue, c.priority, now);
    pthread_mutex_unlock(&is->state);
    arena_free(&arena);
    if (r < 0)
        is->reload = true;
    return r < 0 ? nomem(err) : is->anything || issue->changed ? issues_settle(is, err) : 0;
}

int issues_change(struct issues *is, str actor, int64_t id, const struct issue_change *c, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    int r = check(c, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&is->writing);
    struct issue *issue;
    r = look_up(is, id, &issue, err);
    if (r == 0)
        r = change(is, actor, issue, *c, err);
    if (r == 0 && c->has_seen) {
        uint64_t key = seen_key(actor, issue->id);
        int64_t at = c->seen ? issues_now(is) : 0;
        r = issues_db_seen(is, key, at, err);
        if (r == 0) {
            pthread_mutex_lock(&is->state);
            r = index_seen_set(&is->index, key, at) < 0 ? nomem(err) : 0;
            pthread_mutex_unlock(&is->state);
        }
    }
    pthread_mutex_unlock(&is->writing);
    return r;
}

// What the trail keeps of a fix; the commit's part of it tells whether there was one.
static void put_fix(struct buf *data, struct buf *mark, str commit, str release)
{
    struct json_writer w;
    buf_str(mark, STR("\"commit\":"));
    json_writer_init(&w, mark);
    json_put_str(&w, commit);
    json_writer_init(&w, data);
    json_put_object(&w);
    json_put_key(&w, STR("state"));
    json_put_str(&w, STR("resolved"));
    json_put_key(&w, STR("commit"));
    json_put_str(&w, commit);
    json_put_key(&w, STR("release"));
    json_put_str(&w, release);
    json_put_object_end(&w);
}

// 1: that commit has mended it before, under its number or the one that it was merged into.
static int was_fixed(struct issues *is, int64_t id, int64_t into, str mark, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_begin(&is->writer, err);
    if (r < 0)
        return r;
    r = db_query(&is->writer, &s, err,
                 "SELECT 1 FROM activity WHERE issue IN (?, ?) AND kind = 'state' AND instr(data, ?) > 0 LIMIT 1",
                 "iit", id, into, mark);
    bool found = r == 1;
    if (found)
        db_done(s);
    r = db_finish(&is->writer, r < 0 ? r : 0, err);
    return r < 0 ? r : found;
}

static int fix(struct issues *is, str actor, struct issue *issue, str commit, str release, str author, str data,
               struct err *err)
{
    char words[WHY_MAX];
    const struct issue_change c = { .state = ISSUE_RESOLVED, .resolved = { RESOLVED_RELEASE, release, commit } };
    str short_commit = str_slice(commit, 0, commit.len < 12 ? commit.len : 12);
    int r = load_all(is, issue, err);
    if (r < 0)
        return r;
    snprintf(words, sizeof words, "resolved by commit %.*s of release %.*s%s%.*s", STR_ARG(short_commit),
             STR_ARG(release), author.len ? ", by " : "", STR_ARG(author));
    pthread_mutex_lock(&is->state);
    r = change_state(is, actor, issue, &c, words, data, issues_now(is));
    pthread_mutex_unlock(&is->state);
    if (r < 0)
        is->reload = true;
    return r < 0 ? nomem(err) : issues_settle(is, err);
}

int issues_fix(struct issues *is, str actor, int64_t id, str commit, str release, str author, bool *ret_fixed,
               struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    struct buf data, mark;
    struct issue *issue;
    uint32_t project;
    int64_t into;
    *ret_fixed = false;
    if (commit.len == 0 || commit.len > NAME_MAX_BYTES || release.len == 0 || release.len > NAME_MAX_BYTES)
        return bad(err, "resolved_in", "is too long");
    if (issues_find(is, id, &into, &project) < 0)
        return no_issue(err);
    buf_init(&data, 4096);
    buf_init(&mark, 4096);
    put_fix(&data, &mark, commit, release);
    pthread_mutex_lock(&is->writing);
    int r = data.error || mark.error ? nomem(err) : look_up(is, into, &issue, err);
    if (r == 0)
        r = was_fixed(is, id, into, buf_view(&mark), err);
    if (r == 0) {
        r = fix(is, actor, issue, commit, release, author, buf_view(&data), err);
        *ret_fixed = r == 0;
    }
    pthread_mutex_unlock(&is->writing);
    buf_free(&data);
    buf_free(&mark);
    return r < 0 ? r : 0;
}

int issues_assign(struct issues *is, str actor, int64_t id, struct issue_assignee to, str why, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    struct issue *issue;
    pthread_mutex_lock(&is->writing);
    int r = look_up(is, id, &issue, err);
    if (r == 0) {
        pthread_mutex_lock(&is->state);
        r = change_assignee(is, actor, issue, to, why, issues_now(is)) < 0 ? nomem(err) : 0;
        pthread_mutex_unlock(&is->state);
        if (r < 0)
            is->reload = true;
        else if (is->anything)
            r = issues_settle(is, err);
    }
    pthread_mutex_unlock(&is->writing);
    return r;
}

// ---- merging -------------------------------------------------------------------------------------------

static int merge(struct issues *is, str actor, struct issue *into, struct issue *from, int64_t now)
{
    char text[WHY_MAX], data[64];
    while (from->groups)
        index_group_move(&is->index, is->index.groups[from->groups], into);
    from->merged_into = into->id;
    from->changed = true;
    into->limit_hour = 0; // what is usual is another matter now
    snprintf(text, sizeof text, "merged with %u", from->id);
    snprintf(data, sizeof data, "{\"issue\":%u}", from->id);
    return activity_add(is, into, now, actor, STR("merged"), str_z(text), str_z(data));
}

int issues_merge(struct issues *is, str actor, const int64_t *ids, size_t n, int64_t *ret_issue, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    struct issue *list[ISSUE_CHANGE_MAX], *into = NULL;
    size_t found = 0;
    int r = 0;
    if (n < 2 || n > ISSUE_CHANGE_MAX)
        return bad(err, "ids", "must be two to 500 issues");
    pthread_mutex_lock(&is->writing);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct issue *issue;
        if ((r = look_up(is, ids[i], &issue, err)) < 0)
            break;
        if (found && issue->project != list[0]->project) {
            r = bad(err, "ids", "are of more than one project");
        } else {
            bool twice = false;
            for (size_t k = 0; k < found; k++)
                twice |= list[k] == issue;
            if (!twice)
                list[found++] = issue;
        }
    }
    if (r == 0 && found < 2)
        r = bad(err, "ids", "are one issue already");
    for (size_t i = 0; i < found && r == 0; i++)
        if (!into || list[i]->id < into->id)
            into = list[i];
    if (r == 0) {
        pthread_mutex_lock(&is->state);
        for (size_t i = 0; i < found && r == 0; i++)
            if (list[i] != into)
                r = merge(is, actor, into, list[i], issues_now(is)) < 0 ? nomem(err) : 0;
        pthread_mutex_unlock(&is->state);
        if (r < 0)
            is->reload = true;
        else
            r = issues_settle(is, err);
    }
    if (r == 0)
        *ret_issue = into->id;
    pthread_mutex_unlock(&is->writing);
    return r;
}

static int unmerge(struct issues *is, str actor, struct issue *issue, struct group *const *groups, size_t n,
                   struct issue **ret, struct err *err)
{
    struct issue *made = NULL;
    char text[WHY_MAX], data[64];
    int64_t now = issues_now(is);
    if (is->index.issues_end > ISSUES_MAX)
        return err_set(err, ERR_LIMIT, "too_many_issues", "there are too many issues");
    pthread_mutex_lock(&is->state);
    int r = index_issue_add(&is->index, issue->project, &made);
    if (r == 0) {
        made->created = issue->created;
        state_set(made, ISSUE_ONGOING, now);
        for (size_t i = 0; i < n; i++)
            index_group_move(&is->index, groups[i], made);
        issue->limit_hour = 0;
        snprintf(text, sizeof text, "taken out of %u", issue->id);
        snprintf(data, sizeof data, "{\"issue\":%u}", issue->id);
        r = activity_add(is, made, now, actor, STR("unmerged"), str_z(text), str_z(data));
        snprintf(text, sizeof text, "%zu groups became %u", n, made->id);
        snprintf(data, sizeof data, "{\"issue\":%u}", made->id);
        if (r == 0)
            r = activity_add(is, issue, now, actor, STR("unmerged"), str_z(text), str_z(data));
    }
    pthread_mutex_unlock(&is->state);
    if (r < 0) {
        is->reload = true;
        return nomem(err);
    }
    *ret = made;
    return issues_settle(is, err);
}

int issues_unmerge(struct issues *is, str actor, int64_t id, const str *hashes, size_t n, int64_t *ret_issue,
                   struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    struct group *groups[ISSUE_CHANGE_MAX];
    struct issue *made = NULL;
    uint8_t hash[16];
    size_t found = 0;
    struct issue *issue;
    if (n < 1 || n > ISSUE_CHANGE_MAX)
        return bad(err, "hashes", "must be one to 500 of the issue's");
    pthread_mutex_lock(&is->writing);
    int r = look_up(is, id, &issue, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct group *g = issue_hash_of(hashes[i], hash) ? index_group(&is->index, issue->project, hash) : NULL;
        bool twice = false;
        for (size_t k = 0; k < found; k++)
            twice |= groups[k] == g;
        if (!g || g->issue != issue->id)
            r = bad(err, "hashes", "are not all of this issue");
        else if (!twice)
            groups[found++] = g;
    }
    if (r == 0 && found >= issue->groups_n)
        r = bad(err, "hashes", "are all that the issue has");
    if (r == 0)
        r = unmerge(is, actor, issue, groups, found, &made, err);
    if (r == 0)
        *ret_issue = made->id;
    pthread_mutex_unlock(&is->writing);
    return r;
}

int issues_hash_add(struct issues *is, int64_t id, str hash, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    uint8_t key[16];
    struct issue *issue;
    struct group *g;
    pthread_mutex_lock(&is->writing);
    int r = issue_hash_of(hash, key) ? look_up(is, id, &issue, err) : no_issue(err);
    if (r < 0) {
        // nothing to add to
    } else if ((g = index_group(&is->index, issue->project, key))) {
        if (g->issue != issue->id)
            r = err_set(err, ERR_EXIST, "hash_taken", "the hash belongs to another issue");
    } else if (is->index.groups_end > ISSUE_GROUPS_MAX) {
        r = err_set(err, ERR_LIMIT, "too_many_groups", "there are too many groups");
    } else {
        pthread_mutex_lock(&is->state);
        r = index_group_add(&is->index, issue->project, key, issue->id, &g) < 0 ? nomem(err) : 0;
        pthread_mutex_unlock(&is->state);
        if (r == 0)
            r = issues_settle(is, err);
    }
    pthread_mutex_unlock(&is->writing);
    return r;
}

// ---- comments ------------------------------------------------------------------------------------------

int issues_comment(struct issues *is, str actor, int64_t id, str text, int64_t *ret_comment, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    text = str_trim(text);
    if (text.len == 0 || text.len > ISSUE_COMMENT_MAX)
        return bad(err, "text", "is empty or longer than 8192 bytes");
    pthread_mutex_lock(&is->writing);
    struct issue *issue;
    int64_t made = 0;
    int r = look_up(is, id, &issue, err);
    if (r == 0)
        r = db_begin(&is->writer, err);
    if (r == 0) {
        r = db_run(&is->writer, NULL, err,
                   "INSERT INTO activity (issue, project, time_ns, actor, kind, text, data)"
                   " VALUES (?, ?, ?, ?, 'comment', ?, '')",
                   "iiitt", (int64_t)issue->id, (int64_t)issue->project, issues_now(is), actor, text);
        if (r == 0)
            made = sqlite3_last_insert_rowid(is->writer.handle);
        r = db_finish(&is->writer, r, err);
        if (r == 0)
            *ret_comment = made;
    }
    pthread_mutex_unlock(&is->writing);
    return r;
}

int issues_comment_remove(struct issues *is, str actor, bool any, int64_t id, int64_t comment, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    sqlite3_stmt *s;
    bool own = false;
    pthread_mutex_lock(&is->writing);
    int r = db_begin(&is->writer, err);
    if (r == 0) {
        r = db_query(&is->writer, &s, err, "SELECT actor FROM activity WHERE id = ? AND issue = ? AND kind = 'comment'",
                     "ii", comment, id);
        if (r == 1) {
            own = str_eq(db_text(s, 0), actor);
            db_done(s);
            r = own || any ? db_run(&is->writer, NULL, err, "DELETE FROM activity WHERE id = ?", "i", comment)
                           : err_set(err, ERR_DENIED, "not_yours", "it is somebody else's comment");
        } else if (r == 0) {
            r = err_set(err, ERR_NOENT, "no_comment", "there is no such comment");
        }
        r = db_finish(&is->writer, r, err);
    }
    pthread_mutex_unlock(&is->writing);
    return r;
}
