// SHA-1, by which these clients name what they upload. It proves nothing: artifacts have names of their own.
#include "api/api0_upload.h"

#include "base/hex.h"
#include "base/must.h"

#include <openssl/evp.h>

enum { SHA1_BYTES = 20 };

struct api0_sha1 *api0_sha1_new(void)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (c && EVP_DigestInit_ex(c, EVP_sha1(), NULL) == 1)
        return (struct api0_sha1 *)c;
    EVP_MD_CTX_free(c);
    return NULL;
}

void api0_sha1_add(struct api0_sha1 *h, bytes piece)
{
    must(EVP_DigestUpdate((EVP_MD_CTX *)h, piece.ptr, piece.len) == 1);
}

void api0_sha1_end_take(struct api0_sha1 *h, char ret_hex[RELEASE_SHA1_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    must(EVP_DigestFinal_ex((EVP_MD_CTX *)h, digest, &n) == 1 && n == SHA1_BYTES);
    EVP_MD_CTX_free((EVP_MD_CTX *)h);
    hex_encode(ret_hex, digest, SHA1_BYTES);
}

void api0_sha1_of(bytes content, char ret_hex[RELEASE_SHA1_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    must(EVP_Digest(content.ptr, content.len, digest, &n, EVP_sha1(), NULL) == 1 && n == SHA1_BYTES);
    hex_encode(ret_hex, digest, SHA1_BYTES);
}

bool api0_sha1_ok(str hex)
{
    uint8_t digest[SHA1_BYTES];
    if (hex.len != RELEASE_SHA1_HEX || !hex_decode(digest, hex))
        return false;
    for (size_t i = 0; i < hex.len; i++)
        if (hex.ptr[i] >= 'A' && hex.ptr[i] <= 'F')
            return false;
    return true;
}
