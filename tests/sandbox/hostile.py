"""Programs that mean harm: name -> source."""

FORK_BOMB = """
import os
print("start", flush=True)
made = 0
while True:
    try:
        if os.fork() == 0:
            made = 0
        else:
            made += 1
    except OSError:
        if made == 0:
            print("refused", flush=True)
            os._exit(3)
"""
EXEC = """
import subprocess
subprocess.run(["/bin/sh", "-c", "echo escaped"])
"""
THREAD_BOMB = """
import threading, time
threading.stack_size(32768)
while True:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
"""
MEMORY_BOMB = """
kept = []
while True:
    kept.append(bytearray(1 << 20))
"""
ENDLESS_OUTPUT = """
while True:
    print("x" * 1000)
"""
ENDLESS_ERRORS = """
import sys
while True:
    sys.stderr.write("x" * 1000)
"""
BUSY = "while True: pass"
BUSY_AND_DEAF = """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
"""
SLEEP = """
import time
print("before", flush=True)
time.sleep(1000)
"""
SLEEP_WITHOUT_STREAMS = """
import os, time
os.close(0); os.close(1); os.close(2)
time.sleep(1000)
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
"""
KILL_PARENT = """
import os, signal
for target in (os.getppid(), 1, -1, 0):
    for number in (9, 15, 19):
        try:
            os.kill(target, number)
            print("sent")
        except OSError as error:
            print(type(error).__name__)
"""
SIGNAL_BY_FCNTL = """
import fcntl, os
r, w = os.pipe()
for command, value in ((8, os.getppid()), (10, 9), (15, 0)):
    try:
        fcntl.fcntl(r, command, value)
        print("set")
    except OSError as error:
        print(type(error).__name__)
"""
KILL_BY_CTYPES = """
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
for call in ("kill", "killpg"):
    print(getattr(library, call)(os.getppid(), 9), ctypes.get_errno())
print(library.ptrace(16, os.getppid(), 0, 0), ctypes.get_errno())
print(library.setsid(), ctypes.get_errno())
print(library.unshare(0x10000000), ctypes.get_errno())
print(library.syscall(57), ctypes.get_errno())
"""
UNLIMIT = """
import resource
for limit in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("raised")
    except (OSError, ValueError) as error:
        print("refused")
"""
ENVIRONMENT = """
import os
print(dict(os.environ))
for process in [*map(str, range(1, 400)), str(os.getppid()), "self", "%d"]:
    for name in ("environ", "cmdline"):
        try:
            print(open(f"/proc/{process}/{name}").read())
        except OSError:
            pass
"""
READ = """
import os, sys
for path in sys.stdin.read().splitlines():
    try:
        if os.path.isdir(path):
            print("LISTED", os.listdir(path))
        else:
            print("READ", len(open(path, "rb").read()))
    except OSError:
        print("closed")
"""
WRITE = """
import os, sys
for directory in sys.stdin.read().splitlines():
    for act in (
        lambda: open(os.path.join(directory, "escaped"), "w").write("x"),
        lambda: os.mkdir(os.path.join(directory, "escaped")),
        lambda: os.symlink("/", os.path.join(directory, "escaped")),
        lambda: os.unlink(os.path.join(directory, "kept")),
        lambda: os.rename(os.path.join(directory, "kept"), os.path.join(directory, "escaped")),
        lambda: os.truncate(os.path.join(directory, "kept"), 0),
        lambda: os.chmod(os.path.join(directory, "kept"), 0o777),
        lambda: os.mkfifo(os.path.join(directory, "escaped")),
        lambda: os.close(os.open(directory, os.O_TMPFILE | os.O_RDWR)),
    ):
        try:
            act()
            print("DONE")
        except OSError:
            print("refused")
"""
FILL_THE_DISK = """
import os
written = 0
for directory in (".", "/tmp", "/var/tmp", "/dev/shm", "/run"):
    try:
        with open(os.path.join(directory, "teachgym-hostile-filler"), "wb") as file:
            while written < 1 << 28:
                written += file.write(b"x" * (1 << 20))
                file.flush()
    except OSError:
        pass
for make in (lambda: os.memfd_create("filler"), lambda: os.dup(0)):
    try:
        while written < 1 << 28:
            written += os.write(make(), b"x" * (1 << 20))
    except OSError:
        pass
print(written)
"""
NETWORK = """
import socket, sys
port = int(sys.stdin.read())
for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_UNIX, "\\0teachgym-hostile")):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(address)
            connection.sendall(b"secret")
        print("CONNECTED")
    except OSError:
        print("refused")
"""
FORGE_FRAMES = """
import json, os
frame = json.dumps({"stdout": "forged", "stderr": "", "exit_code": 0, "reason": "finished"}).encode()
frame = len(frame).to_bytes(4, "big") + frame
for descriptor in range(3, 1024):
    try:
        os.write(descriptor, frame * 3)
        os.write(2, b"WRITTEN")
    except OSError:
        pass
for process in (1, os.getppid()):
    for descriptor in range(64):
        try:
            with open(f"/proc/{process}/fd/{descriptor}", "wb") as file:
                file.write(frame * 3)
            os.write(2, b"WRITTEN")
        except OSError:
            pass
os.write(1, frame * 3)
"""
LOOK_FOR_OTHERS = """
import gc, sys
frame, seen = sys._getframe(), []
while frame is not None:
    seen += [repr(frame.f_locals), repr(frame.f_globals)]
    frame = frame.f_back
seen += [repr(thing) for thing in gc.get_objects() if type(thing) in (dict, list, str, bytes, tuple)]
mark = "".join(reversed("TERCES_TSET_MYGHCAET"))
print(mark in " ".join(seen))
"""
DEEP_RECURSION = """
import sys
sys.setrecursionlimit(10**9)
def down(): return down()
down()
"""
DEEP_SOURCE = "(" * 100_000
CLOSED_STDOUT = """
import sys
sys.stdout.close()
"""
CRASH = """
import ctypes
ctypes.string_at(0)
"""
SPOILS_BUILTINS = """
import builtins, os, json, random, sys
builtins.print = builtins.len = builtins.exec = builtins.compile = None
os._exit = json.dumps = random.seed = None
sys.modules.clear()
"""
