// Strings. What people log and what paths and keys are made of is mostly a text that repeats with numbers that do
// not: kind 1 takes the numbers out, so that the texts become few and the numbers are packed as numbers.
//
//   kind 0:  integers: n lengths; the bytes
//   kind 1:  varint t; kind 0 strings: t templates; integers: n template indexes;
//            for each template, for each of its number slots: integers, one a row of this template;
//            the hex slots' bytes, row by row
//
// A template is the text with slots in the place of what was taken out; a byte 1..5 of the text itself is
// written as ESCAPE and the byte.
#include "base/hash.h"
#include "base/mem.h"
#include "store/encode.h"

enum {
    SLOT_NUMBER = 1, // digits without leading zeros
    ESCAPE = 2,
    SLOT_PADDED = 3, // + width: digits, as many as width
    SLOT_HEX = 4,    // + digits: lower-case hex digits, an even number of them
    SLOT_UUID = 5,   // 8-4-4-4-12 lower-case hex digits
};
enum { DIGITS_MAX = 18, HEX_MIN = 8, HEX_MAX = 254, UUID_LENGTH = 36, SLOTS_MAX = 64 };

// ---- taking apart --------------------------------------------------------------------------------------

// Classes of bytes: a look-up is cheaper than comparisons, and every byte of every string passes here.
enum { DIGIT = 1, HEX = 2, ALNUM = 4, CONTROL = 8 };
static const uint8_t byte_class[256] = {
    [SLOT_NUMBER... SLOT_UUID] = CONTROL,
    ['0' ... '9'] = DIGIT | HEX | ALNUM,
    ['a' ... 'f'] = HEX | ALNUM,
    ['g' ... 'z'] = ALNUM,
    ['A' ... 'Z'] = ALNUM,
};
static bool is_digit(uint8_t c) { return byte_class[c] & DIGIT; }
static bool is_hex(uint8_t c) { return byte_class[c] & HEX; }
static bool is_alnum(uint8_t c) { return byte_class[c] & ALNUM; }
static uint8_t hex_value(uint8_t c) { return is_digit(c) ? c - '0' : c - 'a' + 10; }

struct splitter {
    struct buf text;  // templates, one behind the other
    struct buf blobs; // bytes of hex slots, row by row
    uint32_t *text_end;
    uint32_t *text_rows;  // rows of each template
    uint32_t *text_slots; // its number slots
    uint32_t texts, texts_cap;
    uint32_t *slots; // hash table: text + 1
    uint32_t mask;
    uint32_t *row_text;
    uint64_t *numbers; // row by row
    uint32_t numbers_n, numbers_cap;
};

static bool uuid_at(const uint8_t *p, size_t left)
{
    if (left < UUID_LENGTH || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return false;
    for (size_t i = 0; i < UUID_LENGTH; i++)
        if (p[i] != '-' && !is_hex(p[i]))
            return false;
    return true;
}

static void put_hex(struct buf *out, const uint8_t *p, size_t digits)
{
    for (size_t i = 0; i < digits; i++) {
        if (p[i] == '-')
            continue;
        uint8_t high = hex_value(p[i++]); // groups have an even number of digits
        buf_byte(out, (uint8_t)(high << 4 | hex_value(p[i])));
    }
}

static int number_put(struct splitter *s, uint64_t v)
{
    if (s->numbers_n == s->numbers_cap) {
        uint32_t cap = s->numbers_cap ? s->numbers_cap * 2 : 4096;
        uint64_t *p = mem_reallocarray(s->numbers, cap, sizeof *p);
        if (!p)
            return ERR_NOMEM;
        s->numbers = p;
        s->numbers_cap = cap;
    }
    s->numbers[s->numbers_n++] = v;
    return 0;
}

// A run of digits at p[0 .. n-1] of `whole`; padded: it looks like a part of a time or date.
static int digits_put(struct splitter *s, const uint8_t *p, size_t n, bool padded)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (p[i] - '0');
    if (padded || (p[0] == '0' && n > 1)) {
        buf_byte(&s->text, SLOT_PADDED);
        buf_byte(&s->text, (uint8_t)n);
    } else {
        buf_byte(&s->text, SLOT_NUMBER);
    }
    return number_put(s, v);
}

// Hex digits at the start of a token of length n; at least one letter, or too many digits for a number.
static bool hex_token(const uint8_t *p, size_t n)
{
    bool letter = n > DIGITS_MAX, digit = false;
    if (n < HEX_MIN || n > HEX_MAX || n % 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_hex(p[i]))
            return false;
        letter |= !is_digit(p[i]);
        digit |= is_digit(p[i]);
    }
    return letter && digit;
}

// What was looked at but not taken out yet: text, copied in one go.
static void text_put(struct splitter *s, const uint8_t *from, const uint8_t *to)
{
    if (to > from)
        memcpy(s->text.ptr + s->text.len, from, (size_t)(to - from));
    s->text.len += (size_t)(to - from);
}

// A token of letters and digits with at least one digit: text from *from on is pending; slots go into the template.
static int token_split(struct splitter *s, str in, const uint8_t **from, const uint8_t *token, const uint8_t *token_end,
                       uint32_t *slots, bool *last_padded)
{
    const uint8_t *begin = (const uint8_t *)in.ptr, *end = begin + in.len;
    if (hex_token(token, (size_t)(token_end - token))) {
        text_put(s, *from, token);
        buf_byte(&s->text, SLOT_HEX);
        buf_byte(&s->text, (uint8_t)(token_end - token));
        put_hex(&s->blobs, token, (size_t)(token_end - token));
        *from = token_end;
        return 0;
    }
    for (const uint8_t *p = token; p < token_end;) {
        while (p < token_end && !is_digit(*p))
            p++;
        const uint8_t *digits = p;
        while (p < token_end && is_digit(*p))
            p++;
        size_t n = (size_t)(p - digits);
        if (n == 0)
            break;
        uint8_t before = digits > begin ? digits[-1] : ' ', after = p < end ? *p : ' ';
        bool padded = (n == 2 && (before == ':' || before == '-' || before == 'T' || after == ':' || after == '-')) ||
                      (*last_padded && before == '.' && n % 3 == 0);
        *last_padded = padded;
        if (n > DIGITS_MAX || *slots >= SLOTS_MAX)
            continue;
        text_put(s, *from, digits);
        *from = p;
        ++*slots;
        int e = digits_put(s, digits, n, padded);
        if (e < 0)
            return e;
    }
    return 0;
}

// Appends the template of one string to s->text and what was taken out to numbers and blobs. *ret_slots: numbers.
static int string_split(struct splitter *s, str in, uint32_t *ret_slots)
{
    const uint8_t *p = (const uint8_t *)in.ptr, *end = p + in.len, *from = p;
    bool last_padded = false;
    *ret_slots = 0;
    // Enough for everything below: a slot is no longer than the text that it stands for, an escape doubles a byte.
    if (buf_reserve(&s->text, in.len * 2 + 8) < 0)
        return s->text.error;
    while (p < end) {
        const uint8_t *token = p;
        uint8_t any = 0;
        for (; p < end && is_alnum(*p); p++)
            any |= byte_class[*p];
        if (any & DIGIT) {
            if (uuid_at(token, (size_t)(end - token)) &&
                (token + UUID_LENGTH == end || !is_alnum(token[UUID_LENGTH]))) {
                text_put(s, from, token);
                buf_byte(&s->text, SLOT_UUID);
                put_hex(&s->blobs, token, UUID_LENGTH);
                p = from = token + UUID_LENGTH;
            } else {
                int e = token_split(s, in, &from, token, p, ret_slots, &last_padded);
                if (e < 0)
                    return e;
            }
        }
        while (p < end && !is_alnum(*p)) {
            if (byte_class[*p] & CONTROL) {
                text_put(s, from, p);
                buf_byte(&s->text, ESCAPE);
                from = p;
            }
            p++;
        }
    }
    text_put(s, from, end);
    return s->text.error ? s->text.error : s->blobs.error;
}

static str text_of(const struct splitter *s, uint32_t i)
{
    uint32_t from = i ? s->text_end[i - 1] : 0;
    return str_of(s->text.ptr + from, s->text_end[i] - from);
}

static int texts_grow(struct splitter *s)
{
    uint32_t cap = s->texts_cap ? s->texts_cap * 2 : 64;
    uint32_t *end = mem_reallocarray(s->text_end, cap, 4);
    if (end)
        s->text_end = end;
    uint32_t *rows = mem_reallocarray(s->text_rows, cap, 4);
    if (rows)
        s->text_rows = rows;
    uint32_t *slots = mem_reallocarray(s->text_slots, cap, 4);
    if (slots)
        s->text_slots = slots;
    uint32_t *table = mem_calloc(cap * 2, 4);
    if (!end || !rows || !slots || !table) {
        mem_free(table);
        return ERR_NOMEM;
    }
    mem_free(s->slots);
    s->slots = table;
    s->mask = cap * 2 - 1;
    s->texts_cap = cap;
    for (uint32_t i = 0; i < s->texts; i++) {
        uint32_t at = (uint32_t)hash64_str(text_of(s, i)) & s->mask;
        while (table[at])
            at = (at + 1) & s->mask;
        table[at] = i + 1;
    }
    return 0;
}

// The text that begins at `from` in s->text becomes a template, or the one that is the same.
static int text_intern(struct splitter *s, uint32_t from, uint32_t slots, uint32_t *ret_i)
{
    if (s->texts == s->texts_cap) {
        int e = texts_grow(s);
        if (e < 0)
            return e;
    }
    str t = str_of(s->text.ptr + from, s->text.len - from);
    uint32_t at = (uint32_t)hash64_str(t) & s->mask;
    for (; s->slots[at]; at = (at + 1) & s->mask) {
        if (!str_eq(text_of(s, s->slots[at] - 1), t))
            continue;
        *ret_i = s->slots[at] - 1;
        s->text.len = from;
        return 0;
    }
    s->text_end[s->texts] = (uint32_t)s->text.len;
    s->text_rows[s->texts] = 0;
    s->text_slots[s->texts] = slots;
    *ret_i = s->texts++;
    s->slots[at] = s->texts;
    return 0;
}

static void splitter_free(struct splitter *s)
{
    buf_free(&s->text);
    buf_free(&s->blobs);
    mem_free(s->text_end);
    mem_free(s->text_rows);
    mem_free(s->text_slots);
    mem_free(s->slots);
    mem_free(s->row_text);
    mem_free(s->numbers);
}

// 1: worth it; 0: not.
static int split_all(struct splitter *s, const str *in, uint32_t n)
{
    s->row_text = mem_reallocarray(NULL, n, sizeof *s->row_text);
    if (!s->row_text)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = (uint32_t)s->text.len, slots = 0;
        int e = string_split(s, in[i], &slots);
        if (e < 0 || (e = text_intern(s, from, slots, &s->row_text[i])) < 0)
            return e == ERR_LIMIT ? 0 : e;
        s->text_rows[s->row_text[i]]++;
        if (i == 127 && s->texts > 96)
            return 0; // no two are alike
    }
    return s->texts <= n / 2 && (s->numbers_n || s->blobs.len);
}

// ---- encoding ------------------------------------------------------------------------------------------

static int put_plain(struct buf *out, const str *s, uint32_t n, struct encode_scratch *scratch)
{
    uint64_t *lengths = encode_scratch_get(scratch, ENCODE_SCRATCH_STRINGS, n);
    size_t total = 0;
    if (!lengths)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        total += lengths[i] = s[i].len;
    buf_byte(out, 0);
    int e = encode_ints((struct encode_out){ .tight = out }, lengths, n, false, NULL, scratch, NULL);
    uint8_t *p = e < 0 ? NULL : buf_extend(out, total);
    if (!p)
        return e < 0 ? e : total ? out->error : 0;
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].len)
            memcpy(p, s[i].ptr, s[i].len);
        p += s[i].len;
    }
    return 0;
}

static int put_numbers(struct buf *out, const struct splitter *s, uint32_t n, struct encode_scratch *scratch)
{
    // Row by row becomes template by template, slot by slot.
    uint32_t *place = mem_reallocarray(NULL, (size_t)s->texts * 2 + 1, sizeof *place), *seen = place + s->texts;
    uint64_t *sorted = encode_scratch_get(scratch, ENCODE_SCRATCH_STRINGS, s->numbers_n);
    int e = place && sorted ? 0 : ERR_NOMEM;
    for (uint32_t t = 0, at = 0; e == 0 && t < s->texts; t++) {
        place[t] = at;
        seen[t] = 0;
        at += s->text_rows[t] * s->text_slots[t];
    }
    for (uint32_t i = 0, from = 0; e == 0 && i < n; i++) {
        uint32_t t = s->row_text[i], rows = s->text_rows[t];
        for (uint32_t k = 0; k < s->text_slots[t]; k++)
            sorted[place[t] + k * rows + seen[t]] = s->numbers[from++];
        seen[t]++;
    }
    for (uint32_t t = 0; e == 0 && t < s->texts; t++)
        for (uint32_t k = 0; e == 0 && k < s->text_slots[t]; k++)
            e = encode_ints((struct encode_out){ .tight = out }, sorted + place[t] + k * s->text_rows[t],
                            s->text_rows[t], false, NULL, scratch, NULL);
    mem_free(place);
    return e;
}

static int put_split_up(struct buf *out, const struct splitter *s, uint32_t n, struct encode_scratch *scratch)
{
    str *texts = mem_reallocarray(NULL, s->texts, sizeof *texts);
    uint64_t *index = encode_scratch_get(scratch, ENCODE_SCRATCH_STRINGS, n);
    int e = texts && index ? 0 : ERR_NOMEM;
    buf_byte(out, 1);
    buf_varint(out, s->texts);
    for (uint32_t t = 0; e == 0 && t < s->texts; t++)
        texts[t] = text_of(s, t);
    if (e == 0)
        e = put_plain(out, texts, s->texts, scratch);
    mem_free(texts);
    index = e < 0 ? NULL : encode_scratch_get(scratch, ENCODE_SCRATCH_STRINGS, n);
    for (uint32_t i = 0; index && i < n; i++)
        index[i] = s->row_text[i];
    if (e == 0)
        e = encode_ints((struct encode_out){ .tight = out }, index, n, false, NULL, scratch, NULL);
    if (e == 0)
        e = put_numbers(out, s, n, scratch);
    return e < 0 ? e : buf_append(out, s->blobs.ptr, s->blobs.len);
}

int encode_strings(struct buf *out, const str *s, uint32_t n, struct encode_scratch *scratch)
{
    struct splitter split = { 0 };
    int worth = 0;
    buf_init(&split.text, 256u << 20);
    buf_init(&split.blobs, 256u << 20);
    if (n >= 16)
        worth = split_all(&split, s, n);
    int e = worth < 0 ? worth : worth ? put_split_up(out, &split, n, scratch) : put_plain(out, s, n, scratch);
    splitter_free(&split);
    return e < 0 ? e : out->error;
}

// ---- decoding ------------------------------------------------------------------------------------------

static int get_plain(struct encode_in *in, str *s, uint32_t n, struct arena *arena)
{
    if (in->p == in->end || *in->p++ != 0)
        return ERR_CORRUPT;
    uint64_t *lengths = arena_alloc_array(arena, (size_t)n + 1, sizeof *lengths);
    if (!lengths)
        return ERR_NOMEM;
    int e = decode_ints(in, lengths, n, NULL, arena);
    if (e < 0)
        return e;
    for (uint32_t i = 0; i < n; i++) {
        if (lengths[i] > (uint64_t)(in->end - in->p))
            return ERR_CORRUPT;
        s[i] = str_of(in->p, (size_t)lengths[i]);
        in->p += lengths[i];
    }
    return 0;
}

// Text that is the same in all rows of a template, and the slot behind it (0: none).
struct piece {
    const char *literal; // COPY_AHEAD bytes more may be read
    uint32_t len;
    uint8_t slot, more;
};

// Literals are mostly short: whole blocks of so many bytes are copied, whatever the length.
enum { COPY_AHEAD = 16 };

// A template that was read: what it takes to make its rows.
struct text {
    str t;
    uint32_t slots;   // numbers
    uint32_t places;  // slots of all kinds
    uint32_t blob;    // bytes of hex slots
    uint64_t longest; // of a string made of it
    uint32_t rows, done;
    bool unwanted;
    struct piece *pieces; // what it is made of, once taken apart
    uint32_t pieces_n;
    uint64_t *numbers; // slots * rows
};

static int text_check(struct text *x)
{
    const uint8_t *p = (const uint8_t *)x->t.ptr, *end = p + x->t.len;
    while (p < end) {
        uint8_t c = *p++;
        if (c < SLOT_NUMBER || c > SLOT_UUID) {
            x->longest++;
            continue;
        }
        uint8_t more = c == SLOT_NUMBER || c == SLOT_UUID ? 0 : p < end ? *p++ : 0;
        x->places += c != ESCAPE;
        switch (c) {
        case SLOT_NUMBER:
            x->slots++;
            x->longest += 20;
            break;
        case ESCAPE:
            if (more < SLOT_NUMBER || more > SLOT_UUID)
                return ERR_CORRUPT;
            x->longest++;
            break;
        case SLOT_PADDED:
            if (more == 0 || more > DIGITS_MAX)
                return ERR_CORRUPT;
            x->slots++;
            x->longest += 20;
            break;
        case SLOT_HEX:
            if (more == 0 || more % 2)
                return ERR_CORRUPT;
            x->longest += more;
            x->blob += more / 2u;
            break;
        default:
            x->longest += UUID_LENGTH;
            x->blob += 16;
        }
    }
    return 0;
}

static char *write_number(char *out, uint64_t v, unsigned width)
{
    char tmp[20];
    unsigned n = 0;
    do {
        tmp[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n < width)
        tmp[n++] = '0';
    while (n)
        *out++ = tmp[--n];
    return out;
}

static char *write_hex(char *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[p[i] >> 4];
        *out++ = "0123456789abcdef"[p[i] & 15];
    }
    return out;
}

static char *copy_ahead(char *out, const char *from, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += COPY_AHEAD)
        memcpy(out + i, from + i, COPY_AHEAD);
    return out + len;
}

// Takes a checked template apart.
static int text_pieces(struct text *x, struct arena *arena)
{
    const uint8_t *p = (const uint8_t *)x->t.ptr, *end = p + x->t.len;
    char *out = arena_alloc_bytes(arena, x->t.len + COPY_AHEAD);
    x->pieces = arena_alloc_array(arena, (size_t)x->places + 1, sizeof *x->pieces);
    if (!out || !x->pieces)
        return ERR_NOMEM;
    memset(out, 0, x->t.len + COPY_AHEAD);
    const char *literal = out;
    while (p < end) {
        uint8_t c = *p++;
        if (c < SLOT_NUMBER || c > SLOT_UUID) {
            *out++ = (char)c;
        } else if (c == ESCAPE) {
            *out++ = (char)*p++;
        } else {
            uint8_t more = c == SLOT_NUMBER || c == SLOT_UUID ? 0 : *p++;
            x->pieces[x->pieces_n++] = (struct piece){ literal, (uint32_t)(out - literal), c, more };
            literal = out;
        }
    }
    x->pieces[x->pieces_n++] = (struct piece){ literal, (uint32_t)(out - literal), 0, 0 };
    return 0;
}

static char *write_uuid(char *out, const uint8_t *p)
{
    static const uint8_t group[5] = { 4, 2, 2, 2, 6 };
    for (int i = 0; i < 5; i++) {
        out = write_hex(out, p, group[i]);
        p += group[i];
        if (i < 4)
            *out++ = '-';
    }
    return out;
}

// One row of x; *blob moves on. out has x->longest + COPY_AHEAD bytes.
static char *text_write(struct text *x, const uint8_t **blob, char *out)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < x->pieces_n; i++) {
        const struct piece *p = &x->pieces[i];
        out = copy_ahead(out, p->literal, p->len);
        switch (p->slot) {
        case SLOT_NUMBER:
        case SLOT_PADDED:
            out = write_number(out, x->numbers[(size_t)number++ * x->rows + x->done], p->more);
            break;
        case SLOT_HEX:
            out = write_hex(out, *blob, p->more / 2u);
            *blob += p->more / 2u;
            break;
        case SLOT_UUID:
            out = write_uuid(out, *blob);
            *blob += 16;
            break;
        default:
            break;
        }
    }
    x->done++;
    return out;
}

// The form of a checked template: slots as the digits that they stand for.
static str text_form(const struct text *x, char *out)
{
    const uint8_t *p = (const uint8_t *)x->t.ptr, *end = p + x->t.len;
    size_t n = 0;
    while (p < end) {
        uint8_t c = *p++;
        switch (c) {
        case SLOT_PADDED:
        case SLOT_HEX:
            p++;
            // fall through
        case SLOT_NUMBER:
            out[n++] = '0';
            break;
        case ESCAPE:
            out[n++] = (char)*p++;
            break;
        case SLOT_UUID:
            memcpy(out + n, "0-0-0-0-0", 9);
            n += 9;
            break;
        default:
            out[n++] = (char)c;
        }
    }
    return str_of(out, n);
}

// Forms are worth asking about when many strings share them.
enum { FORMS_SHARED_BY = 4 };

static int ask_forms(struct text *texts, uint64_t t, const struct strings_wanted *wanted, struct arena *arena)
{
    for (uint64_t i = 0; i < t; i++) {
        char *form = arena_alloc_bytes(arena, texts[i].longest + 1);
        if (!form)
            return ERR_NOMEM;
        texts[i].unwanted = !wanted->may(wanted->ctx, text_form(&texts[i], form));
        arena->cur = (uint8_t *)form; // free again
    }
    return 0;
}

static int get_split_up(struct encode_in *in, str *s, uint32_t n, const struct strings_wanted *wanted,
                        struct arena *arena)
{
    uint64_t t, blobs = 0;
    int e = encode_varint_get(in, &t);
    if (e < 0 || t > n)
        return ERR_CORRUPT;
    struct text *texts = arena_alloc_array(arena, (size_t)t + 1, sizeof *texts);
    str *names = arena_alloc_array(arena, (size_t)t + 1, sizeof *names);
    uint64_t *index = arena_alloc_array(arena, (size_t)n + 1, sizeof *index);
    if (!texts || !names || !index)
        return ERR_NOMEM;
    if ((e = get_plain(in, names, (uint32_t)t, arena)) < 0 || (e = decode_ints(in, index, n, NULL, arena)) < 0)
        return e;
    for (uint32_t i = 0; i < t; i++) {
        texts[i] = (struct text){ .t = names[i] };
        if ((e = text_check(&texts[i])) < 0)
            return e;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (index[i] >= t)
            return ERR_CORRUPT;
        texts[index[i]].rows++;
        blobs += texts[index[i]].blob;
    }
    for (uint32_t i = 0; i < t; i++) {
        struct text *x = &texts[i];
        if (!(x->numbers = arena_alloc_array(arena, (size_t)x->slots * x->rows + 1, sizeof *x->numbers)))
            return ERR_NOMEM;
        for (uint32_t k = 0; k < x->slots; k++)
            if ((e = decode_ints(in, x->numbers + (size_t)k * x->rows, x->rows, NULL, arena)) < 0)
                return e;
    }
    if (blobs > (uint64_t)(in->end - in->p))
        return ERR_CORRUPT;
    const uint8_t *blob = in->p;
    in->p += blobs;
    if (wanted && t <= n / FORMS_SHARED_BY && (e = ask_forms(texts, t, wanted, arena)) < 0)
        return e;
    for (uint32_t i = 0; i < n; i++) {
        struct text *x = &texts[index[i]];
        if (x->unwanted) {
            s[i] = STR("");
            blob += x->blob;
            x->done++;
            continue;
        }
        if (!x->pieces && (e = text_pieces(x, arena)) < 0)
            return e;
        char *out = arena_alloc_bytes(arena, x->longest + COPY_AHEAD);
        if (!out)
            return ERR_NOMEM;
        char *end = text_write(x, &blob, out);
        s[i] = str_of(out, (size_t)(end - out));
        arena->cur = (uint8_t *)end; // the rest of the longest is free again
    }
    return 0;
}

int decode_strings(struct encode_in *in, str *s, uint32_t n, struct arena *arena)
{
    return decode_strings_wanted(in, s, n, NULL, arena);
}

int decode_strings_wanted(struct encode_in *in, str *s, uint32_t n, const struct strings_wanted *wanted,
                          struct arena *arena)
{
    if (in->p == in->end)
        return ERR_CORRUPT;
    if (*in->p == 0)
        return get_plain(in, s, n, arena);
    if (*in->p++ != 1)
        return ERR_CORRUPT;
    return get_split_up(in, s, n, wanted, arena);
}
