// What the files of the room share: rules as they are kept, frames as rules and components see them.
#pragma once
#include "grouping/component.h"
#include "grouping/glob.h"
#include "grouping/grouping.h"

enum field {
    // of frames; the first four are patterns whose answers are kept per frame
    FIELD_FUNCTION,
    FIELD_MODULE,
    FIELD_PATH,
    FIELD_PACKAGE,
    FIELD_CATEGORY,
    FIELD_FAMILY,
    FIELD_APP,
    // of the exception
    FIELD_TYPE,
    FIELD_VALUE,
    FIELD_MECHANISM,
    // of the event; fingerprint rules only
    FIELD_MESSAGE,
    FIELD_LOGGER,
    FIELD_LEVEL,
    FIELD_TAG,
    FIELD_SDK,
    FIELD_RELEASE,
};
enum { FIELDS_OF_PATTERNS = 4, CATEGORIES_MAX = 64 };

enum family { FAMILY_NATIVE = 1, FAMILY_JAVASCRIPT = 2, FAMILY_OTHER = 4, FAMILY_ALL = 7 };

struct matcher {
    uint8_t field;
    uint8_t families; // FIELD_FAMILY
    int8_t app;       // FIELD_APP: 0, 1; -1 never
    int8_t offset;    // -1: of the caller's frame, 1: of the callee's
    bool negated;
    uint16_t pattern;    // number of (field, pattern), of fields with kept answers
    uint64_t categories; // FIELD_CATEGORY: those that the pattern means
    str text;            // the pattern as written
    str tag;             // FIELD_TAG
    struct glob glob;
};

enum action_kind { ACTION_APP, ACTION_GROUP, ACTION_CATEGORY, ACTION_MAX_FRAMES, ACTION_MIN_FRAMES };
struct action {
    uint8_t kind;
    bool on;      // + or -
    int8_t range; // 1: all frames called later (^), -1: all before (v), 0: the frame
    uint8_t category;
    uint32_t n;
};

struct stack_rule {
    struct matcher *matchers;
    const struct action *actions;
    uint8_t matchers_n, actions_n;
    uint8_t families; // a frame must be of one of them
    bool classifies, contributes;
    int32_t pattern; // that a frame must match; -1: none
    str text;
    bool builtin;
};

struct fingerprint_rule {
    const struct matcher *matchers;
    uint8_t matchers_n, values_n;
    str values[GROUPING_VALUES_MAX];
    str title, text;
    bool builtin;
};

// The patterns of one field, found by how they begin.
struct pattern_index {
    const uint16_t *by_first[257];     // those whose text begins with the byte; [256]: all others
    const uint16_t *by_directory[256]; // **/NAME...: by NAME's first byte
    uint16_t by_first_n[257], by_directory_n[256];
};

struct pattern {
    uint8_t field, families;
    str text;
    struct glob glob;
};

struct grouping_rules {
    uint32_t magic;
    _Atomic uint32_t users;
    struct arena arena;
    struct stack_rule *stack;
    struct fingerprint_rule *fingerprint;
    uint32_t stack_n, stack_cap, fingerprint_n, fingerprint_cap;
    struct pattern *patterns;
    uint32_t patterns_n, patterns_cap, words; // words: of 64 patterns
    struct pattern_index index[FIELDS_OF_PATTERNS];
    str categories[CATEGORIES_MAX]; // from 1
    uint32_t categories_n;
};
#define GROUPING_MAGIC 0x47525550u

// --- reading rules

struct lex {
    str text; // the rule's line
    size_t i;
    struct err *err;
    int line;
    const char *kind; // "fingerprint rules", for messages
};
void lex_space(struct lex *l);
bool lex_take(struct lex *l, char c);
str lex_ident(struct lex *l);
// A quoted text (unescaped, into the arena) or what stands up to the next space.
int lex_argument(struct lex *l, struct arena *arena, str *ret);
int lex_quoted(struct lex *l, struct arena *arena, str *ret);
int lex_error(struct lex *l, int code, const char *hint, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

// All matchers of a rule, with those of the frames beside it. fingerprint: which keys there are.
int matchers_parse(struct lex *l, struct grouping_rules *rules, bool fingerprint, struct matcher **ret, uint8_t *ret_n);
int stack_rules_parse(str text, bool builtin, struct grouping_rules *rules, struct err *err);
int fingerprint_rules_parse(str text, bool builtin, struct grouping_rules *rules, struct err *err);
int builtin_stack_rules(struct grouping_rules *rules, struct err *err);
extern const char builtin_fingerprint_rules[];
int patterns_finish(struct grouping_rules *rules); // after all rules
// Line by line: false at the end.
bool rule_line(str text, size_t *pos, int *line, str *ret);

// --- an event on its way

struct gframe {
    struct sentry_frame *sent; // in_app is written back
    str function, raw_function, module, filename, abs_path, package, context_line, platform;
    uint8_t family;
    uint8_t category;
    int8_t in_app, client; // -1: not said
    bool source_map;
    const struct stack_rule *app_rule; // who decided in_app; NULL: the client, or nobody
    uint64_t *bits;                    // patterns that match
};

struct gstack {
    struct gframe *frames;
    uint32_t n;
};

struct gexception {
    const struct sentry_exception *sent;
    str type, value;
    struct gstack stack;
    bool has_stack; // also an empty one
    struct component *variants[2];
};

enum { VARIANT_APP, VARIANT_SYSTEM, VARIANT_DEFAULT, VARIANTS };

struct gthread {
    bool crashed, current, has_stack;
    struct gstack stack;
};

struct run {
    const struct grouping_rules *rules;
    const struct sentry_event *event;
    struct arena *arena;
    str platform;
    struct gexception *exceptions;
    uint32_t exceptions_n, threads_n;
    struct gthread *threads;
    struct gstack stack; // of the event itself
    bool has_stack;
    struct component *roots[VARIANTS]; // NULL: there is no such variant
    uint32_t main_exception;
    const char *winner; // the strategy that found something that contributes
    bool explain;       // go on after it
    // fingerprint
    str fingerprint[GROUPING_VALUES_MAX]; // as sent, or of the rule; empty: {{ default }} alone
    str resolved[GROUPING_VALUES_MAX];
    uint32_t fingerprint_n;
    bool custom, hybrid;
    const struct fingerprint_rule *rule;
    str checksum; // empty: none
};

uint8_t family_of(str platform);
// Frames as they are grouped: names trimmed, paths completed.
int frames_read(struct run *run, const struct sentry_stack *stack, struct gstack *ret);
// The stack-trace rules' say on in_app and category.
int frames_classify(struct run *run, struct gstack *stack, const struct gexception *x);
// ... and on what contributes: changes frames' components, and gives whether the stack contributes.
int stack_contributions(const struct run *run, const struct gstack *stack, const struct gexception *x,
                        struct component *component);

int function_trim(str function, str platform, struct arena *arena, str *ret);
int module_clean(str module, struct arena *arena, str *ret); // Java's generated classes
int javassist_clean(str text, struct arena *arena, str *ret);

// The stack's components for app and system; ret_variants[1] is NULL when there is no stack.
int stack_components(struct run *run, const struct gstack *stack, const struct gexception *x,
                     struct component *ret_variants[2]);
int exception_components(struct run *run); // chained exceptions and groups -> roots
int thread_components(struct run *run);
int event_stack_components(struct run *run);
int plain_components(struct run *run); // template, security reports, message
// What a strategy found becomes part of the roots, or, when a former one has won, only part of the explanation.
int strategy_add(struct run *run, const char *name, struct component *app, struct component *system,
                 struct component *other);

int fingerprint_choose(struct run *run);
str fingerprint_title(struct run *run); // of the rule, resolved
bool fingerprint_is_default(str value);

int grouping_compute(struct run *run);
bool variant_hash(const struct run *run, unsigned variant, char ret_hex[GROUPING_HASH_LEN]); // false: it has none
void other_hash(const struct run *run, char ret_hex[GROUPING_HASH_LEN]); // of the checksum, the fingerprint, or nothing
