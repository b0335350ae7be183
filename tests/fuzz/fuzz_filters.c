// Settings and an event, parted by a zero byte: settings are read or refused with words, and those that are read are asked about
// the event as every kind that there is.
#include "base/must.h"
#include "filters/filters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_of(data, size);
    ptrdiff_t zero = str_find_char(text, 0, 0);
    size_t half = zero < 0 ? size : (size_t)zero;
    struct filter_settings settings = filter_settings_default();
    struct arena arena;
    struct filters *filters;
    struct err err = { 0 };
    const struct json_node *root;
    uint32_t counts[FILTER_REASONS_N] = { 0 };
    char words[64];
    arena_init(&arena, 16 << 20);
    int r = filter_settings_read(str_slice(text, 0, half), &arena, &settings, &err);
    filter_settings_words(&settings, words, sizeof words);
    if (r == 0)
        r = filters_new(&settings, &filters, &err);
    must(r == 0 || (err.code == r && err.message[0]));
    if (r == 0 && json_tree_read(str_slice(text, half + 1, size), &arena, 64, &root, NULL) == 0) {
        for (int kind = FILTER_ERROR; kind <= FILTER_SESSION; kind++)
            must(filters_check(filters, (enum filter_kind)kind, root, STR("192.0.2.7")) < FILTER_REASONS_N);
        filters_container(filters, STR("log"), root, (str){ 0 }, counts);
        filters_container(filters, STR("span"), root, (str){ 0 }, counts);
    }
    if (r == 0)
        filters_free(filters);
    arena_free(&arena);
    return 0;
}
