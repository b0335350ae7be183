#include "os/socket.h"

#include "base/must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

static socklen_t address_len(const struct socket_address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

static int parse_port(str s, uint16_t *ret)
{
    uint32_t v = 0;
    if (s.len == 0 || s.len > 5)
        return ERR_INVALID;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return ERR_INVALID;
        v = v * 10 + (uint32_t)(s.ptr[i] - '0');
    }
    if (v > 65535)
        return ERR_INVALID;
    *ret = (uint16_t)v;
    return 0;
}

static int parse_host(str host, struct socket_address *ret)
{
    char z[INET6_ADDRSTRLEN];
    if (host.len == 0 || str_ieq(host, STR("localhost")))
        host = STR("127.0.0.1");
    if (host.len >= sizeof z)
        return ERR_INVALID;
    memcpy(z, host.ptr, host.len);
    z[host.len] = 0;
    if (inet_pton(AF_INET, z, &ret->v4.sin_addr) == 1)
        ret->v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, z, &ret->v6.sin6_addr) == 1)
        ret->v6.sin6_family = AF_INET6;
    else
        return ERR_INVALID;
    return 0;
}

int socket_address_parse(str text, struct socket_address *ret, struct err *err)
{
    struct socket_address a = { 0 };
    str host = { 0 }, port = text;
    if (text.len && text.ptr[0] == '[') {
        ptrdiff_t close = str_find_char(text, ']', 0);
        if (close < 0 || (size_t)close + 1 >= text.len || text.ptr[close + 1] != ':')
            goto bad;
        host = str_slice(text, 1, (size_t)close);
        port = str_slice(text, (size_t)close + 2, text.len);
        if (str_find_char(host, ':', 0) < 0)
            goto bad;
    } else {
        ptrdiff_t colon = str_find_char(text, ':', 0);
        if (colon >= 0) {
            host = str_slice(text, 0, (size_t)colon);
            port = str_slice(text, (size_t)colon + 1, text.len);
        }
    }
    uint16_t n = 0;
    if (parse_host(host, &a) < 0 || parse_port(port, &n) < 0)
        goto bad;
    socket_address_set_port(&a, n);
    *ret = a;
    return 0;
bad:
    err_set(err, ERR_INVALID, "bad_address", "\"%.*s\" is no address", (int)(text.len < 100 ? text.len : 100),
            text.ptr);
    err_set_hint(err, "write ADDRESS:PORT, such as 127.0.0.1:2539 or [::1]:2539");
    return ERR_INVALID;
}

static bool is_v4_mapped(const struct socket_address *a)
{
    return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
}

size_t socket_address_format_host(const struct socket_address *a, char out[SOCKET_ADDRESS_TEXT])
{
    if (is_v4_mapped(a))
        must(inet_ntop(AF_INET, a->v6.sin6_addr.s6_addr + 12, out, SOCKET_ADDRESS_TEXT));
    else if (a->any.sa_family == AF_INET6)
        must(inet_ntop(AF_INET6, &a->v6.sin6_addr, out, SOCKET_ADDRESS_TEXT));
    else
        must(inet_ntop(AF_INET, &a->v4.sin_addr, out, SOCKET_ADDRESS_TEXT));
    return strlen(out);
}

size_t socket_address_format(const struct socket_address *a, char out[SOCKET_ADDRESS_TEXT])
{
    char host[SOCKET_ADDRESS_TEXT];
    socket_address_format_host(a, host);
    bool v6 = a->any.sa_family == AF_INET6 && !is_v4_mapped(a);
    return (size_t)snprintf(out, SOCKET_ADDRESS_TEXT, v6 ? "[%.46s]:%u" : "%.46s:%u", host,
                            (unsigned)socket_address_port(a));
}

uint16_t socket_address_port(const struct socket_address *a)
{
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void socket_address_set_port(struct socket_address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
    else
        a->v4.sin_port = htons(port);
}

bool socket_address_is_loopback(const struct socket_address *a)
{
    if (is_v4_mapped(a))
        return a->v6.sin6_addr.s6_addr[12] == 127;
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    return a->any.sa_family == AF_INET && ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static uint32_t be32(const uint8_t p[4]) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static bool v4_is_public(const uint8_t ip[4])
{
    static const struct {
        uint8_t net[4], bits;
    } reserved[] = {
        { { 0, 0, 0, 0 }, 8 },      { { 10, 0, 0, 0 }, 8 },    { { 100, 64, 0, 0 }, 10 },   { { 127, 0, 0, 0 }, 8 },
        { { 169, 254, 0, 0 }, 16 }, { { 172, 16, 0, 0 }, 12 }, { { 192, 0, 0, 0 }, 24 },    { { 192, 0, 2, 0 }, 24 },
        { { 192, 168, 0, 0 }, 16 }, { { 198, 18, 0, 0 }, 15 }, { { 198, 51, 100, 0 }, 24 }, { { 203, 0, 113, 0 }, 24 },
        { { 224, 0, 0, 0 }, 3 }, // multicast, and what is above it
    };
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if ((be32(ip) ^ be32(reserved[i].net)) >> (32 - reserved[i].bits) == 0)
            return false;
    return true;
}

bool socket_address_is_public(const struct socket_address *a)
{
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    uint8_t v4[4];
    if (a->any.sa_family == AF_INET) {
        memcpy(v4, &a->v4.sin_addr, 4);
        return v4_is_public(v4);
    }
    const uint8_t *ip = a->v6.sin6_addr.s6_addr;
    if (a->any.sa_family != AF_INET6)
        return false;
    if (is_v4_mapped(a) || memcmp(ip, nat64, sizeof nat64) == 0)
        return v4_is_public(ip + 12);
    if (ip[0] == 0x20 && ip[1] == 0x02) // 6to4
        return v4_is_public(ip + 2);
    bool documentation = be32(ip) == 0x20010db8, teredo = be32(ip) == 0x20010000;
    return ip[0] >> 5 == 1 && !documentation && !teredo; // 2000::/3 is what is given out
}

uint64_t socket_address_peer_key(const struct socket_address *a)
{
    if (a->any.sa_family == AF_INET6 && !is_v4_mapped(a))
        return le64_get(a->v6.sin6_addr.s6_addr);
    // No /64 that is in use begins with these bytes (0::/8 is reserved).
    uint32_t v4;
    memcpy(&v4, is_v4_mapped(a) ? (const void *)(a->v6.sin6_addr.s6_addr + 12) : (const void *)&a->v4.sin_addr, 4);
    return (uint64_t)v4 << 32;
}

static int listen_failed(const struct socket_address *a, struct err *err)
{
    int saved = errno;
    char text[SOCKET_ADDRESS_TEXT];
    socket_address_format(a, text);
    int code = saved == EADDRINUSE ? ERR_BUSY : err_of_errno(saved);
    err_set(err, code, saved == EADDRINUSE ? "address_in_use" : "listen_failed", "cannot listen on %s: %s", text,
            strerror(saved));
    if (saved == EADDRINUSE)
        err_set_hint(err, "another program listens there already: stop it, or choose another port with --listen");
    return code;
}

static int socket_bind(const struct socket_address *a, bool shared, int *ret_fd)
{
    int one = 1, fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0) ||
        (a->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0) ||
        bind(fd, &a->any, address_len(a)) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int socket_listen(struct socket_address *a, int backlog, bool first, int *ret_fd, struct err *err)
{
    int fd = -1;
    if (first) {
        if (socket_bind(a, false, &fd) < 0)
            return listen_failed(a, err);
        close(fd);
    }
    if (socket_bind(a, true, &fd) < 0)
        return listen_failed(a, err);
    if (listen(fd, backlog) < 0) {
        int rc = listen_failed(a, err);
        close(fd);
        return rc;
    }
    int rc = socket_local_address(fd, a);
    if (rc < 0) {
        close(fd);
        return err_set(err, rc, NULL, "cannot read the address of a listener");
    }
    *ret_fd = fd;
    return 0;
}

int socket_accept(int listener, struct socket_address *ret_peer, int *ret_fd)
{
    for (;;) {
        struct socket_address peer = { 0 };
        socklen_t len = sizeof peer;
        int fd = accept4(listener, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            int one = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            *ret_peer = peer;
            *ret_fd = fd;
            return 0;
        }
        // What has gone wrong with one connection before it was ours is not our error (accept(2)).
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN || errno == ENOPROTOOPT ||
            errno == EHOSTDOWN || errno == ENONET || errno == EHOSTUNREACH || errno == ENETUNREACH || errno == EPERM)
            continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return ERR_LIMIT;
        return err_of_errno(errno);
    }
}

int socket_local_address(int fd, struct socket_address *ret)
{
    struct socket_address a = { 0 };
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) < 0)
        return err_of_errno(errno);
    *ret = a;
    return 0;
}

int socket_connect(const struct socket_address *a, int *ret_fd)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_of_errno(errno);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int rc;
    do
        rc = connect(fd, &a->any, address_len(a));
    while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno != EINPROGRESS) {
        rc = errno == ECONNREFUSED ? ERR_CLOSED : err_of_errno(errno);
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return 0;
}

int socket_error(int fd)
{
    int e = 0;
    socklen_t len = sizeof e;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0)
        return err_of_errno(errno);
    return e == 0 ? 0 : e == ECONNREFUSED ? ERR_CLOSED : err_of_errno(e);
}

ssize_t socket_recv(int fd, void *p, size_t n)
{
    for (;;) {
        ssize_t got = recv(fd, p, n, 0);
        if (got >= 0)
            return got;
        if (errno != EINTR)
            return err_of_errno(errno);
    }
}

ssize_t socket_sendv(int fd, const struct iovec *iov, int iov_count)
{
    struct msghdr m = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)iov_count };
    for (;;) {
        ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL);
        if (sent >= 0)
            return sent;
        if (errno != EINTR)
            return err_of_errno(errno);
    }
}

uint64_t socket_raise_fd_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return 0;
    if (r.rlim_cur < r.rlim_max) {
        struct rlimit want = { r.rlim_max, r.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &want) == 0)
            r = want;
    }
    return r.rlim_cur;
}
