// What a project's filters leave out: it is answered as if it had been taken, and counted, never silently gone.
#include "ingest/sentry_internal.h"

static const str categories[SENTRY_CATEGORIES] = {
    [SENTRY_ERROR] = STR_INIT("error"),     [SENTRY_TRANSACTION] = STR_INIT("transaction"),
    [SENTRY_SPAN] = STR_INIT("span"),       [SENTRY_LOG] = STR_INIT("log_item"),
    [SENTRY_SESSION] = STR_INIT("session"), [SENTRY_REPLAY] = STR_INIT("replay"),
    [SENTRY_PROFILE] = STR_INIT("profile"), [SENTRY_ATTACHMENT] = STR_INIT("attachment"),
};

void sentry_filtered(struct sentry_call *call, enum filter_reason reason, enum sentry_category category, uint32_t n)
{
    call->filtered[reason][category] += n;
    call->filtered_n += n;
}

bool sentry_event_filtered(struct sentry_call *call, const struct json_node *root, const struct sentry_source *from)
{
    bool transaction = from->transaction || str_eq(json_get_text(root, STR("type")), STR("transaction"));
    enum filter_reason reason =
        filters_check(call->rules->filters, transaction ? FILTER_TRANSACTION : FILTER_ERROR, root, call->peer);
    if (reason == FILTER_NONE)
        return false;
    if (!call->has_id)
        sentry_id_make(call, json_get_text(root, STR("event_id")));
    call->event_filtered = reason;
    sentry_filtered(call, reason, transaction ? SENTRY_TRANSACTION : SENTRY_ERROR, 1);
    return true;
}

static bool container_filtered(struct sentry_call *call, bool log, const struct sentry_item *item,
                               const struct json_node *root, str peer)
{
    uint32_t counts[FILTER_REASONS_N] = { 0 };
    const struct json_node *items = json_get(root, STR("items"));
    filters_container(call->rules->filters, item->type, root, peer, counts);
    for (int i = FILTER_NONE + 1; i < FILTER_REASONS_N; i++)
        if (counts[i])
            sentry_filtered(call, (enum filter_reason)i, log ? SENTRY_LOG : SENTRY_SPAN, counts[i]);
    return json_is(items, JSON_ARRAY) && items->n == 0;
}

bool sentry_item_filtered(struct sentry_call *call, const struct sentry_item *item, const struct json_node *root,
                          const struct sentry_source *from)
{
    const struct filters *f = call->rules->filters;
    enum filter_reason reason = FILTER_NONE;
    bool log = str_eq(item->type, STR("log"));
    if (log || str_eq(item->type, STR("span")))
        return container_filtered(call, log, item, root, call->peer);
    if (str_eq(item->type, STR("session")) || str_eq(item->type, STR("sessions"))) {
        if ((reason = filters_check(f, FILTER_SESSION, root, call->peer)))
            sentry_filtered(call, reason, SENTRY_SESSION, 1);
    } else if (str_eq(item->type, STR("replay_event"))) {
        if ((reason = call->replay_filtered = filters_check(f, FILTER_REPLAY, root, call->peer)))
            sentry_filtered(call, reason, SENTRY_REPLAY, 1);
    } else if (str_eq(item->type, STR("replay_recording")) || str_eq(item->type, STR("replay_video"))) {
        reason = call->replay_filtered; // counted with its event
    } else if (str_eq(item->type, STR("profile"))) {
        if ((reason = call->event_filtered))
            sentry_filtered(call, reason, SENTRY_PROFILE, 1);
    }
    return reason != FILTER_NONE;
}

static bool goes_with_event(const struct artifact_item *item)
{
    return item->ref.event.len && (item->ref.kind == ARTIFACT_ATTACHMENT || item->ref.kind == ARTIFACT_MINIDUMP ||
                                   item->ref.kind == ARTIFACT_APPLE_CRASH_REPORT);
}

static void kept_drop(struct sentry_call *call)
{
    struct sentry_kept **at = &call->kept;
    while (*at) {
        if (!goes_with_event(&(*at)->item)) {
            at = &(*at)->next;
            continue;
        }
        sentry_filtered(call, call->event_filtered, SENTRY_ATTACHMENT, 1);
        call->kept_n--;
        *at = (*at)->next;
    }
    call->kept_end = at;
}

int sentry_filtered_put(struct sentry_call *call, const struct sentry_source *from, const struct record_sink *sink)
{
    enum { MOST = FILTER_REASONS_N * SENTRY_CATEGORIES };
    size_t n = 0;
    if (call->event_filtered)
        kept_drop(call);
    if (!call->filtered_n)
        return 0;
    struct sentry_lost *lost = arena_alloc_array(sentry_arena(call), MOST, sizeof *lost);
    if (!lost)
        return ERR_NOMEM;
    for (int reason = FILTER_NONE + 1; reason < FILTER_REASONS_N; reason++)
        for (int category = 0; category < SENTRY_CATEGORIES; category++)
            if (call->filtered[reason][category])
                lost[n++] = (struct sentry_lost){ .outcome = STR("filtered"),
                                                  .reason = filter_reason_slug((enum filter_reason)reason),
                                                  .category = categories[category],
                                                  .quantity = call->filtered[reason][category] };
    if (!call->repeated)
        call->in->sentry_filtered += call->filtered_n;
    return sentry_outcome_records(lost, n, from, sentry_arena(call), sink, &call->counts);
}
