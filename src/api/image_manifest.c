#include "api/image_manifest.h"

#include "base/utf8.h"

#include <stdlib.h>

static const struct {
    str type, magic;
    size_t at;
} types[] = {
    { STR_INIT("image/png"), STR_INIT("\x89PNG\r\n\x1a\n"), 0 },
    { STR_INIT("image/jpeg"), STR_INIT("\xff\xd8\xff"), 0 },
    { STR_INIT("image/webp"), STR_INIT("WEBPVP8"), 8 },
    { STR_INIT("image/gif"), STR_INIT("GIF8"), 0 },
};

str image_type(bytes content)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (content.len > types[i].at + types[i].magic.len &&
            memcmp(content.ptr + types[i].at, types[i].magic.ptr, types[i].magic.len) == 0)
            return types[i].type;
    return (str){ 0 };
}

bool image_type_ok(str type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq(type, types[i].type))
            return true;
    return false;
}

bool image_hash_ok(str hex)
{
    for (size_t i = 0; i < hex.len; i++)
        if (!((hex.ptr[i] >= '0' && hex.ptr[i] <= '9') || (hex.ptr[i] >= 'a' && hex.ptr[i] <= 'f')))
            return false;
    return hex.len == IMAGE_HASH_HEX;
}

// Characters as UTF-8 has them, none that controls something.
static bool text_ok(str s, size_t max)
{
    const uint8_t *p = (const uint8_t *)s.ptr, *end = p + s.len;
    while (p < end) {
        size_t n = utf8_char_len(p, end);
        if (n == 0 || *p < ' ' || *p == 0x7f)
            return false;
        p += n;
    }
    return s.len <= max;
}

// A path without a root, a drive, ways up or empty segments.
static bool name_ok(str name)
{
    if (name.len == 0 || !text_ok(name, IMAGE_NAME_MAX) || str_find_char(name, '\\', 0) >= 0 ||
        (name.len > 1 && name.ptr[1] == ':'))
        return false;
    for (size_t at = 0; at <= name.len;) {
        ptrdiff_t slash = str_find_char(name, '/', at);
        str segment = str_slice(name, at, slash < 0 ? name.len : (size_t)slash);
        if (segment.len == 0 || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return false;
        at += segment.len + 1;
    }
    return true;
}

static int invalid(struct err *err, const char *what, str name)
{
    return err_set(err, ERR_INVALID, "bad_manifest", "%s: \"%.*s\"", what, STR_ARG(utf8_cut(name, 100)));
}

static int64_t least_zero(int64_t n) { return n < 0 ? 0 : n; }

static int image_read(const struct json_node *in, struct image *ret, struct err *err)
{
    if (!name_ok(in->key))
        return invalid(err, "an image's name is no path below a folder, or longer than 512 bytes", in->key);
    *ret = (struct image){
        .name = in->key,
        .hash = json_get_text(in, STR("content_hash")),
        .title = utf8_cut(json_get_text(in, STR("display_name")), IMAGE_WORD_MAX),
        .group = utf8_cut(json_get_text(in, STR("group")), IMAGE_WORD_MAX),
        .type = json_get_text(in, STR("type")),
        .width = least_zero(json_get_int(in, STR("width"))),
        .height = least_zero(json_get_int(in, STR("height"))),
        .size = least_zero(json_get_int(in, STR("size"))),
    };
    if (!image_hash_ok(ret->hash))
        return invalid(err, "content_hash of an image is no SHA-256 in lower-case hex", in->key);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

static int by_text(const void *a, const void *b) { return str_cmp(*(const str *)a, *(const str *)b); }

static int images_read(const struct json_node *in, struct arena *arena, struct image_manifest *m, struct err *err)
{
    if (!json_is(in, JSON_OBJECT) || in->n == 0)
        return err_set(err, ERR_INVALID, "bad_manifest", "images is no object with images");
    if (in->n > IMAGE_SNAPSHOT_IMAGES)
        return err_set(err, ERR_LIMIT, "too_many_images", "a snapshot has at most %d images", IMAGE_SNAPSHOT_IMAGES);
    m->images = arena_alloc_array(arena, in->n, sizeof *m->images);
    if (!m->images)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (const struct json_node *one = in->first; one; one = one->next) {
        int rc = image_read(one, &m->images[m->n++], err);
        if (rc < 0)
            return rc;
    }
    qsort(m->images, m->n, sizeof *m->images, by_name);
    for (size_t i = 1; i < m->n; i++)
        if (str_eq(m->images[i - 1].name, m->images[i].name))
            return invalid(err, "an image stands in images twice", m->images[i].name);
    return 0;
}

static int names_read(const struct json_node *in, struct arena *arena, struct image_manifest *m, struct err *err)
{
    if (!json_is(in, JSON_ARRAY) || in->n == 0)
        return 0;
    if (in->n > IMAGE_SNAPSHOT_NAMES)
        return err_set(err, ERR_LIMIT, "too_many_images", "a suite has at most %d images", IMAGE_SNAPSHOT_NAMES);
    str *all = arena_alloc_array(arena, in->n, sizeof *all);
    if (!all)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (const struct json_node *one = in->first; one; one = one->next) {
        all[m->all_n] = json_text_of(one);
        if (!name_ok(all[m->all_n++]))
            return invalid(err, "all_image_file_names holds what is no path below a folder", json_text_of(one));
    }
    qsort(all, m->all_n, sizeof *all, by_text);
    m->all = all;
    return 0;
}

int image_manifest_read(const struct json_node *root, struct arena *arena, struct image_manifest *ret, struct err *err)
{
    struct image_manifest m = { .app = json_get_text(root, STR("app_id")),
                                .selective = json_is(json_get(root, STR("selective")), JSON_TRUE) };
    if (m.app.len == 0 || !text_ok(m.app, IMAGE_WORD_MAX))
        return err_set(err, ERR_INVALID, "bad_manifest", "app_id is no name of 1 to %d bytes", IMAGE_WORD_MAX);
    int rc = images_read(json_get(root, STR("images")), arena, &m, err);
    if (rc == 0)
        rc = names_read(json_get(root, STR("all_image_file_names")), arena, &m, err);
    m.selective |= m.all_n > 0;
    if (rc == 0)
        *ret = m;
    return rc;
}

static void put_text(struct json_writer *w, str key, str text)
{
    if (text.len == 0)
        return;
    json_put_key(w, key);
    json_put_str(w, text);
}

static void put_number(struct json_writer *w, str key, int64_t n)
{
    json_put_key(w, key);
    json_put_int(w, n);
}

void image_manifest_put(struct json_writer *w, const struct image_manifest *m)
{
    json_put_object(w);
    put_text(w, STR("app_id"), m->app);
    json_put_key(w, STR("selective"));
    json_put_bool(w, m->selective);
    json_put_key(w, STR("images"));
    json_put_object(w);
    for (size_t i = 0; i < m->n; i++) {
        const struct image *one = &m->images[i];
        json_put_key(w, one->name);
        json_put_object(w);
        put_text(w, STR("content_hash"), one->hash);
        put_text(w, STR("display_name"), one->title);
        put_text(w, STR("group"), one->group);
        put_text(w, STR("type"), one->type);
        put_number(w, STR("width"), one->width);
        put_number(w, STR("height"), one->height);
        put_number(w, STR("size"), one->size);
        json_put_object_end(w);
    }
    json_put_object_end(w);
    json_put_key(w, STR("all_image_file_names"));
    json_put_array(w);
    for (size_t i = 0; i < m->all_n; i++)
        json_put_str(w, m->all[i]);
    json_put_array_end(w);
    json_put_object_end(w);
}

const struct image *image_find(const struct image_manifest *m, str name)
{
    struct image key = { .name = name };
    return m->n ? bsearch(&key, m->images, m->n, sizeof *m->images, by_name) : NULL;
}

bool image_is_gone(const struct image_manifest *m, str name)
{
    if (image_find(m, name))
        return false;
    return m->all_n ? !bsearch(&name, m->all, m->all_n, sizeof *m->all, by_text) : !m->selective;
}
