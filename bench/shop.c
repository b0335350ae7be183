#include "shop.h"

#include <math.h>
#include <stdio.h>

// clang-format off
#define S(x) STR_INIT(x)
enum { WEB, GATEWAY, CHECKOUT, CART, CATALOG, SEARCH, RECOMMEND, PRICING, ORDERS, PAYMENTS, FRAUD, SHIPPING,
       INVENTORY, NOTIFY, EMAIL, REVIEWS, ADS, USERS, AUTH, SESSIONS };
#define C(x) (1u << (x))

const struct shop_service shop_services[SHOP_SERVICES] = {
    [WEB] = { S("web"), S("nodejs"), S("5.12.0"), { S("GET /"), S("GET /cart"), S("POST /checkout"), S("GET /product/{id}"), S("GET /search") },
              S(""), C(GATEWAY) | C(ADS) | C(SESSIONS) },
    [GATEWAY] = { S("api-gateway"), S("go"), S("2.3.1"), { S("GET /api/cart/{id}"), S("POST /api/orders"), S("GET /api/products/{id}"), S("GET /api/search"), S("PUT /api/cart/{id}/items") },
                  S(""), C(CHECKOUT) | C(CART) | C(CATALOG) | C(SEARCH) | C(AUTH) },
    [CHECKOUT] = { S("checkout"), S("java"), S("1.4.2"), { S("POST /orders"), S("POST /orders/{id}/confirm"), S("GET /orders/{id}"), S("POST /quote"), S("DELETE /orders/{id}") },
                   S("checkouts"), C(PRICING) | C(ORDERS) | C(PAYMENTS) | C(INVENTORY) },
    [CART] = { S("cart"), S("dotnet"), S("3.0.7"), { S("GET /carts/{id}"), S("PUT /carts/{id}/items"), S("DELETE /carts/{id}"), S("POST /carts"), S("GET /carts/{id}/total") },
               S("carts"), C(PRICING) | C(INVENTORY) | C(SESSIONS) },
    [CATALOG] = { S("catalog"), S("go"), S("1.9.0"), { S("GET /products/{id}"), S("GET /products"), S("GET /categories"), S("GET /categories/{id}"), S("GET /brands") },
                  S("products"), C(PRICING) | C(REVIEWS) | C(RECOMMEND) },
    [SEARCH] = { S("search"), S("java"), S("7.1.0"), { S("GET /search"), S("GET /suggest"), S("POST /index"), S("GET /facets"), S("GET /similar/{id}") },
                 S("terms"), C(PRICING) | C(ADS) },
    [RECOMMEND] = { S("recommendations"), S("python"), S("0.8.14"), { S("GET /recommend/{id}"), S("GET /popular"), S("POST /feedback"), S("GET /also-bought/{id}"), S("GET /for-user/{id}") },
                    S("features"), C(USERS) },
    [PRICING] = { S("pricing"), S("rust"), S("0.4.0"), { S("GET /price/{id}"), S("POST /prices"), S("GET /discounts"), S("POST /coupon"), S("GET /tax") },
                  S("prices"), C(USERS) },
    [ORDERS] = { S("orders"), S("java"), S("2.2.0"), { S("POST /orders"), S("GET /orders/{id}"), S("GET /orders"), S("PATCH /orders/{id}"), S("POST /orders/{id}/cancel") },
                 S("orders"), C(SHIPPING) | C(NOTIFY) | C(INVENTORY) },
    [PAYMENTS] = { S("payments"), S("java"), S("4.0.1"), { S("POST /charge"), S("POST /refund"), S("GET /charges/{id}"), S("POST /authorize"), S("POST /capture") },
                   S("charges"), C(FRAUD) },
    [FRAUD] = { S("fraud"), S("python"), S("1.1.3"), { S("POST /score"), S("POST /report"), S("GET /rules"), S("GET /cases/{id}"), S("POST /train") },
                S("cases"), C(USERS) },
    [SHIPPING] = { S("shipping"), S("php"), S("1.0.9"), { S("POST /shipments"), S("GET /shipments/{id}"), S("GET /rates"), S("POST /labels"), S("GET /carriers") },
                   S("shipments"), C(NOTIFY) },
    [INVENTORY] = { S("inventory"), S("go"), S("3.3.3"), { S("GET /stock/{id}"), S("POST /reserve"), S("POST /release"), S("GET /warehouses"), S("POST /count") },
                    S("stock"), 0 },
    [NOTIFY] = { S("notifications"), S("nodejs"), S("1.2.0"), { S("POST /notify"), S("GET /inbox/{id}"), S("POST /read"), S("GET /settings/{id}"), S("POST /batch") },
                 S("notices"), C(EMAIL) | C(USERS) },
    [EMAIL] = { S("email"), S("ruby"), S("0.9.9"), { S("POST /send"), S("GET /templates/{id}"), S("POST /bounce"), S("GET /status/{id}"), S("POST /render") },
                S(""), 0 },
    [REVIEWS] = { S("reviews"), S("python"), S("2.0.0"), { S("GET /reviews/{id}"), S("POST /reviews"), S("GET /rating/{id}"), S("POST /flag"), S("GET /latest") },
                  S("reviews"), C(USERS) },
    [ADS] = { S("ads"), S("cpp"), S("6.5.0"), { S("GET /ads"), S("POST /click"), S("GET /campaigns/{id}"), S("POST /bid"), S("GET /budget") },
              S(""), 0 },
    [USERS] = { S("users"), S("java"), S("8.1.1"), { S("GET /users/{id}"), S("POST /users"), S("GET /users/{id}/addresses"), S("PATCH /users/{id}"), S("GET /segments/{id}") },
                S("users"), 0 },
    [AUTH] = { S("auth"), S("go"), S("1.0.4"), { S("POST /token"), S("POST /verify"), S("POST /logout"), S("GET /keys"), S("POST /refresh") },
               S("credentials"), C(SESSIONS) },
    [SESSIONS] = { S("sessions"), S("rust"), S("0.2.2"), { S("GET /sessions/{id}"), S("POST /sessions"), S("DELETE /sessions/{id}"), S("POST /touch"), S("GET /count") },
                   S("sessions"), 0 },
};
// clang-format on

uint64_t rng_next(struct rng *r)
{
    uint64_t x = r->state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint32_t rng_below(struct rng *r, uint32_t n) { return (uint32_t)(((rng_next(r) >> 32) * n) >> 32); }

double rng_unit(struct rng *r) { return (double)(rng_next(r) >> 11) * 0x1p-53; }

double rng_lognormal(struct rng *r, double median, double sigma)
{
    double u = rng_unit(r), v = rng_unit(r);
    return median * exp(sigma * sqrt(-2.0 * log(1.0 - u)) * cos(6.283185307179586 * v));
}

uint32_t rng_skewed(struct rng *r, uint32_t n)
{
    double u = rng_unit(r);
    return (uint32_t)(u * u * u * n);
}

void shop_resource(struct buf *b, int service, int instance)
{
    const struct shop_service *s = &shop_services[service];
    char text[96];
    attr_put_str(b, 1, STR("service.name"), s->name);
    attr_put_str(b, 1, STR("service.version"), s->version);
    attr_put_str(b, 1, STR("service.namespace"), STR("shop"));
    snprintf(text, sizeof text, "%.*s-6f9c4d7b5-%04x", STR_ARG(s->name), 0x51c3 + 977 * service + 31 * instance);
    attr_put_str(b, 1, STR("k8s.pod.name"), str_z(text));
    attr_put_str(b, 1, STR("service.instance.id"), str_z(text));
    snprintf(text, sizeof text, "node-%d", (service + instance) % 4);
    attr_put_str(b, 1, STR("host.name"), str_z(text));
    attr_put_str(b, 1, STR("deployment.environment.name"), STR("production"));
    attr_put_str(b, 1, STR("telemetry.sdk.language"), s->language);
    attr_put_str(b, 1, STR("telemetry.sdk.name"), STR("opentelemetry"));
    attr_put_int(b, 1, STR("process.pid"), 1000 + service * 10 + instance);
}

void shop_scope(struct buf *b, int scope)
{
    static const str names[SHOP_SCOPES] = { S("opentelemetry.instrumentation.http"),
                                            S("opentelemetry.instrumentation.db"), S("shop") };
    pb_put_str(b, 1, names[scope]);
    pb_put_str(b, 2, STR("1.27.0"));
}
