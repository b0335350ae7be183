// Messages of logpoints: text with expressions in braces, "order {order.id} of {order.customer.name}". `{{` and `}}` are braces.
// The parts are captured, not formatted, in the target; the agent makes the text of their values.
#pragma once
#include "probe/expr.h"

enum { PROBE_TEMPLATE_PARTS_MAX = 64 };

struct probe_template_part {
    str text;                // when there is no expression
    struct probe_expr *expr; // its own text is what stood in the braces
};

struct probe_template {
    const struct probe_template_part *parts;
    size_t n_parts;
};

// At most PROBE_EXPR_TEXT_MAX bytes. Errors as those of an expression, with the column in the whole text.
int probe_template_parse(str text, struct arena *arena, struct probe_template *ret, struct err *err);
