// Recovery: what was acknowledged but not yet sealed is read from the log into generations that look like any
// other closed generation, so that queries see it at once and the background seals it.
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "store/store_internal.h"

#include <stdio.h>

struct recovery {
    struct store *s;
    struct generation *g;
    uint64_t rows;
    int64_t now;
};

static int recover_block(void *ctx, bytes block, const struct log_block_header *h)
{
    struct recovery *rc = ctx;
    if (h->lane >= rc->g->lanes_n)
        return ERR_CORRUPT;
    struct lane *l = rc->g->lane[h->lane];
    if (!l) {
        if (!(l = lane_new()))
            return ERR_NOMEM;
        rc->g->lane[h->lane] = l;
    }
    int e = log_block_apply(l, block, h, &rc->rows);
    if (e < 0)
        return e;
    l->bytes = l->heap.bytes + l->table_bytes;
    struct lane_marks marks;
    lane_marks_get(l, &marks);
    lane_commit(l, &marks);
    if ((h->request_hash[0] | h->request_hash[1]) && h->received > rc->now - REPEAT_KEEP_NS)
        repeat_end(rc->s->repeat, h->request_hash, h->received, true);
    return 0;
}

// The files of one generation, [files, files + n), all of which the generation's stream takes over.
static int recover_generation(struct store *s, struct log_scan_file *files, size_t n, bool *ret_hole, struct err *err)
{
    struct generation *g = generation_new(files[0].generation, HEAD_LANES_MAX);
    if (!g)
        return err_set(err, ERR_NOMEM, "memory", "out of memory while the log is read");
    if (!(g->log = log_stream_new(&s->log_files, g->id))) {
        generation_unref(g);
        return err_set(err, ERR_NOMEM, "memory", "out of memory while the log is read");
    }
    struct recovery rc = { s, g, 0, clock_unix_ns() };
    struct log_replay rp = { .block = recover_block, .ctx = &rc };
    int e = 0;
    for (size_t i = 0; i < n; i++) {
        if (e == 0 && !rp.hole && files[i].sequence > rp.expected) {
            rp.hole = true;
            rp.hole_at = 0;
        }
        if (e == 0 && !rp.hole) {
            e = log_file_replay(&s->log_files, &files[i], &rp);
            if (e == ERR_CORRUPT) { // a good checksum over nonsense: treat it as what it is, damage
                rp.hole = true;
                e = 0;
            }
            if (rp.hole) {
                log_error("store", "%s: damaged at offset %llu, in the middle of what was acknowledged",
                          files[i].f->path, (unsigned long long)rp.hole_at);
                *ret_hole = true;
            }
        }
        if (g->log->last)
            g->log->last->next = files[i].f;
        else
            g->log->first = files[i].f;
        g->log->last = files[i].f;
        files[i].f = NULL;
    }
    g->rows = rc.rows;
    g->closed = true;
    g->first_commit = clock_mono_ns();
    if (e == 0 && s->gens_n == STORE_GENERATIONS_MAX)
        e = ERR_LIMIT;
    if (e < 0) {
        log_stream_free(g->log, false);
        g->log = NULL;
        generation_unref(g);
        return err_set(err, e, "log", "the commit log cannot be read: %s", err_text(e));
    }
    if (rc.rows)
        log_info("store", "recovered %llu rows from the log", (unsigned long long)rc.rows);
    s->gens[s->gens_n++] = g;
    return 0;
}

int store_recover(struct store *s, struct err *err)
{
    struct log_scan_file *files = NULL;
    size_t n = 0;
    int e = log_files_scan(&s->log_files, &files, &n);
    if (e < 0)
        return err_set(err, e, "log", "the commit log cannot be listed: %s", err_text(e));
    uint64_t sealed = manifest_mark(s->manifest, STORE_MARK_SEALED), newest = sealed;
    bool hole = false;
    for (size_t i = 0; i < n && e == 0;) {
        size_t end = i;
        while (end < n && files[end].generation == files[i].generation)
            end++;
        if (files[i].generation > newest)
            newest = files[i].generation;
        if (files[i].generation > sealed) {
            e = recover_generation(s, files + i, end - i, &hole, err);
        } else {
            for (size_t k = i; k < end; k++) {
                log_files_give_back(&s->log_files, files[k].f);
                files[k].f = NULL;
            }
        }
        i = end;
    }
    for (size_t i = 0; i < n; i++)
        if (files[i].f)
            log_files_drop(&s->log_files, files[i].f);
    mem_free(files);
    s->next_generation = newest + 1;
    if (e == 0 && hole && !s->o.allow_hole) {
        s->read_only = true;
        snprintf(s->why, sizeof s->why,
                 "the commit log is damaged; what could be read is shown, nothing is written "
                 "(start with --allow-hole to go on without the rest)");
    }
    return e;
}
