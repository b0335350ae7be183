// Settings by key, wherever they came from: flag, environment, file or default. See config_table.h.
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "main/config_table.h"

enum config_who { CONFIG_SERVE = 1, CONFIG_CLIENT = 2, CONFIG_DATADIR = 4 };
enum config_type { CONFIG_BOOL, CONFIG_INT, CONFIG_SIZE, CONFIG_DURATION, CONFIG_TEXT, CONFIG_CHOICE };
enum config_origin { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT, CONFIG_FROM_FLAG };

enum config_id {
#define CONFIG_ID(id, key, type, def, least, most, who, arg, doc) CONFIG_KEY_##id,
    CONFIG_TABLE(CONFIG_ID)
#undef CONFIG_ID
        CONFIG_KEYS
};

struct config_key {
    const char *key; // with underscores, as in the file
    enum config_type type;
    const char *def;
    int64_t least, most;
    unsigned who;
    const char *argument, *doc;
};
extern const struct config_key config_keys[CONFIG_KEYS];

enum { CONFIG_TEXT_MAX = 1024 };

struct config {
    struct config_value {
        enum config_origin origin;
        int64_t number;             // BOOL, INT, SIZE (bytes), DURATION (ns)
        char text[CONFIG_TEXT_MAX]; // as written; also of numbers
    } values[CONFIG_KEYS];
};

void config_init(struct config *c);
// Index of a key, dashes and underscores alike; -1 with *err naming the nearest.
int config_find(str name, struct err *err);
// Checks and takes a value; a weaker origin never replaces a stronger one.
int config_set(struct config *c, enum config_id id, str value, enum config_origin from, struct err *err);
// CLEW_* of the environment. A name that is nearly a key is written to ret_odd (comma-separated, may be empty).
int config_read_environment(struct config *c, char *const *environment, struct buf *ret_odd, struct err *err);
// A file of `key = value` lines. place of an error is FILE:LINE.
int config_read_text(struct config *c, str text, const char *path, struct err *err);
int config_read_file(struct config *c, const char *path, struct err *err);
// Environment, then the file it (or --config) names, then the defaults that depend on the user.
int config_complete(struct config *c, char *const *environment, struct buf *ret_odd, struct err *err);

static inline int64_t config_number(const struct config *c, enum config_id id) { return c->values[id].number; }
static inline const char *config_text(const struct config *c, enum config_id id) { return c->values[id].text; }
static inline bool config_given(const struct config *c, enum config_id id)
{
    return c->values[id].origin != CONFIG_FROM_DEFAULT;
}

// "CLEW_DISK_CAP", "--disk-cap"
void config_environment_name(const struct config_key *k, char ret[64]);
void config_flag_name(const struct config_key *k, char ret[64]);
// First sentence of the doc.
str config_summary(const struct config_key *k);
// Paragraph(s) for people; id < 0: all. c says what holds now and why; may be NULL.
void config_explain(struct buf *out, const struct config *c, int id);
// The settings as a section of the manual page (mdoc).
void config_manual(struct buf *out);

// Edit distance of two short words (insert, delete, replace, swap of neighbours), at most limit + 1.
unsigned config_distance(str a, str b, unsigned limit);
