// Errors and names that are nobody's fault, known the world over.
#include "filters/filters_internal.h"

static bool is_word(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

static bool has_folded(str s, str word)
{
    for (size_t i = 0; i + word.len <= s.len; i++)
        if ((s.ptr[i] | 0x20) == word.ptr[0] && str_ieq(str_slice(s, i, i + word.len), word))
            return true;
    return false;
}

// "GET /api/healthz", "app.views.ping": by the name's last word, or by one that says it all.
bool filters_is_health_check(str transaction)
{
    static const str last[] = { STR_INIT("health"), STR_INIT("healthz"), STR_INIT("live"),      STR_INIT("livez"),
                                STR_INIT("ready"),  STR_INIT("readyz"),  STR_INIT("readiness"), STR_INIT("liveness"),
                                STR_INIT("ping"),   STR_INIT("up"),      STR_INIT("alive") };
    static const str any[] = { STR_INIT("healthcheck"), STR_INIT("health-check"), STR_INIT("health_check"),
                               STR_INIT("heartbeat"), STR_INIT("healthy") };
    size_t end = transaction.len;
    while (end && !is_word(transaction.ptr[end - 1]))
        end--;
    size_t from = end;
    while (from && is_word(transaction.ptr[from - 1]))
        from--;
    str word = str_slice(transaction, from, end);
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        if (str_ieq(word, last[i]))
            return true;
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        if (has_folded(transaction, any[i]))
            return true;
    return false;
}

// What React's production build says: a page about one of these errors.
bool filters_is_hydration(str value)
{
    static const str pages[] = { STR_INIT("https://reactjs.org/docs/error-decoder.html?invariant="),
                                 STR_INIT("https://react.dev/errors/") };
    static const str numbers[] = { STR_INIT("418"), STR_INIT("419"), STR_INIT("421"),
                                   STR_INIT("422"), STR_INIT("423"), STR_INIT("425") };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        ptrdiff_t at = str_find(value, pages[i]);
        str rest = at < 0 ? (str){ 0 } : str_slice(value, (size_t)at + pages[i].len, value.len);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0] && rest.len; k++)
            if (str_starts(rest, numbers[k]) && (rest.len == 3 || !is_word(rest.ptr[3])))
                return true;
    }
    return false;
}

bool filters_is_chunk_load(str type, str value)
{
    static const str rejected = STR_INIT("Uncaught (in promise): ChunkLoadError");
    static const str name = STR_INIT("ChunkLoadError: ");
    if (str_eq(type, STR("Error")) && str_starts(value, rejected))
        return true;
    if (has_folded(type, STR("uncaught")) && str_starts(value, name))
        value = str_slice(value, name.len, value.len);
    else if (!str_eq(type, STR("ChunkLoadError")))
        return false;
    return str_starts(value, STR("Loading chunk ")) || str_starts(value, STR("Failed to load chunk "));
}

bool filters_is_extension(str value, str source)
{
    static const str values[] = {
        STR_INIT("Extension context invalidated"),
        STR_INIT("can't access dead object"),
        STR_INIT("webkit-masked-url"),
        STR_INIT("_gCrWeb"),
        STR_INIT("top.GLOBALS"),
        STR_INIT("originalCreateNotification"),
        STR_INIT("canvas.contentDocument"),
        STR_INIT("MyApp_RemoveAllHighlights"),
        STR_INIT("atomicFindClose"),
        STR_INIT("fb_xd_fragment"),
        STR_INIT("bmi_SafeAddOnload"),
        STR_INIT("EBCallBackMessageReceived"),
        STR_INIT("conduitPage"),
        STR_INIT("(evaluating 'elt.parentNode')"),
        STR_INIT("plugin.setSuspendState is not a function"),
    };
    static const str schemes[] = { STR_INIT("chrome-extension://"),     STR_INIT("chrome://"),
                                   STR_INIT("moz-extension://"),        STR_INIT("safari-extension://"),
                                   STR_INIT("safari-web-extension://"), STR_INIT("webkit-masked-url:") };
    static const str hosts[] = { STR_INIT("kaspersky-labs.com"), STR_INIT("connect.facebook.net"),
                                 STR_INIT("graph.facebook.com") };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (str_find(value, values[i]) >= 0)
            return true;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_starts(source, schemes[i]))
            return true;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (str_find(source, hosts[i]) >= 0)
            return true;
    return false;
}
