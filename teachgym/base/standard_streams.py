"""The three descriptors that every program expects to be open."""

import os


def open_standard_streams() -> None:
    """Open those that are closed on nothing, so that no file gets their numbers, and worker processes have them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened == number:
                os.set_inheritable(number, True)
            else:
                os.dup2(opened, number)
                os.close(opened)
