// Numbers as text, the same in every output: the shortest decimal that reads back as the same double.
#pragma once

// Writes "1.5", "1e+21", "-0", "nan", "inf" or "-inf" with a NUL and returns its length (< 32).
int fmt_double(char out[32], double v);
