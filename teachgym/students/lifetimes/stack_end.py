"""A native frame at which everything that walks up the stack stops.

A greenlet runs on a part of its thread's stack: above its first frame lies whatever the thread has left there, not the
frames that called it. Native code that collects a backtrace, as torch does for every error it raises from C++, would
go on into that, take data for return addresses, and end the process. So the greenlet's function is called through a
frame of code that has no unwind information, which to an unwinder is the end of the stack.
"""

import ctypes
import mmap
import platform
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_MACHINE_CODE = {
    # endbr64; push rbp; mov rbp, rsp; call rdi; pop rbp; ret
    "x86_64": bytes.fromhex("f30f1efa 55 4889e5 ffd7 5d c3"),
    # bti c; stp x29, x30, [sp, -16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], 16; ret
    "aarch64": bytes.fromhex("5f2403d5 fd7bbfa9 fd030091 00003fd6 fd7bc1a8 c0035fd6"),
}
"""Calls the function without arguments that it is given, and returns."""

_Callback = ctypes.PYFUNCTYPE(None)


def _map_code() -> NDArray[np.uint8] | None:
    """The code in memory that can be executed and no longer written; None where there is none.

    Unwinders of macOS and Windows keep to the bounds of the stack and need none. On Linux it can't be had on other
    processors, or where a process may not make memory executable.
    """
    code = _MACHINE_CODE.get(platform.machine())
    if sys.platform != "linux" or code is None:
        return None
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.write(code)
    mapped = np.frombuffer(page, dtype=np.uint8)
    address, size = ctypes.c_void_p(mapped.ctypes.data), ctypes.c_size_t(mapped.size)
    refused = ctypes.CDLL(None).mprotect(address, size, mmap.PROT_READ | mmap.PROT_EXEC)
    return None if refused else mapped[: len(code)]


CODE = _map_code()
_call = None if CODE is None else ctypes.PYFUNCTYPE(None, _Callback)(CODE.ctypes.data)


def call_at_stack_end(function: Callable[[], None]) -> None:
    """Call a function from a frame that ends every native backtrace.

    Raises:
        BaseException: Whatever the function raises, with its own traceback.
    """
    if _call is None:
        function()
        return
    raised: BaseException | None = KeyboardInterrupt()  # nothing else can keep the function from being called

    def guarded() -> None:
        nonlocal raised
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - native code can't pass it on
            raised = error
        else:
            raised = None

    _call(_Callback(guarded))
    try:
        if raised is not None:
            raise raised
    finally:
        raised = None  # or it would be kept alive by its own traceback
