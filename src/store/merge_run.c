// Merging itself: the part builder over parts.
#include "store/merge.h"

int merge_run(const struct part_env *env, struct part *const *inputs, uint32_t inputs_n,
              const struct part_build_options *options, struct part **ret_part, struct err *err)
{
    const struct segment *segments[PART_INPUTS_MAX];
    if (inputs_n == 0 || inputs_n > PART_INPUTS_MAX)
        return err_set(err, ERR_INVALID, "merge", "%u parts cannot be merged at once", inputs_n);
    for (uint32_t i = 0; i < inputs_n; i++)
        segments[i] = part_segment(inputs[i]);
    struct part_facts facts;
    part_facts(inputs[0], &facts);
    struct part_build_options o = *options;
    o.effort = PART_MERGED;
    o.retention_class = facts.retention_class;
    return part_build(env, facts.source, segments, inputs_n, &o, ret_part, err);
}
