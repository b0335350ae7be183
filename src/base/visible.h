// Foreign text where it could do more than be read: on a terminal, in a mail, in a JSON answer that somebody looks at.
#pragma once
#include "base/buf.h"

// Neither drawn nor harmless: C0, C1, bidirectional controls (they turn the order of the text behind them, too), line
// separators, tags.
static inline bool visible_is_control(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c || cp == 0x200e || cp == 0x200f ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff ||
           (cp >= 0xe0000 && cp <= 0xe007f);
}

// Control characters, escape sequences, bidirectional overrides and invalid UTF-8 become visible escapes
// (\n, \t, \x1b, \u202e); everything else is kept. Foreign text never reaches a terminal another way.
void visible_escape(struct buf *out, str s);
