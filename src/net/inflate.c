#include "net/inflate.h"

#include "base/err.h"
#include "base/mem.h"

#include <brotli/decode.h>
#include <libdeflate.h>
#include <zstd.h>

enum { INFLATE_STEP = 64 << 10, GZIP_MEMBERS_MAX = 1024 };

int net_coding_of(str value, enum net_coding *ret)
{
    value = str_trim(value);
    if (value.len == 0 || str_ieq(value, STR("identity")))
        *ret = NET_CODING_IDENTITY;
    else if (str_ieq(value, STR("gzip")) || str_ieq(value, STR("x-gzip")))
        *ret = NET_CODING_GZIP;
    else if (str_ieq(value, STR("deflate")))
        *ret = NET_CODING_DEFLATE;
    else if (str_ieq(value, STR("zstd")))
        *ret = NET_CODING_ZSTD;
    else if (str_ieq(value, STR("br")))
        *ret = NET_CODING_BROTLI;
    else
        return ERR_UNSUPPORTED;
    return 0;
}

typedef enum libdeflate_result inflate_fn(struct libdeflate_decompressor *d, const void *in, size_t in_n, void *out,
                                          size_t out_n, size_t *ret_in, size_t *ret_out);

// libdeflate wants room for the whole result: begin with a guess and double, up to the cap.
static int inflate_grow(struct libdeflate_decompressor *d, inflate_fn *fn, bytes in, size_t guess, struct buf *out,
                        size_t *ret_used)
{
    size_t left = out->max - out->len;
    for (;;) {
        if (guess > left)
            guess = left;
        int rc = buf_reserve(out, guess);
        if (rc < 0)
            return rc;
        size_t room = out->cap - out->len, used = 0, made = 0;
        switch (fn(d, in.ptr, in.len, out->ptr + out->len, room, &used, &made)) {
        case LIBDEFLATE_SUCCESS:
            out->len += made;
            *ret_used = used;
            return 0;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            if (room >= left)
                return ERR_LIMIT;
            guess = room > left / 2 ? left : room * 2;
            break;
        default:
            return ERR_MALFORMED;
        }
    }
}

// Deflate makes at most 1032 bytes of one.
static size_t guess_size(bytes in, size_t claimed)
{
    size_t most = in.len < SIZE_MAX / 1032 ? in.len * 1032 : SIZE_MAX;
    size_t guess = claimed ? claimed : in.len * 6;
    guess = guess < most ? guess : most;
    return guess > 64 ? guess : 64;
}

static int inflate_gzip(struct libdeflate_decompressor *d, bytes in, struct buf *out)
{
    // The last four bytes are the (last) member's size: right for every honest sender.
    size_t claimed = in.len >= 18 ? le32_get(in.ptr + in.len - 4) : 0;
    for (int members = 0; members < GZIP_MEMBERS_MAX; members++) {
        size_t used = 0;
        int rc = inflate_grow(d, libdeflate_gzip_decompress_ex, in, guess_size(in, claimed), out, &used);
        if (rc < 0)
            return rc;
        in.ptr += used;
        in.len -= used;
        if (in.len == 0)
            return 0;
    }
    return ERR_LIMIT;
}

// "deflate" is the zlib format (RFC 9110 8.4.1.2), but some senders leave its header out.
static int inflate_deflate(struct libdeflate_decompressor *d, bytes in, struct buf *out)
{
    size_t used = 0;
    int rc = inflate_grow(d, libdeflate_zlib_decompress_ex, in, guess_size(in, 0), out, &used);
    if (rc == ERR_MALFORMED)
        rc = inflate_grow(d, libdeflate_deflate_decompress_ex, in, guess_size(in, 0), out, &used);
    return rc < 0 ? rc : used == in.len ? 0 : ERR_MALFORMED;
}

static int inflate_libdeflate(enum net_coding coding, bytes in, struct buf *out)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d)
        return ERR_NOMEM;
    int rc = coding == NET_CODING_GZIP ? inflate_gzip(d, in, out) : inflate_deflate(d, in, out);
    libdeflate_free_decompressor(d);
    return rc;
}

// Room for the next piece of a streamed decoder's output: what is there, or twice as much.
static int next_room(struct buf *out, size_t *ret_room)
{
    if (out->cap == out->len) {
        size_t left = out->max - out->len, step = out->cap > INFLATE_STEP ? out->cap : INFLATE_STEP;
        if (left == 0)
            return ERR_LIMIT;
        int rc = buf_reserve(out, step < left ? step : left);
        if (rc < 0)
            return rc;
    }
    *ret_room = out->cap - out->len;
    return 0;
}

static int inflate_zstd(bytes in, struct buf *out)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    if (!d)
        return ERR_NOMEM;
    int rc = 0;
    ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, NET_ZSTD_WINDOW_LOG_MAX);
    unsigned long long claimed = ZSTD_getFrameContentSize(in.ptr, in.len);
    if (claimed == ZSTD_CONTENTSIZE_ERROR)
        rc = ERR_MALFORMED;
    else if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed > out->max - out->len)
        rc = ERR_LIMIT;
    else if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed / 4096 < in.len) // a claim worth believing
        rc = buf_reserve(out, (size_t)claimed);
    ZSTD_inBuffer z_in = { in.ptr, in.len, 0 };
    size_t left = 1; // of the frame; 0 at its end
    while (rc == 0 && (z_in.pos < z_in.size || left)) {
        uint8_t nothing;
        size_t room = 0;
        rc = next_room(out, &room);
        // A full buffer may still be all there is: ask with no room before giving up.
        ZSTD_outBuffer z_out = { rc < 0 ? &nothing : out->ptr + out->len, room, 0 };
        if (rc < 0 && rc != ERR_LIMIT)
            break;
        size_t in_before = z_in.pos;
        left = ZSTD_decompressStream(d, &z_out, &z_in);
        out->len += z_out.pos;
        if (ZSTD_isError(left)) {
            rc = ERR_MALFORMED;
            break;
        }
        if (rc == ERR_LIMIT && left == 0 && z_in.pos == z_in.size)
            rc = out->error = 0;
        else if (rc == 0 && z_out.pos == 0 && z_in.pos == in_before && room)
            rc = ERR_MALFORMED; // nothing moves: cut
    }
    ZSTD_freeDCtx(d);
    return rc;
}

static int inflate_brotli(bytes in, struct buf *out)
{
    BrotliDecoderState *d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!d)
        return ERR_NOMEM;
    int rc = 0;
    const uint8_t *next_in = in.ptr;
    size_t left_in = in.len;
    for (;;) {
        size_t room = 0;
        int full = next_room(out, &room);
        if (full < 0 && full != ERR_LIMIT) {
            rc = full;
            break;
        }
        size_t left_out = room;
        uint8_t *next_out = out->ptr + out->len;
        BrotliDecoderResult r = BrotliDecoderDecompressStream(d, &left_in, &next_in, &left_out, &next_out, NULL);
        out->len += room - left_out;
        if (r == BROTLI_DECODER_RESULT_SUCCESS) {
            rc = left_in ? ERR_MALFORMED : 0;
            break;
        }
        if (r != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
            rc = ERR_MALFORMED;
            break;
        }
        if (full < 0) {
            rc = ERR_LIMIT;
            break;
        }
    }
    BrotliDecoderDestroyInstance(d);
    return rc;
}

int net_inflate(enum net_coding coding, bytes in, struct buf *out)
{
    switch (coding) {
    case NET_CODING_GZIP:
    case NET_CODING_DEFLATE:
        return inflate_libdeflate(coding, in, out);
    case NET_CODING_ZSTD:
        return inflate_zstd(in, out);
    case NET_CODING_BROTLI:
        return inflate_brotli(in, out);
    default:
        return buf_append(out, in.ptr, in.len);
    }
}

int net_deflate_gzip(bytes in, struct buf *out)
{
    // Level 1: half of the time of the default for a few per cent more, and the line is rarely the bottleneck.
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
    if (!c)
        return ERR_NOMEM;
    size_t left = out->max - out->len, bound = libdeflate_gzip_compress_bound(c, in.len);
    int rc = buf_reserve(out, bound < left ? bound : left);
    if (rc == 0) {
        size_t made = libdeflate_gzip_compress(c, in.ptr, in.len, out->ptr + out->len, out->cap - out->len);
        out->len += made;
        rc = made ? 0 : ERR_LIMIT;
    }
    libdeflate_free_compressor(c);
    return rc;
}
