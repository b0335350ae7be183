// Feeds every file of the directories given on the command line to a fuzz target, so that what a
// fuzzer once found is an ordinary test with any compiler. Also cuts each input short at a few
// places, which costs nothing and finds readers that run past the end. Output: TAP.
#include "base/mem.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_SIZE_MAX = 4 << 20, CUTS = 16 };

static int tests;

// A copy of its own for every call: with AddressSanitizer the byte after the last is poisoned.
static void replay_bytes(const uint8_t *data, size_t size)
{
    uint8_t *copy = mem_dup(data, size);
    if (!copy)
        abort();
    LLVMFuzzerTestOneInput(copy, size);
    mem_free(copy);
}

static void replay_file(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    uint8_t *data = mem_alloc(INPUT_SIZE_MAX);
    size_t size = f && data ? fread(data, 1, INPUT_SIZE_MAX, f) : 0;
    if (f && data) {
        for (int i = 1; i <= CUTS; i++)
            replay_bytes(data, size * (size_t)i / CUTS);
    }
    printf("%s %d - %s\n", f && data ? "ok" : "not ok", ++tests, name);
    fflush(stdout);
    mem_free(data);
    if (f)
        fclose(f);
}

int main(int argc, char **argv)
{
    printf("TAP version 13\n");
    for (int i = 1; i < argc; i++) {
        struct dirent **names;
        int n = scandir(argv[i], &names, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            if (names[k]->d_name[0] != '.')
                replay_file(argv[i], names[k]->d_name);
            free(names[k]);
        }
        if (n >= 0)
            free(names);
    }
    replay_bytes((const uint8_t *)"", 0);
    printf("ok %d - empty input\n1..%d\n", tests + 1, tests + 1);
    return 0;
}
