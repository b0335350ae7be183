// People: users with passwords (argon2id), one-time links, sessions.
#pragma once
#include "meta/meta.h"

struct meta_user {
    int64_t id;
    uint32_t scopes;
    bool has_password;
    char login[META_NAME_MAX + 1];
    int64_t created_ns;
    int64_t joined_ns;   // of the first sign-in; 0: invited only
    int64_t disabled_ns; // 0: may sign in
};
int meta_user_find(struct meta *m, str login, struct meta_user *ret_user, struct err *err);
int meta_user_get(struct meta *m, int64_t id, struct meta_user *ret_user, struct err *err);

enum { META_USERS_MAX = 10000 };
// By login; *ret_users is freed with mem_free.
struct meta_user_row {
    struct meta_user user;
    int64_t sessions;     // open ones
    int64_t last_used_ns; // of the newest of them, to the hour; 0: none
    int64_t link_ns;      // when the link that sets a password ends; 0: there is none
};
int meta_user_list(struct meta *m, struct meta_user_row **ret_users, size_t *ret_n, struct err *err);
// login: 1 to 63 of a-z 0-9 . _ + - @, letter or digit first (an address will do). Who is added can sign in only with a
// link: meta_password_link_add().
int meta_user_add(struct meta *m, str actor, str login, uint32_t scopes, struct meta_user *ret_user, struct err *err);
// New scopes are what the user's sessions have at once. ERR_LIMIT `last_admin`: nobody else who has come and is not
// disabled could administer any more; the same for the next two.
int meta_user_set_scopes(struct meta *m, str actor, int64_t user, uint32_t scopes, struct err *err);
// Ends sessions and links.
int meta_user_set_disabled(struct meta *m, str actor, int64_t user, bool disabled, struct err *err);
// Tokens that the user has made go on: they are the workspace's.
int meta_user_remove(struct meta *m, str actor, int64_t user, struct err *err);

// 12 to 256 bytes. Ends every other session of the user (keep_session 0: all of them).
int meta_user_set_password(struct meta *m, str actor, int64_t user, str password, int64_t keep_session,
                           struct err *err);

enum {
    META_LINK_SECONDS = 600,
    META_INVITATION_DAYS = 7,
    META_RESET_DAYS = 1,
    META_SESSION_DAYS = 30,
    META_SESSION_IDLE_DAYS = 7,
    META_SESSIONS_PER_USER = 50
};

// A link's token: works once, for 10 minutes; making one revokes the user's older ones.
int meta_link_add(struct meta *m, str actor, str login, char ret_secret[META_SECRET_MAX], struct err *err);
// A link that works once, and only together with a new password: an invitation (7 days) for who has not come yet,
// else a reset (1 day). Revokes the user's older links; changes nothing else until it is used.
int meta_password_link_add(struct meta *m, str actor, int64_t user, char ret_secret[META_SECRET_MAX],
                           int64_t *ret_expires_ns, struct err *err);

// Who signs in, for the throttle, the audit trail and the list of sessions.
struct meta_visitor {
    str peer;  // address
    str agent; // of the User-Agent header; may be empty
};

struct meta_session {
    int64_t id;
    struct meta_user user;
    int64_t created_ns, expires_ns;
    char csrf[44]; // the header token of this session: derived from its secret, useless without the cookie
};
// All make a session; ret_secret goes into the cookie.
// ERR_DENIED never says which part was wrong and takes as long for an unknown user as for a known one;
// ERR_BUSY: too many attempts, *ret_retry_s says how long to wait.
int meta_signin_link(struct meta *m, struct meta_visitor who, str link_secret, char ret_secret[META_SECRET_MAX],
                     struct meta_session *ret_session, int *ret_retry_s, struct err *err);
int meta_signin_password(struct meta *m, struct meta_visitor who, str login, str password,
                         char ret_secret[META_SECRET_MAX], struct meta_session *ret_session, int *ret_retry_s,
                         struct err *err);
// By an invitation or a reset: sets the password, ends what was open before. ERR_INVALID for a password that is too
// short or long, which does not use the link up.
int meta_signin_invited(struct meta *m, struct meta_visitor who, str link_secret, str password,
                        char ret_secret[META_SECRET_MAX], struct meta_session *ret_session, int *ret_retry_s,
                        struct err *err);
// Asks the user for the password again before something that a stolen session must not do; throttled alike.
int meta_password_confirm(struct meta *m, struct meta_visitor who, int64_t user, str password, int *ret_retry_s,
                          struct err *err);
// ERR_DENIED: unknown, ended, expired, or idle for too long.
int meta_session_check(struct meta *m, str secret, struct meta_session *ret_session);
// Compares a presented header token in constant time.
bool meta_session_csrf_matches(const struct meta_session *s, str presented);
int meta_session_end(struct meta *m, str actor, int64_t session, struct err *err);

struct meta_session_row {
    int64_t id, created_ns, last_used_ns, expires_ns; // last use: to the hour
    char peer[META_NAME_MAX + 1], agent[128];         // empty: not known
};
// A user's open sessions, newest first; freed with mem_free.
int meta_session_list(struct meta *m, int64_t user, struct meta_session_row **ret_sessions, size_t *ret_n,
                      struct err *err);
// Ends one of this user's: ERR_NOENT when it is not one of them.
int meta_session_end_of(struct meta *m, str actor, int64_t user, int64_t session, struct err *err);
// Ends all of the user's but one (keep 0: all); *ret_n (may be NULL): how many.
int meta_session_end_all(struct meta *m, str actor, int64_t user, int64_t keep, int *ret_n, struct err *err);
