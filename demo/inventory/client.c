#include "client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 2

int place_parse(const char *url, struct place *ret)
{
    struct place place = { .port = "80" };
    if (strncmp(url, "http://", 7) != 0)
        return -1;
    url += 7;
    size_t n = strcspn(url, "/");
    const char *host = url, *colon = memrchr(url, ':', n), *bracket = memchr(url, ']', n);
    size_t host_n = colon && (!bracket || colon > bracket) ? (size_t)(colon - url) : n;
    if (host_n < n) {
        size_t port_n = n - host_n - 1;
        if (port_n == 0 || port_n >= sizeof place.port)
            return -1;
        memcpy(place.port, url + host_n + 1, port_n);
        place.port[port_n] = 0;
    }
    if (bracket && *host == '[' && bracket == url + host_n - 1)
        host++, host_n -= 2;
    if (host_n == 0 || host_n >= sizeof place.host)
        return -1;
    memcpy(place.host, host, host_n);
    place.host[host_n] = 0;
    *ret = place;
    return 0;
}

static int open_connection(const struct place *to)
{
    struct addrinfo *found, hints = { .ai_socktype = SOCK_STREAM };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = -1;
    if (getaddrinfo(to->host, to->port, &hints, &found) != 0)
        return -1;
    for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static int send_all(int fd, struct text t)
{
    while (t.n) {
        ssize_t n = send(fd, t.p, t.n, MSG_NOSIGNAL);
        if (n <= 0)
            return -1;
        t.p += n;
        t.n -= (size_t)n;
    }
    return 0;
}

int client_post(const struct place *to, const char *path, const char *headers, struct text body)
{
    char head[1024], answer[512];
    int status = -1;
    int n = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nhost: %s:%s\r\n%scontent-type: application/json\r\ncontent-length: "
                     "%zu\r\nconnection: close\r\n\r\n",
                     path, to->host, to->port, headers, body.n);
    if (n < 0 || (size_t)n >= sizeof head)
        return -1;
    int fd = open_connection(to);
    if (fd < 0)
        return -1;
    if (send_all(fd, (struct text){ head, (size_t)n }) == 0 && send_all(fd, body) == 0) {
        size_t got = 0;
        while (got < 12) { // "HTTP/1.1 200"
            ssize_t r = recv(fd, answer + got, sizeof answer - 1 - got, 0);
            if (r <= 0)
                break;
            got += (size_t)r;
        }
        answer[got] = 0;
        if (got < 12 || sscanf(answer, "HTTP/1.%*c %3d", &status) != 1)
            status = -1;
        // The rest is read, so that closing is no reset.
        while (recv(fd, answer, sizeof answer, 0) > 0)
            continue;
    }
    close(fd);
    return status;
}
