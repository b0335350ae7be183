#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/user_agent.h"

static void is(const char *header, enum user_agent_family family, int major)
{
    struct user_agent a = user_agent_read(str_z(header));
    if (a.family != family || a.major != major)
        print_error("%s\n", header);
    assert_int_equal(a.family, family);
    assert_int_equal(a.major, major);
}

// As browsers send them; each calls itself what came before it, too.
static void families_and_versions(void **state)
{
    is("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", USER_AGENT_IE, 8);
    is("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", USER_AGENT_IE, 11);
    is("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 "
       "Safari/537.36 Edge/18.17763",
       USER_AGENT_EDGE, 18);
    is("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
       "Safari/537.36 Edg/131.0.0.0",
       USER_AGENT_EDGE, 131);
    is("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", USER_AGENT_FIREFOX, 133);
    is("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
       USER_AGENT_CHROME, 131);
    is("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
       "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
       USER_AGENT_CHROME, 126);
    is("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6.1 "
       "Safari/605.1.15",
       USER_AGENT_SAFARI, 15);
    is("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 "
       "OPR/106.0.0.0",
       USER_AGENT_OPERA, 106);
    is("Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16", USER_AGENT_OPERA, 12);
    is("Opera/9.80 (Android; Opera Mini/7.6.40234/191.282; U; en) Presto/2.12.423 Version/12.16", USER_AGENT_OPERA_MINI,
       7);
    is("Mozilla/5.0 (Linux; U; Android 2.3.5; en-us; HTC) AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 Mobile "
       "Safari/533.1",
       USER_AGENT_ANDROID, 2);
    is("Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/21.0 "
       "Chrome/110.0.5481.154 "
       "Mobile Safari/537.36",
       USER_AGENT_FAMILIES_N, -1);
    is("curl/8.5.0", USER_AGENT_FAMILIES_N, -1);
    is("", USER_AGENT_FAMILIES_N, -1);
}

static void old_ones(void **state)
{
    assert_true(user_agent_is_old((struct user_agent){ USER_AGENT_CHROME, 110 }));
    assert_false(user_agent_is_old((struct user_agent){ USER_AGENT_CHROME, 111 }));
    assert_false(user_agent_is_old((struct user_agent){ USER_AGENT_CHROME, -1 }));
    assert_false(user_agent_is_old((struct user_agent){ USER_AGENT_FAMILIES_N, 1 }));
    struct user_agent a = user_agent_named(STR("Mobile Safari"), STR("14.1"));
    assert_true(a.family == USER_AGENT_SAFARI && a.major == 14);
    assert_int_equal(user_agent_named(STR("Netscape"), STR("4")).family, USER_AGENT_FAMILIES_N);
}

static void crawlers(void **state)
{
    static const char *const yes[] = {
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        "facebookexternalhit/1.1",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "SomeBot",
        "acme-crawler (x)",
    };
    static const char *const no[] = {
        "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "robotics/1.0",
        "",
    };
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(user_agent_is_crawler(str_z(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(user_agent_is_crawler(str_z(no[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_and_versions),
        cmocka_unit_test(old_ones),
        cmocka_unit_test(crawlers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
