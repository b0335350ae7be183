// TCP sockets and their addresses. Everything is non-blocking and close-on-exec.
#pragma once
#include "base/err.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct socket_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

enum { SOCKET_ADDRESS_TEXT = 64 }; // enough for "[v6]:port" with NUL

// "127.0.0.1:2539", "[::1]:4317", ":4318" (loopback), "4318" (loopback), "localhost:80". Numbers and
// localhost only: nothing is looked up. Port 0 is allowed.
int socket_address_parse(str text, struct socket_address *ret, struct err *err);
// Writes "a.b.c.d:port" or "[v6]:port" (an IPv4 address mapped into IPv6 as IPv4); returns its length.
size_t socket_address_format(const struct socket_address *a, char out[SOCKET_ADDRESS_TEXT]);
// The same without port and brackets.
size_t socket_address_format_host(const struct socket_address *a, char out[SOCKET_ADDRESS_TEXT]);
uint16_t socket_address_port(const struct socket_address *a);
void socket_address_set_port(struct socket_address *a, uint16_t port);
// 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104.
bool socket_address_is_loopback(const struct socket_address *a);
// An address of the public Internet: not loopback, private (RFC 1918, RFC 4193), shared (RFC 6598), link-local, multicast,
// documentation, benchmarking or otherwise reserved (RFC 6890); IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged as itself.
bool socket_address_is_public(const struct socket_address *a);
// What limits "per peer" count by: the IPv4 address, the /64 of an IPv6 one.
uint64_t socket_address_peer_key(const struct socket_address *a);

// SO_REUSEPORT, so that each loop has a listener of its own; *a gets the port that was chosen for 0.
// first: refuse the address when anybody listens there already (another server of the same user would
// otherwise share its connections unnoticed). err says which address and why.
int socket_listen(struct socket_address *a, int backlog, bool first, int *ret_fd, struct err *err);
// ERR_AGAIN: nobody waits. ERR_LIMIT: no descriptors left. Sets TCP_NODELAY.
int socket_accept(int listener, struct socket_address *ret_peer, int *ret_fd);
int socket_local_address(int fd, struct socket_address *ret);
// Begins to connect; 0 or a connection under way (wait for writable, then socket_error()).
int socket_connect(const struct socket_address *a, int *ret_fd);
// The pending error of a socket: 0 or a code.
int socket_error(int fd);
// recv/send without SIGPIPE and EINTR: bytes moved (recv: 0 at the end), or ERR_AGAIN, ERR_CLOSED ...
ssize_t socket_recv(int fd, void *p, size_t n);
ssize_t socket_sendv(int fd, const struct iovec *iov, int iov_count);
// Raises the soft limit of open descriptors to the hard one; returns what it is now.
uint64_t socket_raise_fd_limit(void);
