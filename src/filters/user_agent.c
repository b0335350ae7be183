#include "filters/user_agent.h"

static const struct {
    str name;
    int old;
} families[] = {
#define USER_AGENT_FAMILY(name, slug, old) { STR_INIT(slug), old },
    USER_AGENT_FAMILIES(USER_AGENT_FAMILY)
#undef USER_AGENT_FAMILY
};

str user_agent_family_name(enum user_agent_family family) { return families[family].name; }

bool user_agent_is_old(struct user_agent a)
{
    return a.family < USER_AGENT_FAMILIES_N && a.major >= 0 && a.major <= families[a.family].old;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// The number that a text begins with.
static int number_at(str s)
{
    int n = -1;
    for (size_t i = 0; i < s.len && i < 6 && is_digit(s.ptr[i]); i++)
        n = (n < 0 ? 0 : n * 10) + (s.ptr[i] - '0');
    return n;
}

// The version behind "Name/"; false: it is not named.
static bool version_of(str header, str name, int *ret_major)
{
    ptrdiff_t at = str_find(header, name);
    if (at < 0 || (at > 0 && is_letter(header.ptr[at - 1])))
        return false;
    *ret_major = number_at(str_slice(header, (size_t)at + name.len, header.len));
    return true;
}

static bool has(str header, str word) { return str_find(header, word) >= 0; }

static bool explorer_version(str header, int *ret_major)
{
    return version_of(header, STR("MSIE "), ret_major) || version_of(header, STR("IEMobile/"), ret_major) ||
           (has(header, STR("Trident/")) && version_of(header, STR("rv:"), ret_major));
}

// Browsers that call themselves Chrome or Safari, too, but count their own versions.
static bool is_other(str header)
{
    static const str others[] = { STR_INIT("SamsungBrowser/"), STR_INIT("YaBrowser/"), STR_INIT("Vivaldi/"),
                                  STR_INIT("UCBrowser/"),      STR_INIT("Seamonkey/"), STR_INIT("DuckDuckGo/"),
                                  STR_INIT("Electron/"),       STR_INIT("GSA/"),       STR_INIT("FxiOS/") };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (has(header, others[i]))
            return true;
    return false;
}

struct user_agent user_agent_read(str h)
{
    int v = -1;
    if (is_other(h))
        return (struct user_agent){ USER_AGENT_FAMILIES_N, -1 };
    if (version_of(h, STR("Opera Mini/"), &v))
        return (struct user_agent){ USER_AGENT_OPERA_MINI, v };
    if (version_of(h, STR("OPR/"), &v))
        return (struct user_agent){ USER_AGENT_OPERA, v };
    // "Opera/9.80 ... Version/12.16": the first number is always that.
    if (has(h, STR("Opera/")) && (version_of(h, STR("Version/"), &v) || version_of(h, STR("Opera/"), &v)))
        return (struct user_agent){ USER_AGENT_OPERA, v };
    if (explorer_version(h, &v))
        return (struct user_agent){ USER_AGENT_IE, v };
    if (version_of(h, STR("Edge/"), &v) || version_of(h, STR("Edg/"), &v) || version_of(h, STR("EdgA/"), &v) ||
        version_of(h, STR("EdgiOS/"), &v))
        return (struct user_agent){ USER_AGENT_EDGE, v };
    if (version_of(h, STR("Firefox/"), &v))
        return (struct user_agent){ USER_AGENT_FIREFOX, v };
    if (version_of(h, STR("Chrome/"), &v) || version_of(h, STR("HeadlessChrome/"), &v) ||
        version_of(h, STR("CriOS/"), &v))
        return (struct user_agent){ USER_AGENT_CHROME, v };
    if (version_of(h, STR("Android "), &v))
        return (struct user_agent){ USER_AGENT_ANDROID, v };
    if (has(h, STR("Safari/")) && version_of(h, STR("Version/"), &v))
        return (struct user_agent){ USER_AGENT_SAFARI, v };
    return (struct user_agent){ USER_AGENT_FAMILIES_N, -1 };
}

struct user_agent user_agent_named(str name, str version)
{
    static const struct {
        str name;
        enum user_agent_family family;
    } names[] = {
        { STR_INIT("Internet Explorer"), USER_AGENT_IE }, { STR_INIT("IE"), USER_AGENT_IE },
        { STR_INIT("IE Mobile"), USER_AGENT_IE },         { STR_INIT("Edge"), USER_AGENT_EDGE },
        { STR_INIT("Edge Mobile"), USER_AGENT_EDGE },     { STR_INIT("Microsoft Edge"), USER_AGENT_EDGE },
        { STR_INIT("Safari"), USER_AGENT_SAFARI },        { STR_INIT("Mobile Safari"), USER_AGENT_SAFARI },
        { STR_INIT("Firefox"), USER_AGENT_FIREFOX },      { STR_INIT("Firefox Mobile"), USER_AGENT_FIREFOX },
        { STR_INIT("Chrome"), USER_AGENT_CHROME },        { STR_INIT("Chrome Mobile"), USER_AGENT_CHROME },
        { STR_INIT("Google Chrome"), USER_AGENT_CHROME }, { STR_INIT("Opera"), USER_AGENT_OPERA },
        { STR_INIT("Opera Mobile"), USER_AGENT_OPERA },   { STR_INIT("Opera Mini"), USER_AGENT_OPERA_MINI },
        { STR_INIT("Android"), USER_AGENT_ANDROID },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_ieq(name, names[i].name))
            return (struct user_agent){ names[i].family, number_at(version) };
    return (struct user_agent){ USER_AGENT_FAMILIES_N, -1 };
}

static bool starts_folded(str s, str word) { return s.len >= word.len && str_ieq(str_slice(s, 0, word.len), word); }

// "...bot/", "...spider)", "...crawler": how most of them end a word of their name.
static bool ends_word(str header, size_t end)
{
    if (end < header.len && (header.ptr[end] | 0x20) == 's')
        end++;
    return end == header.len || header.ptr[end] == '/' || header.ptr[end] == ' ' || header.ptr[end] == ';' ||
           header.ptr[end] == ')' || header.ptr[end] == ',';
}

bool user_agent_is_crawler(str header)
{
    static const str kinds[] = { STR_INIT("bot"), STR_INIT("spider"), STR_INIT("crawler") };
    // Those that do not say so.
    static const str names[] = {
        STR_INIT("mediapartners-google"),
        STR_INIT("adsbot-google"),
        STR_INIT("feedfetcher-google"),
        STR_INIT("google-inspection"),
        STR_INIT("chrome-lighthouse"),
        STR_INIT("bingpreview"),
        STR_INIT("slurp"),
        STR_INIT("sogou"),
        STR_INIT("facebookexternalhit"),
        STR_INIT("meta-external"),
        STR_INIT("ia_archiver"),
        STR_INIT("slackbot"),
        STR_INIT("slack-imgproxy"),
        STR_INIT("pingdom"),
        STR_INIT("aws security scanner"),
        STR_INIT("uptimerobot"),
        STR_INIT("statuscake"),
        STR_INIT("prerender"),
        STR_INIT("whatsapp/"),
        STR_INIT("skypeuripreview"),
        STR_INIT("embedly"),
    };
    for (size_t i = 0; i < header.len; i++) {
        str rest = str_slice(header, i, header.len);
        char c = (char)(rest.ptr[0] | 0x20);
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            // Cubot makes telephones.
            if (c == kinds[k].ptr[0] && starts_folded(rest, kinds[k]) && ends_word(header, i + kinds[k].len) &&
                !(i >= 2 && str_ieq(str_slice(header, i - 2, i), STR("cu"))))
                return true;
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            if (c == names[k].ptr[0] && starts_folded(rest, names[k]))
                return true;
    }
    return false;
}
