// Between meta_person.c, meta_user.c, meta_link.c and meta_session.c.
#pragma once
#include "meta/meta_internal.h"

// In the order that meta_user_read() wants, of table `users` named u.
#define META_USER_COLUMNS \
    "u.id, u.scopes, u.password_hash IS NOT NULL, u.login, u.created_ns, u.joined_ns, u.disabled_ns"
enum { META_USER_COLUMNS_N = 7 };
void meta_user_read(sqlite3_stmt *stmt, int first_column, struct meta_user *u);

_Static_assert(sizeof((struct meta *)0)->pwhash_dummy >= 128, "crypto_pwhash_STRBYTES");

// ERR_DENIED without saying what was wrong; the same work for an unknown user.
int meta_password_check(struct meta *m, str login, str password, struct meta_user *ret_user, struct err *err);
// bad_password, or 0.
int meta_password_ok(str password, struct err *err);
// Hashes; ERR_BUSY when too many wait. Outside a transaction: it takes its time.
int meta_password_hash(struct meta *m, str password, char ret_hash[128], struct err *err);

// Inside a transaction: the user of the link, if it is good and of that kind.
int meta_link_find(struct db *db, const uint8_t hash[META_HASH_LEN], bool sets_password, struct meta_user *u,
                   struct err *err);
int meta_link_use_up(struct meta *m, int64_t user, struct err *err);
