"""Control characters, which no text to learn from should hold: most are what is left of a misread backslash."""

import re

_CONTROL = re.compile(r"(?!\r\n)[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_AROUND = 20
"""Characters on either side that a description shows."""


def control_character(text: str) -> str | None:
    """Describe the first control character of a text that is neither a tab nor part of the end of a line.

    Returns:
        Which it is, what stands around it, and how it may have come there; None if there is none.
    """
    found = _CONTROL.search(text)
    if found is None:
        return None
    around = text[max(found.start() - _AROUND, 0) : found.end() + _AROUND]
    return f"control character U+{ord(found[0]):04X} in {around!r}; in JSON, a backslash is written as two"


def without_control_characters(text: str) -> str:
    """A published text with a space in place of each of them."""
    return _CONTROL.sub(" ", text)
