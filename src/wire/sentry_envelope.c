#include "wire/sentry_envelope.h"

// Takes the first line (without its line feed) off the front.
static bytes line_take(bytes *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    bytes line = { rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len };
    size_t taken = line.len + (end != NULL);
    *rest = taken ? bytes_of(rest->ptr + taken, rest->len - taken) : *rest;
    return line;
}

static int place_of(const struct sentry_envelope *e, int code, struct err *err)
{
    if (e->items)
        err_set_place(err, "item %u, byte %zu", e->items - 1, e->size - e->rest.len);
    else
        err_set_place(err, "envelope header");
    return code;
}

static int header_read(struct sentry_envelope *e, bytes line, const char *what, const struct json_node **ret_header,
                       struct err *err)
{
    if (line.len > SENTRY_HEADER_MAX)
        return err_set(err, ERR_MALFORMED, NULL, "the %s is longer than %d bytes", what, SENTRY_HEADER_MAX);
    int r = json_tree_read(str_of_bytes(line), e->arena, SENTRY_HEADER_DEPTH, ret_header, err);
    if (r == ERR_NOMEM)
        return r;
    if (r < 0 || !json_is(*ret_header, JSON_OBJECT))
        return err_set(err, ERR_MALFORMED, NULL, "the %s is no JSON object", what);
    return 0;
}

int sentry_envelope_open(bytes body, struct arena *arena, struct sentry_envelope *ret_envelope, struct err *err)
{
    struct sentry_envelope e = { .rest = body, .arena = arena, .size = body.len };
    int r = header_read(&e, line_take(&e.rest), "envelope header", &e.header, err);
    if (r < 0)
        return place_of(&e, r, err);
    e.event_id = json_get_text(e.header, STR("event_id"));
    e.dsn = json_get_text(e.header, STR("dsn"));
    e.sent_at = json_get_text(e.header, STR("sent_at"));
    *ret_envelope = e;
    return 0;
}

static int payload_take(struct sentry_envelope *e, struct sentry_item *item, struct err *err)
{
    const struct json_node *length = json_get(item->header, STR("length"));
    int64_t n;
    if (!length) {
        item->payload = line_take(&e->rest);
        return 0;
    }
    if (!json_int_of(length, &n) || n < 0)
        return err_set(err, ERR_MALFORMED, NULL, "`length` is no length");
    if ((uint64_t)n > e->rest.len)
        return err_set(err, ERR_MALFORMED, NULL, "`length` says %lld bytes, %zu are there", (long long)n, e->rest.len);
    item->payload = bytes_of(e->rest.ptr, (size_t)n);
    e->rest = bytes_of(e->rest.ptr + n, e->rest.len - (size_t)n);
    if (e->rest.len && e->rest.ptr[0] != '\n')
        return err_set(err, ERR_MALFORMED, NULL, "no line feed stands behind the %lld bytes of `length`", (long long)n);
    line_take(&e->rest);
    return 0;
}

int sentry_envelope_next(struct sentry_envelope *e, struct sentry_item *ret_item, struct err *err)
{
    while (e->rest.len && e->rest.ptr[0] == '\n')
        line_take(&e->rest);
    if (!e->rest.len)
        return 0;
    if (e->items == SENTRY_ITEMS_MAX)
        return err_set(err, ERR_LIMIT, NULL, "more than %d items in one envelope", SENTRY_ITEMS_MAX);
    struct sentry_item item = { .index = e->items++ };
    int r = header_read(e, line_take(&e->rest), "item header", &item.header, err);
    if (r == 0)
        r = payload_take(e, &item, err);
    if (r < 0)
        return place_of(e, r, err);
    item.type = json_get_text(item.header, STR("type"));
    item.content_type = json_get_text(item.header, STR("content_type"));
    item.filename = json_get_text(item.header, STR("filename"));
    item.attachment_type = json_get_text(item.header, STR("attachment_type"));
    *ret_item = item;
    return 1;
}
