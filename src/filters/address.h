// Addresses of senders, and networks of them.
#pragma once
#include "base/bytes.h"

struct address {
    uint8_t of[16]; // IPv6; IPv4 as ::ffff:a.b.c.d
};
bool address_read(str text, struct address *ret_address);
bool address_is_loopback(const struct address *a);

struct network {
    struct address address;
    uint8_t bits; // of the 128
};
// "10.0.0.0/8", "2001:db8::/32", or one address.
bool network_read(str text, struct network *ret_network);
bool network_holds(const struct network *n, const struct address *a);
