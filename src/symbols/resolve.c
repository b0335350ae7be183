// From a frame's file to the uploaded ones, with a memory of what was found.
#include "symbols/symbols_internal.h"

#include "base/hash.h"

enum { IMAGES_MAX = 1000 };

int lookup_begin(struct lookup *l, struct symbols *s, uint32_t project, const struct sentry_event *e,
                 struct arena *arena)
{
    uint32_t n;
    const struct json_node *image = sentry_list(json_get(json_get(e->node, STR("debug_meta")), STR("images")), &n);
    *l = (struct lookup){ .s = s, .project = project, .release = e->release, .dist = e->dist, .arena = arena };
    n = n < IMAGES_MAX ? n : IMAGES_MAX;
    struct image *images = n ? arena_alloc_array(arena, n, sizeof *images) : NULL;
    if (n && !images)
        return ERR_NOMEM;
    for (uint32_t i = 0; image && i < n; image = image->next, i++) {
        struct image *to = &images[l->images_n];
        to->code_file = json_get_text(image, STR("code_file"));
        if (str_eq(json_get_text(image, STR("type")), STR("sourcemap")) && to->code_file.len &&
            debug_id_parse(json_get_text(image, STR("debug_id")), to->debug_id))
            l->images_n++;
    }
    l->images = images;
    return 0;
}

const struct image *lookup_image(const struct lookup *l, str abs_path)
{
    for (uint32_t i = 0; i < l->images_n; i++)
        if (str_eq(l->images[i].code_file, abs_path))
            return &l->images[i];
    return NULL;
}

static uint64_t hash_more(uint64_t h, str s) { return hash64_int(h ^ hash64_str(s)) + s.len; }

static int find(const struct lookup *l, const struct image *image, str abs_path, struct found *ret)
{
    int r = 0;
    *ret = (struct found){ 0 };
    if (image)
        r = registry_find_debug_id(l->s, l->project, image->debug_id, ret);
    if (r == 0 && !ret->map && l->release.len)
        r = registry_find_url(l->s, l->project, l->release, l->dist, abs_path, l->arena, ret);
    return r;
}

int lookup_find(const struct lookup *l, str abs_path, struct found *ret)
{
    struct symbols *s = l->s;
    const struct image *image = lookup_image(l, abs_path);
    if (!s->files) {
        *ret = (struct found){ 0 };
        return 0;
    }
    uint64_t key = hash64_int(l->project) ^ (image ? hash64(image->debug_id, 16) : 0);
    key = hash_more(hash_more(hash_more(key, l->release), l->dist), abs_path);
    uint64_t generation = s->generation;
    pthread_mutex_lock(&s->lock);
    bool known = s->found[key % FOUND_SLOTS].key == key && s->found[key % FOUND_SLOTS].generation == generation;
    if (known)
        *ret = s->found[key % FOUND_SLOTS].found;
    pthread_mutex_unlock(&s->lock);
    if (known)
        return 0;
    int r = find(l, image, abs_path, ret);
    if (r < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    s->found[key % FOUND_SLOTS].key = key;
    s->found[key % FOUND_SLOTS].generation = generation;
    s->found[key % FOUND_SLOTS].found = *ret;
    pthread_mutex_unlock(&s->lock);
    return 0;
}
