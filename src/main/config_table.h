// The one table of settings. Each line makes a flag (--key-with-dashes), an environment name
// (CLEW_KEY), a key of the configuration file (key = value), a paragraph of `clew config explain` and of
// the manual page. Units stand in the type, so keys carry none.
//
// X(id, key, type, default, least, most, who, argument, doc)
//   type   BOOL, INT, SIZE (bytes), DURATION (ns), TEXT, CHOICE (argument holds the words)
//   who    SERVE: the server; CLIENT: commands that ask a server; DATA: commands that open the data directory
//   doc    sentences; the first one is the summary in --help
#pragma once

#define CONFIG_S 1000000000LL
#define CONFIG_H (3600 * CONFIG_S)
#define CONFIG_D (24 * CONFIG_H)
#define CONFIG_MB 1000000LL
#define CONFIG_GB (1000 * CONFIG_MB)
#define CONFIG_BIG 0x3fffffffffffffffLL

// clang-format off
#define CONFIG_TABLE(X) \
X(DATA, data, TEXT, "", 0, 0, CONFIG_SERVE | CONFIG_CLIENT | CONFIG_DATADIR, "DIR", \
  "Directory of everything that the server keeps. Mode 0700; made at the first start. Default: $XDG_DATA_HOME/clew, else ~/.local/share/clew; /var/lib/clew for root. Client commands find the address of a running server and a token for it there.") \
X(CONFIG, config, TEXT, "", 0, 0, CONFIG_SERVE | CONFIG_CLIENT | CONFIG_DATADIR, "FILE", \
  "Configuration file: lines of `key = value`, comments begin with #. Default: /etc/clew/clew.conf if there is one. Flags beat environment names, which beat the file.") \
X(SERVER, server, TEXT, "", 0, 0, CONFIG_CLIENT, "URL", \
  "Server to ask. Without it: CLEW_URL, else the server that runs on the data directory.") \
X(TOKEN, token, TEXT, "", 0, 0, CONFIG_CLIENT, "TOKEN", \
  "Token to show to the server. Better in CLEW_TOKEN: other users can see the arguments of a process.") \
X(LISTEN, listen, TEXT, "127.0.0.1:2539", 0, 0, CONFIG_SERVE, "ADDR:PORT", \
  "Address of pages, API and ingest. Port 0 takes a free one, which is printed.") \
X(OTLP_PORTS, otlp_ports, BOOL, "true", 0, 0, CONFIG_SERVE, "", \
  "Listen on OpenTelemetry's own ports too. 4317 (gRPC) and 4318 (HTTP) on the address of listen. The main port takes both protocols in any case.") \
X(OTLP_GRPC_PORT, otlp_grpc_port, INT, "4317", 0, 65535, CONFIG_SERVE, "PORT", \
  "Port for OTLP over gRPC. 0: none.") \
X(OTLP_HTTP_PORT, otlp_http_port, INT, "4318", 0, 65535, CONFIG_SERVE, "PORT", \
  "Port for OTLP over HTTP. 0: none.") \
X(PUBLIC_URL, public_url, TEXT, "", 0, 0, CONFIG_SERVE, "URL[,URL]", \
  "Addresses under which browsers and clients reach this server. Without it only loopback names are answered; other names get 421. The first one is used in links that are printed.") \
X(TLS_CERT, tls_cert, TEXT, "", 0, 0, CONFIG_SERVE, "FILE", \
  "Certificate chain (PEM). With tls_key: all ports speak TLS.") \
X(TLS_KEY, tls_key, TEXT, "", 0, 0, CONFIG_SERVE, "FILE", \
  "Private key (PEM) of the certificate.") \
X(RETENTION, retention, DURATION, "14d", 0, CONFIG_D * 36500, CONFIG_SERVE, "TIME", \
  "Age at which records are dropped. 0 keeps them until the disk cap.") \
X(SNAPSHOT_RETENTION, snapshot_retention, DURATION, "7d", 0, CONFIG_D * 36500, CONFIG_SERVE, "TIME", \
  "Age at which what probes have captured is dropped: it holds values of running programs. 0 keeps it until the disk cap.") \
X(DISK_CAP, disk_cap, SIZE, "0", 0, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Most bytes of records on disk. Over it the oldest go first. 0: no cap.") \
X(ARTIFACT_CAP, artifact_cap, SIZE, "0", 0, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Most bytes of artifacts on disk: attachments, replays, profiles, uploads. Over it the oldest of what belongs to records go first; when only uploads are left, nothing more is taken. 0: no cap.") \
X(SYMBOLS_CACHE, symbols_cache, SIZE, "96MB", CONFIG_MB, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Most memory of parsed source maps. Those used longest ago make room for others.") \
X(DURABILITY, durability, CHOICE, "fsync", 0, 0, CONFIG_SERVE, "fsync|os", \
  "When a request is answered. fsync: when it is on disk. os: when the system has it; a power cut may lose acknowledged records (for comparisons only).") \
X(ALLOW_HOLE, allow_hole, BOOL, "false", 0, 0, CONFIG_SERVE, "", \
  "Start although the log is damaged in the middle. Without it such a store is opened for reading only.") \
X(WORKERS, workers, INT, "0", 0, 64, CONFIG_SERVE, "N", \
  "Threads that decode and query. 0: one a core.") \
X(LOOPS, loops, INT, "0", 0, 64, CONFIG_SERVE, "N", \
  "Threads that move bytes of connections. 0: one a core, at most 4.") \
X(CACHE, cache, SIZE, "64MB", CONFIG_MB, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Memory for blocks of the store that were read.") \
X(BODY_MAX, body_max, SIZE, "16MB", 1024, CONFIG_GB, CONFIG_SERVE, "SIZE", \
  "Most bytes of a request as sent. More: 413.") \
X(INFLATED_MAX, inflated_max, SIZE, "64MB", 1024, CONFIG_GB, CONFIG_SERVE, "SIZE", \
  "Most bytes of a request after decompression. More: 413.") \
X(EVENT_MAX, event_max, SIZE, "1MiB", 1024, CONFIG_GB, CONFIG_SERVE, "SIZE", \
  "Most bytes of one event or transaction of a Sentry SDK. More: 413.") \
X(ITEM_MAX, item_max, SIZE, "10MiB", 1024, CONFIG_GB, CONFIG_SERVE, "SIZE", \
  "Most bytes of any other item of JSON in a Sentry envelope. Containers of spans and logs, profiles, sessions. More: 413.") \
X(ATTACHMENT_MAX, attachment_max, SIZE, "200MiB", 1024, CONFIG_GB, CONFIG_SERVE, "SIZE", \
  "Most bytes of one attachment, minidump or segment of a replay. More: 413.") \
X(ENVELOPE_MAX, envelope_max, SIZE, "200MiB", 1024, CONFIG_GB, CONFIG_SERVE, "SIZE", \
  "Most bytes of a Sentry envelope or form, also when it is inflated. For senders who show their key in the request; others have body_max and inflated_max. More: 413.") \
X(TUNNEL, tunnel, TEXT, "/tunnel", 0, 0, CONFIG_SERVE, "PATH[,PATH]", \
  "Paths that take Sentry envelopes of any project. For browsers that keep requests to other hosts from being sent; the DSN in the envelope says whose it is.") \
X(INGEST_MEMORY, ingest_memory, SIZE, "256MB", CONFIG_MB, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Most bytes of request bodies that wait or are decoded. Over it requests get 503 with Retry-After before their body is read. Long bodies of build uploads with a known token wait in files of the data directory instead, at most 2 GiB of them.") \
X(INGEST_RATE, ingest_rate, SIZE, "0", 0, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Most bytes a second that one project may send. Over it: 429 with Retry-After. 0: no quota.") \
X(CONNECTIONS, connections, INT, "16384", 16, 1000000, CONFIG_SERVE, "N", \
  "Most open connections. Further ones are closed at once.") \
X(CONNECTIONS_PER_PEER, connections_per_peer, INT, "0", 0, 1000000, CONFIG_SERVE, "N", \
  "Most open connections from one address that is not loopback. 0: a quarter of connections.") \
X(QUERIES, queries, INT, "16", 1, 1024, CONFIG_SERVE, "N", \
  "Most queries at work at the same time. Over it: 429 busy.") \
X(TAILS, tails, INT, "64", 1, 4096, CONFIG_SERVE, "N", \
  "Most live tails at the same time. Over it: 429 busy.") \
X(QUERY_MEMORY, query_memory, SIZE, "256MB", CONFIG_MB, CONFIG_BIG, CONFIG_SERVE, "SIZE", \
  "Most memory of one query. Over it: 422 memory.") \
X(QUERY_TIME, query_time, DURATION, "30s", CONFIG_S / 1000, CONFIG_H, CONFIG_SERVE, "TIME", \
  "Longest run of one query. Over it: 504 timeout.") \
X(SMTP, smtp, TEXT, "", 0, 0, CONFIG_SERVE, "URL", \
  "Mail server that alerts go out by. smtps://USER@HOST, smtp://USER@HOST:587 (STARTTLS) or smtp+plain://HOST:25. With mail_from.") \
X(SMTP_PASSWORD_FILE, smtp_password_file, TEXT, "", 0, 0, CONFIG_SERVE, "FILE", \
  "File that holds the password of the mail server's user, and nothing else.") \
X(MAIL_FROM, mail_from, TEXT, "", 0, 0, CONFIG_SERVE, "ADDRESS", \
  "Address that mail comes from.") \
X(PRIVATE_TARGETS, private_targets, BOOL, "false", 0, 0, CONFIG_SERVE, "", \
  "Webhooks may go to addresses that are not public. Without it loopback, link-local and private addresses are refused, so that nobody reaches into this network by an alert.") \
X(LOG_LEVEL, log_level, CHOICE, "info", 0, 0, CONFIG_SERVE, "debug|info|warn|error", \
  "What the server writes to standard error.")
// clang-format on
