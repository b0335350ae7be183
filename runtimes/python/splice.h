// A copy of a code object in which functions of ours are called at the beginning of a line, before what is returned leaves the function, and
// when an exception leaves it: CPython 3.11, whose jumps are relative and whose location and exception tables are told below. Everything
// else in the copy is as it was: constants get one more at the end for each, the stack room for the call.
//
// LINE inserts  PUSH_NULL; LOAD_CONST callee; PRECALL 0; CALL 0; POP_TOP : it leaves the stack as it found it, so it may stand between any two
// instructions that are not a pair for the interpreter. Jumps to the instruction behind it come to the insertion. RETURN inserts the same with a
// COPY of the value that is about to be returned, which stays where it is. RAISE adds a handler behind the end, with the same of the exception and
// RERAISE 1, which gives the frame back the place it was raised at: it is entered for all of the body that no handler stands for yet, so the
// program's own come first, and traceback and lines are as they were.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
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
#endif
