// A copy of a code object in which a function of ours is called at the beginning of a line: CPython 3.11, whose jumps are relative and
// whose location and exception tables are told below. Everything else in the copy is as it was: constants get one more
// at the end, the stack room for the call.
//
// What is inserted is  PUSH_NULL; LOAD_CONST callee; PRECALL 0; CALL 0; POP_TOP : it leaves the stack as it found it, so it may stand between any two
// instructions that are not a pair for the interpreter. Jumps to the instruction behind it come to the insertion.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
#define CLEW_SPLICE 1

struct splice_site {
    int line;         // insert where this line begins; 0: at the entry of the function
    PyObject *callee; // called without arguments; what it returns is dropped. Borrowed (the copy refers to it)
};

// New reference; NULL with *ret_places 0 when no instruction begins such a line, or with an error set. n: sites of this code, different lines.
PyCodeObject *splice_code(PyCodeObject *code, const struct splice_site *sites, size_t n, size_t *ret_places);
#endif
