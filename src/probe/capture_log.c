// The message of a logpoint, made in the agent of what its parts were at the hit: see capture.h.
#include "base/buf.h"
#include "probe/capture_internal.h"
#include "probe/probe.h"

static const struct capture_section *of_index(const struct capture_section *list, size_t n, size_t index)
{
    for (size_t i = 0; i < n; i++)
        if ((list[i].tag == CAPTURE_EXPR || list[i].tag == CAPTURE_EXPR_ERROR) && list[i].number == index)
            return &list[i];
    return NULL;
}

int capture_log_body(const struct capture_section *list, size_t n, const struct probe *probe, struct buf *out,
                     unsigned *ret_redacted)
{
    size_t index = probe->n_exprs;
    int rc = 0;
    for (size_t i = 0; i < probe->log.n_parts && rc == 0; i++) {
        const struct probe_part *part = &probe->log.parts[i];
        if (!part->is_expr) {
            rc = buf_str(out, part->text);
            continue;
        }
        const struct capture_section *s = of_index(list, n, index++);
        if (!s)
            rc = buf_str(out, STR("<bytes>"));
        else if (s->tag == CAPTURE_EXPR)
            rc = probe_value_say(s->value, out);
        else
            rc = buf_printf(out, "<%.*s>", STR_ARG(s->text[0]));
    }
    // What only the whole makes visible: "Bearer {x}".
    *ret_redacted = rc == 0 ? probe_redact_line(NULL, (char *)out->ptr, out->len) : 0;
    return rc;
}
