// Tokens and keys: what a program shows to be let in. A token is `clew_` and 43 characters of
// base64url (256 bits); only its hash is kept. A DSN key is public and opens Sentry ingest only, so it
// has a check of its own: no caller can take one for the other.
#pragma once
#include "meta/meta.h"

struct meta_token {
    int64_t id;
    int64_t project; // 0: every project of the workspace
    uint32_t scopes;
    char name[META_NAME_MAX + 1];
    char tail[8]; // last characters of the secret, to tell tokens apart
    char created_by[META_NAME_MAX + 1];
    int64_t created_ns, last_used_ns, expires_ns; // 0: never
};

// Makes a token; ret_secret is the only time that it is seen. expires_ns 0: never. The name need not be unique.
int meta_token_add(struct meta *m, str actor, str name, uint32_t scopes, int64_t project, int64_t expires_ns,
                   char ret_secret[META_SECRET_MAX], struct meta_token *ret_token, struct err *err);
// Those that are not revoked, oldest first; freed with mem_free.
int meta_token_list(struct meta *m, struct meta_token **ret_tokens, size_t *ret_n, struct err *err);
// Revokes by id; ERR_NOENT when there is none. Known to this process at once, to others within a second.
int meta_token_remove(struct meta *m, str actor, int64_t id, struct err *err);
// Finds by id ("#3" or "3") or by name; ERR_INVALID when several have the name.
int meta_token_find(struct meta *m, str id_or_name, struct meta_token *ret_token, struct err *err);
// The newest token whose secret ends in tail, revoked ones too, for telling somebody which key he has sent. ret_revoked_ns:
// 0 when it is good. ERR_NOENT: none.
int meta_token_by_tail(struct meta *m, str tail, struct meta_token *ret_token, int64_t *ret_revoked_ns);
// A token that lives in this process's memory only (the local command line's); gone when it ends.
int meta_token_local(struct meta *m, str name, uint32_t scopes, char ret_secret[META_SECRET_MAX]);

// What a valid secret opens.
struct meta_grant {
    int64_t token;   // its id; 0 for a local one and for DSN keys
    int64_t project; // 0: every project
    uint32_t scopes;
    char name[META_NAME_MAX + 1]; // of a DSN key: its project's slug
};
// From memory, in constant time with respect to the secret, safe in an I/O loop. ERR_DENIED when it is
// unknown, revoked or expired. Notices what another process has changed at most a second later.
int meta_token_check(struct meta *m, str secret, struct meta_grant *ret_grant);
// Same for a public DSN key; the grant has no scopes at all: its rows are trust=public and only the
// Sentry endpoints call this.
int meta_key_check(struct meta *m, str key, struct meta_grant *ret_grant);
