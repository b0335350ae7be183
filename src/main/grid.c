#include "main/grid.h"

#include "base/err.h"
#include "main/human.h"

struct grid_row {
    struct grid_row *next;
    str cells[GRID_COLUMNS_MAX];
};

enum { GRID_GAP = 2, GRID_NARROWEST = 12, GRID_TITLE_MAX = 100, GRID_CELL_MAX = 4096 };

void grid_init(struct grid *g, struct arena *arena)
{
    memset(g, 0, sizeof *g);
    g->arena = arena;
}

static int put_escaped(struct grid *g, str text, str *ret)
{
    struct buf out;
    buf_init(&out, 4 * GRID_CELL_MAX + 16);
    visible_escape(&out, str_slice(text, 0, GRID_CELL_MAX));
    int r = out.error ? out.error : arena_dup(g->arena, buf_view(&out), ret);
    buf_free(&out);
    return r;
}

size_t grid_column(struct grid *g, str title, bool right)
{
    str shown;
    if (put_escaped(g, str_slice(title, 0, GRID_TITLE_MAX), &shown) < 0)
        return GRID_COLUMNS_MAX;
    for (size_t i = 0; i < g->columns_n; i++)
        if (str_eq(g->columns[i].title, shown))
            return i;
    if (g->columns_n == GRID_COLUMNS_MAX)
        return GRID_COLUMNS_MAX;
    g->columns[g->columns_n] = (struct grid_column){ .title = shown, .right = right, .width = human_width(shown) };
    return g->columns_n++;
}

int grid_row(struct grid *g)
{
    struct grid_row *row = arena_zalloc(g->arena, sizeof *row);
    if (!row)
        return ERR_NOMEM;
    if (g->last)
        g->last->next = row;
    else
        g->first = row;
    g->last = row;
    g->rows_n++;
    return 0;
}

int grid_cell(struct grid *g, size_t column, str text)
{
    str shown;
    if (column >= g->columns_n)
        return 0;
    int r = put_escaped(g, text, &shown);
    if (r < 0)
        return r;
    size_t width = human_width(shown);
    if (width > g->columns[column].width)
        g->columns[column].width = width;
    g->last->cells[column] = shown;
    return 0;
}

int grid_put(struct grid *g, const char *title, bool right, str text)
{
    return grid_cell(g, grid_column(g, str_z(title), right), text);
}

// Narrows the widest left-aligned column until the line fits or nothing can give way any more.
static void fit(struct grid *g, size_t width)
{
    for (;;) {
        size_t total = 0, widest = GRID_COLUMNS_MAX;
        for (size_t i = 0; i < g->columns_n; i++) {
            total += g->columns[i].width + (i ? GRID_GAP : 0);
            if (!g->columns[i].right && !g->columns[i].keep && g->columns[i].width > GRID_NARROWEST &&
                (widest == GRID_COLUMNS_MAX || g->columns[i].width > g->columns[widest].width))
                widest = i;
        }
        if (total <= width || widest == GRID_COLUMNS_MAX)
            return;
        size_t over = total - width, give = g->columns[widest].width - GRID_NARROWEST;
        // In halves, so that two wide columns share the loss.
        size_t step = over < give ? over : give;
        g->columns[widest].width -= step > 8 ? step / 2 : step;
    }
}

static void put_padding(struct buf *out, size_t n)
{
    while (n--)
        buf_byte(out, ' ');
}

static void put_cell(struct grid *g, struct buf *out, size_t i, str cell)
{
    const struct grid_column *c = &g->columns[i];
    size_t w = human_width(cell), shown = w < c->width ? w : c->width;
    if (i)
        put_padding(out, GRID_GAP);
    if (c->right)
        put_padding(out, c->width - shown);
    human_cut(out, cell, c->width);
    if (!c->right && i + 1 < g->columns_n)
        put_padding(out, c->width - shown);
}

void grid_print(struct grid *g, struct buf *out, size_t width, bool titles)
{
    if (width)
        fit(g, width);
    for (size_t i = 0; titles && i < g->columns_n; i++)
        put_cell(g, out, i, g->columns[i].title);
    if (titles && g->columns_n)
        buf_byte(out, '\n');
    for (struct grid_row *row = g->first; row; row = row->next) {
        for (size_t i = 0; i < g->columns_n; i++)
            put_cell(g, out, i, row->cells[i]);
        while (out->len && out->ptr[out->len - 1] == ' ')
            out->len--;
        buf_byte(out, '\n');
    }
}
