// What a project removes from what SDKs send, beside what is always removed (wire/sentry_scrub.h): rules, a line each, as Sentry's
// pages of advanced data scrubbing show them:
//
//   METHOD TYPE [with "TEXT"] [from SOURCE]    mask @email from $message || extra
//                                              replace /order-(\d+)/ with "order" from $error.value
//
// Methods: remove, mask (a * for each character), hash (keyed by the project: the same value has the same hash), replace (with TEXT,
// else [Filtered]). Types: @anything (the whole value) and @password (of keys that name a secret), else what is found inside texts:
// @ip @email @creditcard @usssn @iban @imei @mac @uuid @userpath @pemkey @urlauth @bearer, or /REGEX/ (RE2; with a group, only the
// first one). Source: the end of a path of keys and indexes (extra.note), * one of them, ** any number, 'quoted', $TYPE
// ($string $number $boolean $object $array $error $stack $frame $http $user $message $thread $breadcrumb $span), joined with
// && || ! ( ); what lies below a value is meant with it, unless there is a !. Every text when no source is said. An attribute of a
// span or a log is attributes.'NAME'.
//
// Ids and times stay, or nothing would be found again. Names of functions, files, modules, types, releases and the like are touched
// only by a source whose last part is a key.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"

enum {
    SCRUB_TEXT_MAX = 32 << 10,
    SCRUB_RULES_MAX = 100,
    SCRUB_REMARKS_MAX = 64,
    SCRUB_SECRET_MAX = 64,
    SCRUB_RULE_SHOWN = 200
};

struct scrub_settings {
    bool addresses; // of users and senders are removed
    str rules;
    str secret; // of hashes: made once, kept with them, never shown
};
// As filter_settings_*(). The JSON form of a request has no secret: _member() knows none.
int scrub_settings_member(void *settings, str name, struct json_reader *r);
int scrub_settings_read(str json, struct arena *arena, struct scrub_settings *settings, struct err *err);
void scrub_settings_put(struct json_writer *w, const struct scrub_settings *settings);

struct scrub_rules;
// ERR_INVALID, ERR_LIMIT: err says where (place `rules`, line, column), ERR_NOMEM.
int scrub_rules_new(const struct scrub_settings *settings, struct scrub_rules **ret_rules, struct err *err);
struct scrub_rules *scrub_rules_share(struct scrub_rules *r);
void scrub_rules_free(struct scrub_rules *r); // gives a share back; NULL is allowed

struct scrub_remark {
    str path, rule;    // the rule as it is written; "addresses"
    str before, after; // a text or number as it was, and what it is; empty: something else, nothing
};
str scrub_rule_shown(str rule); // as much of it as is kept with what it removed
struct scrub_remarks {
    struct scrub_remark of[SCRUB_REMARKS_MAX];
    uint32_t n, removed; // of them; in all
};
// Changes the tree in place. ERR_NOMEM.
int scrub_rules_apply(const struct scrub_rules *r, const struct json_node *root, struct arena *arena,
                      struct scrub_remarks *ret_remarks);
// The sender's address as it may be kept as the user's; empty: not at all. ERR_NOMEM.
int scrub_rules_peer(const struct scrub_rules *r, struct arena *arena, str *peer);
