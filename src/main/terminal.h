// What standard output is.
#pragma once
#include <stdbool.h>
#include <stddef.h>

bool terminal_is(void);
// Columns; 0 when it is no terminal.
size_t terminal_width(void);
// Colours are wanted: a terminal, and neither NO_COLOR nor TERM=dumb says otherwise.
bool terminal_colours(void);
