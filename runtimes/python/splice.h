// A copy of a code object in which functions of ours are called at the beginning of a line, before what is returned leaves the function, and
// when an exception leaves it: CPython up to 3.11. Everything else in the copy is as it was: constants get one more at the end for each, the stack
// room for the call, and the tables of lines and handlers say of the moved code what they said. It may stand between any two instructions that are no
// pair for the interpreter; jumps to the instruction behind it come to the insertion.
//
// splice.c is for 3.11, with its relative jumps and its table of handlers; splice_blocks.c for the versions before, with absolute jumps and blocks.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000
#include <stdbool.h>
#define CLEW_SPLICE 1

enum splice_where { SPLICE_LINE, SPLICE_RETURN, SPLICE_RAISE };

struct splice_site {
    int line; // LINE: where this one begins; 0: at the entry of the function
    PyObject *
        callee; // called without arguments, or with the value; what it returns is dropped. Borrowed (the copy refers to it)
    enum splice_where where;
};

// New reference; NULL with *ret_places 0 when no instruction begins such a line, or with an error set. n: sites of this code.
PyCodeObject *splice_code(PyCodeObject *code, const struct splice_site *sites, size_t n, size_t *ret_places);
// Whether a RAISE may be among them.
bool splice_has_room(PyCodeObject *code);
#endif
