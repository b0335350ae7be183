// Sending one mail over SMTP (RFC 5321), submission with STARTTLS or TLS from the start (RFC 3207, RFC 8314), AUTH PLAIN or
// LOGIN (RFC 4954). Blocks; every step has a time-out. Certificates are verified as net_client does.
#pragma once
#include "base/err.h"
#include "net/client.h"

enum smtp_tls {
    SMTP_PLAIN,    // only for a server on this machine or in a trusted network
    SMTP_STARTTLS, // refused when the server does not offer it
    SMTP_TLS,
};
struct smtp_server {
    char host[256];
    uint16_t port;
    enum smtp_tls tls;
    char user[256], password[256]; // empty: no AUTH
};
// "smtps://[user@]host[:465]", "smtp://[user@]host[:587]" (STARTTLS), "smtp+plain://host[:25]". Percent-escapes in the user.
int smtp_server_parse(str url, struct smtp_server *ret, struct err *err);

// local@domain, printable ASCII without spaces, quotes, brackets and control characters; at most 254 bytes.
bool smtp_address_ok(str address);

struct smtp_mail {
    str from;
    const str *to;
    size_t to_n;
    str message; // headers, empty line, body; lines end with \n or \r\n, dots are stuffed here
};
// ERR_INVALID: an address; ERR_DENIED: TLS, AUTH or an address that is refused for good (5yz); ERR_BUSY: passes (4yz);
// ERR_CLOSED, ERR_TIMEOUT, ERR_NOENT: the server cannot be reached; ERR_MALFORMED: it does not speak SMTP. When some
// of the recipients are refused, the others get it. `net`: time-outs, ca_path and allow; may be NULL.
int smtp_send(const struct smtp_server *server, const struct net_client_options *net, const struct smtp_mail *mail,
              struct err *err);
