// The chunked transfer coding (RFC 9112 7.1), read.
#include "base/err.h"
#include "net/http1.h"

enum { CHUNK_EXTENSION_MAX = 1024, CHUNK_TRAILERS_MAX = 8192 };

enum {
    CHUNK_SIZE_FIRST, // the first digit of a size
    CHUNK_SIZE,
    CHUNK_EXTENSION, // up to CR
    CHUNK_SIZE_LF,
    CHUNK_BODY,
    CHUNK_BODY_CR,
    CHUNK_BODY_LF,
    CHUNK_TRAILER_LINE, // at the start of a trailer line, or of the empty line that ends it all
    CHUNK_TRAILER,      // inside a trailer line, up to CR
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_DONE,
};

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int size_digit(struct http1_chunked *c, uint8_t byte)
{
    int digit = hex_value(byte);
    if (digit >= 0) {
        if (c->left >> 56) // sixteen significant digits and more: nobody has that much
            return ERR_LIMIT;
        if (++c->line > CHUNK_EXTENSION_MAX) // leading zeros without end
            return ERR_LIMIT;
        c->left = c->left << 4 | (uint64_t)digit;
        c->state = CHUNK_SIZE;
        return 0;
    }
    if (c->state == CHUNK_SIZE_FIRST)
        return ERR_MALFORMED;
    if (byte == '\r')
        c->state = CHUNK_SIZE_LF;
    else if (byte == ';')
        c->state = CHUNK_EXTENSION;
    else
        return ERR_MALFORMED;
    return 0;
}

// A byte of text that is dropped: extensions and trailers.
static int text_byte(struct http1_chunked *c, uint8_t byte, uint32_t max, int state_at_cr)
{
    if (byte == '\r') {
        c->state = state_at_cr;
        return 0;
    }
    if (byte == '\n' || byte == 0)
        return ERR_MALFORMED;
    return ++c->line > max ? ERR_LIMIT : 0;
}

static int expect_byte(struct http1_chunked *c, uint8_t byte, uint8_t want, int next)
{
    if (byte != want)
        return ERR_MALFORMED;
    c->state = next;
    return 0;
}

static int chunk_byte(struct http1_chunked *c, uint8_t byte)
{
    switch (c->state) {
    case CHUNK_SIZE_FIRST:
    case CHUNK_SIZE:
        return size_digit(c, byte);
    case CHUNK_EXTENSION:
        return text_byte(c, byte, CHUNK_EXTENSION_MAX, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        c->line = 0;
        return expect_byte(c, byte, '\n', c->left ? CHUNK_BODY : CHUNK_TRAILER_LINE);
    case CHUNK_BODY_CR:
        return expect_byte(c, byte, '\r', CHUNK_BODY_LF);
    case CHUNK_BODY_LF:
        return expect_byte(c, byte, '\n', CHUNK_SIZE_FIRST);
    case CHUNK_TRAILER_LINE:
        if (byte == '\r') {
            c->state = CHUNK_LAST_LF;
            return 0;
        }
        if (byte == ' ' || byte == '\t') // a folded line
            return ERR_MALFORMED;
        c->state = CHUNK_TRAILER;
        return text_byte(c, byte, CHUNK_TRAILERS_MAX, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER:
        return text_byte(c, byte, CHUNK_TRAILERS_MAX, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LF:
        return expect_byte(c, byte, '\n', CHUNK_TRAILER_LINE);
    case CHUNK_LAST_LF:
        return expect_byte(c, byte, '\n', CHUNK_DONE);
    default:
        return ERR_MALFORMED;
    }
}

int http1_chunked_next(struct http1_chunked *c, bytes *in, bytes *ret_data)
{
    while (c->state != CHUNK_DONE) {
        if (in->len == 0)
            return HTTP1_MORE;
        if (c->state == CHUNK_BODY) {
            size_t n = in->len < c->left ? in->len : (size_t)c->left;
            *ret_data = (bytes){ in->ptr, n };
            in->ptr += n;
            in->len -= n;
            c->left -= n;
            if (c->left == 0)
                c->state = CHUNK_BODY_CR;
            return HTTP1_DATA;
        }
        int rc = chunk_byte(c, in->ptr[0]);
        if (rc < 0)
            return rc;
        in->ptr++;
        in->len--;
    }
    return HTTP1_END;
}
