"""Programs that leave a mark wherever they can, and programs that look for the marks of those before them.

A mark is ``MARK-`` and 32 hexadecimal digits. A program that looks for marks has one of its own on standard input,
prints every mark that it finds, and does not contain any: its pattern is not the text that it matches.
"""

LEAVE = """
import builtins, gc, os, sys, threading, traceback, warnings
mark = sys.stdin.readline().strip()
copies = [f"{mark}" + str(number) for number in range(2000)]
copies += [bytearray(mark.encode() * size) for size in range(1, 200)]
copies.append({mark: copies, "deep": [(mark,)]})
copies.append(copies)
os.environ["LEFT"] = mark
sys.argv.append(mark)
sys.modules[mark] = sys.modules["left"] = type(sys)(mark)
builtins.left, sys.left, threading.left = mark, mark, mark
sys.intern(mark)
warnings.simplefilter("ignore")
type("Left", (str,), {"mark": mark})
def leave(path, *, flags=os.O_CREAT | os.O_RDWR):
    try:
        os.write(os.open(path, flags), mark.encode())
    except OSError:
        pass
for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue"):
    leave(os.path.join(folder, mark))
    leave(os.path.join(folder, "left"))
leave("/proc/self/comm", flags=os.O_WRONLY)
leave("/proc/self/coredump_filter", flags=os.O_WRONLY)
for make in (lambda: os.memfd_create(mark), lambda: os.pipe()[1], lambda: os.dup(0)):
    try:
        os.write(make(), mark.encode())
    except OSError:
        pass
try:
    from multiprocessing.shared_memory import SharedMemory
    SharedMemory("left", create=True, size=64).buf[:len(mark)] = mark.encode()
except (OSError, ImportError):
    pass
print(mark)
print(mark, file=sys.stderr, flush=True)
"""
"""Finishes, with its mark in its input and output, in thousands of objects, and in whatever it could write to."""
FAIL = """
mark = input()
def fail(depth, held):
    if depth:
        fail(depth - 1, held + held[:37])
    raise ValueError(mark)
fail(50, mark)
"""
"""Leaves its mark in fifty frames and a traceback."""
DUMP_CORE = """
import os, sys
mark = sys.stdin.readline().strip() * 1000
print(mark[:37], flush=True)
os.abort()
"""

_PRELUDE = r"""
import ctypes, os, re, sys
own = sys.stdin.read()
found = set()
_pattern = re.compile(rb"[M][A][R][K][-][0-9a-f]{32}")
def look(words):
    found.update(match.decode() for match in _pattern.findall(words))
def attempt(act, *arguments):
    try:
        return act(*arguments)
    except (OSError, ValueError, AttributeError):
        return None
def content(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, 1 << 22)
    finally:
        os.close(descriptor)
C = ctypes.CDLL(None, use_errno=True)
PAGE = 4096
"""
_REPORT = """
for mark in sorted(found):
    print(mark)
"""


def _scanner(body: str) -> str:
    return f"{_PRELUDE}{body}{_REPORT}"


MEMORY = {
    "mapped pages, found by mincore": _scanner("""
resident = ctypes.create_string_buffer(1)
def mapped(page):
    return C.mincore(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), resident) == 0
for place in (id(own), id(object()), id(sys), ctypes.addressof(resident)):
    for step in (PAGE, -PAGE):
        page = place // PAGE * PAGE - (step < 0) * PAGE
        while mapped(page) and abs(page - place) < 1 << 25:
            look(ctypes.string_at(page, 2 * PAGE if mapped(page + PAGE) else PAGE))
            page += step
"""),
    "mapped pages, found by writing them to a pipe": _scanner("""
end, start = os.pipe()
def mapped(page):
    if C.write(start, ctypes.c_void_p(page), 1) == 1:
        os.read(end, 1)
        return True
    return False
page, top = id(own) // PAGE * PAGE, id(own) + (1 << 24)
while page > id(own) - (1 << 24) and mapped(page - PAGE):
    page -= PAGE
bottom = page
while page < top and mapped(page):
    page += PAGE
look(ctypes.string_at(bottom, page - bottom))
"""),
    "objects that were freed": _scanner("""
allocate = ctypes.pythonapi.PyObject_Malloc
allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
copies = [own.encode() + bytes(number) for number in range(400)]
del copies
for size in (*range(16, 513, 16), 600, 1000, 3000, 10_000, 70_000, 300_000):
    for _ in range(300 if size <= 512 else 20):
        block = allocate(size)
        if block:
            look(ctypes.string_at(block, size))
"""),
    "memory of the C library that was freed": _scanner("""
C.malloc.restype, C.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
C.free.argtypes = [ctypes.c_void_p]
copies = [C.malloc(5000) for _ in range(5)]
for copy in copies:
    ctypes.memmove(copy + 100, own.encode(), len(own))
for copy in copies:
    C.free(copy)
for size in (24, 40, 56, 72, 100, 136, 200, 500, 1000, 2000, 5000, 20_000, 100_000, 1 << 20):
    for _ in range(50 if size < 1000 else 10):
        block = C.malloc(size)
        if block:
            look(ctypes.string_at(block, size))
"""),
    "what the garbage collector tracks": _scanner("""
import gc
gc.unfreeze()
seen = [repr(thing)[:10**6] for thing in gc.get_objects() if type(thing) in (dict, list, str, bytes, tuple, set)]
for thing in gc.get_objects():
    for part in gc.get_referents(thing):
        if isinstance(part, (str, bytes, bytearray)):
            look(part.encode("utf-8", "replace") if isinstance(part, str) else bytes(part))
for words in seen:
    look(words.encode("utf-8", "replace"))
"""),
    "frames of those who called": _scanner("""
frames = [sys._getframe(), *sys._current_frames().values()]
for frame in frames:
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals, frame.f_builtins):
            for value in list(scope.values()):
                look(repr(value).encode("utf-8", "replace"))
        frame = frame.f_back
"""),
}
"""Programs that look through memory, and so find their own mark."""

ELSEWHERE = {
    "the stack, with the frames that have returned": _scanner("""
environ = ctypes.c_void_p.in_dll(C, "environ").value
resident = ctypes.create_string_buffer(1)
page = environ // PAGE * PAGE
while C.mincore(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), resident) == 0:
    look(ctypes.string_at(page, PAGE))
    page -= PAGE
"""),
    "its own memory as a file": _scanner("""
maps = attempt(lambda: open("/proc/self/maps").read()) or ""
for line in maps.splitlines():
    first, last = (int(place, 16) for place in line.split()[0].split("-"))
    with open("/proc/self/mem", "rb") as memory:
        memory.seek(first)
        look(attempt(memory.read, last - first) or b"")
for name in ("environ", "cmdline", "comm", "stack", "status", "auxv"):
    look(attempt(content, f"/proc/self/{name}") or b"")
"""),
    "other processes": _scanner("""
for process in {*map(str, range(1, os.getpid() + 50)), str(os.getppid()), str(os.getppid() - 1)}:
    for name in ("environ", "cmdline", "comm", "fd/0", "fd/1", "fd/2", "fd/3", "fd/4", "fd/5"):
        look(attempt(content, f"/proc/{process}/{name}") or b"")
    for line in (attempt(lambda: open(f"/proc/{process}/maps").read()) or "").splitlines():
        first, last = (int(place, 16) for place in line.split()[0].split("-"))
        def read():
            with open(f"/proc/{process}/mem", "rb") as memory:
                memory.seek(first)
                return memory.read(last - first)
        look(attempt(read) or b"")
"""),
    "memory of other processes by system calls": _scanner("""
buffer = ctypes.create_string_buffer(1 << 20)
class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
for process in (os.getppid(), os.getppid() - 1, os.getpid() - 1, 1):
    here, there = Span(ctypes.addressof(buffer), len(buffer)), Span(id(own) // PAGE * PAGE, len(buffer))
    if C.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
        look(buffer.raw)
    C.ptrace(16, process, 0, 0)
"""),
    "descriptors that were inherited": _scanner("""
for descriptor in range(1024):
    for read in (
        lambda: os.pread(descriptor, 1 << 20, 0),
        lambda: (os.set_blocking(descriptor, False), os.read(descriptor, 1 << 20))[1],
        lambda: os.readlink(f"/proc/self/fd/{descriptor}").encode(),
        lambda: " ".join(os.listdir(descriptor)).encode(),
        lambda: content(f"/proc/self/fd/{descriptor}"),
    ):
        if descriptor:  # the own input
            look(attempt(read) or b"")
os.lseek(0, 0, os.SEEK_SET)
look(os.read(0, 1 << 20).replace(own.encode(), b""))
"""),
    "files of a neighbour": _scanner("""
for folder in (os.getcwd(), ".", "..", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/root", "/home"):
    for name in ("left", *(attempt(os.listdir, folder) or ())):
        path = os.path.join(folder, name)
        if "teachgym" in path or name == "left" or folder == ".":
            look(path.encode())
            look(attempt(content, path) or b"")
"""),
    "cores": _scanner("""
for path in ("core", "/core", "/proc/sys/kernel/core_pattern", "/var/lib/systemd/coredump", "/var/crash"):
    names = [path, *(os.path.join(path, name) for name in attempt(os.listdir, path) or ())]
    for name in names + [f"core.{number}" for number in range(1, os.getpid() + 1)]:
        look(attempt(content, name) or b"")
"""),
    "environment and arguments": _scanner("""
look(repr((dict(os.environ), os.environb, sys.argv, sys.orig_argv, sys.flags, sys.path)).encode())
count, words = ctypes.c_int(), ctypes.POINTER(ctypes.c_wchar_p)()
ctypes.pythonapi.Py_GetArgcArgv(ctypes.byref(count), ctypes.byref(words))
look(" ".join(words[place] for place in range(count.value)).encode("utf-8", "replace"))
place = ctypes.c_void_p.in_dll(C, "environ").value
for word in ctypes.cast(place, ctypes.POINTER(ctypes.c_char_p)):
    if word is None:
        break
    look(word)
"""),
    "shared memory, queues and keys": _scanner("""
C.shmat.restype = ctypes.c_void_p
for number in range(64):
    if (place := C.shmat(number, None, 0o10000)) not in (None, 2**64 - 1):
        look(ctypes.string_at(place, 64))
    C.msgget(number, 0), C.semget(number, 0, 0)
buffer = ctypes.create_string_buffer(4096)
for key in (-1, -2, -3, -4, -5):
    if C.syscall(250, 11, key, buffer, len(buffer)) > 0:
        look(buffer.raw)
try:
    from multiprocessing.shared_memory import SharedMemory
    look(bytes(SharedMemory("left").buf))
except (OSError, ImportError):
    pass
"""),
    "modules and what they remember": _scanner("""
import builtins, codecs, copyreg, linecache, re as again, threading, traceback, warnings
for name, module in list(sys.modules.items()):
    look(name.encode())
    for key, value in list(vars(module).items()):
        if value is not own and value is not found:
            look(repr((key, value)).replace(repr(own)[1:-1], "").encode("utf-8", "replace"))
for kind in (str, object, Exception, dict):
    for found_kind in type.__subclasses__(kind):
        look(repr(vars(found_kind)).encode("utf-8", "replace"))
look(repr((linecache.cache, warnings.filters, sys.warnoptions, threading.enumerate())).encode("utf-8", "replace"))
"""),
    "the kernel's notes on this process": _scanner("""
name = ctypes.create_string_buffer(64)
C.prctl(16, name, 0, 0, 0)
look(name.raw)
look(repr((os.uname(), attempt(os.getlogin), attempt(os.ttyname, 0), attempt(os.getcwd))).encode())
for kind in ("getxattr", "listxattr"):
    attempt(getattr(os, kind), ".", *(["user.left"] if kind == "getxattr" else []))
"""),
}
"""Programs that look elsewhere."""
