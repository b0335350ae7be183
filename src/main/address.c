#include "main/address.h"

#include "main/run_file.h"
#include "os/socket.h"

#include <stdio.h>

int address_of_settings(const struct config *c, int port, char ret_url[256], struct err *err)
{
    str public_url = str_z(config_text(c, CONFIG_KEY_PUBLIC_URL));
    if (public_url.len) {
        ptrdiff_t comma = str_find_char(public_url, ',', 0);
        str first = str_trim(comma < 0 ? public_url : str_slice(public_url, 0, (size_t)comma));
        while (first.len && first.ptr[first.len - 1] == '/')
            first.len--;
        if ((size_t)snprintf(ret_url, 256, "%.*s", STR_ARG(first)) >= 256)
            return err_set(err, ERR_LIMIT, "bad_setting", "public_url is too long");
        return 0;
    }
    struct socket_address a;
    int r = socket_address_parse(str_z(config_text(c, CONFIG_KEY_LISTEN)), &a, err);
    if (r < 0)
        return r;
    if (port)
        socket_address_set_port(&a, (uint16_t)port);
    char text[SOCKET_ADDRESS_TEXT];
    socket_address_format(&a, text);
    bool any = str_starts(str_z(text), STR("0.0.0.0:")) || str_starts(str_z(text), STR("[::]:"));
    const char *scheme = config_text(c, CONFIG_KEY_TLS_CERT)[0] ? "https" : "http";
    if (any) // "everywhere" is no address to go to, and loopback is a name that is answered
        snprintf(ret_url, 256, "%s://127.0.0.1:%d", scheme, socket_address_port(&a));
    else
        snprintf(ret_url, 256, "%s://%s", scheme, text);
    return 0;
}

int address_of_server(const struct config *c, char ret_url[256], struct err *err)
{
    struct run_file f;
    if (run_file_read(config_text(c, CONFIG_KEY_DATA), &f, NULL) == 0) {
        memcpy(ret_url, f.url, sizeof f.url);
        return 0;
    }
    return address_of_settings(c, 0, ret_url, err);
}

int address_dsn(const char *url, const char *key, long long project, char ret_dsn[512])
{
    const char *rest = strstr(url, "://");
    if (!rest)
        return ERR_INVALID;
    int n = snprintf(ret_dsn, 512, "%.*s%s@%s/%lld", (int)(rest + 3 - url), url, key, rest + 3, project);
    return n < 512 ? 0 : ERR_LIMIT;
}
