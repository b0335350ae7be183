// RE2 behind a C face. RE2 matches in time linear in the text for every pattern (automata, never
// backtracking); what it does not do as the language says is done here: \C is refused, the program's
// size is capped, and invalid UTF-8 in a text is seen as U+FFFD.
#include "query/regex.h"

#include <re2/re2.h>

#include <new>
#include <string>

extern "C" {
#include "base/err.h"
#include "base/mem.h"
}

struct query_regex {
    re2::RE2 re;
    std::string prefix;
    explicit query_regex(const re2::StringPiece &pattern, const RE2::Options &options) : re(pattern, options) {}
};

namespace
{

// Length of the well-formed character at p, 0 when there is none (see base/utf8.h, which is C only).
size_t char_len(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (n == 0 || left < n)
        return 0;
    unsigned char lo = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80, hi = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

size_t valid_prefix(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t word;
        if (n - i >= 8 && (memcpy(&word, p + i, 8), !(word & 0x8080808080808080u))) {
            i += 8;
            continue;
        }
        size_t len = char_len(reinterpret_cast<const unsigned char *>(p + i), n - i);
        if (len == 0)
            break;
        i += len;
    }
    return i;
}

// Bytes of the maximal invalid subsequence at p: the lead and what could have followed it.
size_t invalid_len(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    size_t n = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 1;
    unsigned char lo = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80, hi = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    size_t i = 1;
    for (; i < n && i < left && p[i] >= lo && p[i] <= hi; i++)
        lo = 0x80, hi = 0xBF;
    return i;
}

// The text with U+FFFD for what is invalid, in the scratch; false when there is no memory.
bool sanitize(str text, struct query_regex_scratch *scratch, str *ret)
{
    size_t most = text.len * 3;
    if (scratch->cap < most) {
        char *p = static_cast<char *>(mem_realloc(scratch->ptr, most));
        if (!p)
            return false;
        scratch->ptr = p;
        scratch->cap = most;
    }
    size_t n = 0;
    for (size_t i = 0; i < text.len;) {
        size_t good = valid_prefix(text.ptr + i, text.len - i);
        memcpy(scratch->ptr + n, text.ptr + i, good);
        n += good;
        i += good;
        if (i == text.len)
            break;
        memcpy(scratch->ptr + n, "\xEF\xBF\xBD", 3);
        n += 3;
        i += invalid_len(reinterpret_cast<const unsigned char *>(text.ptr + i), text.len - i);
    }
    ret->ptr = scratch->ptr;
    ret->len = n;
    return true;
}

int fail(struct query_regex_error *err, enum query_regex_fault fault, size_t off, size_t len, const char *message)
{
    err->fault = fault;
    err->off = off;
    err->len = len;
    snprintf(err->message, sizeof err->message, "%s", message);
    return fault == QUERY_REGEX_NOMEM ? ERR_NOMEM : fault == QUERY_REGEX_TOO_BIG ? ERR_LIMIT : ERR_INVALID;
}

// Walks the pattern as RE2 reads it: finds \C, and the place of an unbalanced parenthesis or bracket.
struct walk {
    ptrdiff_t any_byte = -1; // \C
    ptrdiff_t open = -1;     // innermost ( that is not closed
    ptrdiff_t close = -1;    // ) that closes nothing
    ptrdiff_t bracket = -1;  // [ that is not closed
};

walk walk_pattern(str p)
{
    walk w;
    ptrdiff_t stack[QUERY_REGEX_TEXT_MAX];
    size_t depth = 0;
    bool quoted = false; // \Q..\E
    for (size_t i = 0; i < p.len; i++) {
        char c = p.ptr[i];
        if (c == '\\' && i + 1 < p.len) {
            char next = p.ptr[++i];
            if (quoted)
                quoted = next != 'E';
            else if (next == 'Q' && w.bracket < 0)
                quoted = true;
            else if (next == 'C' && w.any_byte < 0)
                w.any_byte = static_cast<ptrdiff_t>(i) - 1;
        } else if (quoted) {
            continue;
        } else if (w.bracket >= 0) {
            // A ] right behind [ or [^ is itself; [:class:] ends with its own.
            size_t from = static_cast<size_t>(w.bracket) + 1;
            from += from < p.len && p.ptr[from] == '^';
            if (c == '[' && i + 1 < p.len && p.ptr[i + 1] == ':') {
                ptrdiff_t end = str_find(str_slice(p, i + 2, p.len), str_of(":]", 2));
                if (end >= 0)
                    i += static_cast<size_t>(end) + 3;
            } else if (c == ']' && i > from) {
                w.bracket = -1;
            }
        } else if (c == '[') {
            w.bracket = static_cast<ptrdiff_t>(i);
        } else if (c == '(') {
            stack[depth++] = static_cast<ptrdiff_t>(i);
        } else if (c == ')') {
            if (depth > 0)
                depth--;
            else if (w.close < 0)
                w.close = static_cast<ptrdiff_t>(i);
        }
    }
    if (depth > 0)
        w.open = stack[depth - 1];
    return w;
}

// RE2 names the fragment that it did not like; where it stands is ours to find.
int bad_pattern(const re2::RE2 &re, str pattern, struct query_regex_error *err)
{
    walk w = walk_pattern(pattern);
    switch (re.error_code()) {
    case RE2::ErrorPatternTooLarge:
        return fail(err, QUERY_REGEX_TOO_BIG, 0, pattern.len, "the pattern needs too many states");
    case RE2::ErrorMissingParen:
        if (w.open >= 0)
            return fail(err, QUERY_REGEX_BAD, static_cast<size_t>(w.open), 1, "the parenthesis is not closed");
        break;
    case RE2::ErrorUnexpectedParen:
        if (w.close >= 0)
            return fail(err, QUERY_REGEX_BAD, static_cast<size_t>(w.close), 1, "the parenthesis closes nothing");
        break;
    case RE2::ErrorMissingBracket:
        if (w.bracket >= 0)
            return fail(err, QUERY_REGEX_BAD, static_cast<size_t>(w.bracket), 1, "the bracket is not closed");
        break;
    default:
        break;
    }
    const std::string &arg = re.error_arg();
    ptrdiff_t at = str_find(pattern, str_of(arg.data(), arg.size()));
    size_t off = at < 0 ? 0 : static_cast<size_t>(at);
    // "(?=": say what is wrong with it, people know it from other engines.
    if (arg.size() >= 3 && arg[0] == '(' && arg[1] == '?' && (arg[2] == '=' || arg[2] == '!' || arg[2] == '<'))
        return fail(err, QUERY_REGEX_BAD, off, arg.size(), "there is no look-around");
    if (arg.size() == 2 && arg[0] == '\\' && arg[1] >= '1' && arg[1] <= '9')
        return fail(err, QUERY_REGEX_BAD, off, arg.size(), "there are no back-references");
    return fail(err, QUERY_REGEX_BAD, off, at < 0 ? pattern.len : arg.size(), re.error().c_str());
}

} // namespace

extern "C" int query_regex_new(str pattern, struct query_regex **ret_re, struct query_regex_error *ret_err)
{
    if (pattern.len > QUERY_REGEX_TEXT_MAX)
        return fail(ret_err, QUERY_REGEX_TOO_BIG, QUERY_REGEX_TEXT_MAX, pattern.len - QUERY_REGEX_TEXT_MAX,
                    "the pattern is longer than 1 KiB");
    walk w = walk_pattern(pattern);
    if (w.any_byte >= 0)
        return fail(ret_err, QUERY_REGEX_BAD, static_cast<size_t>(w.any_byte), 2,
                    "there is no \\C: patterns match characters, not bytes");
    try {
        RE2::Options options;
        options.set_log_errors(false);
        query_regex *re = new query_regex(re2::StringPiece(pattern.ptr, pattern.len), options);
        if (!re->re.ok()) {
            int r = bad_pattern(re->re, pattern, ret_err);
            delete re;
            return r;
        }
        if (re->re.ProgramSize() > QUERY_REGEX_STATES_MAX || re->re.ReverseProgramSize() > QUERY_REGEX_STATES_MAX) {
            delete re;
            return fail(ret_err, QUERY_REGEX_TOO_BIG, 0, pattern.len, "the pattern needs more than 4,000 states");
        }
        // A range of values that matches may begin with; equal ends up to a point are a prefix.
        std::string low, high;
        if (pattern.len && pattern.ptr[0] == '^' && re->re.PossibleMatchRange(&low, &high, 64)) {
            size_t n = 0;
            // (not U+FFFD: in the text it may be any invalid byte)
            while (n < low.size() && n < high.size() && low[n] == high[n] && low[n] != '\xEF')
                n++;
            re->prefix = low.substr(0, n);
        }
        *ret_re = re;
        return 0;
    } catch (const std::bad_alloc &) {
        return fail(ret_err, QUERY_REGEX_NOMEM, 0, pattern.len, "no memory for the pattern");
    }
}

extern "C" void query_regex_free(struct query_regex *re) { delete re; }

extern "C" bool query_regex_match(const struct query_regex *re, str text)
{
    if (valid_prefix(text.ptr, text.len) == text.len)
        return re->re.Match(re2::StringPiece(text.ptr, text.len), 0, text.len, RE2::UNANCHORED, nullptr, 0);
    struct query_regex_scratch scratch = { nullptr, 0 };
    str clean;
    bool found = sanitize(text, &scratch, &clean) &&
                 re->re.Match(re2::StringPiece(clean.ptr, clean.len), 0, clean.len, RE2::UNANCHORED, nullptr, 0);
    mem_free(scratch.ptr);
    return found;
}

extern "C" bool query_regex_find(const struct query_regex *re, str text, str *ret_groups, int groups,
                                 struct query_regex_scratch *scratch)
{
    str clean = text;
    if (valid_prefix(text.ptr, text.len) != text.len && !sanitize(text, scratch, &clean))
        return false;
    enum { GROUPS_MAX = 64 };
    re2::StringPiece found[GROUPS_MAX];
    int n = groups < GROUPS_MAX ? groups : GROUPS_MAX, have = 1 + re->re.NumberOfCapturingGroups();
    if (!re->re.Match(re2::StringPiece(clean.ptr, clean.len), 0, clean.len, RE2::UNANCHORED, found,
                      n < have ? n : have))
        return false;
    for (int i = 0; i < groups; i++) {
        ret_groups[i].ptr = i < n && i < have ? found[i].data() : nullptr;
        ret_groups[i].len = i < n && i < have ? found[i].size() : 0;
    }
    return true;
}

extern "C" int query_regex_group_count(const struct query_regex *re) { return re->re.NumberOfCapturingGroups(); }

extern "C" str query_regex_group_name(const struct query_regex *re, int group)
{
    const auto &names = re->re.CapturingGroupNames();
    auto at = names.find(group);
    return at == names.end() ? str_of("", 0) : str_of(at->second.data(), at->second.size());
}

extern "C" str query_regex_prefix(const struct query_regex *re) { return str_of(re->prefix.data(), re->prefix.size()); }
