// What a coded body begins with: streaming decoders, stopped when there is enough. libdeflate knows whole bodies only, so
// gzip and deflate are zlib's here.
#include "base/err.h"
#include "base/mem.h"
#include "net/inflate.h"

#include <brotli/decode.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { MEMBERS_MAX = 1024, WINDOW_BITS = 15, WITH_GZIP = 16 };

static int zlib_head(int window_bits, bytes in, uint8_t *out, size_t room, size_t *ret_n)
{
    z_stream z = {
        .next_in = (Bytef *)(uintptr_t)in.ptr, .avail_in = (uInt)in.len, .next_out = out, .avail_out = (uInt)room
    };
    int rc = inflateInit2(&z, window_bits);
    if (rc != Z_OK)
        return rc == Z_MEM_ERROR ? ERR_NOMEM : ERR_MALFORMED;
    for (int members = 1; z.avail_out; members++) {
        rc = inflate(&z, Z_SYNC_FLUSH);
        if (rc != Z_STREAM_END || !z.avail_in || window_bits <= WINDOW_BITS || members == MEMBERS_MAX)
            break;
        inflateReset(&z); // gzip may have several members
    }
    inflateEnd(&z);
    *ret_n = room - z.avail_out;
    return rc == Z_MEM_ERROR ? ERR_NOMEM : rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? 0 : ERR_MALFORMED;
}

static int zstd_head(bytes in, uint8_t *out, size_t room, size_t *ret_n)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    if (!d)
        return ERR_NOMEM;
    ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, NET_ZSTD_WINDOW_LOG_MAX);
    ZSTD_inBuffer z_in = { in.ptr, in.len, 0 };
    ZSTD_outBuffer z_out = { out, room, 0 };
    size_t left = 1, in_before, out_before;
    do {
        in_before = z_in.pos;
        out_before = z_out.pos;
        left = ZSTD_decompressStream(d, &z_out, &z_in);
    } while (!ZSTD_isError(left) && z_out.pos < room && (z_in.pos != in_before || z_out.pos != out_before));
    ZSTD_freeDCtx(d);
    *ret_n = z_out.pos;
    return ZSTD_isError(left) ? ERR_MALFORMED : 0;
}

static int brotli_head(bytes in, uint8_t *out, size_t room, size_t *ret_n)
{
    BrotliDecoderState *d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!d)
        return ERR_NOMEM;
    size_t left_in = in.len, left_out = room;
    BrotliDecoderResult r = BrotliDecoderDecompressStream(d, &left_in, &in.ptr, &left_out, &out, NULL);
    BrotliDecoderDestroyInstance(d);
    *ret_n = room - left_out;
    return r == BROTLI_DECODER_RESULT_ERROR ? ERR_MALFORMED : 0;
}

int net_inflate_head(enum net_coding coding, bytes in, uint8_t *out, size_t room, size_t *ret_n)
{
    size_t n = 0;
    int rc = 0;
    if (in.len > UINT32_MAX || room > UINT32_MAX)
        return ERR_LIMIT;
    switch (coding) {
    case NET_CODING_GZIP:
        rc = zlib_head(WINDOW_BITS + WITH_GZIP, in, out, room, &n);
        break;
    case NET_CODING_DEFLATE:
        rc = zlib_head(WINDOW_BITS, in, out, room, &n);
        if (rc == ERR_MALFORMED) // without its header, as some send it
            rc = zlib_head(-WINDOW_BITS, in, out, room, &n);
        break;
    case NET_CODING_ZSTD:
        rc = zstd_head(in, out, room, &n);
        break;
    case NET_CODING_BROTLI:
        rc = brotli_head(in, out, room, &n);
        break;
    default:
        n = in.len < room ? in.len : room;
        memcpy(out, in.ptr, n);
    }
    if (rc == 0)
        *ret_n = n;
    return rc;
}
