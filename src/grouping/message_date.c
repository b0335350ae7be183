// Forms of dates, each a line in a small notation:
//   d a digit, D 0-3, o 0-1, h 0-2, n 0-5; 2 one or two digits, 4 two to four; f a fraction
//   w Mon, W Mon or Monday, m Jan; z a zone or an offset, Z a zone; g an offset of hours and minutes with or without a colon, or Z
//   ' ' one space, _ spaces; ~x: x or nothing; anything else is itself
#include "grouping/message.h"

static const char days[] = "SunMonTueWedThuFriSat";
static const char days_rest[7][8] = { "day", "day", "sday", "nesday", "rsday", "day", "urday" };
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static bool digit(str s, size_t i, char max) { return i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= max; }

static size_t digits(str s, size_t i, size_t most)
{
    size_t n = 0;
    while (n < most && digit(s, i + n, '9'))
        n++;
    return n;
}

// Which of the three-letter words stands at i; -1: none.
static int word3(str s, size_t i, const char *words)
{
    if (i + 3 > s.len)
        return -1;
    for (int k = 0; words[k]; k += 3)
        if (memcmp(words + k, s.ptr + i, 3) == 0)
            return k / 3;
    return -1;
}

static size_t zone(str s, size_t i)
{
    str rest = str_slice(s, i, s.len);
    if (str_starts(rest, STR("UT")))
        return 2;
    if (str_starts(rest, STR("GMT")))
        return 3;
    if (rest.len >= 3 && memchr("ECMP", rest.ptr[0], 4) && (rest.ptr[1] == 'S' || rest.ptr[1] == 'D') &&
        rest.ptr[2] == 'T')
        return 3;
    return rest.len && rest.ptr[0] >= 'A' && rest.ptr[0] <= 'Z' && rest.ptr[0] != 'J';
}

static bool sign(str s, size_t i) { return i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'); }

static size_t offset(str s, size_t i)
{
    if (i < s.len && s.ptr[i] == 'Z')
        return 1;
    if (!sign(s, i) || !digit(s, i + 1, '2') || !digit(s, i + 2, '9'))
        return 0;
    size_t k = i + 3;
    if (k < s.len && s.ptr[k] == ':')
        k++;
    return digit(s, k, '5') && digit(s, k + 1, '9') ? k + 2 - i : 0;
}

// Length of one letter of a form at i, 0 when it is not there.
static size_t part(str s, size_t i, char form)
{
    int k;
    size_t n;
    switch (form) {
    case 'd':
        return digit(s, i, '9');
    case 'D':
        return digit(s, i, '3');
    case 'o':
        return digit(s, i, '1');
    case 'h':
        return digit(s, i, '2');
    case 'n':
        return digit(s, i, '5');
    case '2':
        return digits(s, i, 2);
    case '4':
        n = digits(s, i, 4);
        return n >= 2 ? n : 0;
    case 'f':
        n = i < s.len && s.ptr[i] == '.' ? digits(s, i + 1, s.len) : 0;
        return n ? n + 1 : 0;
    case 'w':
        return word3(s, i, days) < 0 ? 0 : 3;
    case 'W':
        k = word3(s, i, days);
        if (k < 0)
            return 0;
        return 3 + (str_starts(str_slice(s, i + 3, s.len), str_z(days_rest[k])) ? strlen(days_rest[k]) : 0);
    case 'm':
        return word3(s, i, months) < 0 ? 0 : 3;
    case 'z':
        if (sign(s, i))
            return digit(s, i + 1, '9') && digit(s, i + 2, '9') && digit(s, i + 3, '5') && digit(s, i + 4, '9') ? 5 : 0;
        return zone(s, i);
    case 'Z':
        return zone(s, i);
    case 'g':
        return offset(s, i);
    case ' ':
        return message_space_at(s, i);
    case '_':
        for (n = 0; message_space_at(s, i + n);)
            n += message_space_at(s, i + n);
        return n;
    default:
        return i < s.len && s.ptr[i] == form;
    }
}

static size_t form_match(str s, size_t i, const char *form)
{
    for (; *form; form++) {
        bool optional = *form == '~';
        form += optional;
        size_t n = part(s, i, *form);
        if (!n && !optional)
            return 0;
        i += n;
    }
    return i;
}

static bool digit_before(str s, size_t i) { return i && digit(s, i - 1, '9'); }

// 11:21, 12:31:12 pm, 09:08: no digit before, none and no colon behind.
static size_t clock_time(str s, size_t i)
{
    size_t n = digits(s, i, 3), k = i + n;
    if (digit_before(s, i) || n == 0 || n > 2 || !(k < s.len && s.ptr[k] == ':'))
        return 0;
    int hour = n == 1 ? s.ptr[i] - '0' : (s.ptr[i] - '0') * 10 + s.ptr[i + 1] - '0';
    if (hour > 23 || !(k = form_match(s, k, ":nd")))
        return 0;
    size_t seconds = form_match(s, k, ":nd");
    k = seconds ? seconds : k;
    if (digit(s, k, '9') || (k < s.len && s.ptr[k] == ':'))
        return 0;
    bool leading_zero = n == 2 && s.ptr[i] == '0';
    if (hour < 1 || hour > 12 || leading_zero)
        return k;
    size_t half = k + message_space_at(s, k);
    bool am = half + 1 < s.len && memchr("aApP", s.ptr[half], 4) && (s.ptr[half + 1] | 0x20) == 'm';
    return am ? half + 2 : k;
}

static size_t by_digit(str s, size_t i)
{
    static const char *const forms[] = { "dddd~-od~-Dd hd~:nd~:ndfg", "dddd~-od~-DdThd~:nd~:ndfg",
                                         "dddd~-od~-Dd hd~:nd~:ndg",  "dddd~-od~-DdThd~:nd~:ndg",
                                         "dddd~-od~-Dd hd~:ndg",      "dddd~-od~-DdThd~:ndg",
                                         "dddd~-od~-Dd hd~:nd~:ndf",  "dddd~-od~-DdThd~:nd~:ndf",
                                         "dddd~-od~-Dd hd~:nd~:nd",   "dddd~-od~-DdThd~:nd~:nd",
                                         "dddd~-od~-Dd hd~:nd",       "dddd~-od~-DdThd~:nd" };
    size_t end = 0, more;
    if (digits(s, i, 4) == 4) {
        end = form_match(s, i, "dddd-dd-ddTdd:dd:dd~f~Z");
        if (end) {
            size_t zone_at = end + sign(s, end);
            more = form_match(s, zone_at, "dd:dd");
            return more ? more : end;
        }
        if (!form_match(s, i, "dddd~-od~-Dd"))
            return 0;
        for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++)
            if ((end = form_match(s, i, forms[k])))
                return end;
        return form_match(s, i, "dddd-od-Dd");
    }
    if ((end = clock_time(s, i)))
        return end;
    // 02 Jan 2006 15:04 MST
    if (message_word_before(s, i) || !(end = form_match(s, i, "2_m_dddd_hd:nd")) ||
        (!digit_before(s, i) && s.ptr[i] > '3' && digit(s, i + 1, '9')))
        return 0;
    more = form_match(s, end, ":dd");
    return form_match(s, more ? more : end, "_z");
}

static size_t by_letter(str s, size_t i)
{
    static const char *const forms[] = { "w, 2 m 4 2:2:2 z", "w, 2 m 4 2:2 z", "w m Dd, 4", "m Dd, 4",
                                         "W, dd-m-dd dd:dd:dd Z" };
    size_t end, more;
    for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++)
        if ((end = form_match(s, i, forms[k])))
            return end;
    if ((end = form_match(s, i, "w m dd dddd dd:dd:dd GMT")) && sign(s, end) && digits(s, end + 1, 4) == 4) {
        end += 5;
        more = message_space_at(s, end);
        if (more && end + more < s.len && s.ptr[end + more] == '(') {
            ptrdiff_t close = str_find_char(s, ')', end + more + 1);
            if (close > (ptrdiff_t)(end + more + 1))
                return (size_t)close + 1;
        }
        return end;
    }
    if (message_word_before(s, i))
        return 0;
    if ((end = form_match(s, i, "w_m_2_dd:dd:dd_dddd")) || (end = form_match(s, i, "m_2_dd:dd:dd_dddd")))
        return end;
    if (!(end = form_match(s, i, "w,_2_m_dddd_hd:nd")))
        return 0;
    more = form_match(s, end, ":dd");
    return form_match(s, more ? more : end, "_z");
}

size_t message_date(str s, size_t i)
{
    char c = s.ptr[i];
    if (c >= '0' && c <= '9')
        return by_digit(s, i);
    if (c == 'd') {
        size_t end = i + sizeof "datetime.datetime(" - 1;
        if (!str_starts(str_slice(s, i, s.len), STR("datetime.datetime(")))
            return 0;
        ptrdiff_t close = str_find_char(s, ')', end), line = str_find_char(s, '\n', end);
        return close < 0 || (line >= 0 && line < close) ? 0 : (size_t)close + 1;
    }
    if (c < 'A' || c > 'W' || (word3(s, i, days) < 0 && word3(s, i, months) < 0))
        return 0;
    return by_letter(s, i);
}
