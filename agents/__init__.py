"""The teachers: one file each, and a read-only table of their names."""

import os

if __name__ != "teachgym.agents":
    raise ImportError("import teachgym.agents, not agents")

__path__ = [os.path.realpath(folder) for folder in __path__]  # one real path per file, so that breakpoints hit
