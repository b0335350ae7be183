// The expressions of a probe: taken over from the agent once, verified once in memory that is ours alone, run at each hit.
#include "look.h"

enum { KEEP_TEXT = 1024, NEST_MAX = 12 };

static size_t padded(size_t n) { return (n + 7) & ~(size_t)7; }

static bool names_make(struct ext_program *p)
{
    p->names = PyMem_RawCalloc(p->code.n_names + 1u, sizeof *p->names);
    p->changed = PyMem_RawCalloc(p->code.n_changed + 1u, sizeof *p->changed);
    for (unsigned i = 0; p->names && i < p->code.n_names; i++) {
        str name = probe_code_name(&p->code, i);
        PyObject *o = PyUnicode_FromStringAndSize(name.ptr, (Py_ssize_t)name.len);
        if (o)
            PyUnicode_InternInPlace(&o);
        else
            PyErr_Clear(); // no UTF-8: nothing in Python has that name
        p->names[i].at = name.ptr;
        p->names[i].interned = o;
    }
    p->policy_generation = UINT32_MAX;
    return p->names && p->changed;
}

void ext_programs_free(struct ext_site *s)
{
    for (size_t i = 0; i < s->n_programs; i++) {
        struct ext_program *p = &s->programs[i];
        for (unsigned k = 0; p->names && k < p->code.n_names; k++)
            Py_XDECREF(p->names[k].interned);
        PyMem_RawFree(p->names), PyMem_RawFree(p->changed);
    }
    PyMem_RawFree(s->programs);
    s->programs = NULL, s->n_programs = 0;
}

bool ext_programs_read(struct ext_site *s, uint8_t *p, size_t n)
{
    uint8_t *end = p + n;
    if (s->order.n_programs > CLEW_PROGRAMS_MAX)
        return false;
    s->programs = PyMem_RawCalloc(s->order.n_programs + 1u, sizeof *s->programs);
    for (uint32_t i = 0; s->programs && i < s->order.n_programs; i++) {
        struct clew_program head;
        struct ext_program *program = &s->programs[i];
        if ((size_t)(end - p) < sizeof head)
            return false;
        memcpy(&head, p, sizeof head);
        p += sizeof head;
        if (head.code_len > PROBE_CODE_SIZE_MAX || head.text_len > KEEP_TEXT ||
            padded(head.code_len) + padded(head.text_len) > (size_t)(end - p) || head.index >= PROBE_CAPTURE_EXPRS_MAX)
            return false;
        if (probe_code_verify(bytes_of(p, head.code_len), &program->code, NULL) < 0)
            return false;
        s->n_programs = i + 1;
        program->text = str_of(p + padded(head.code_len), head.text_len);
        program->role = head.role;
        program->index = head.index;
        if (!names_make(program))
            return false;
        if (head.role == CLEW_CONDITION)
            s->condition = program;
        p += padded(head.code_len) + padded(head.text_len);
    }
    return s->programs != NULL;
}

static void rules_find(struct ext_program *p, const struct probe_policy *policy)
{
    uint32_t generation = policy ? policy->generation : 0;
    if (p->policy_generation == generation)
        return;
    for (unsigned i = 0; i < p->code.n_names; i++)
        p->names[i].rule = (uint8_t)probe_redact_name(policy, probe_code_name(&p->code, i));
    p->policy_generation = generation;
}

static bool look_begin(struct look *l, struct ext_program *p, struct ext_hit *h, struct probe_scratch *scratch)
{
    char room[512];
    *l = (struct look){
        .hit = h, .program = p, .scratch = scratch, .deadline = h->begun ? h->begun + PROBE_CONDITION_NS_MAX : 0
    };
    rules_find(p, h->policy);
    if (!ext_event_frame(h->event, &l->frame))
        return false;
    if (h->policy && h->policy->files.n)
        l->secret_file = probe_redact_file(h->policy, ext_text(l->frame.code->co_filename, room, sizeof room));
    return true;
}

// Each has its own part of the memory: what it made is looked at again when the capture ends.
static struct probe_scratch scratch_of(uint32_t n)
{
    uint8_t *at = ext.vm_scratch + (size_t)n * EXT_VM_SCRATCH;
    return (struct probe_scratch){ at, at + EXT_VM_SCRATCH };
}

int ext_program_test(struct ext_program *p, struct ext_hit *h, bool *ret, char *text, size_t room, size_t *ret_len)
{
    struct look l;
    struct probe_scratch scratch = scratch_of(0);
    struct probe_run run = {
        .host = &look_host, .ctx = &l, .scratch = &scratch, .changed = p->changed, .steps = PROBE_VM_STEPS
    };
    *ret = false;
    int reason = look_begin(&l, p, h, &scratch) ? probe_vm_test(&p->code, &run, ret) : PROBE_FAULT_UNREADABLE;
    if (reason)
        *ret_len = probe_fault_text(&run.fault, p->text, text, room);
    return reason;
}

static void put(struct probe_value_writer *w, const struct look *l, const struct probe_val *v, int nest)
{
    PyObject *o = look_object(l, v);
    if (o) {
        ext_walk(w, o);
        return;
    }
    switch (v->kind) {
    case PROBE_VAL_NULL:
        probe_value_null(w, (str){ 0 });
        break;
    case PROBE_VAL_BOOL:
        probe_value_bool(w, (str){ 0 }, v->b);
        break;
    case PROBE_VAL_INT:
        probe_value_int(w, (str){ 0 }, v->i);
        break;
    case PROBE_VAL_FLOAT:
        probe_value_float(w, (str){ 0 }, v->f);
        break;
    case PROBE_VAL_STR:
    case PROBE_VAL_BYTES:
        probe_value_text(w, v->kind == PROBE_VAL_STR ? PROBE_VALUE_STR : PROBE_VALUE_BYTES, (str){ 0 }, v->s, 0);
        break;
    case PROBE_VAL_ITEMS:
        if (nest == NEST_MAX) {
            probe_value_missing(w, PROBE_WHY_DEPTH, (str){ 0 }, v->n);
            break;
        }
        if (!probe_value_open(w, PROBE_VALUE_LIST, (str){ 0 }, 0, v->n))
            break;
        for (uint32_t i = 0; i < v->n && probe_value_item(w); i++)
            put(w, l, &v->items[i], nest + 1);
        probe_value_close(w);
        break;
    default: // a large int beyond those that were kept
        probe_value_missing(w, PROBE_WHY_UNSUPPORTED, (str){ 0 }, -1);
    }
}

int ext_program_scalar(struct ext_program *p, struct ext_hit *h, struct probe_val *ret, char *text, size_t room,
                       size_t *ret_len)
{
    struct look l;
    struct probe_scratch scratch = scratch_of(1 + p->index);
    struct probe_run run = {
        .host = &look_host, .ctx = &l, .scratch = &scratch, .changed = p->changed, .steps = PROBE_VM_STEPS
    };
    int reason = PROBE_FAULT_UNREADABLE;
    run.fault = (struct probe_fault){ .reason = PROBE_FAULT_UNREADABLE, .len = (uint16_t)p->text.len };
    if (look_begin(&l, p, h, &scratch))
        reason = probe_vm_run(&p->code, &run, ret);
    if (!reason && ret->kind > PROBE_VAL_STR) {
        reason = PROBE_FAULT_UNSUPPORTED;
        run.fault = (struct probe_fault){ .reason = PROBE_FAULT_UNSUPPORTED, .len = (uint16_t)p->text.len };
    }
    if (reason)
        *ret_len = probe_fault_text(&run.fault, p->text, text, room);
    return reason;
}

bool ext_program_put(struct ext_program *p, struct ext_hit *h, struct probe_capture *c, uint32_t index, char *text,
                     size_t room, size_t *ret_len)
{
    struct look l;
    struct probe_scratch scratch = scratch_of(1 + index);
    struct probe_run run = {
        .host = &look_host, .ctx = &l, .scratch = &scratch, .changed = p->changed, .steps = PROBE_VM_STEPS
    };
    struct probe_val v;
    bool begun = look_begin(&l, p, h, &scratch);
    l.deadline = ext_now_ns() + PROBE_CONDITION_NS_MAX;
    if (!begun || probe_vm_run(&p->code, &run, &v) != 0) {
        *ret_len = probe_fault_text(&run.fault, p->text, text, room);
        probe_capture_expr_error(c, index, str_of(text, *ret_len));
        return false;
    }
    if (probe_capture_expr(c, index, (str){ 0 }))
        put(&c->w, &l, &v, 0);
    return true;
}
