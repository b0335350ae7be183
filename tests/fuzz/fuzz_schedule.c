// A monitor's configuration as SDKs send it, or (anything else) a crontab: read or refused with words; its times go forward.
#include "base/clock.h"
#include "base/must.h"
#include "monitors/monitors_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void forward(const struct schedule *s)
{
    int64_t at = 1767225600 * NS_PER_S;
    for (int i = 0; i < 4; i++) {
        int64_t next = schedule_next(s, at);
        must(next > at);
        if (next == INT64_MAX)
            return;
        at = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct schedule s;
    struct err err = { 0 };
    struct monitor m = { .slug = STR("job") };
    str text = str_of(data, size);
    arena_init(&arena, 1 << 20);
    int r = size && data[0] == '{' ? monitor_config_read(text, &arena, &m, &err) : schedule_crontab(text, &s, &err);
    must(r == 0 || (err.code == r && err.message[0]));
    if (r == 0 && data[0] == '{')
        must(monitor_schedule(&m, &s, NULL) == 0);
    if (r == 0)
        forward(&s);
    arena_free(&arena);
    return 0;
}
