// Any manifest: names stay below a folder, each stands once, and what is kept of it reads back the same.
#include "api/image_manifest.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read(str text, struct arena *arena, struct image_manifest *m)
{
    const struct json_node *root;
    struct err err;
    return json_tree_read(text, arena, 16, &root, &err) < 0 ? -1 : image_manifest_read(root, arena, m, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct image_manifest m, again;
    struct json_writer w;
    struct buf out;
    arena_init(&arena, 16 << 20);
    buf_init(&out, 16 << 20);
    if (read(str_of(data, size), &arena, &m) == 0) {
        for (size_t i = 0; i < m.n; i++) {
            const struct image *one = &m.images[i];
            must(one->name.len && one->name.len <= IMAGE_NAME_MAX && one->name.ptr[0] != '/');
            must(str_find(one->name, STR("../")) != 0 && str_find(one->name, STR("/../")) < 0);
            must(image_hash_ok(one->hash) && image_find(&m, one->name) == one && !image_is_gone(&m, one->name));
        }
        json_writer_init(&w, &out);
        image_manifest_put(&w, &m);
        must(!out.error && read(buf_view(&out), &arena, &again) == 0);
        must(again.n == m.n && again.all_n == m.all_n && again.selective == m.selective && str_eq(again.app, m.app));
        for (size_t i = 0; i < m.n; i++)
            must(str_eq(m.images[i].name, again.images[i].name) && str_eq(m.images[i].hash, again.images[i].hash));
    }
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
