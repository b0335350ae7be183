// Access to the generated tables (unicode_tables.c); cp must be <= UNICODE_MAX.
#pragma once
#include <stdint.h>

enum { UNICODE_CLASS_TOKEN = 1, UNICODE_CLASS_SINGLE = 2, UNICODE_CLASS_LETTER = 4 };

uint8_t unicode_class(uint32_t cp);
int32_t unicode_fold_delta(uint32_t cp);
int32_t unicode_upper_delta(uint32_t cp);
int32_t unicode_lower_delta(uint32_t cp);
