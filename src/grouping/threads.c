// Stacks that are no exception's: of the one thread that crashed (else is current, else alone), or of the event itself.
#include "grouping/grouping_internal.h"

static const struct gthread *the_thread(const struct run *run)
{
    const struct gthread *crashed = NULL, *current = NULL;
    uint32_t crashed_n = 0, current_n = 0;
    for (uint32_t i = 0; i < run->threads_n; i++) {
        if (run->threads[i].crashed) {
            crashed = &run->threads[i];
            crashed_n++;
        }
        if (run->threads[i].current) {
            current = &run->threads[i];
            current_n++;
        }
    }
    return crashed_n == 1 ? crashed : current_n == 1 ? current : run->threads_n == 1 ? run->threads : NULL;
}

static int wrap(struct run *run, struct component *stack, struct component **ret)
{
    *ret = component_new(run->arena, "threads");
    if (!*ret)
        return ERR_NOMEM;
    component_add(*ret, stack);
    component_settle(*ret);
    return 0;
}

int thread_components(struct run *run)
{
    struct component *stacks[2], *variants[2] = { NULL, NULL };
    const struct gthread *t = the_thread(run);
    int r = 0;
    if (!run->threads_n)
        return 0;
    if (!t || !t->has_stack) {
        if ((r = wrap(run, NULL, &variants[VARIANT_APP])) < 0)
            return r;
        component_ignore(variants[VARIANT_APP],
                         t ? "ignored: the thread has no stack"
                           : "ignored: neither one thread that crashed, nor one that is current");
        return strategy_add(run, "the thread", variants[VARIANT_APP], NULL, NULL);
    }
    r = stack_components(run, &t->stack, NULL, stacks);
    for (unsigned v = 0; r == 0 && v < 2; v++)
        r = wrap(run, stacks[v], &variants[v]);
    return r < 0 ? r : strategy_add(run, "the thread", variants[VARIANT_APP], variants[VARIANT_SYSTEM], NULL);
}

int event_stack_components(struct run *run)
{
    struct component *stacks[2];
    if (!run->has_stack)
        return 0;
    int r = stack_components(run, &run->stack, NULL, stacks);
    return r < 0 ? r : strategy_add(run, "the stack", stacks[VARIANT_APP], stacks[VARIANT_SYSTEM], NULL);
}
