// What figures are kept of. A key is interned once and has a number, which cells, the window and the database know
// it by. A *series* is one version of a service in one environment; an *operation* is one span name and kind of a
// series; an *edge* is the calls of a service to another or to a *peer*: a database, a broker or somebody outside,
// known from the client's side only.
#pragma once
#include "base/arena.h"

enum red_kind { RED_SERIES = 1, RED_OPERATION = 2, RED_EDGE = 3, RED_PEER = 4, RED_KINDS };
// What an edge leads to, and what a peer is.
enum red_node { RED_SERVICE, RED_DATABASE, RED_MESSAGING, RED_EXTERNAL };

// Beyond these all new ones of a kind are one: `other`.
enum { KEYS_SERIES_MAX = 10000, KEYS_OPERATIONS_MAX = 10000, KEYS_EDGES_MAX = 50000, KEYS_PEERS_MAX = 10000 };
#define KEYS_ALL_OPERATIONS_MAX 200000
#define KEY_OTHER STR("other")
// Of each text of a key: keys are kept in memory, and an operation has its series' texts too. Longer ones are cut.
enum { KEY_TEXT_MAX = 256 };
enum { KEY_TYPE_OTHER = 255 };                 // the type of an operation or edge that stands for all the others
#define SERVICE_UNKNOWN STR("unknown_service") // OpenTelemetry's name of a service without one

struct cell;

struct red_key {
    uint32_t id;
    uint8_t kind;                      // enum red_kind
    uint8_t type;                      // operation: enum span_kind; edge, peer: enum red_node
    uint32_t project, callee_project;  // the latter of edges to services
    str service, version, environment; // edge: of the caller (no version); peer: none
    str name;                          // operation: the span's; edge, peer: who is called
    str system;                        // edge, peer: db.system.name, messaging.system
    // Of a series, as far as known; they change.
    str language, runtime;
    int64_t first; // earliest time of a record of it; INT64_MAX: none yet
    int64_t last;  // minute (of ours) in which it was used last, KEY_TOUCH_MINUTES roughly
    // Of those that work with it:
    bool dirty;          // not in the database as it is
    uint32_t operations; // of a series
    uint32_t group;      // of a copy in a view: which service it belongs to
    uint64_t hash;
    struct cell *cell; // memo: its newest cell, in the delta with the number `delta`
    uint32_t delta;
};

struct keys {
    struct red_key **by_id; // NULL: never given, or gone
    uint32_t end, cap;      // ids are below end
    uint32_t *slots, mask;  // id + 1
    uint32_t n, of_kind[RED_KINDS];
};

void keys_free(struct keys *k);
// The key with these fields (their texts cut), made when it is new and there is room for one more, else that of all others.
// ERR_NOMEM.
int keys_intern(struct keys *k, const struct red_key *like, struct red_key **ret_key);
// As it was (from the database), under its number. ERR_CORRUPT: a number or a key comes twice.
int keys_restore(struct keys *k, const struct red_key *stored);
struct red_key *keys_get(const struct keys *k, uint64_t id);
// It is in use in this minute.
enum { KEY_TOUCH_MINUTES = 60 };
void key_touch(struct red_key *key, int64_t minute);
// Language and runtime of a series, where they are known. ERR_NOMEM.
int key_describe(struct red_key *key, str language, str runtime);
// Takes out what was last used before this minute; their numbers are not given again.
void keys_forget(struct keys *k, int64_t before_minute);
