"""What a process of the sandbox gives up: privileges, files, system calls, and being looked into by others.

The warden is started with the text of this module before its own, so it imports nothing of this package.
"""

import ctypes
import os
import signal
import struct
import sys

_NO_NEW_PRIVILEGES, _SECCOMP, _DUMPABLE, _PARENT_DEATH_SIGNAL = 38, 22, 4, 1
_LANDLOCK_RIGHTS, _LANDLOCK_READ = (1 << 13) - 1, 1 << 2 | 1 << 3
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CAPABILITIES_VERSION = 0x20080522
_LIBRARY = ctypes.CDLL(None)


def end_with(parent: int) -> None:
    """Linux: have the kernel kill this process when its parent ends, which may have happened already."""
    _control(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def drop_privileges() -> None:
    """Linux: take root's privileges from this process, and the means to gain any, and close it to other processes.

    Raises:
        PermissionError: If the kernel refuses.
    """
    if sys.platform != "linux":
        return
    this_process = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITIES_VERSION, 0))
    none = bytes(24)
    if _control(_NO_NEW_PRIVILEGES, 1) or _LIBRARY.capset(this_process, none) or _control(_DUMPABLE, 0):
        raise PermissionError("the kernel does not let this process give up its privileges")


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


def apply_filter(steps: bytes) -> bool:
    """From now on, only the system calls that the filter allows."""
    kept = ctypes.create_string_buffer(steps, len(steps))
    program = _Filter(len(steps) // 8, ctypes.addressof(kept))
    return _control(_SECCOMP, 2, ctypes.addressof(program)) == 0


def filter_holds(steps: bytes | None) -> bool:
    """Try the filter in a process of its own: it must let that go on, and must not let it make another."""
    if steps is None:
        return False
    child = os.fork()
    if child == 0:
        try:
            if apply_filter(steps):
                os.fork()
            os._exit(1)
        except PermissionError:
            os._exit(0)
        except BaseException:  # noqa: BLE001
            os._exit(1)
    holds = os.waitpid(child, 0)[1] == 0
    return holds


def hide_files(readable: list[str] | None) -> bool:
    """Linux with Landlock: from now on, neither this process nor its children read files but those below."""
    if readable is None or sys.platform != "linux":
        return False
    if _LIBRARY.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1) < 1:
        return False
    rights = ctypes.c_uint64(_LANDLOCK_RIGHTS)
    rules = _LIBRARY.syscall(_CREATE_RULESET, ctypes.byref(rights), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    for path in readable:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = _LANDLOCK_READ if os.path.isdir(path) else _LANDLOCK_READ & 1 << 2
        rule = allowed.to_bytes(8, sys.byteorder) + opened.to_bytes(4, sys.byteorder)
        _LIBRARY.syscall(_ADD_RULE, rules, 1, ctypes.create_string_buffer(rule, len(rule)), 0)
        os.close(opened)
    done = _LIBRARY.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return bool(done)


def _control(*arguments: int) -> int:
    """Linux: ask the kernel something about this process."""
    if sys.platform != "linux":
        return -1
    padded = [ctypes.c_ulong(argument) for argument in (*arguments[1:], 0, 0, 0, 0)[:4]]
    return int(_LIBRARY.prctl(ctypes.c_int(arguments[0]), *padded))
