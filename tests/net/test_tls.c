// TLS: our client, curl, and what is no TLS at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/client.h"
#include "net_fixture.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture f;
static struct err err;
static char dir[64], cert[100], key[100], other_key[100];

static void write_key(const char *path, EVP_PKEY *pkey)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(PEM_write_PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(out);
}

static int make_files(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/clew-tls-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    snprintf(other_key, sizeof other_key, "%s/other.pem", dir);
    EVP_PKEY *pkey = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    write_key(key, pkey);
    write_key(other_key, other);
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, pkey);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"clew test", -1, -1,
                               0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
    FILE *out = fopen(cert, "w");
    PEM_write_X509(out, x);
    fclose(out);
    X509_free(x);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other);
    return 0;
}

static int remove_files(void **state)
{
    unlink(cert);
    unlink(key);
    unlink(other_key);
    rmdir(dir);
    return 0;
}

static int start(void **state)
{
    struct fixture_options o = fixture_options();
    o.cert = cert;
    o.key = key;
    o.limits.head_ms = 300;
    fixture_start(&f, &o);
    return 0;
}

static int stop(void **state)
{
    assert_int_equal(fixture_stop(&f), 0);
    return 0;
}

static struct net_client *client(const char *host, const char *ca)
{
    char url[100];
    struct net_client *c = NULL;
    struct net_client_options o = { .ca_path = ca };
    size_t n = (size_t)snprintf(url, sizeof url, "https://%s:%u", host, f.tls_port);
    assert_int_equal(net_client_new((str){ url, n }, &o, &c, &err), 0);
    return c;
}

static int count_line(void *ctx, str line)
{
    ++*(int *)ctx;
    return 0;
}

static void test_client(void **state)
{
    struct net_client *c = client("127.0.0.1", cert);
    struct net_answer a;
    struct buf out;
    size_t n = 5 << 20;
    uint8_t *body = malloc(n);
    for (size_t i = 0; i < n; i++)
        body[i] = (uint8_t)(i * 31 % 241);
    for (int i = 0; i < 2; i++) {
        buf_init(&out, n);
        assert_int_equal(net_client_call(c, STR("POST"), STR("/echo"), STR("a/b"), bytes_of(body, n), &a, &out, &err),
                         0);
        assert_int_equal(out.len, n);
        assert_memory_equal(out.ptr, body, n);
        buf_free(&out);
    }
    free(body);
    int lines = 0;
    assert_int_equal(net_client_stream(c, STR("GET"), STR("/stream?n=1000&size=2000"), STR(""), (bytes){ 0 }, NULL,
                                       count_line, &lines, &err),
                     0);
    assert_int_equal(lines, 1000);
    buf_init(&out, 1000);
    assert_int_equal(net_client_call(c, STR("GET"), STR("/show"), STR(""), (bytes){ 0 }, &a, &out, &err), 0);
    assert_true(str_starts(buf_view(&out), STR("GET https://127.0.0.1:")));
    assert_true(str_find(buf_view(&out), STR("tag=8")) > 0);
    buf_free(&out);
    net_client_free(c);
}

static void test_untrusted(void **state)
{
    struct net_answer a;
    struct buf out;
    buf_init(&out, 1000);
    struct net_client *c = client("127.0.0.1", NULL);
    assert_int_equal(net_client_call(c, STR("GET"), STR("/show"), STR(""), (bytes){ 0 }, &a, &out, &err), ERR_DENIED);
    net_client_free(c);
    c = client("localhost", cert); // trusted, but not for this name
    int rc = net_client_call(c, STR("GET"), STR("/show"), STR(""), (bytes){ 0 }, &a, &out, &err);
    assert_true(rc == ERR_DENIED);
    net_client_free(c);
    buf_free(&out);
}

// Pipelined behind TLS: what the library holds back makes no descriptor readable.
static void test_curl(void **state)
{
    static const char *const versions[] = { "--http1.1", "--http2" };
    for (int i = 0; i < 2; i++) {
        char command[400], line[300] = { 0 };
        snprintf(command, sizeof command,
                 "curl -s -m 20 %s --cacert %s https://127.0.0.1:%u/show https://127.0.0.1:%u/show", versions[i], cert,
                 f.tls_port, f.tls_port);
        FILE *p = popen(command, "r");
        assert_non_null(p);
        size_t n = fread(line, 1, sizeof line - 1, p);
        int rc = pclose(p);
        if (WEXITSTATUS(rc) == 127)
            skip(); // no curl
        assert_int_equal(rc, 0);
        assert_true(n > 0);
        assert_non_null(strstr(line, i ? "version=2" : "version=1"));
    }
    char command[200];
    snprintf(command, sizeof command, "curl -s -m 20 --tls-max 1.1 -k https://127.0.0.1:%u/show", f.tls_port);
    FILE *p = popen(command, "r");
    assert_int_not_equal(pclose(p), 0);
}

static void test_no_tls(void **state)
{
    int fd = client_connect(f.tls_port);
    client_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(client_closed(fd));
    close(fd);
    fd = client_connect(f.tls_port); // says nothing: the handshake has a time
    assert_true(client_closed(fd));
    close(fd);
    fd = client_connect(f.tls_port);
    close(fd);
    assert_int_equal(net_server_stats(f.server).tls_failures, 1);
    assert_int_equal(net_server_stats(f.server).hit_head_ms, 1);
}

static void test_files(void **state)
{
    struct net_tls *t = NULL;
    assert_int_equal(net_tls_new("/nowhere", key, &t, &err), ERR_INVALID);
    assert_string_equal(err.place, "/nowhere");
    assert_int_equal(net_tls_new(cert, "/nowhere", &t, &err), ERR_INVALID);
    assert_int_equal(net_tls_new(cert, cert, &t, &err), ERR_INVALID);
    assert_int_equal(net_tls_new(cert, other_key, &t, &err), ERR_INVALID);
    assert_null(t);
    assert_int_equal(net_tls_new(cert, key, &t, &err), 0);
    net_tls_free(t);
}

int main(void)
{
#define TLS_TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
    const struct CMUnitTest tests[] = { TLS_TEST(test_client), TLS_TEST(test_untrusted), TLS_TEST(test_curl),
                                        TLS_TEST(test_no_tls), cmocka_unit_test(test_files) };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
