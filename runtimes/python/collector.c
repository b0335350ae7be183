#include "collector.h"

#if PY_VERSION_HEX < 0x030E0000
bool ext_collector(struct ext_collector *ret)
{
    struct _gc_runtime_state *gc = &PyThreadState_Get()->interp->gc;
    *ret = (struct ext_collector){ .stats = gc->generation_stats, .collecting = &gc->collecting };
    for (int i = 0; i < COLLECTOR_GENERATIONS; i++)
        ret->lists[i] = &gc->generations[i].head;
    ret->lists[COLLECTOR_GENERATIONS] = &gc->permanent_generation.head;
    return true;
}
#else
#pragma weak _PyRuntime // where it is not to be had, nothing is known

static const unsigned long GENERATIONS_AGAIN = 0x030E0500; // 3.14.5

static bool is_list(const PyGC_Head *head)
{
    uintptr_t at = (uintptr_t)head;
    return head->_gc_next && head->_gc_prev && (((PyGC_Head *)head->_gc_prev)->_gc_next & _PyGC_PREV_MASK) == at &&
           (((PyGC_Head *)(head->_gc_next & _PyGC_PREV_MASK))->_gc_prev & _PyGC_PREV_MASK) == at;
}

bool ext_collector_read(struct ext_collector_layout *gc, uint64_t size, uint64_t collecting, unsigned long version,
                        struct ext_collector *ret)
{
    bool incremental = size == offsetof(struct ext_collector_layout, long_lived_total) && version < GENERATIONS_AGAIN,
         generations = size == sizeof *gc && gc->youngest == &gc->lists[0].head;
    if (collecting != offsetof(struct ext_collector_layout, collecting) || incremental == generations ||
        (incremental && gc->visited_space != 0 && gc->visited_space != 1))
        return false;
    *ret = (struct ext_collector){
        .stats = gc->stats,
        .collecting = &gc->collecting,
        .visited = incremental ? &gc->visited_space : NULL,
    };
    for (int i = 0; i < COLLECTOR_LISTS; i++) {
        ret->lists[i] = &gc->lists[i].head;
        if (!is_list(ret->lists[i]))
            return false;
    }
    return true;
}

bool ext_collector(struct ext_collector *ret)
{
    if (!&_PyRuntime)
        return false;
    const struct _Py_DebugOffsets *table = &_PyRuntime.debug_offsets;
    char *gc = (char *)PyThreadState_Get()->interp + table->interpreter_state.gc;
    return memcmp(table->cookie, _Py_Debug_Cookie, sizeof table->cookie) == 0 &&
           ext_collector_read((struct ext_collector_layout *)gc, table->gc.size, table->gc.collecting, Py_Version, ret);
}
#endif
