// The matcher: in-process part, so nothing but mem*.
#include "base/utf8.h"
#include "probe/regex.h"

enum { HEADER = 8, STATE = 8, RANGE = 8, WORK_A_CHARACTER = 4, WORK_A_STEP = 8, BYTES_A_STEP = 64 };

struct state {
    uint8_t op, flag;
    uint16_t x, y;
};

static struct state state_of(const uint8_t *program, unsigned n)
{
    const uint8_t *p = program + HEADER + (size_t)n * STATE;
    return (struct state){ p[0], p[1], le16_get(p + 2), le16_get(p + 4) };
}

static bool state_ok(struct state s, unsigned n, unsigned states, unsigned ranges)
{
    switch (s.op) {
    case PROBE_REGEX_MATCH:
        return true;
    case PROBE_REGEX_SET:
        return n + 1 < states && s.x <= ranges && s.y <= ranges - s.x;
    case PROBE_REGEX_SPLIT:
        return s.x < states && s.y < states;
    case PROBE_REGEX_JUMP:
        return s.x < states;
    case PROBE_REGEX_ASSERT:
        return n + 1 < states && s.flag < PROBE_REGEX_ASSERTS;
    default:
        return false;
    }
}

bool probe_regex_verify(bytes program)
{
    if (program.len < HEADER)
        return false;
    unsigned states = le16_get(program.ptr), ranges = le16_get(program.ptr + 2);
    if (states == 0 || states > PROBE_REGEX_STATES_MAX || ranges > PROBE_REGEX_RANGES_MAX ||
        program.len != HEADER + (size_t)states * STATE + (size_t)ranges * RANGE)
        return false;
    for (unsigned n = 0; n < states; n++)
        if (!state_ok(state_of(program.ptr, n), n, states, ranges))
            return false;
    return true;
}

struct search {
    const uint8_t *program, *ranges;
    uint32_t work;
    uint16_t n; // states that wait for a character
    uint16_t *waiting;
    uint64_t seen[PROBE_REGEX_STATES_MAX / 64]; // at this place of the text
};

static bool is_word(int32_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

// before, after: the characters around, -1 where the text ends.
static bool holds(unsigned what, int32_t before, int32_t after)
{
    switch (what) {
    case PROBE_REGEX_TEXT_START:
        return before < 0;
    case PROBE_REGEX_TEXT_END:
        return after < 0;
    case PROBE_REGEX_LINE_START:
        return before < 0 || before == '\n';
    case PROBE_REGEX_LINE_END:
        return after < 0 || after == '\n';
    case PROBE_REGEX_WORD:
        return is_word(before) != is_word(after);
    default:
        return is_word(before) == is_word(after);
    }
}

// Adds a state and all that follow it without a character; true when the end is among them. A state is put on the stack once.
static bool follow(struct search *s, unsigned first, int32_t before, int32_t after)
{
    uint16_t stack[PROBE_REGEX_STATES_MAX];
    unsigned depth = 0;
#define PUSH(q)                                   \
    if (!(s->seen[(q) / 64] >> ((q) % 64) & 1)) { \
        s->seen[(q) / 64] |= 1ull << ((q) % 64);  \
        stack[depth++] = (uint16_t)(q);           \
    }
    PUSH(first);
    while (depth) {
        unsigned n = stack[--depth];
        struct state t = state_of(s->program, n);
        s->work++;
        switch (t.op) {
        case PROBE_REGEX_MATCH:
            return true;
        case PROBE_REGEX_SET:
            s->waiting[s->n++] = (uint16_t)n;
            break;
        case PROBE_REGEX_SPLIT:
            PUSH(t.x);
            PUSH(t.y);
            break;
        case PROBE_REGEX_JUMP:
            PUSH(t.x);
            break;
        default:
            if (holds(t.flag, before, after))
                PUSH(n + 1);
        }
    }
#undef PUSH
    return false;
}

static inline bool add(struct search *s, unsigned first, int32_t before, int32_t after)
{
    if (state_of(s->program, first).op != PROBE_REGEX_SET)
        return follow(s, first, before, after);
    if (!(s->seen[first / 64] >> (first % 64) & 1)) {
        s->seen[first / 64] |= 1ull << (first % 64);
        s->waiting[s->n++] = (uint16_t)first;
    }
    s->work++;
    return false;
}

static inline bool in_set(const struct search *s, struct state t, uint32_t c)
{
    const uint8_t *ranges = s->ranges + (size_t)t.x * RANGE;
    unsigned low = 0, high = t.y;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (c < le32_get(ranges + (size_t)mid * RANGE))
            high = mid;
        else if (c > le32_get(ranges + (size_t)mid * RANGE + 4))
            low = mid + 1;
        else
            return true;
    }
    return false;
}

// The character at p, -1 at the end; *ret_len its bytes.
static inline int32_t decode(const uint8_t *p, const uint8_t *end, size_t *ret_len)
{
    *ret_len = p != end;
    if (p == end)
        return -1;
    if (*p < 0x80)
        return *p;
    size_t n = *ret_len = utf8_char_len(p, end);
    if (n == 2)
        return (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    if (n == 3)
        return (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    if (n == 4)
        return (p[0] & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    *ret_len = 1;
    return 0xfffd;
}

// The ASCII character that every match begins with; -1 when there is none.
static int lead_of(const struct search *s, struct state first)
{
    if (first.op != PROBE_REGEX_SET || first.y != 1)
        return -1;
    const uint8_t *range = s->ranges + (size_t)first.x * RANGE;
    uint32_t c = le32_get(range);
    return c == le32_get(range + 4) && c < 0x80 ? (int)c : -1;
}

static bool spend(uint32_t *steps, size_t n)
{
    if (*steps < n)
        return false;
    *steps -= (uint32_t)n;
    return true;
}

int probe_regex_test(bytes program, str text, uint32_t *steps)
{
    struct search s = { .program = program.ptr };
    unsigned states = le16_get(program.ptr);
    struct state first = state_of(program.ptr, 0);
    bool anchored = first.op == PROBE_REGEX_ASSERT && first.flag == PROBE_REGEX_TEXT_START;
    const uint8_t *p = (const uint8_t *)text.ptr, *end = p + text.len;
    uint16_t lists[2][PROBE_REGEX_STATES_MAX], *now = lists[0];
    size_t n_c, n_next, words = (states + 63) / 64;
    s.waiting = lists[1];
    s.ranges = program.ptr + HEADER + (size_t)states * STATE;
    int lead = lead_of(&s, first);
    int32_t before = -1, c = decode(p, end, &n_c);
    for (;;) {
        if (lead >= 0 && s.n == 0 && c != lead && c >= 0) { // nothing begins before it
            const uint8_t *at = memchr(p, lead, (size_t)(end - p));
            if (!spend(steps, (size_t)((at ? at : end) - p) / BYTES_A_STEP))
                return -1;
            if (!at)
                return 0;
            p = at, c = lead, n_c = 1;
        }
        if ((before < 0 || !anchored) && add(&s, 0, before, c))
            return 1;
        if (c < 0 || (anchored && s.n == 0))
            return 0;
        s.work += WORK_A_CHARACTER;
        if (s.work >= WORK_A_STEP) {
            if (!spend(steps, s.work / WORK_A_STEP))
                return -1;
            s.work %= WORK_A_STEP;
        }
        p += n_c;
        int32_t after = decode(p, end, &n_next);
        unsigned n_now = s.n;
        uint16_t *other = now;
        now = s.waiting, s.waiting = other;
        s.n = 0;
        s.seen[0] = 0; // enough for most
        if (words > 1)
            memset(s.seen + 1, 0, (words - 1) * sizeof s.seen[0]);
        for (unsigned i = 0; i < n_now; i++)
            if (in_set(&s, state_of(program.ptr, now[i]), (uint32_t)c) && add(&s, now[i] + 1u, c, after))
                return 1;
        s.work += n_now;
        before = c, c = after, n_c = n_next;
    }
}
