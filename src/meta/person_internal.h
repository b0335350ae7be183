// Between meta_person.c and meta_session.c.
#pragma once
#include "meta/meta_internal.h"

_Static_assert(sizeof((struct meta *)0)->pwhash_dummy >= 128, "crypto_pwhash_STRBYTES");

// ERR_DENIED without saying what was wrong; the same work for an unknown user.
int meta_password_check(struct meta *m, str login, str password, struct meta_user *ret_user, struct err *err);
