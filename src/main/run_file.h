// DIR/run.json (0600): where the server that runs on a data directory answers, and a token of this run
// for the command line of the same user. Written at start, removed at the end; the token dies with the server.
#pragma once
#include "base/err.h"

struct run_file {
    char url[256];   // the address to print
    char local[256]; // where this machine's command line asks
    char token[80];
    int pid;
    int otlp_grpc, otlp_http; // ports beside the main one; 0: it does without
};
int run_file_write(const char *dir, const struct run_file *f, struct err *err);
// ERR_NOENT: no server runs there (a file whose process is gone counts as none).
int run_file_read(const char *dir, struct run_file *ret_file, struct err *err);
void run_file_remove(const char *dir);
