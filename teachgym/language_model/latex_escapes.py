r"""Commands of LaTeX in JSON whose backslash was not doubled: ``"\frac{1}{2}"`` is a form feed and ``rac{1}{2}``."""

import re

_ESCAPE = re.compile(r"\\(?:([a-zA-Z]+)|.)", re.DOTALL)
_UNICODE = re.compile(r"u[0-9a-fA-F]{4}")
_TABLE = re.compile(r"(?<!\\)\\begin\{(\w+\*?)\}.*?(?<!\\)\\end\{\1\}", re.DOTALL)
_END_OF_ROW = re.compile(r'(?<!\\)\\\\(?!\\\\)(?=[^a-zA-Z"])')

_NEVER_CONTROLS = """
    backslash bar because begin beta beth bf big bigcap bigcup bigg biggl biggr bigl bigoplus bigotimes bigr bigvee
    bigwedge binom blacksquare bm bmod boldsymbol bot bowtie boxed boxtimes breve bullet
    fbox flat footnotesize forall frac frown
    raise rangle rbrace rbrack rceil ref rfloor rho right rightarrow rightharpoonup rightleftharpoons rm root rtimes
    rvert
"""
"""A backspace, a form feed or a carriage return is not meant where the name of one of these would be lost."""
_NEVER_LINES = """
    nabla newline nonumber notin nsubseteq
    textbf textit textrm textsf textstyle texttt theta therefore tilde times triangle triangleleft triangleright
"""
"""Nor a newline or a tab before what is left of these, which is neither a word nor a likely name."""
_WITH_ARGUMENT = "tag tbinom text tfrac"
"""What is left of these may be a name, but not before a brace or a digit."""
_NOT_ASSIGNED = "neq ngeq nleq"
"""What is left of these may be a name, but only where it is assigned, called or the like."""
_IN_PLACE = "ncong ne neg nexists ni nmid not nparallel nu tan tanh tau to top"
"""What is left of these may well begin a line."""
_ASSIGNED = re.compile(r"\s*[=(.,:\[)]")


def double_backslashes(text: str) -> str:
    r"""JSON in which a backslash that can only begin a command of LaTeX is doubled, as it should have been.

    That is: one before what JSON does not know (``\sqrt``, ``\(``); one that JSON reads as a backspace, form feed or
    carriage return, if a known command follows (``\beta``, ``\frac``, ``\rho``); one that it reads as a newline or
    tab, if the known command is not a likely beginning of a line (``\theta``), or is one, such as ``\nu``, but stands
    at the beginning of a string, after a space, or between dollar signs; and the two at the end of a row between
    ``\begin`` and ``\end`` that were not doubled themselves. Anything else stays: ``\nI am`` is a new line.
    """
    text = _TABLE.sub(lambda table: _END_OF_ROW.sub(r"\\\\\\\\", table[0]), text)
    return _ESCAPE.sub(lambda found: "\\" * _is_command(found, text) + found[0], text)


def _is_command(found: re.Match[str], text: str) -> bool:
    letters = found[1]
    if letters is None:
        return found[0][1] not in '"\\/'
    if letters[0] not in "bfnrtu":
        return True
    if letters[0] == "u":
        return _UNICODE.match(text, found.start(1)) is None
    return (
        letters in _NEVER_CONTROLS.split()
        or letters in _NEVER_LINES.split()
        or (letters in _WITH_ARGUMENT.split() and text[found.end() : found.end() + 1] in tuple("{0123456789"))
        or (letters in _NOT_ASSIGNED.split() and _ASSIGNED.match(text, found.end()) is None)
        or (letters in _IN_PLACE.split() and (text[found.start() - 1] in '" ' or _between_dollars(text, found)))
    )


def _between_dollars(text: str, found: re.Match[str]) -> bool:
    """Whether an odd number of dollar signs stands before this in its string, and another after it."""
    begin, end = text.rfind('"', 0, found.start()) + 1, text.find('"', found.end())
    return text.count("$", begin, found.start()) % 2 == 1 and "$" in text[found.end() : end]
