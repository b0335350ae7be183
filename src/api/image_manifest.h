// Which images are in a snapshot: the JSON that `sentry-cli snapshots upload` sends, {"app_id", "images": {NAME: {"content_hash",
// "width", "height", "display_name", "group"}}, "selective", "all_image_file_names"}, and that is kept of it, to which `size` and
// `type` of each image come. Names are paths below a folder of whoever downloads them: none leaves it.
#pragma once
#include "base/err.h"
#include "base/json_tree.h"

enum {
    IMAGE_SNAPSHOT_IMAGES = 5000,
    IMAGE_SNAPSHOT_NAMES = 20000, // of the whole suite, when only a part was sent
    IMAGE_NAME_MAX = 512,
    IMAGE_WORD_MAX = 256,
    IMAGE_HASH_HEX = 64,
    IMAGE_MANIFEST_MAX = 16 << 20 // bytes of the kept JSON
};

struct image {
    str name;         // "sub/home.png"
    str hash;         // SHA-256, 64 digits in lower case
    str title, group; // as the tests named them; may be empty
    str type;         // of image_type(); empty: not known yet, or none that is shown
    int64_t width, height, size;
};

struct image_manifest {
    str app;
    struct image *images; // by name
    size_t n;
    bool selective; // only a part of the suite was sent
    const str *all; // of a part: all names of the suite, in order
    size_t all_n;
};

// Everything is the arena's, or a view into the tree. ERR_INVALID: what is wrong, and with which image; ERR_LIMIT; ERR_NOMEM.
int image_manifest_read(const struct json_node *root, struct arena *arena, struct image_manifest *ret, struct err *err);
void image_manifest_put(struct json_writer *w, const struct image_manifest *m);
// NULL: none of that name.
const struct image *image_find(const struct image_manifest *m, str name);
// Whether an image that the base has is no longer in the suite.
bool image_is_gone(const struct image_manifest *m, str name);

bool image_hash_ok(str hex);
// The type that the first bytes say, of those that browsers show and that run nothing: empty for all others.
str image_type(bytes content);
bool image_type_ok(str type);
