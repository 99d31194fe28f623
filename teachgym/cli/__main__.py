"""``python -m teachgym.cli``: the same as ``teachgym``."""

import sys

from teachgym.cli import main

sys.exit(main())
