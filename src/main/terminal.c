#include "main/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is(void) { return isatty(STDOUT_FILENO) == 1; }

size_t terminal_width(void)
{
    struct winsize size;
    if (!terminal_is() || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col;
}

bool terminal_colours(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return terminal_is() && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}
