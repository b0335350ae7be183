#include "query/fields.h"

// ---- words of enums
#define WORDS(name, ...)                                            \
    static const struct query_word name##_list[] = { __VA_ARGS__ }; \
    static const struct query_words name = { name##_list, sizeof name##_list / sizeof *name##_list }
#define W(word, value)        \
    {                         \
        STR_INIT(word), value \
    }

WORDS(words_source, W("spans", QUERY_SPANS), W("logs", QUERY_LOGS), W("metrics", QUERY_METRICS),
      W("events", QUERY_EVENTS), W("checks", QUERY_CHECKS), W("issues", QUERY_ISSUES), W("snapshots", QUERY_SNAPSHOTS),
      W("profiles", QUERY_PROFILES), W("sessions", QUERY_SESSIONS));
WORDS(words_status_sessions, W("ok", 0), W("exited", 1), W("errored", 2), W("abnormal", 3), W("unhandled", 4),
      W("crashed", 5));
WORDS(words_kind, W("internal", 1), W("server", 2), W("client", 3), W("producer", 4), W("consumer", 5));
WORDS(words_status_spans, W("unset", 0), W("ok", 1), W("error", 2));
WORDS(words_status_snapshots, W("complete", 0), W("partial", 1));
WORDS(words_status_checks, W("ok", 0), W("error", 1), W("missed", 2), W("late", 3), W("timeout", 4), W("running", 5));
WORDS(words_state, W("new", 0), W("ongoing", 1), W("escalating", 2), W("regressed", 3), W("archived", 4),
      W("resolved", 5));
WORDS(words_priority, W("low", 0), W("medium", 1), W("high", 2));
// As enum metric_type of wire/record.h counts them.
WORDS(words_metric, W("gauge", 1), W("sum", 2), W("histogram", 3), W("exponential", 4), W("summary", 5));
WORDS(words_temporality, W("unspecified", 0), W("delta", 1), W("cumulative", 2));

#undef W
#undef WORDS

// ---- tables
static const str source_names[QUERY_SOURCE_COUNT] = {
    [QUERY_SPANS] = STR_INIT("spans"),         [QUERY_LOGS] = STR_INIT("logs"),
    [QUERY_METRICS] = STR_INIT("metrics"),     [QUERY_EVENTS] = STR_INIT("events"),
    [QUERY_CHECKS] = STR_INIT("checks"),       [QUERY_ISSUES] = STR_INIT("issues"),
    [QUERY_SNAPSHOTS] = STR_INIT("snapshots"), [QUERY_PROFILES] = STR_INIT("profiles"),
    [QUERY_SESSIONS] = STR_INIT("sessions"),
};

static const uint8_t source_levels[QUERY_SOURCE_COUNT] = {
    [QUERY_SPANS] = 1,  [QUERY_LOGS] = 1,      [QUERY_METRICS] = 1,  [QUERY_EVENTS] = 1,   [QUERY_CHECKS] = 2,
    [QUERY_ISSUES] = 2, [QUERY_SNAPSHOTS] = 2, [QUERY_PROFILES] = 2, [QUERY_SESSIONS] = 2,
};

static const str field_names[QUERY_FIELD_COUNT] = {
#define FIELD_ID(id, name) [QUERY_F_##id] = STR_INIT(name),
#include "query/fields.def"
};

static const struct query_field_info fields[] = {
#define FIELD(id, sources, type, list, words, level, flags) \
    { QUERY_F_##id, (uint16_t)(sources), { QUERY_##type, list, words }, level, flags },
#include "query/fields.def"
};
enum { FIELD_ROWS = sizeof fields / sizeof *fields };

enum alias_group_index {
#define GROUP(id, name, field, sources) ALIAS_##id,
#define KEY(level, key)
#define READ(level, key)
#define END
#include "query/aliases.def"
#undef GROUP
#undef KEY
#undef READ
#undef END
    ALIAS_COUNT
};

#define GROUP(id, name, field, sources) static const struct query_alias_key alias_keys_##id[] = {
#define KEY(level, key) { STR_INIT(key), QUERY_AT_##level, true },
#define READ(level, key) { STR_INIT(key), QUERY_AT_##level, false },
#define END \
    }       \
    ;
#include "query/aliases.def"
#undef GROUP
#undef KEY
#undef READ
#undef END

enum { QUERY_F_NONE = QUERY_FIELD_NONE };

static const struct query_alias_group groups[ALIAS_COUNT] = {
#define GROUP(id, name, field, sources)                                                                          \
    [ALIAS_##id] = { STR_INIT(name), (enum query_field_id)QUERY_F_##field, (uint16_t)(sources), alias_keys_##id, \
                     sizeof alias_keys_##id / sizeof *alias_keys_##id },
#define KEY(level, key)
#define READ(level, key)
#define END
#include "query/aliases.def"
#undef GROUP
#undef KEY
#undef READ
#undef END
};

str query_source_name(enum query_source s) { return source_names[s]; }

int query_source_find(str name)
{
    for (int i = 0; i < QUERY_SOURCE_COUNT; i++)
        if (str_eq(source_names[i], name))
            return i;
    return -1;
}

int query_source_level(enum query_source s) { return source_levels[s]; }

str query_field_name(enum query_field_id id) { return id < QUERY_FIELD_COUNT ? field_names[id] : (str){ "", 0 }; }

str query_type_name(enum query_type t)
{
    static const str names[] = {
        [QUERY_ANY] = STR_INIT("any"),           [QUERY_BOOL] = STR_INIT("bool"),
        [QUERY_INT] = STR_INIT("int"),           [QUERY_DOUBLE] = STR_INIT("double"),
        [QUERY_NUMBER] = STR_INIT("number"),     [QUERY_STRING] = STR_INIT("string"),
        [QUERY_BYTES] = STR_INIT("bytes"),       [QUERY_TIME] = STR_INIT("time"),
        [QUERY_DURATION] = STR_INIT("duration"), [QUERY_ID] = STR_INIT("id"),
        [QUERY_ENUM] = STR_INIT("enum"),         [QUERY_LEVEL] = STR_INIT("level"),
        [QUERY_LIST] = STR_INIT("list"),         [QUERY_MAP] = STR_INIT("map"),
    };
    return names[t];
}

const struct query_field_info *query_field_get(enum query_source s, enum query_field_id id)
{
    for (int i = 0; i < FIELD_ROWS; i++)
        if (fields[i].id == id && fields[i].sources >> s & 1)
            return &fields[i];
    return NULL;
}

const struct query_field_info *query_field_find(enum query_source s, str name)
{
    for (int i = 0; i < FIELD_ROWS; i++)
        if (fields[i].sources >> s & 1 && str_eq(field_names[fields[i].id], name))
            return &fields[i];
    int group = query_alias_find(s, name);
    return group >= 0 && groups[group].field != QUERY_FIELD_NONE ? query_field_get(s, groups[group].field) : NULL;
}

const struct query_field_info *query_field_at(enum query_source s, uint32_t i)
{
    for (int k = 0; k < FIELD_ROWS; k++)
        if (fields[k].sources >> s & 1 && i-- == 0)
            return &fields[k];
    return NULL;
}

const struct query_word *query_word_find(const struct query_words *w, str word)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (str_eq(w->words[i].word, word))
            return &w->words[i];
    return NULL;
}

const struct query_word *query_word_by_value(const struct query_words *w, int32_t value)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->words[i].value == value)
            return &w->words[i];
    return NULL;
}

// ---- levels: OpenTelemetry's severity numbers, four a level
static const str level_words[] = { STR_INIT("trace"), STR_INIT("debug"), STR_INIT("info"),
                                   STR_INIT("warn"),  STR_INIT("error"), STR_INIT("fatal") };

bool query_level_range(str word, int *ret_lo, int *ret_hi)
{
    if (str_eq(word, STR("warning")))
        word = STR("warn");
    else if (str_eq(word, STR("critical")))
        word = STR("fatal");
    for (int i = 0; i < 6; i++)
        if (str_eq(word, level_words[i])) {
            *ret_lo = 4 * i + 1;
            *ret_hi = 4 * i + 4;
            return true;
        }
    return false;
}

str query_level_word(int severity)
{
    return severity >= 1 && severity <= 24 ? level_words[(severity - 1) / 4] : (str){ "", 0 };
}

// ---- aliases
uint32_t query_alias_count(void) { return ALIAS_COUNT; }
const struct query_alias_group *query_alias_get(uint32_t group) { return &groups[group]; }

int query_alias_find(enum query_source s, str name)
{
    for (int g = 0; g < ALIAS_COUNT; g++) {
        if (!(groups[g].sources >> s & 1))
            continue;
        if (str_eq(groups[g].name, name))
            return g;
        for (uint32_t k = 0; k < groups[g].key_count; k++)
            if (groups[g].keys[k].is_name && str_eq(groups[g].keys[k].key, name))
                return g;
    }
    return -1;
}

int query_alias_of_field(enum query_source s, enum query_field_id id)
{
    for (int g = 0; g < ALIAS_COUNT; g++)
        if (groups[g].field == id && id != QUERY_FIELD_NONE && groups[g].sources >> s & 1)
            return g;
    return -1;
}
