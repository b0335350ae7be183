// Opening, closing, figures, and the thread that collects.
#include "artifacts/artifacts.h"

#include "artifacts/artifacts_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"

#include <stdio.h>
#include <time.h>

enum { COLLECT_EVERY_S = 60 };

static void *collecting_main(void *arg)
{
    struct artifacts *a = arg;
    for (;;) {
        struct err err = { 0 };
        struct timespec until;
        if (artifacts_collect(a, clock_unix_ns(), &err) < 0)
            log_warn("artifacts", "what has expired could not be removed: %s", err.message);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += COLLECT_EVERY_S;
        pthread_mutex_lock(&a->wake_lock);
        while (!a->stop && pthread_cond_timedwait(&a->wake, &a->wake_lock, &until) == 0)
            ;
        bool stop = a->stop;
        pthread_mutex_unlock(&a->wake_lock);
        if (stop)
            return NULL;
    }
}

static int tmp_remove(void *ctx, str name, enum disk_kind kind)
{
    struct artifacts *a = ctx;
    char path[BLOB_PATH_MAX];
    if (kind == DISK_KIND_FILE && (size_t)snprintf(path, sizeof path, BLOB_TMP "/%.*s", STR_ARG(name)) < sizeof path)
        disk_unlink(a->disk, path);
    return 0;
}

static int thread_begin(struct artifacts *a, struct err *err)
{
    if (a->options.manual)
        return 0;
    if (pthread_create(&a->thread, NULL, collecting_main, a) != 0)
        return err_set(err, ERR_NOMEM, "threads", "the thread that removes artifacts cannot be started");
    a->has_thread = true;
    return 0;
}

static void wake_init(struct artifacts *a)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    must(pthread_cond_init(&a->wake, &attr) == 0 && pthread_mutex_init(&a->wake_lock, NULL) == 0);
    pthread_condattr_destroy(&attr);
}

static int open_files(struct artifacts *a, struct err *err)
{
    char path[sizeof a->writer.path];
    int r = 0;
    if (!a->disk) {
        r = disk_open_root(a->options.data, &a->disk);
        if (r < 0)
            return blob_error(r, "the data directory cannot be opened", a->options.data, err);
        a->disk_is_ours = true;
    }
    r = blob_dirs_make(a, err);
    if (r == 0 && (r = disk_list(a->disk, BLOB_TMP, tmp_remove, a)) < 0)
        blob_error(r, "the directory cannot be read", BLOB_TMP, err);
    snprintf(path, sizeof path, "%s/artifacts.db", a->options.data);
    if (r == 0)
        r = db_open(&a->writer, path, "artifacts_database", DB_WRITE | DB_CREATE, err);
    if (r == 0)
        r = schema_apply(a, err);
    if (r == 0)
        r = db_open(&a->reader, path, "artifacts_database", 0, err);
    return r < 0 ? r : reference_count(a, err);
}

int artifacts_open(const struct artifacts_options *o, struct artifacts **ret_artifacts, struct err *err)
{
    struct artifacts *a = mem_zalloc(sizeof *a);
    if (!a)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    a->magic = ARTIFACTS_MAGIC;
    a->options = *o;
    a->disk = o->disk;
    wake_init(a);
    int r = open_files(a, err);
    if (r == 0)
        r = thread_begin(a, err);
    if (r < 0) {
        artifacts_close(a);
        return r;
    }
    *ret_artifacts = a;
    return 0;
}

void artifacts_close(struct artifacts *a)
{
    if (!a)
        return;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    if (a->has_thread) {
        pthread_mutex_lock(&a->wake_lock);
        a->stop = true;
        pthread_cond_signal(&a->wake);
        pthread_mutex_unlock(&a->wake_lock);
        pthread_join(a->thread, NULL);
    }
    db_close(&a->reader);
    db_close(&a->writer);
    if (a->disk_is_ours)
        disk_free(a->disk);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->wake_lock);
    a->magic = 0;
    mem_free(a);
}

void artifacts_stats(struct artifacts *a, struct artifacts_stats *ret_stats)
{
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    *ret_stats = (struct artifacts_stats){
        .references = a->references,
        .contents = a->contents,
        .bytes = a->bytes,
        .stored_bytes = a->stored_bytes,
        .puts = a->puts,
        .repeated = a->repeated,
        .collected = a->collected,
        .refused_full = a->refused_full,
        .cap_bytes = a->options.cap_bytes,
    };
}
