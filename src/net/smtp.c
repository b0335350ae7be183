#include "net/smtp.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/hex.h"
#include "net/client_io.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

enum { LINE_LEN_MAX = 4096, REPLY_LINES_MAX = 100, MESSAGE_MAX = 4 << 20, ADDRESS_MAX = 254 };

struct smtp {
    struct client_io io;
    const struct smtp_server *server;
    uint8_t in[LINE_LEN_MAX];
    size_t in_len;
    bool starttls, plain, login; // offered
    char text[200];              // of the last reply's last line, printable
};

bool smtp_address_ok(str a)
{
    ptrdiff_t at = -1;
    if (a.len < 3 || a.len > ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        unsigned char c = (unsigned char)a.ptr[i];
        if (c <= 0x20 || c >= 0x7f || strchr("<>()[],;:\\\"", c))
            return false;
        if (c == '@' && at >= 0)
            return false;
        if (c == '@')
            at = (ptrdiff_t)i;
    }
    return at > 0 && (size_t)at + 1 < a.len;
}

static int bad_url(str url, struct err *err)
{
    err_set(err, ERR_INVALID, "bad_smtp", "\"%.*s\" is no address of a mail server",
            (int)(url.len < 100 ? url.len : 100), url.ptr);
    err_set_hint(err, "write smtps://USER@HOST, smtp://USER@HOST:587 (STARTTLS) or smtp+plain://HOST:25");
    return ERR_INVALID;
}

static bool unescape(str s, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if (c == '%') {
            if (i + 2 >= s.len || !hex_decode(&c, str_slice(s, i + 1, i + 3)))
                return false;
            i += 2;
        }
        if (n + 1 >= size || c < 0x20 || c == 0x7f)
            return false;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return true;
}

static bool parse_port(str text, uint16_t *ret)
{
    unsigned port = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || port > 65535)
            return false;
        port = port * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *ret = (uint16_t)port;
    return text.len && port > 0 && port <= 65535;
}

int smtp_server_parse(str url, struct smtp_server *ret, struct err *err)
{
    static const struct {
        str scheme;
        enum smtp_tls tls;
        uint16_t port;
    } schemes[] = { { STR_INIT("smtps://"), SMTP_TLS, 465 },
                    { STR_INIT("smtp://"), SMTP_STARTTLS, 587 },
                    { STR_INIT("smtp+plain://"), SMTP_PLAIN, 25 } };
    struct smtp_server s = { 0 };
    str rest = { 0 };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_starts(url, schemes[i].scheme)) {
            rest = str_slice(url, schemes[i].scheme.len, url.len);
            s.tls = schemes[i].tls;
            s.port = schemes[i].port;
        }
    while (rest.len && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    ptrdiff_t at = str_find_char(rest, '@', 0);
    if (at >= 0 && !unescape(str_slice(rest, 0, (size_t)at), s.user, sizeof s.user))
        return bad_url(url, err);
    rest = at >= 0 ? str_slice(rest, (size_t)at + 1, rest.len) : rest;
    ptrdiff_t close = rest.len && rest.ptr[0] == '[' ? str_find_char(rest, ']', 0) : 0;
    ptrdiff_t colon = close >= 0 ? str_find_char(rest, ':', (size_t)close) : -1;
    str host = colon >= 0 ? str_slice(rest, 0, (size_t)colon) : rest;
    if (colon >= 0 && !parse_port(str_slice(rest, (size_t)colon + 1, rest.len), &s.port))
        return bad_url(url, err);
    if (close > 0)
        host = str_slice(host, 1, host.len - 1);
    if (host.len == 0 || host.len >= sizeof s.host || close < 0)
        return bad_url(url, err);
    for (size_t i = 0; i < host.len; i++)
        if ((unsigned char)host.ptr[i] <= 0x20 || (unsigned char)host.ptr[i] >= 0x7f || strchr("/?#@\\", host.ptr[i]))
            return bad_url(url, err);
    memcpy(s.host, host.ptr, host.len);
    *ret = s;
    return 0;
}

// --- one conversation

static int read_line(struct smtp *s, str *ret_line, size_t *ret_used, struct err *err)
{
    for (;;) {
        uint8_t *lf = memchr(s->in, '\n', s->in_len);
        if (lf) {
            size_t n = (size_t)(lf - s->in);
            *ret_used = n + 1;
            *ret_line = str_of(s->in, n && s->in[n - 1] == '\r' ? n - 1 : n);
            return 0;
        }
        size_t got = 0;
        if (s->in_len == sizeof s->in)
            return err_set(err, ERR_MALFORMED, "no_smtp", "the mail server's answer has a line that is too long");
        int r = client_io_recv(&s->io, s->in + s->in_len, sizeof s->in - s->in_len, &got, err);
        if (r < 0)
            return r;
        if (got == 0)
            return err_set(err, ERR_CLOSED, "closed", "the mail server closed the connection");
        s->in_len += got;
    }
}

static bool same_word(str a, str b) { return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0; }

static void offered(struct smtp *s, str line)
{
    s->starttls |= same_word(line, STR("STARTTLS"));
    if (line.len < 5 || !same_word(str_slice(line, 0, 5), STR("AUTH ")))
        return;
    for (size_t i = 5; i < line.len;) {
        ptrdiff_t space = str_find_char(line, ' ', i);
        size_t end = space < 0 ? line.len : (size_t)space;
        str word = str_slice(line, i, end);
        s->plain |= same_word(word, STR("PLAIN"));
        s->login |= same_word(word, STR("LOGIN"));
        i = end + 1;
    }
}

static void keep_text(struct smtp *s, str text)
{
    size_t n = text.len < sizeof s->text - 1 ? text.len : sizeof s->text - 1;
    for (size_t i = 0; i < n; i++)
        s->text[i] = (unsigned char)text.ptr[i] >= 0x20 && (unsigned char)text.ptr[i] < 0x7f ? text.ptr[i] : '?';
    s->text[n] = 0;
}

// The code of a reply of one or more lines.
static int read_reply(struct smtp *s, bool ehlo, int *ret_code, struct err *err)
{
    for (int lines = 0; lines < REPLY_LINES_MAX; lines++) {
        str line = { 0 };
        size_t used = 0;
        int r = read_line(s, &line, &used, err);
        if (r < 0)
            return r;
        bool digits = line.len >= 3;
        for (size_t i = 0; i < 3 && digits; i++)
            digits = line.ptr[i] >= '0' && line.ptr[i] <= '9';
        if (!digits || (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-'))
            return err_set(err, ERR_MALFORMED, "no_smtp", "the mail server does not speak SMTP");
        bool last = line.len == 3 || line.ptr[3] == ' ';
        *ret_code = (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0');
        str text = line.len > 4 ? str_slice(line, 4, line.len) : (str){ 0 };
        if (ehlo && lines > 0)
            offered(s, text);
        keep_text(s, text);
        memmove(s->in, s->in + used, s->in_len - used);
        s->in_len -= used;
        if (last)
            return 0;
    }
    return err_set(err, ERR_MALFORMED, "no_smtp", "the mail server's answer does not end");
}

static int refused(struct smtp *s, int code, const char *what, struct err *err)
{
    return err_set(err, code / 100 == 4 ? ERR_BUSY : ERR_DENIED, "mail_refused", "the mail server refused %s: %d %s",
                   what, code, s->text);
}

// Sends a line and wants a reply of the class `want` (2 or 3). what: for people, and never a secret.
static int command(struct smtp *s, int want, const char *what, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static int command(struct smtp *s, int want, const char *what, struct err *err, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    int code = 0;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 2, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof line - 2 || strpbrk(line, "\r\n"))
        return err_set(err, ERR_INVALID, "bad_mail", "%s is too long or has a line break", what);
    memcpy(line + n, "\r\n", 2);
    int r = client_io_send(&s->io, line, (size_t)n + 2, err);
    if (r == 0)
        r = read_reply(s, strncmp(line, "EHLO", 4) == 0, &code, err);
    if (r < 0)
        return r;
    return code / 100 == want ? 0 : refused(s, code, what, err);
}

static int greet(struct smtp *s, struct err *err)
{
    s->starttls = s->plain = s->login = false;
    // An address literal is legal where a host has no name that the world knows.
    return command(s, 2, "the greeting", err, "EHLO [127.0.0.1]");
}

static void encode(char *out, const void *p, size_t n)
{
    base64_encode(out, p, n);
    out[base64_encoded_len(n)] = 0;
}

static int authenticate(struct smtp *s, struct err *err)
{
    char secret[520], coded[720];
    const struct smtp_server *server = s->server;
    size_t user = strlen(server->user), password = strlen(server->password);
    if (!s->plain && !s->login)
        return err_set(err, ERR_UNSUPPORTED, "mail_auth", "the mail server offers neither AUTH PLAIN nor LOGIN");
    if (s->plain) {
        secret[0] = 0;
        memcpy(secret + 1, server->user, user + 1);
        memcpy(secret + user + 2, server->password, password);
        encode(coded, secret, user + password + 2);
        return command(s, 2, "the user or the password", err, "AUTH PLAIN %s", coded);
    }
    int r = command(s, 3, "AUTH LOGIN", err, "AUTH LOGIN");
    encode(coded, server->user, user);
    if (r == 0)
        r = command(s, 3, "the user", err, "%s", coded);
    encode(coded, server->password, password);
    if (r == 0)
        r = command(s, 2, "the user or the password", err, "%s", coded);
    return r;
}

// Lines end with CRLF, and those that begin with a dot get a second one (RFC 5321, 4.5.2).
static void stuffed(struct buf *out, str message)
{
    for (size_t at = 0; at < message.len;) {
        ptrdiff_t lf = str_find_char(message, '\n', at);
        size_t end = lf < 0 ? message.len : (size_t)lf;
        str line = str_slice(message, at, end);
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (line.len && line.ptr[0] == '.')
            buf_byte(out, '.');
        buf_str(out, line);
        buf_str(out, STR("\r\n"));
        at = end + 1;
    }
    buf_str(out, STR(".\r\n"));
}

static int send_mail(struct smtp *s, const struct smtp_mail *m, struct err *err)
{
    size_t taken = 0;
    int code = 0, r = command(s, 2, "the sender", err, "MAIL FROM:<%.*s>", STR_ARG(m->from));
    for (size_t i = 0; i < m->to_n && r == 0; i++) {
        int one = command(s, 2, "a recipient", err, "RCPT TO:<%.*s>", STR_ARG(m->to[i]));
        taken += one == 0;
        if (one < 0 && one != ERR_DENIED && one != ERR_BUSY)
            r = one;
        else if (one < 0 && i + 1 == m->to_n && !taken)
            r = one;
    }
    if (r == 0)
        r = command(s, 3, "the message", err, "DATA");
    if (r < 0)
        return r;
    struct buf data;
    buf_init(&data, MESSAGE_MAX);
    stuffed(&data, m->message);
    r = data.error ? err_set(err, data.error, "bad_mail", "the message is too long")
                   : client_io_send(&s->io, data.ptr, data.len, err);
    buf_free(&data);
    if (r == 0)
        r = read_reply(s, false, &code, err);
    if (r == 0 && code / 100 != 2)
        r = refused(s, code, "the message", err);
    return r;
}

static int converse(struct smtp *s, const struct smtp_mail *m, struct err *err)
{
    const struct smtp_server *server = s->server;
    int code = 0, r = read_reply(s, false, &code, err);
    if (r == 0 && code / 100 != 2)
        r = refused(s, code, "the connection", err);
    if (r == 0)
        r = greet(s, err);
    if (r == 0 && server->tls == SMTP_STARTTLS) {
        if (!s->starttls)
            return err_set(err, ERR_DENIED, "mail_tls", "the mail server offers no STARTTLS");
        r = command(s, 2, "STARTTLS", err, "STARTTLS");
        // What came in clear behind the answer is none of the conversation that begins now.
        s->in_len = 0;
        if (r == 0)
            r = client_io_tls(&s->io, server->host, err);
        if (r == 0)
            r = greet(s, err);
    }
    if (r == 0 && server->user[0])
        r = authenticate(s, err);
    if (r == 0)
        r = send_mail(s, m, err);
    if (r == 0)
        command(s, 2, "the end", NULL, "QUIT"); // the mail is taken, whatever comes of it
    return r;
}

int smtp_send(const struct smtp_server *server, const struct net_client_options *net, const struct smtp_mail *mail,
              struct err *err)
{
    struct smtp s = { .server = server };
    if (!smtp_address_ok(mail->from) || mail->to_n == 0)
        return err_set(err, ERR_INVALID, "bad_mail", "the sender is no mail address, or there is no recipient");
    for (size_t i = 0; i < mail->to_n; i++)
        if (!smtp_address_ok(mail->to[i]))
            return err_set(err, ERR_INVALID, "bad_mail", "a recipient is no mail address");
    int r = client_io_init(&s.io, net);
    if (r < 0)
        return err_set(err, r, NULL, "%s", err_text(r));
    r = client_io_connect(&s.io, server->host, server->port, server->tls == SMTP_TLS, err);
    if (r == 0)
        r = converse(&s, mail, err);
    client_io_done(&s.io);
    return r;
}
