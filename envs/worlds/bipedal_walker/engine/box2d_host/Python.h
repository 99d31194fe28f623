// Stands in for the real Python.h where Box2D is compiled: the only thing that pybox2d's Box2D wants of it is a
// place to leave the text of a failed assertion before it throws. Here that is a variable of the thread.
#pragma once

inline thread_local const char *failed_assertion = "";

#define PyExc_AssertionError nullptr

inline void PyErr_SetString(const void *, const char *text) { failed_assertion = text; }
