// What a project does not want of what SDKs send: Sentry's inbound filters. Pure: a tree of JSON as it was sent and the sender's
// address in, a reason out; who calls counts by it.
//
// | setting            | leaves out                                                              | reason                 |
// |--------------------|-------------------------------------------------------------------------|------------------------|
// | addresses          | whose sender or user.ip_address is one of these addresses or networks   | ip-address             |
// | releases           | whose release matches a glob                                            | release-version        |
// | errors             | errors of which an exception ("TYPE: VALUE") or the message matches     | error-message          |
// | logs               | logs whose body matches a glob                                          | log-message            |
// | health_checks      | transactions and spans of transactions that are named like health checks | filtered-transaction  |
// | legacy_browsers    | events of browsers that are older than is supported                     | legacy-browsers        |
// | web_crawlers       | events of known crawlers                                                | web-crawlers           |
// | localhost          | events of pages and users on this same machine                          | localhost              |
// | browser_extensions | errors of browsers' extensions                                          | browser-extensions     |
// | hydration_errors   | React's errors of hydration, as its production build words them          | react-hydration-errors |
// | chunk_load_errors  | chunks of a bundle that did not load                                    | chunk-load-error       |
//
// Lists are texts of one entry a line; empty lines and those that begin with # are none. Globs are grouping/glob.h's; case
// does not matter. health_checks, hydration_errors and chunk_load_errors are on until a project says otherwise, as Sentry's are.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"

enum { FILTERS_TEXT_MAX = 16 << 10, FILTERS_LINES_MAX = 200 }; // bytes and entries of one list

#define FILTER_REASONS(X)                      \
    X(ADDRESS, "ip-address")                   \
    X(RELEASE, "release-version")              \
    X(MESSAGE, "error-message")                \
    X(LOG, "log-message")                      \
    X(HEALTH_CHECK, "filtered-transaction")    \
    X(LEGACY_BROWSER, "legacy-browsers")       \
    X(WEB_CRAWLER, "web-crawlers")             \
    X(LOCALHOST, "localhost")                  \
    X(BROWSER_EXTENSION, "browser-extensions") \
    X(HYDRATION, "react-hydration-errors")     \
    X(CHUNK_LOAD, "chunk-load-error")

enum filter_reason {
    FILTER_NONE, // it is taken
#define FILTER_ENUM(name, slug) FILTER_##name,
    FILTER_REASONS(FILTER_ENUM)
#undef FILTER_ENUM
        FILTER_REASONS_N
};
str filter_reason_slug(enum filter_reason reason); // not of FILTER_NONE

enum filter_switch {
    FILTER_SWITCH_HEALTH_CHECKS,
    FILTER_SWITCH_WEB_CRAWLERS,
    FILTER_SWITCH_LOCALHOST,
    FILTER_SWITCH_BROWSER_EXTENSIONS,
    FILTER_SWITCH_HYDRATION_ERRORS,
    FILTER_SWITCH_CHUNK_LOAD_ERRORS,
    FILTER_SWITCHES
};
enum filter_list { FILTER_LIST_ERRORS, FILTER_LIST_RELEASES, FILTER_LIST_ADDRESSES, FILTER_LIST_LOGS, FILTER_LISTS };

// As people write them.
struct filter_settings {
    bool on[FILTER_SWITCHES];
    uint32_t browsers; // bits of user_agent.h's families
    str lists[FILTER_LISTS];
};
struct filter_settings filter_settings_default(void);
// One member of their JSON form; what is not there stays as it was. ERR_INVALID: there is no such setting, or not of that type.
int filter_settings_member(void *settings, str name, struct json_reader *r);
// The whole; empty: as it was.
int filter_settings_read(str json, struct arena *arena, struct filter_settings *settings, struct err *err);
// Members of the object that is open.
void filter_settings_put(struct json_writer *w, const struct filter_settings *settings);

// What is on, in words for a log.
void filter_settings_words(const struct filter_settings *settings, char *out, size_t size);

// Ready to be asked; immutable, shared between threads.
struct filters;
// ERR_INVALID, ERR_LIMIT: err says where (place: the list; line, column), ERR_NOMEM.
int filters_new(const struct filter_settings *settings, struct filters **ret_filters, struct err *err);
struct filters *filters_share(struct filters *f);
void filters_free(struct filters *f); // gives a share back; NULL is allowed

enum filter_kind { FILTER_ERROR, FILTER_TRANSACTION, FILTER_REPLAY, FILTER_SESSION };
// An event's JSON (of a session, the session's), and the address of who sent it (empty: not known).
enum filter_reason filters_check(const struct filters *f, enum filter_kind kind, const struct json_node *root,
                                 str peer);

// Takes what is not wanted out of a container of `span` or `log` items, and adds to the counts by reason.
void filters_container(const struct filters *f, str type, const struct json_node *container, str peer,
                       uint32_t counts[FILTER_REASONS_N]);
