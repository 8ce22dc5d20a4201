// The kernel of minimal.c as an extension of CPython, with multi-phase initialisation: each copy of
// the file is a module of its own.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* ReadVersion(PyObject* self, PyObject* none) { return PyLong_FromLong(VERSION); }

static PyMethodDef methods[] = {{"version", ReadVersion, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "kernel", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_kernel(void) { return PyModuleDef_Init(&module); }
