// What a rule looks for inside texts.
#include "filters/scrub_internal.h"

#define OCTET "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)"

const struct scrub_type scrub_anything = { .name = STR_INIT("anything") };
const struct scrub_type scrub_password = { .name = STR_INIT("password") };
const struct scrub_type scrub_card = { STR_INIT("creditcard"), NULL, 0, true };

static const struct scrub_type types[] = {
    { STR_INIT("ip"),
      "\\b(?:" OCTET "\\.){3}" OCTET "\\b|\\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\\b|"
      "\\b(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\\b|\\b(?:[0-9a-fA-F]{1,4}:){1,7}:|"
      "::(?:[0-9a-fA-F]{1,4}:){0,5}(?:" OCTET "\\.){3}" OCTET
      "\\b|::(?:[0-9a-fA-F]{1,4}:){1,6}[0-9a-fA-F]{1,4}\\b|::1\\b",
      0, false },
    { STR_INIT("email"), "[a-zA-Z0-9.!#$%&'*+/=?^_{|}~-]+@[a-zA-Z0-9-]+(?:\\.[a-zA-Z0-9-]+)+", '@', false },
    { STR_INIT("usssn"), "\\b\\d{3}-\\d{2}-\\d{4}\\b", '-', true },
    { STR_INIT("iban"), "\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\\b", 0, true },
    { STR_INIT("imei"), "\\b\\d{2}-?\\d{6}-?\\d{6}-?\\d{1,2}\\b", 0, true },
    { STR_INIT("mac"), "\\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\\b", 0, false },
    { STR_INIT("uuid"), "\\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\\b", '-',
      false },
    { STR_INIT("userpath"), "(?i:[a-z]:\\\\(?:users|documents and settings)\\\\|/(?:home|users)/)([^/\\\\\\s:]+)", 0,
      false },
    { STR_INIT("pemkey"), "-----BEGIN [A-Z ]+ KEY-----([^-]+)", '-', false },
    { STR_INIT("urlauth"), "//([^/?#\\s@:]*:[^/?#\\s@]+)@", '@', false },
    { STR_INIT("bearer"), "(?i:\\bbearer)\\s+([a-zA-Z0-9._~+/=-]{4,})", 0, false },
};

const struct scrub_type *scrub_type_find(str name)
{
    static const struct scrub_type *const others[] = { &scrub_anything, &scrub_password, &scrub_card };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (str_eq(others[i]->name, name))
            return others[i];
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq(types[i].name, name))
            return &types[i];
    return NULL;
}
