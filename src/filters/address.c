#include "filters/address.h"

#include "base/json.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; // of IPv4 in IPv6

bool address_read(str text, struct address *ret_address)
{
    char z[INET6_ADDRSTRLEN];
    struct address a;
    text = str_trim(text);
    if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = str_slice(text, 1, text.len - 1);
    if (text.len == 0 || text.len >= sizeof z || memchr(text.ptr, 0, text.len))
        return false;
    memcpy(z, text.ptr, text.len);
    z[text.len] = 0;
    if (inet_pton(AF_INET6, z, a.of) != 1) {
        if (inet_pton(AF_INET, z, a.of + 12) != 1)
            return false;
        memcpy(a.of, mapped, sizeof mapped);
    }
    *ret_address = a;
    return true;
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t six[16] = { [15] = 1 };
    return memcmp(a->of, six, 16) == 0 || (memcmp(a->of, mapped, sizeof mapped) == 0 && a->of[12] == 127);
}

bool network_read(str text, struct network *ret_network)
{
    struct network n = { .bits = 128 };
    int64_t bits;
    ptrdiff_t slash = str_find_char(text, '/', 0);
    str address = slash < 0 ? text : str_slice(text, 0, (size_t)slash);
    if (!address_read(address, &n.address))
        return false;
    if (slash >= 0) {
        int most = str_find_char(address, ':', 0) < 0 ? 32 : 128;
        if (!json_number_int(str_slice(text, (size_t)slash + 1, text.len), &bits) || bits < 0 || bits > most)
            return false;
        n.bits = (uint8_t)(bits + 128 - most);
    }
    *ret_network = n;
    return true;
}

bool network_holds(const struct network *n, const struct address *a)
{
    size_t whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->address.of, a->of, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return rest == 0 || (n->address.of[whole] & mask) == (a->of[whole] & mask);
}
