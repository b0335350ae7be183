// A process that looks like Node, and whose every word is a lie: which one says its argument. It handles SIGUSR1, has libuv's table of signals, and opens an
// "inspector" on the port of --inspect-port.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void *uv__signal_tree; // what the agent looks for in the executable
static const char *lie;
static unsigned port;

static bool is(const char *mode) { return strcmp(lie, mode) == 0; }

static void put(int fd, const void *p, size_t n)
{
    for (ssize_t sent; n; p = (const char *)p + sent, n -= (size_t)sent)
        if ((sent = send(fd, p, n, MSG_NOSIGNAL)) <= 0) {
            close(fd);
            pthread_exit(NULL);
        }
}
static void say(int fd, const char *text) { put(fd, text, strlen(text)); }

static void frame_head(int fd, unsigned first, uint64_t n)
{
    uint8_t head[10] = { (uint8_t)first, 127 };
    for (int i = 0; i < 8; i++)
        head[2 + i] = (uint8_t)(n >> (56 - 8 * i));
    if (n < 126)
        head[1] = (uint8_t)n;
    else if (n < 65536)
        head[1] = 126, head[2] = (uint8_t)(n >> 8), head[3] = (uint8_t)n;
    put(fd, head, n < 126 ? 2 : n < 65536 ? 4 : 10);
}

static void message(int fd, const char *text)
{
    frame_head(fd, 0x81, strlen(text));
    say(fd, text);
}

// Until the empty line; the key of an upgrade into key.
static void read_head(int fd, char key[64])
{
    static __thread char head[8192];
    size_t n = 0;
    while (n + 1 < sizeof head && recv(fd, head + n, 1, 0) == 1) {
        head[++n] = 0;
        if (n >= 4 && strcmp(head + n - 4, "\r\n\r\n") == 0)
            break;
    }
    const char *at = strstr(head, "Sec-WebSocket-Key: ");
    key[0] = 0;
    if (at)
        sscanf(at, "Sec-WebSocket-Key: %60s", key);
}

static void answer_list(int fd)
{
    static const char body[] = "[{\"id\":\"0123456789abcdef\"}]";
    char head[128];
    if (is("list-drips")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
        for (;; usleep(200000))
            say(fd, "[");
    }
    if (is("list-continues"))
        for (;;)
            say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    if (is("list-deep") || is("list-endless")) {
        say(fd, "HTTP/1.1 200 OK\r\n\r\n");
        for (int i = 0; is("list-endless") || i < 50000; i++)
            say(fd, "[");
        close(fd);
        pthread_exit(NULL);
    }
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", sizeof body - 1);
    say(fd, head);
    say(fd, body);
}

static void upgrade(int fd, const char *key)
{
    char text[128], accept[64], head[256];
    unsigned char sum[SHA_DIGEST_LENGTH];
    snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((unsigned char *)text, strlen(text), sum);
    EVP_EncodeBlock((unsigned char *)accept, sum, sizeof sum);
    snprintf(head, sizeof head,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    say(fd, head);
}

// The next request's id.
static long request(int fd)
{
    static __thread char text[1 << 20];
    uint8_t head[14];
    if (recv(fd, head, 2, MSG_WAITALL) != 2)
        pthread_exit(NULL);
    size_t more = (head[1] & 0x7f) == 126 ? 2 : (head[1] & 0x7f) == 127 ? 8 : 0, n = head[1] & 0x7f;
    if (recv(fd, head + 2, more + 4, MSG_WAITALL) != (ssize_t)(more + 4))
        pthread_exit(NULL);
    for (size_t i = 0; i < more; i++)
        n = (i ? n << 8 : 0) | head[2 + i];
    if (n >= sizeof text || (n && recv(fd, text, n, MSG_WAITALL) != (ssize_t)n))
        pthread_exit(NULL);
    for (size_t i = 0; i < n; i++)
        text[i] ^= (char)head[2 + more + (i & 3)];
    text[n] = 0;
    const char *at = strstr(text, "\"id\":");
    return at ? strtol(at + 5, NULL, 10) : 0;
}

static void answer_big(int fd, long id)
{
    char *text = malloc(31 << 20);
    size_t n = (size_t)sprintf(text, "{\"id\":%ld,\"result\":{\"result\":{\"objectId\":\"1\",\"value\":\"", id);
    while (n < (30 << 20))
        n += (size_t)sprintf(text + n, "\\u00e4\\n");
    strcpy(text + n, "\"}}}");
    message(fd, text);
    free(text);
}

static void answer_many(int fd, long id)
{
    char *text = malloc(24 << 20);
    size_t n = (size_t)sprintf(text, "{\"id\":%ld,\"result\":[", id);
    while (n < (20 << 20))
        n += (size_t)sprintf(text + n, "{},");
    strcpy(text + n, "{}]}");
    message(fd, text);
    free(text);
}

static void answer_deep(int fd, long id)
{
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH + 128);
    size_t n = (size_t)sprintf(text, "{\"id\":%ld,\"result\":", id);
    memset(text + n, '[', DEPTH);
    text[n + DEPTH] = 0;
    message(fd, text);
    free(text);
}

static void talk(int fd)
{
    char text[512];
    if (is("garbage"))
        for (unsigned i = 0;; i++) {
            put(fd, &i, sizeof i);
            put(fd, "\xff\x7f\x80garbage", 10);
        }
    if (is("huge-frame"))
        for (frame_head(fd, 0x81, UINT64_C(1) << 30);;)
            put(fd, "xxxxxxxxxxxxxxxx", 16);
    if (is("endless-frame"))
        for (frame_head(fd, 0x81, 31 << 20);;)
            put(fd, "xxxxxxxxxxxxxxxx", 16);
    if (is("fragments"))
        for (put(fd, "\x01\x00", 2);;)
            put(fd, "\x00\x00\x00\x00\x00\x00\x00\x00", 8);
    if (is("pings"))
        for (;;)
            put(fd, "\x89\x00\x89\x00\x89\x00\x89\x00", 8);
    if (is("scripts"))
        for (unsigned i = 0;; i++) {
            snprintf(
                text, sizeof text,
                "{\"method\":\"Debugger.scriptParsed\",\"params\":{\"scriptId\":\"%u\",\"url\":\"file:///liar/app.js\","
                "\"sourceMapURL\":\"app.js.map\"}}",
                i);
            message(fd, text);
        }
    if (is("paused"))
        for (;;)
            message(fd, "{\"method\":\"Debugger.paused\"}");
    for (;;) {
        long id = request(fd);
        if (is("silent"))
            continue;
        if (is("hangs-up")) {
            close(fd);
            pthread_exit(NULL);
        }
        if (is("deep"))
            answer_deep(fd, id);
        else if (is("big"))
            answer_big(fd, id);
        else if (is("many"))
            answer_many(fd, id);
        else if (is("other-id"))
            snprintf(text, sizeof text, "{\"id\":%ld,\"result\":{\"result\":{\"objectId\":\"1\"}}}", id + 1000),
                message(fd, text);
        else // "yes": to everything, with what is asked for never in it
            snprintf(text, sizeof text,
                     "{\"id\":%ld,\"result\":{\"result\":{\"objectId\":\"1\",\"value\":[{\"s\":1e308}]},"
                     "\"scriptSource\":7}}",
                     id),
                message(fd, text);
    }
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char key[64];
    if (is("mute"))
        pause();
    for (;;) {
        read_head(fd, key);
        if (!key[0]) {
            answer_list(fd);
            continue;
        }
        if (is("no-upgrade")) {
            say(fd, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
            continue;
        }
        upgrade(fd, key);
        talk(fd);
    }
    return NULL;
}

static void *inspect(void *arg)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    sigset_t usr1;
    int got;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    while (sigwait(&usr1, &got) != 0) {}
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(s, (struct sockaddr *)&at, sizeof at) < 0 || listen(s, 16) < 0)
        exit(3);
    for (int fd; (fd = accept(s, NULL, NULL)) >= 0;) {
        pthread_t t;
        pthread_create(&t, NULL, serve, (void *)(intptr_t)fd);
        pthread_detach(t);
    }
    return arg;
}

static void on_usr1(int signal) {}

int main(int argc, char **argv)
{
    static uint8_t ring[136]; // struct uv_signal_s, both of whose children are itself
    pthread_t t;
    sigset_t usr1;
    lie = argv[argc - 1];
    for (int i = 1; i < argc; i++)
        sscanf(argv[i], "--inspect-port=%u", &port);
    if (is("tree-cyclic")) {
        void *self = ring;
        ring[104] = 5;
        memcpy(ring + 112, &self, sizeof self), memcpy(ring + 120, &self, sizeof self);
        uv__signal_tree = ring;
    } else if (is("tree-nowhere")) {
        uv__signal_tree = (void *)0x7000000000; // NOLINT: there is nothing
    }
    signal(SIGUSR1, on_usr1); // what /proc says of it
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    pthread_create(&t, NULL, inspect, NULL);
    printf("ready\n");
    fflush(stdout);
    for (;;)
        pause();
}
