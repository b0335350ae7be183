// MD5 (RFC 1321): the name of a group, nothing that has to keep a secret.
#pragma once
#include "base/bytes.h"

enum { MD5_LEN = 16, MD5_HEX_LEN = 32, MD5_BLOCK = 64 };

struct md5 {
    uint32_t state[4];
    uint64_t n; // bytes so far
    uint8_t block[MD5_BLOCK];
};

void md5_init(struct md5 *m);
void md5_add(struct md5 *m, str s);
void md5_hex(struct md5 *m, char ret_hex[MD5_HEX_LEN]);
