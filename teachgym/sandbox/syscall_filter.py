"""The system calls that a program may make: a seccomp filter (Linux), as bytes that the kernel takes.

What is not listed fails with "operation not permitted". So there are no other processes and no signals to them, no
sockets, and no writing, making, renaming or deleting of files, whoever the program runs as; threads are there.
"""

import errno
import platform
import struct
import sys
from collections.abc import Mapping
from types import MappingProxyType

ARCHITECTURES: Mapping[str, int] = MappingProxyType({"x86_64": 0xC000003E, "aarch64": 0xC00000B7})
"""``platform.machine()`` -> the kernel's AUDIT_ARCH number."""
_BOTH = """
    read 0 63, write 1 64, close 3 57, fstat 5 80, lseek 8 62, mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214,
    rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, pread64 17 67, readv 19 65, writev 20 66,
    sched_yield 24 124, mremap 25 216, mincore 27 232, madvise 28 233, dup 32 23, nanosleep 35 101,
    getitimer 36 102, setitimer 38 103, getpid 39 172, exit 60 93, wait4 61 260, uname 63 160, getcwd 79 17,
    gettimeofday 96 169, getrlimit 97 163, getrusage 98 165, sysinfo 99 179, times 100 153, getuid 102 174,
    getgid 104 176, geteuid 107 175, getegid 108 177, getppid 110 173, sigaltstack 131 132, gettid 186 178,
    futex 202 98, sched_getaffinity 204 123, getdents64 217 61, restart_syscall 219 128, clock_gettime 228 113,
    clock_getres 229 114, clock_nanosleep 230 115, exit_group 231 94, newfstatat 262 79, readlinkat 267 78,
    faccessat 269 48, pselect6 270 72, ppoll 271 73, set_robust_list 273 99, dup3 292 24, pipe2 293 59,
    getrandom 318 278, statx 332 291, rseq 334 293, faccessat2 439 439,
    clone 56 220, clone3 435 435, openat 257 56, fcntl 72 25, ioctl 16 29, prlimit64 302 261
"""
_X86_64_ONLY = """
    stat 4, lstat 6, poll 7, access 21, pipe 22, select 23, dup2 33, alarm 37, getdents 78, readlink 89,
    arch_prctl 158, time 201, open 2
"""
_CONDITIONAL = ("clone", "clone3", "open", "openat", "fcntl", "ioctl", "prlimit64")

_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_CLONE_THREAD = 0x10000
_WRITING = 0o3 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, __O_TMPFILE
_FCNTL = (0, 1, 2, 3, 4, 1030, 1032)  # duplicate, flags, size of a pipe; not F_SETOWN, which sends signals
_IOCTL = (0x5401, 0x5413, 0x5450, 0x5451, 0x541B, 0x5421)  # TCGETS, TIOCGWINSZ, FIO(N)CLEX, FIONREAD, FIONBIO


def syscall_numbers(machine: str) -> dict[str, int]:
    """The number of each allowed call by its name in the kernel's headers.

    Raises:
        KeyError: If the machine is none of ``ARCHITECTURES``.
    """
    column = list(ARCHITECTURES).index(machine) if machine in ARCHITECTURES else None
    if column is None:
        raise KeyError(machine)
    numbers = {name: int(found[column]) for name, *found in map(str.split, _BOTH.split(","))}
    if machine == "x86_64":
        numbers |= {name: int(number) for name, number in map(str.split, _X86_64_ONLY.split(","))}
    return numbers


def syscall_filter() -> bytes | None:
    """The filter for this machine, or None if there is none for it."""
    machine = platform.machine()
    if sys.platform != "linux" or sys.maxsize < 2**32 or machine not in ARCHITECTURES:
        return None
    return _build(syscall_numbers(machine), ARCHITECTURES[machine])


def _build(numbers: Mapping[str, int], architecture: int) -> bytes:
    refuse = _REFUSE | errno.EPERM
    program = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    for name, number in numbers.items():
        if name not in _CONDITIONAL:
            program += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ALLOW)]
    conditions = {
        "clone": _any_bit(0, _CLONE_THREAD, yes=_ALLOW, no=refuse),
        # Its flags are in memory, where a filter can't look; without it, the C library turns to clone.
        "clone3": [_step(_RETURN, _REFUSE | errno.ENOSYS)],
        "open": _any_bit(1, _WRITING, yes=refuse, no=_ALLOW),
        "openat": _any_bit(2, _WRITING, yes=refuse, no=_ALLOW),
        "fcntl": _one_of(1, _FCNTL, refuse),
        "ioctl": _one_of(1, _IOCTL, refuse),
        # To read one's own limits, not to set them: a process, and a pointer of 64 bits that must be 0.
        "prlimit64": [
            *_unless_zero(_ARGUMENTS_AT, refuse),
            *_unless_zero(_ARGUMENTS_AT + 16, refuse),
            *_unless_zero(_ARGUMENTS_AT + 20, refuse),
            _step(_RETURN, _ALLOW),
        ],
    }
    for name in _CONDITIONAL:
        if name in numbers:
            steps = conditions[name]
            program += [_step(_EQUAL, numbers[name], 0, len(steps)), *steps]
    return b"".join([*program, _step(_RETURN, refuse)])


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction: what to do, with what, and how many to skip if a comparison holds or not."""
    return struct.pack("=HBBI", code, yes, no, value)


def _any_bit(argument: int, bits: int, *, yes: int, no: int) -> list[bytes]:
    load = _step(_LOAD, _ARGUMENTS_AT + 8 * argument)
    return [load, _step(_ANY_BIT, bits, 0, 1), _step(_RETURN, yes), _step(_RETURN, no)]


def _one_of(argument: int, values: tuple[int, ...], refuse: int) -> list[bytes]:
    steps = [_step(_LOAD, _ARGUMENTS_AT + 8 * argument)]
    for value in values:
        steps += [_step(_EQUAL, value, 0, 1), _step(_RETURN, _ALLOW)]
    return [*steps, _step(_RETURN, refuse)]


def _unless_zero(offset: int, refuse: int) -> list[bytes]:
    return [_step(_LOAD, offset), _step(_EQUAL, 0, 1, 0), _step(_RETURN, refuse)]
