#include "store/made.h"

#include "store/head.h"

// A head's lane that no log knows of.
struct made {
    struct generation *g;
    struct lane *lane;
    struct lane_section section;
    struct segment *segment;
};

enum { MADE_SOURCE = RECORD_EVENTS }; // any will do: they are all held alike

int made_new(struct made **ret_made)
{
    static const struct record_entity none;
    struct made *m = mem_zalloc(sizeof *m);
    int rc = m && (m->g = generation_new(0, 1)) && (m->lane = lane_new()) ? 0 : ERR_NOMEM;
    if (rc == 0) {
        m->g->lane[0] = m->lane;
        rc = lane_intern_entity(m->lane, &m->lane->resources, &none, &m->section.resource);
    }
    if (rc == 0)
        rc = lane_intern_entity(m->lane, &m->lane->scopes, &none, &m->section.scope);
    if (rc < 0) {
        made_free(m);
        return rc;
    }
    *ret_made = m;
    return 0;
}

int made_add(struct made *m, uint32_t project, int64_t received, const struct record *r)
{
    struct record here = *r;
    here.source = MADE_SOURCE;
    m->section.project = project;
    m->section.received = received;
    return lane_append(m->lane, &m->section, &here);
}

int made_end(struct made *m, const struct segment **ret_segment)
{
    struct lane_marks all;
    int rc = 0;
    lane_marks_get(m->lane, &all);
    lane_commit(m->lane, &all);
    m->segment = head_segment_new(m->g, 0, MADE_SOURCE, &rc);
    if (rc == 0)
        *ret_segment = m->segment;
    return rc;
}

void made_free(struct made *m)
{
    if (!m)
        return;
    head_segment_free(m->segment);
    generation_unref(m->g);
    mem_free(m);
}
