#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/inflate.h"

#include <brotli/encode.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zstd.h>

enum { RAW = 100 }; // deflate without the zlib header, on top of enum net_coding

static uint8_t text[300000];

static size_t pack(int coding, const void *in, size_t n, uint8_t *out, size_t cap)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    size_t made = cap;
    if (coding == NET_CODING_GZIP)
        made = libdeflate_gzip_compress(c, in, n, out, cap);
    else if (coding == NET_CODING_DEFLATE)
        made = libdeflate_zlib_compress(c, in, n, out, cap);
    else if (coding == RAW)
        made = libdeflate_deflate_compress(c, in, n, out, cap);
    else if (coding == NET_CODING_ZSTD)
        made = ZSTD_compress(out, cap, in, n, 3);
    else
        BrotliEncoderCompress(3, 20, BROTLI_MODE_GENERIC, n, in, &made, out);
    libdeflate_free_compressor(c);
    assert_true(made > 0 && made < cap);
    return made;
}

static const int codings[] = { NET_CODING_GZIP, NET_CODING_DEFLATE, RAW, NET_CODING_ZSTD, NET_CODING_BROTLI };
enum { CODINGS = sizeof codings / sizeof *codings, CAP = 400000 };

static enum net_coding coding_of(int i) { return codings[i] == RAW ? NET_CODING_DEFLATE : (enum net_coding)codings[i]; }

static void test_round_trip_and_cap(void **state)
{
    uint8_t *packed = malloc(CAP);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i % 97 * (i / 1000));
    for (int i = 0; i < CODINGS; i++) {
        for (size_t n = 0; n <= sizeof text; n = n ? n * 7 + 1 : 1) {
            size_t made = pack(codings[i], text, n, packed, CAP);
            struct buf out;
            buf_init(&out, n); // exactly enough
            assert_int_equal(net_inflate(coding_of(i), bytes_of(packed, made), &out), 0);
            assert_int_equal(out.len, n);
            assert_true(n == 0 || memcmp(out.ptr, text, n) == 0);
            buf_free(&out);
            if (n) {
                buf_init(&out, n - 1);
                assert_int_equal(net_inflate(coding_of(i), bytes_of(packed, made), &out), ERR_LIMIT);
                assert_true(out.len < n && out.cap <= n - 1);
                buf_free(&out);
            }
        }
    }
    free(packed);
}

// No prefix of a body is a body, and no change of a byte is a crash.
static void test_cut_and_damaged(void **state)
{
    uint8_t packed[4000];
    srand(1);
    for (int i = 0; i < CODINGS; i++) {
        size_t made = pack(codings[i], text, 2000, packed, sizeof packed);
        for (size_t n = 0; n < made; n++) {
            struct buf out;
            buf_init(&out, 1 << 20);
            uint8_t *exact = mem_dup(packed, n); // so that reading behind it is seen
            assert_int_equal(net_inflate(coding_of(i), bytes_of(exact, n), &out), ERR_MALFORMED);
            mem_free(exact);
            buf_free(&out);
        }
        for (int round = 0; round < 2000; round++) {
            struct buf out;
            buf_init(&out, 1 << 20);
            size_t at = (size_t)rand() % made;
            uint8_t old = packed[at];
            packed[at] ^= (uint8_t)(1 + rand() % 255);
            net_inflate(coding_of(i), bytes_of(packed, made), &out);
            packed[at] = old;
            buf_free(&out);
        }
        packed[made] = 'x'; // something behind it
        struct buf out;
        buf_init(&out, 1 << 20);
        assert_int_equal(net_inflate(coding_of(i), bytes_of(packed, made + 1), &out), ERR_MALFORMED);
        buf_free(&out);
    }
}

static void test_bomb(void **state)
{
    size_t n = 64 << 20;
    uint8_t *zeros = calloc(1, n), *packed = malloc(1 << 20);
    for (int i = 0; i < CODINGS; i++) {
        size_t made = pack(codings[i], zeros, n, packed, 1 << 20);
        struct buf out;
        buf_init(&out, 1 << 20);
        assert_int_equal(net_inflate(coding_of(i), bytes_of(packed, made), &out), ERR_LIMIT);
        assert_true(out.cap <= 1 << 20);
        buf_free(&out);
    }
    free(zeros);
    free(packed);
}

static void test_members_and_frames(void **state)
{
    uint8_t packed[1000];
    size_t a = pack(NET_CODING_GZIP, "hello ", 6, packed, 500), b = pack(NET_CODING_GZIP, "world", 5, packed + a, 500);
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(net_inflate(NET_CODING_GZIP, bytes_of(packed, a + b), &out), 0);
    assert_true(str_eq(buf_view(&out), STR("hello world")));
    buf_clear(&out);
    a = pack(NET_CODING_ZSTD, "hello ", 6, packed, 500), b = pack(NET_CODING_ZSTD, "world", 5, packed + a, 500);
    assert_int_equal(net_inflate(NET_CODING_ZSTD, bytes_of(packed, a + b), &out), 0);
    assert_true(str_eq(buf_view(&out), STR("hello world")));
    buf_free(&out);
}

// A window of 128 MiB in a small body: refused before it is allocated.
static void test_zstd_window(void **state)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 27);
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    uint8_t packed[1000];
    ZSTD_inBuffer in = { "hello", 5, 0 };
    ZSTD_outBuffer z = { packed, sizeof packed, 0 };
    ZSTD_compressStream2(c, &z, &in, ZSTD_e_continue);
    ZSTD_compressStream2(c, &z, &in, ZSTD_e_end);
    ZSTD_freeCCtx(c);
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(net_inflate(NET_CODING_ZSTD, bytes_of(packed, z.pos), &out), ERR_MALFORMED);
    buf_free(&out);
}

static void test_heads(void **state)
{
    enum { ROOM = 1000 };
    uint8_t *packed = malloc(CAP), head[ROOM];
    size_t n;
    for (int i = 0; i < CODINGS; i++) {
        for (size_t whole = 0; whole <= sizeof text; whole = whole ? whole * 7 + 1 : 1) {
            size_t made = pack(codings[i], text, whole, packed, CAP), most = whole < ROOM ? whole : ROOM;
            n = SIZE_MAX;
            assert_int_equal(net_inflate_head(coding_of(i), bytes_of(packed, made), head, ROOM, &n), 0);
            assert_int_equal(n, most);
            assert_memory_equal(head, text, n);
            // Cut behind its head it begins the same.
            if (whole == sizeof text) {
                assert_int_equal(net_inflate_head(coding_of(i), bytes_of(packed, made / 2), head, ROOM, &n), 0);
                assert_int_equal(n, ROOM);
            }
        }
        memset(packed, 0xff, 100);
        n = 7;
        assert_int_equal(net_inflate_head(coding_of(i), bytes_of(packed, 100), head, ROOM, &n), ERR_MALFORMED);
        assert_int_equal(n, 7);
    }
    // A member of gzip that ends within the head is followed by the next.
    size_t a = pack(NET_CODING_GZIP, text, 300, packed, CAP);
    size_t b = pack(NET_CODING_GZIP, text + 300, 5000, packed + a, CAP - a);
    assert_int_equal(net_inflate_head(NET_CODING_GZIP, bytes_of(packed, a + b), head, ROOM, &n), 0);
    assert_int_equal(n, ROOM);
    assert_memory_equal(head, text, ROOM);
    assert_int_equal(net_inflate_head(NET_CODING_IDENTITY, bytes_of(text, 5000), head, ROOM, &n), 0);
    assert_int_equal(n, ROOM);
    free(packed);
}

static void test_names(void **state)
{
    enum net_coding c;
    assert_int_equal(net_coding_of(STR(" GZip"), &c), 0);
    assert_int_equal(c, NET_CODING_GZIP);
    assert_int_equal(net_coding_of(STR(""), &c), 0);
    assert_int_equal(c, NET_CODING_IDENTITY);
    assert_int_equal(net_coding_of(STR("gzip, gzip"), &c), ERR_UNSUPPORTED);
    assert_int_equal(net_coding_of(STR("lzma"), &c), ERR_UNSUPPORTED);
}

static void test_deflate(void **state)
{
    struct buf out, back;
    buf_init(&out, sizeof text);
    buf_init(&back, sizeof text);
    assert_int_equal(net_deflate_gzip(bytes_of(text, sizeof text), &out), 0);
    assert_int_equal(net_inflate(NET_CODING_GZIP, buf_bytes(&out), &back), 0);
    assert_int_equal(back.len, sizeof text);
    assert_memory_equal(back.ptr, text, sizeof text);
    buf_free(&out);
    buf_init(&out, 30);
    assert_int_equal(net_deflate_gzip(bytes_of(text, sizeof text), &out), ERR_LIMIT);
    for (int nth = 1; nth < 4; nth++) { // each allocation of ours
        buf_free(&out);
        buf_init(&out, sizeof text);
        buf_free(&back);
        mem_fail_at(nth);
        int rc = net_deflate_gzip(bytes_of(text, 5000), &out);
        if (rc == 0)
            rc = net_inflate(NET_CODING_GZIP, buf_bytes(&out), &back);
        int64_t seen = mem_fail_count();
        mem_fail_at(0);
        assert_int_equal(rc, seen >= nth ? ERR_NOMEM : 0);
    }
    buf_free(&out);
    buf_free(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_and_cap),
        cmocka_unit_test(test_cut_and_damaged),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_members_and_frames),
        cmocka_unit_test(test_zstd_window),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_deflate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
