// The kernel of minimal.c as an extension of CPython, with multi-phase initialisation: each copy of the
// file is a module of its own.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* Add(PyObject* self, PyObject* args) {
  double a, b;
  (void)self;
  return PyArg_ParseTuple(args, "dd", &a, &b) ? PyFloat_FromDouble(a + b) : NULL;
}

static PyMethodDef methods[] = {{"add", Add, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "kernel", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_kernel(void) { return PyModuleDef_Init(&module); }
