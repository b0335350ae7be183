// Where something happened: the frame of an event, and those that an exception has left.
#include "ext.h"

enum { TRACE_MAX = 1 << 17 }; // of a traceback: the outermost

bool ext_event_frame(const struct ext_event *e, struct ext_frame *ret)
{
    if (!e->frame)
        return ext_frame_first(PyThreadState_Get(), ret);
    *ret = *e->frame;
    return true;
}

const struct ext_frame *ext_frame_raised(PyObject *exception, uint32_t *ret_cut)
{
    static struct ext_frame kept[CLEW_FRAMES_MAX]; // the innermost of them, in a circle
    PyObject *trace = ((PyBaseExceptionObject *)exception)->traceback;
    const void *last = NULL;
    uint32_t n = 0;
    if (!trace || !PyTraceBack_Check(trace))
        return NULL;
    for (const PyTracebackObject *tb = (const PyTracebackObject *)trace; tb && n < TRACE_MAX; tb = tb->tb_next) {
        struct ext_frame *f = &kept[n % CLEW_FRAMES_MAX];
        if (!ext_frame_traced(tb, f))
            continue;
        f->at = last =
            last ? last : f->at; // one that has ended has no callers any more: those of the outermost are those of all
        f->outer = n ? &kept[(n - 1) % CLEW_FRAMES_MAX] : NULL;
        n++;
    }
    if (n > CLEW_FRAMES_MAX)
        kept[n % CLEW_FRAMES_MAX].outer = NULL;
    *ret_cut = n > CLEW_FRAMES_MAX ? n - CLEW_FRAMES_MAX : 0;
    return n ? &kept[(n - 1) % CLEW_FRAMES_MAX] : NULL;
}
