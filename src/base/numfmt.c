#include "base/numfmt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fmt_double(char out[32], double v)
{
    if (isnan(v)) {
        memcpy(out, "nan", 4);
        return 3;
    }
    if (v == trunc(v) && fabs(v) < 1e15) { // most doubles seen are whole: skip the search below
        if (v == 0 && signbit(v)) {
            memcpy(out, "-0", 3);
            return 2;
        }
        return snprintf(out, 32, "%lld", (long long)v);
    }
    // 15 digits always survive text -> double -> text for normal numbers, so %.15g without trailing
    // zeros is the shortest if it reads back; subnormals have fewer digits and start from 1.
    int digits = fabs(v) < 2.3e-308 ? 1 : 15, n;
    do
        n = snprintf(out, 32, "%.*g", digits, v);
    while (digits++ < 17 && strtod(out, NULL) != v);
    return n;
}
