// The values of a field, counted in two sets of rows, and what the difference of two shares proves.
#include "model.h"

#include "base/must.h"

#include <math.h>
#include <string.h>

int model_count(struct model *m, const struct model_record *const *rows, int rows_n, const bool *in, const char *field,
                struct model_counted *out, int with[2])
{
    int n = 0;
    with[0] = with[1] = 0;
    for (int i = 0; i < rows_n; i++) {
        struct model_value v = model_field(m, rows[i], field), one[1] = { v };
        const struct model_value *e = v.t == M_LIST ? v.e : one;
        int e_n = v.t == M_LIST ? v.n : v.t != M_NONE, set = in && !in[i], from = n;
        with[set] += v.t != M_NONE;
        for (int k = 0; k < e_n && v.t != M_MAP; k++) {
            bool twice = false;
            for (int j = 0; j < k; j++)
                twice |= model_order(&e[j], &e[k]) == 0;
            int at = 0;
            while (at < n && model_order(&out[at].v, &e[k]) != 0)
                at++;
            if (at == n)
                out[n++] = (struct model_counted){ e[k], { 0, 0 } };
            out[at].count[set] += !twice;
        }
        must(n - from <= 8);
    }
    return n;
}

int model_order_counted(const void *pa, const void *pb)
{
    const struct model_counted *a = pa, *b = pb;
    return a->count[0] != b->count[0] ? b->count[0] - a->count[0] : model_order(&a->v, &b->v);
}

// Wilson's bounds as the roots of (p - x)^2 = z^2 x (1 - x) / n.
static double wilson(double k, double n, int side)
{
    double z2 = 1.959963984540054 * 1.959963984540054, p = k / n;
    double a = 1 + z2 / n, b = -2 * p - z2 / n, c = p * p;
    return (-b + side * sqrt(fmax(0, b * b - 4 * a * c))) / (2 * a);
}

double model_score(double in, double in_n, double out, double out_n)
{
    double p = in / in_n, r = out / out_n;
    double lo = p - r - hypot(p - wilson(in, in_n, -1), wilson(out, out_n, 1) - r);
    double hi = p - r + hypot(wilson(in, in_n, 1) - p, r - wilson(out, out_n, -1));
    return round((lo > 1e-12 ? lo : hi < -1e-12 ? hi : 0) * 1e12) / 1e12;
}
