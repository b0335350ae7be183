// People: users with passwords (argon2id), one-time login links, sessions.
#pragma once
#include "meta/meta.h"

struct meta_user {
    int64_t id;
    uint32_t scopes;
    bool has_password;
    char login[META_NAME_MAX + 1];
    int64_t created_ns;
};
int meta_user_find(struct meta *m, str login, struct meta_user *ret_user, struct err *err);
int meta_user_get(struct meta *m, int64_t id, struct meta_user *ret_user, struct err *err);
// 12 to 256 bytes. Ends every other session of the user (keep_session 0: all of them).
int meta_user_set_password(struct meta *m, str actor, int64_t user, str password, int64_t keep_session,
                           struct err *err);

enum { META_LINK_SECONDS = 600, META_SESSION_DAYS = 30, META_SESSION_IDLE_DAYS = 7, META_SESSIONS_PER_USER = 50 };

// A link's token: works once, for 10 minutes; making one revokes the user's older ones.
int meta_link_add(struct meta *m, str actor, str login, char ret_secret[META_SECRET_MAX], struct err *err);

struct meta_session {
    int64_t id;
    struct meta_user user;
    int64_t created_ns, expires_ns;
    char csrf[44]; // the header token of this session: derived from its secret, useless without the cookie
};
// Both make a session; ret_secret goes into the cookie. peer is for the throttle and the audit trail.
// ERR_DENIED never says which part was wrong and takes as long for an unknown user as for a known one;
// ERR_BUSY: too many attempts, *ret_retry_s says how long to wait.
int meta_signin_link(struct meta *m, str peer, str link_secret, char ret_secret[META_SECRET_MAX],
                     struct meta_session *ret_session, int *ret_retry_s, struct err *err);
int meta_signin_password(struct meta *m, str peer, str login, str password, char ret_secret[META_SECRET_MAX],
                         struct meta_session *ret_session, int *ret_retry_s, struct err *err);
// Asks the user for the password again before something that a stolen session must not do; throttled alike.
int meta_password_confirm(struct meta *m, str peer, int64_t user, str password, int *ret_retry_s, struct err *err);
// ERR_DENIED: unknown, ended, expired, or idle for too long.
int meta_session_check(struct meta *m, str secret, struct meta_session *ret_session);
// Compares a presented header token in constant time.
bool meta_session_csrf_matches(const struct meta_session *s, str presented);
int meta_session_end(struct meta *m, str actor, int64_t session, struct err *err);
