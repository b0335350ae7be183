// What must not leave the host: which names, types, files and contents are sensitive.
//
// Names are compared without case, underscores, dashes and dots: API-Key, api_key and apiKey are one. Built in are
// stems that count anywhere in a name ("password", "apikey") and words that count only as a word of it ("token" in
// access_token, not in tokenizer). Contents are looked at by detectors: JSON Web Tokens, payment cards (length, issuer
// and Luhn), private keys, well-known key prefixes, bearer and basic credentials, passwords in URLs.
//
// A host adds to this with a policy: names, types and files of its own, names that are allowed after all, and the
// mode `shapes`, in which types and sizes are all that leaves. Policies are compiled into one block of bytes that the
// agent hands to the in-process part, which verifies it before the first use; matching reads only that block and tables of
// constants, and allocates nothing. A policy has a generation: the in-process part notes it in each capture, and
// the agent drops captures of an older one (a change counts for what is on its way, too).
//
// Aliases. A value is redacted by the way it is reached, so the same value may have been written under a harmless
// name before. What is guaranteed of one capture: a text of at least 4 bytes that was redacted for its name (or its
// type) stands nowhere else in that capture, neither before nor after, neither alone nor inside other texts (log lines,
// messages); shorter texts and ints of 4 digits and more are taken away where they stand alone. A container that was
// redacted for its name is taken away wherever the same object was written. Not guaranteed: a changed copy (reversed,
// encoded, part of it), and the same value in another capture that never meets the name.
#pragma once
#include "probe/value.h"

// The rule that took a value away; the numbers are the encoding's.
#define PROBE_RULE_TABLE(X)                                  \
    X(PROBE_RULE_NONE, "")                                   \
    X(PROBE_RULE_NAME, "name") /* built-in names */          \
    X(PROBE_RULE_JWT, "jwt")                                 \
    X(PROBE_RULE_CARD, "payment_card")                       \
    X(PROBE_RULE_PRIVATE_KEY, "private_key")                 \
    X(PROBE_RULE_KEY, "api_key") /* known prefixes */        \
    X(PROBE_RULE_BEARER, "bearer")                           \
    X(PROBE_RULE_URL, "url_password")                        \
    X(PROBE_RULE_ALIAS, "alias") /* of something redacted */ \
    X(PROBE_RULE_CUSTOM_NAME, "policy_name")                 \
    X(PROBE_RULE_CUSTOM_TYPE, "policy_type")                 \
    X(PROBE_RULE_CUSTOM_FILE, "policy_file")

enum probe_rule {
#define PROBE_RULE_ENUM(name, text) name,
    PROBE_RULE_TABLE(PROBE_RULE_ENUM)
#undef PROBE_RULE_ENUM
        PROBE_RULE_COUNT,
};
// "jwt" of PROBE_RULE_JWT and so on; empty beyond the table.
str probe_rule_name(unsigned rule);

enum {
    PROBE_POLICY_MAGIC = 0x31504c43, // CLP1
    PROBE_POLICY_SIZE_MAX = 64 * 1024,
    PROBE_POLICY_RULES_MAX = 1024, // of each list
    PROBE_POLICY_TEXT_MAX = 256,   // of one pattern
    PROBE_REDACT_NAME_MAX = 256,   // bytes of a name that are looked at
    PROBE_POLICY_SHAPES = 1,       // flag
    PROBE_POLICY_NO_DETECTORS = 2, // flag
};

// The compiled form, a view of the block: made by probe_policy_verify() only.
struct probe_policy {
    uint32_t generation;
    uint32_t flags;
    struct probe_policy_list {
        const uint8_t *patterns; // n times: u8 flags, u16 length, bytes
        uint32_t n, size;
    } names, allow, types, files;
};

// Checks every length of the block and fills the view, which points into it. False: not to be used.
bool probe_policy_verify(struct probe_policy *p, bytes block);

// 0 or the rule by which a name is sensitive. p may be NULL in all of these.
enum probe_rule probe_redact_name(const struct probe_policy *p, str name);
enum probe_rule probe_redact_type(const struct probe_policy *p, str type);
// All variables of code of such a file.
enum probe_rule probe_redact_file(const struct probe_policy *p, str file);
// Detectors: the first place from `from` on. 0: nothing.
enum probe_rule probe_redact_text(const struct probe_policy *p, str text, size_t from, size_t *ret_start,
                                  size_t *ret_end);
// A payment card's number as an int: none is below this.
#define PROBE_CARD_MIN 1000000000000ll
enum probe_rule probe_redact_int(const struct probe_policy *p, int64_t i);
// Puts '*' over what the detectors find (log lines, messages). Returns how many places.
unsigned probe_redact_line(const struct probe_policy *p, char *text, size_t n);
static inline bool probe_policy_shapes(const struct probe_policy *p) { return p && p->flags & PROBE_POLICY_SHAPES; }

// Takes the capture's secrets away where they stand under other names: in one encoded value (in place, the
// length stays), or in a plain text. Return what was taken away. A value that cannot be read is wiped.
unsigned probe_redact_sweep(struct probe_space *space, uint8_t *value, size_t n);
unsigned probe_redact_sweep_text(struct probe_space *space, char *text, size_t n);
static inline bool probe_redact_pending(const struct probe_space *s)
{
    return s->n_secrets || s->n_secret_ids || s->n_secret_ints || s->overflow;
}

// What a policy says, before it is compiled. Patterns may have one '*' at either end.
struct probe_policy_spec {
    bool shapes, no_detectors;
    const str *names, *allow, *types, *files;
    size_t n_names, n_allow, n_types, n_files;
};
struct arena;
struct buf;
struct err;
// {"shapes":bool,"detectors":bool,"names":[..],"allow":[..],"types":[..],"files":[..]}; other members are an error.
int probe_policy_read(str json, struct arena *arena, struct probe_policy_spec *ret_spec, struct err *err);
// Appends the block. generation: greater than every one before on this host.
int probe_policy_compile(const struct probe_policy_spec *spec, uint32_t generation, struct buf *out, struct err *err);
