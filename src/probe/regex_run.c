// The matcher: in-process part, so nothing but mem*.
#include "base/utf8.h"
#include "probe/regex.h"

enum { HEADER = 8, STATE = 8, RANGE = 8, WORK_A_STEP = 16 };

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
    const uint8_t *program;
    unsigned states;
    uint32_t work;
    uint16_t n; // states that wait for a character
    uint16_t waiting[PROBE_REGEX_STATES_MAX];
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
static bool add(struct search *s, unsigned first, int32_t before, int32_t after)
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

static bool in_set(const struct search *s, struct state t, uint32_t c)
{
    const uint8_t *ranges = s->program + HEADER + (size_t)s->states * STATE + (size_t)t.x * RANGE;
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
static int32_t decode(const uint8_t *p, const uint8_t *end, size_t *ret_len)
{
    *ret_len = 0;
    if (p == end)
        return -1;
    size_t n = *ret_len = utf8_char_len(p, end);
    if (n == 1)
        return p[0];
    if (n == 2)
        return (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    if (n == 3)
        return (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    if (n == 4)
        return (p[0] & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    *ret_len = 1;
    return 0xfffd;
}

int probe_regex_test(bytes program, str text, uint32_t *steps)
{
    struct search s;
    s.program = program.ptr;
    s.states = le16_get(program.ptr);
    s.work = 0;
    s.n = 0;
    memset(s.seen, 0, sizeof s.seen);
    struct state first = state_of(program.ptr, 0);
    bool anchored = first.op == PROBE_REGEX_ASSERT && first.flag == PROBE_REGEX_TEXT_START;
    const uint8_t *p = (const uint8_t *)text.ptr, *end = p + text.len;
    uint16_t now[PROBE_REGEX_STATES_MAX];
    size_t n_c, n_next, words = (s.states + 63) / 64;
    int32_t before = -1, c = decode(p, end, &n_c);
    for (;;) {
        if ((before < 0 || !anchored) && add(&s, 0, before, c))
            return 1;
        if (c < 0 || (anchored && s.n == 0))
            return 0;
        s.work += WORK_A_STEP / 4;
        if (s.work >= WORK_A_STEP) {
            if (*steps < s.work / WORK_A_STEP)
                return -1;
            *steps -= s.work / WORK_A_STEP;
            s.work %= WORK_A_STEP;
        }
        p += n_c;
        int32_t after = decode(p, end, &n_next);
        unsigned n_now = s.n;
        memcpy(now, s.waiting, n_now * sizeof now[0]);
        s.n = 0;
        memset(s.seen, 0, words * sizeof s.seen[0]);
        for (unsigned i = 0; i < n_now; i++)
            if (in_set(&s, state_of(program.ptr, now[i]), (uint32_t)c) && add(&s, now[i] + 1u, c, after))
                return 1;
        s.work += n_now;
        before = c, c = after, n_c = n_next;
    }
}
