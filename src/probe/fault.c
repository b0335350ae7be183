// Words for why there is no value. In-process part, so nothing but mem*.
#include "probe/vm.h"

static const struct {
    str slug, text;
} reasons[PROBE_FAULT_COUNT] = {
#define ENTRY(name, slug, text) { STR_INIT(slug), STR_INIT(text) },
    PROBE_FAULT_TABLE(ENTRY)
#undef ENTRY
};

str probe_fault_slug(unsigned reason) { return reason < PROBE_FAULT_COUNT ? reasons[reason].slug : (str){ 0 }; }

static size_t put(char *out, size_t cap, size_t n, str s)
{
    size_t room = cap - n, len = s.len < room ? s.len : room;
    if (len)
        memcpy(out + n, s.ptr, len);
    return n + len;
}

size_t probe_fault_text(const struct probe_fault *fault, str text, char *out, size_t cap)
{
    if (fault->reason == PROBE_FAULT_NONE || fault->reason >= PROBE_FAULT_COUNT)
        return 0;
    str of = str_slice(text, fault->at, (size_t)fault->at + fault->len);
    size_t n = 0;
    if (of.len) {
        n = put(out, cap, n, STR("`"));
        n = put(out, cap, n, of);
        n = put(out, cap, n, STR("` "));
    } else {
        n = put(out, cap, n, STR("the expression "));
    }
    return put(out, cap, n, reasons[fault->reason].text);
}
