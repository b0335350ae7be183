// Bytes a second and project: a bucket that fills at the rate and holds two seconds of it. A request is
// let in while the bucket is not in debt and charged when its size is known, so that one request may
// overdraw and the next ones wait.
#pragma once
#include <pthread.h>
#include <stdint.h>

enum { QUOTA_SLOTS = 1 << 15 }; // more than there can be projects

struct quota {
    pthread_mutex_t lock;
    int64_t rate; // bytes a second; 0: no quota
    struct quota_slot {
        int64_t project; // 0: empty
        int64_t level;   // bytes; negative: debt
        int64_t at_ns;   // monotonic time of level
    } * slots;
};
int quota_init(struct quota *q, int64_t rate);
void quota_free(struct quota *q);
// Milliseconds to wait, 0: go on.
int64_t quota_wait_ms(struct quota *q, int64_t project, int64_t now_ns);
void quota_charge(struct quota *q, int64_t project, int64_t size, int64_t now_ns);
