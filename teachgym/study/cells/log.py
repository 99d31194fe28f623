"""What a cell has to say goes into its log, to which its worker's output is led."""

import sys


def say(line: str) -> None:
    """Add a line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
