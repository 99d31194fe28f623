// Stands in for Python.h where Box2D is compiled: pybox2d's Box2D sets a Python error before an assertion throws.
#pragma once

// The text of a thread's last failed assertion.
inline thread_local const char *failed_assertion = "";

#define PyExc_AssertionError nullptr

inline void PyErr_SetString(const void *, const char *text) { failed_assertion = text; }
