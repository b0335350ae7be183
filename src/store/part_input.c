// Inputs of a build: any segment, read row-major through a few readers, each standing on one block.
#include "base/mem.h"
#include "store/part_build.h"

enum {
    // A head's blocks are in memory and its rows come in the order of traces, so each block gets a reader of its
    // own; a part's rows come nearly in order, and a decoded block of it takes a megabyte and more.
    SLOTS_HEAD = 4096,
    SLOTS_PART = 3,
};

static int table_open(struct input_table *it, const struct segment *s, enum segment_table t)
{
    it->columns_n = segment_columns(s, t);
    it->shapes_n = segment_shapes(s, t);
    it->columns = mem_calloc(it->columns_n, sizeof *it->columns);
    it->shapes = mem_reallocarray(NULL, it->shapes_n, sizeof *it->shapes);
    it->shape_map = mem_reallocarray(NULL, it->shapes_n, sizeof *it->shape_map);
    it->shape_rows = mem_calloc(it->shapes_n, sizeof *it->shape_rows);
    if (!it->columns || !it->shapes || !it->shape_map || !it->shape_rows)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < it->columns_n; i++)
        it->columns[i].out = UNMAPPED;
    for (uint32_t i = 0; i < it->shapes_n; i++)
        it->shapes[i] = segment_shape(s, t, i), it->shape_map[i] = UNMAPPED;
    return 0;
}

// Rows of each shape, so that columns can be planned; and which rows have children.
static int table_count(struct build_input *in, enum segment_table t)
{
    struct input_table *it = &in->t[t];
    uint32_t blocks = segment_blocks(in->s, t);
    if (t != TABLE_ROWS && blocks && !(it->owners = mem_calloc((size_t)in->blocks * (BLOCK_ROWS / 64), 8)))
        return ERR_NOMEM;
    for (uint32_t b = 0; b < blocks; b++) {
        struct vec shape, owner;
        int e = reader_seek(in->child_reader, t, b);
        if (e < 0 || (e = reader_column(in->child_reader, t, COL_SHAPE, &shape)) < 0)
            return e;
        for (uint32_t i = 0; i < shape.n; i++)
            it->shape_rows[shape.u32[i]]++;
        if (t == TABLE_ROWS)
            continue;
        if ((e = reader_column(in->child_reader, t, COL_OWNER, &owner)) < 0)
            return e;
        for (uint32_t i = 0; i < owner.n; i++) {
            if (owner.u32[i] / BLOCK_ROWS >= in->blocks)
                return ERR_CORRUPT;
            it->owners[owner.u32[i] / 64] |= 1ull << (owner.u32[i] % 64);
        }
    }
    return 0;
}

static int entities_open(struct build *b, struct build_input *in)
{
    in->resources_n = segment_resources(in->s);
    in->scopes_n = segment_scopes(in->s);
    in->resource_map = mem_reallocarray(NULL, in->resources_n, sizeof *in->resource_map);
    in->scope_map = mem_reallocarray(NULL, in->scopes_n, sizeof *in->scope_map);
    in->resource_out = mem_reallocarray(NULL, in->resources_n, sizeof *in->resource_out);
    in->scope_out = mem_reallocarray(NULL, in->scopes_n, sizeof *in->scope_out);
    if (!in->resource_map || !in->scope_map || !in->resource_out || !in->scope_out)
        return ERR_NOMEM;
    memset(in->resource_out, 0xff, in->resources_n * sizeof *in->resource_out);
    memset(in->scope_out, 0xff, in->scopes_n * sizeof *in->scope_out);
    int e = 0;
    for (uint32_t i = 0; i < in->resources_n && e == 0; i++)
        e = entities_add(b, &b->resources, segment_resource(in->s, i), segment_resource_hash(in->s, i),
                         &in->resource_map[i]);
    for (uint32_t i = 0; i < in->scopes_n && e == 0; i++)
        e = entities_add(b, &b->scopes, segment_scope(in->s, i), in->s->ops->scope_hash(in->s, i), &in->scope_map[i]);
    return e;
}

int input_open(struct build *b, struct build_input *in, const struct segment *s)
{
    *in = (struct build_input){ .s = s };
    int e = reader_open(s, &in->child_reader);
    if (e < 0)
        return e;
    in->blocks = segment_blocks(s, TABLE_ROWS);
    in->slots_n = segment_info(s)->head ? SLOTS_HEAD : SLOTS_PART;
    if (in->slots_n > in->blocks)
        in->slots_n = in->blocks;
    in->traces_n = segment_traces(s);
    in->slots = mem_calloc(in->slots_n, sizeof *in->slots);
    in->slot_of_block = mem_calloc(in->blocks, sizeof *in->slot_of_block);
    in->trace_map = mem_reallocarray(NULL, in->traces_n, sizeof *in->trace_map);
    if (!in->slots || !in->slot_of_block || !in->trace_map)
        return ERR_NOMEM;
    memset(in->trace_map, 0xff, sizeof *in->trace_map * in->traces_n);
    for (int t = 0; t < TABLE_N; t++) {
        in->child_block[t] = UINT32_MAX;
        if ((e = table_open(&in->t[t], s, (enum segment_table)t)) < 0 ||
            (e = table_count(in, (enum segment_table)t)) < 0)
            return e;
    }
    return entities_open(b, in);
}

void input_close(struct build_input *in)
{
    for (uint32_t i = 0; i < in->slots_open; i++)
        reader_close(in->slots[i].reader);
    reader_close(in->child_reader);
    mem_free(in->slots);
    mem_free(in->slot_of_block);
    mem_free(in->resource_map);
    mem_free(in->scope_map);
    mem_free(in->resource_out);
    mem_free(in->scope_out);
    mem_free(in->trace_map);
    mem_free(in->row);
    mem_free(in->time);
    mem_free(in->group);
    mem_free(in->series);
    mem_free(in->trace_order);
    for (int t = 0; t < TABLE_N; t++) {
        struct input_table *it = &in->t[t];
        for (uint32_t i = 0; it->columns && i < it->columns_n; i++)
            mem_free(it->columns[i].map);
        mem_free(it->names.map);
        mem_free(it->columns);
        mem_free(it->shapes);
        mem_free(it->shape_map);
        mem_free(it->shape_rows);
        mem_free(it->owners);
    }
}

static int slot_load(struct build_input *in, uint32_t block, struct input_slot **ret_slot)
{
    struct input_slot *slot = NULL;
    int e;
    if (in->slots_open < in->slots_n) {
        slot = &in->slots[in->slots_open];
        if ((e = reader_open(in->s, &slot->reader)) < 0)
            return e;
        slot->block = UINT32_MAX;
        in->slots_open++;
    } else {
        for (uint32_t i = 0; i < in->slots_n; i++)
            if (!slot || in->slots[i].used < slot->used)
                slot = &in->slots[i];
        if (slot->block != UINT32_MAX)
            in->slot_of_block[slot->block] = 0;
        slot->block = UINT32_MAX;
    }
    if ((e = reader_seek(slot->reader, TABLE_ROWS, block)) < 0 ||
        (e = in->s->ops->reader_rows(slot->reader, TABLE_ROWS, &slot->rows)) < 0)
        return e;
    slot->block = block;
    in->slot_of_block[block] = (uint16_t)(slot - in->slots + 1);
    *ret_slot = slot;
    return 0;
}

int input_rows(struct build *b, struct build_input *in, uint32_t block, struct input_slot **ret_slot)
{
    if (in->slot_of_block[block]) {
        *ret_slot = &in->slots[in->slot_of_block[block] - 1];
    } else {
        int e = slot_load(in, block, ret_slot);
        if (e < 0)
            return e;
    }
    (*ret_slot)->used = ++b->tick;
    return 0;
}

int input_child_rows(struct build_input *in, enum segment_table t, uint32_t block, const struct rows **ret_rows)
{
    if (in->child_block[t] != block) {
        in->child_block[t] = UINT32_MAX;
        int e = reader_seek(in->child_reader, t, block);
        if (e < 0 || (e = in->s->ops->reader_rows(in->child_reader, t, &in->child_rows[t])) < 0)
            return e;
        in->child_block[t] = block;
    }
    *ret_rows = &in->child_rows[t];
    return 0;
}
