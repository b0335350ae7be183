// The program: one binary, its first word says what it does.
#include "main/command.h"

#include <locale.h>
#include <stdio.h>

extern char **environ;

int main(int argc, char **argv)
{
    int status = command_main(argc - 1, argv + 1, environ);
    if (fflush(stdout) != 0 && status == EXIT_DONE)
        status = EXIT_FAILED; // "printed" is a promise to the script that reads it
    return status;
}
