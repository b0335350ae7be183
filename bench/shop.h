// The invented shop that the generated telemetry comes from: 20 services with their routes and
// tables, two instances each, who calls whom, and a seeded generator of chance. Same seed, same data.
#pragma once
#include "payload.h"

enum { SHOP_SERVICES = 20, SHOP_INSTANCES = 2, SHOP_RESOURCES = SHOP_SERVICES * SHOP_INSTANCES, SHOP_OPS = 5 };

struct shop_service {
    str name;
    str language, version;
    str routes[SHOP_OPS]; // "GET /api/cart/{id}"
    str table;            // of its database; empty: it has none
    uint32_t calls;       // bit i: it calls service i (always a higher one: no cycles)
};

extern const struct shop_service shop_services[SHOP_SERVICES];

struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);
double rng_unit(struct rng *r);                                   // [0, 1)
double rng_lognormal(struct rng *r, double median, double sigma); // positive, long-tailed
static inline bool rng_chance(struct rng *r, double p) { return rng_unit(r) < p; }
// Small numbers more often than large ones (as users and products are visited).
uint32_t rng_skewed(struct rng *r, uint32_t n);

// Resource message of an instance (OTLP field contents, without tag and length).
void shop_resource(struct buf *b, int service, int instance);
// InstrumentationScope message.
void shop_scope(struct buf *b, int scope);
enum { SHOP_SCOPE_HTTP, SHOP_SCOPE_DB, SHOP_SCOPE_OWN, SHOP_SCOPES };
