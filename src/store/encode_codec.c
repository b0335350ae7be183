// The byte codecs behind the encodings: lz4 for what is young, zstd for what stays.
#include "base/mem.h"
#include "store/encode.h"

#include <lz4.h>
#include <stdatomic.h>
#include <zstd.h>
#include <zstd_errors.h>

struct codec {
    ZSTD_CCtx *zstd;
    uint8_t *lz4_state;
};

int codec_new(struct codec **ret_c)
{
    struct codec *c = mem_zalloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->lz4_state = mem_alloc((size_t)LZ4_sizeofState());
    c->zstd = ZSTD_createCCtx();
    if (!c->lz4_state || !c->zstd) {
        codec_free(c);
        return ERR_NOMEM;
    }
    *ret_c = c;
    return 0;
}

void codec_free(struct codec *c)
{
    if (!c)
        return;
    ZSTD_freeCCtx(c->zstd);
    mem_free(c->lz4_state);
    mem_free(c);
}

int codec_pack(struct codec *c, enum encode_codec which, int level, bytes in, size_t size_max, struct buf *out)
{
    if (in.len > LZ4_MAX_INPUT_SIZE || size_max < 2)
        return 0;
    size_t room = size_max - 1;
    if (buf_reserve(out, room) < 0)
        return out->error;
    size_t n = 0;
    if (which == CODEC_LZ4) {
        int got = LZ4_compress_fast_extState(c->lz4_state, (const char *)in.ptr, (char *)out->ptr + out->len,
                                             (int)in.len, (int)room, level);
        n = got > 0 ? (size_t)got : 0;
    } else if (which == CODEC_ZSTD) {
        // Sizes and checksums are in the chunk's header already.
        ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_contentSizeFlag, 0);
        ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level);
        size_t got = ZSTD_compress2(c->zstd, out->ptr + out->len, room, in.ptr, in.len);
        if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
            return ERR_NOMEM;
        n = ZSTD_isError(got) ? 0 : got;
    }
    out->len += n;
    return n > 0;
}

// A few contexts for everybody: making one costs more than unpacking a chunk.
enum { CONTEXTS = 8 };
static ZSTD_DCtx *_Atomic contexts[CONTEXTS];

static ZSTD_DCtx *context_take(unsigned *ret_slot)
{
    for (unsigned i = 0; i < CONTEXTS; i++) {
        ZSTD_DCtx *c = atomic_load_explicit(&contexts[i], memory_order_relaxed);
        if (c && (c = atomic_exchange(&contexts[i], NULL))) {
            *ret_slot = i;
            return c;
        }
    }
    *ret_slot = 0;
    return ZSTD_createDCtx();
}

static void context_give(ZSTD_DCtx *c, unsigned slot)
{
    for (unsigned i = 0; i < CONTEXTS; i++) {
        ZSTD_DCtx *none = NULL;
        if (atomic_compare_exchange_strong(&contexts[(slot + i) % CONTEXTS], &none, c))
            return;
    }
    ZSTD_freeDCtx(c);
}

int codec_unpack(uint8_t which, bytes in, uint8_t *out, size_t out_n)
{
    if (which == CODEC_NONE) {
        if (in.len != out_n)
            return ERR_CORRUPT;
        memcpy(out, in.ptr, out_n);
        return 0;
    }
    if (which == CODEC_LZ4) {
        if (in.len > LZ4_MAX_INPUT_SIZE || out_n > LZ4_MAX_INPUT_SIZE)
            return ERR_CORRUPT;
        int got = LZ4_decompress_safe((const char *)in.ptr, (char *)out, (int)in.len, (int)out_n);
        return got >= 0 && (size_t)got == out_n ? 0 : ERR_CORRUPT;
    }
    if (which == CODEC_ZSTD) {
        unsigned slot;
        ZSTD_DCtx *context = context_take(&slot);
        if (!context)
            return ERR_NOMEM;
        size_t got = ZSTD_decompressDCtx(context, out, out_n, in.ptr, in.len);
        context_give(context, slot);
        return !ZSTD_isError(got) && got == out_n ? 0 : ERR_CORRUPT;
    }
    return ERR_UNSUPPORTED;
}
