// Secrets: made by the kernel's generator, shown once, kept as hashes. BLAKE2b with no stretching is
// right for them: 256 random bits cannot be guessed from a hash (passwords can: meta_password.c).
#include "base/must.h"
#include "meta/meta_internal.h"

#include <sodium.h>
#include <stdio.h>

void meta_secret_make(const char *prefix, char ret_secret[META_SECRET_MAX])
{
    uint8_t raw[32];
    char text[sodium_base64_ENCODED_LEN(sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2base64(text, sizeof text, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    int n = snprintf(ret_secret, META_SECRET_MAX, "%s%s", prefix, text);
    must(n > 0 && n < META_SECRET_MAX);
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(text, sizeof text);
}

void meta_secret_hash(const char *kind, str secret, uint8_t ret_hash[META_HASH_LEN])
{
    // The kind is the key: the same secret hashes differently as a token, a link or a session.
    uint8_t key[32] = { 0 };
    size_t n = strlen(kind);
    must(n <= sizeof key);
    memcpy(key, kind, n);
    must(crypto_generichash(ret_hash, META_HASH_LEN, (const uint8_t *)secret.ptr, secret.len, key, sizeof key) == 0);
}

// Names of tokens and the like: printable text that cannot break a line, a terminal or a table.
bool meta_name_valid(str name)
{
    if (name.len == 0 || name.len > META_NAME_MAX || name.ptr[0] == ' ' || name.ptr[name.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || (unsigned char)name.ptr[i] > 0x7e)
            return false;
    return true;
}
