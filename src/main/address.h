// The addresses that a server prints and that commands print for it.
#pragma once
#include "main/config.h"

// "http://127.0.0.1:2539": the running server's, else the first public URL, else what the settings say.
int address_of_server(const struct config *c, char ret_url[256], struct err *err);
// From settings alone; port 0: as in the settings.
int address_of_settings(const struct config *c, int port, char ret_url[256], struct err *err);
// "http://KEY@127.0.0.1:2539/1"
int address_dsn(const char *url, const char *key, long long project, char ret_dsn[512]);
