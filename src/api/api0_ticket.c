// Tickets: what tools ask for without their token, for a while. Signed by a key of this process: a start makes all of them void.
#include "api/api0_upload.h"

#include "base/clock.h"
#include "base/hex.h"

#include <sodium.h>

enum { MAC_HEX = 32, EXPIRES_HEX_MAX = 16 };

static str sign(struct api_call *call, str what, uint64_t expires)
{
    uint8_t mac[MAC_HEX / 2];
    char hex[MAC_HEX + 1] = "";
    str text = arena_printf(&call->req->arena, "%.*s %llx", STR_ARG(what), (unsigned long long)expires);
    if (!text.ptr)
        return text;
    crypto_generichash(mac, sizeof mac, (const uint8_t *)text.ptr, text.len, call->api->ticket_key,
                       sizeof call->api->ticket_key);
    hex_encode(hex, mac, sizeof mac);
    return arena_printf(&call->req->arena, "%llx-%s", (unsigned long long)expires, hex);
}

str api0_ticket(struct api_call *call, str what, int64_t ttl_ns)
{
    return sign(call, what, (uint64_t)(clock_unix_ns() + ttl_ns));
}

bool api0_ticket_ok(struct api_call *call, str what, str ticket)
{
    ptrdiff_t dash = str_find_char(ticket, '-', 0);
    uint64_t expires = 0;
    for (ptrdiff_t i = 0; i < dash && dash <= EXPIRES_HEX_MAX; i++) {
        int digit = hex_digit(ticket.ptr[i]);
        if (digit < 0)
            return false;
        expires = expires << 4 | (unsigned)digit;
    }
    str right = sign(call, what, expires);
    return expires > (uint64_t)clock_unix_ns() && right.len && right.len == ticket.len &&
           sodium_memcmp(right.ptr, ticket.ptr, right.len) == 0;
}
