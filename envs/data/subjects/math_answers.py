"""Final answers of written mathematics: found in a text, tidied, and compared."""

import re

from teachgym.envs.data.subjects.math_values import UnreadableError, same_value

_LONGEST = 20_000
"""Characters of a text that are looked at, from its end."""
_LONGEST_ANSWER = 1_000
_PHRASE = re.compile(r"final answer is:?\s*(.+)", re.IGNORECASE)
_BOX = re.compile(r"\\(?:f?box(?:ed)?)(?![a-zA-Z])\s*")
_WORDS = re.compile(r"\\(?:text|mbox|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname)\s*\{([^{}]*)\}")
_UNITS_IN_WORDS = re.compile(rf"{_WORDS.pattern}(?:\s*\^\s*(?:\{{\s*-?\d\s*\}}|\d))?")
"""The same with the power of a unit, as in ``5\\text{ cm}^2``."""
_UNITS = (
    r"square|cubic|sq|cu|units?|degrees?|percent|dollars?|cents?|inch(?:es)?|in|foot|feet|ft|yards?|miles?|mph|mm|cm|km|m|"
    r"meters?|centimeters?|kilometers?|grams?|kg|pounds?|ounces?|seconds?|sec|minutes?|min|hours?|days?|weeks?|months?|"
    r"years?|points?|people|students?|ways?|times"
)
_TRAILING_UNITS = re.compile(rf"(?<=[\d)}}])(?:\s+(?:{_UNITS})(?:\^\{{?\d\}}?)?(?![a-zA-Z]))+$", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,(?:\\!)*\d{3})+(?!\d)")
_BRACED_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:\{,\}(?:\\!)*\d{3})+(?!\d)")
"""A comma in braces is never one between two numbers."""
_SPACES = re.compile(r"(?<!\\)\\[,;:! ]|\\q?quad(?![a-zA-Z])|~")


def final_answer(text: str, *, bare: bool = True) -> str:
    r"""The final answer that a text gives: in its last ``\boxed{...}``, else after its last "final answer is".

    Args:
        text: What was written.
        bare: Whether a text without either is an answer as it stands.

    Returns:
        The answer as written, without the full stop after it; the empty string if there is none.
    """
    text = text[-_LONGEST:]
    boxed = last_boxed(text)
    if boxed is not None:
        return boxed.strip()
    phrases = _PHRASE.findall(text)
    if phrases:
        return _without_stop(phrases[-1].split(". I hope")[0])
    return _without_stop(text) if bare else ""


def last_boxed(text: str) -> str | None:
    r"""What is in the last ``\boxed`` or ``\fbox`` of a text.

    Its braces may be nested or, as in ``\boxed 5``, missing. None if there is no such, or its braces do not close.
    """
    boxes = list(_BOX.finditer(text))
    if not boxes:
        return None
    rest = text[boxes[-1].end() :]
    if not rest.startswith("{"):
        return re.split(r"[\s$]", rest, maxsplit=1)[0].rstrip(".,") or None
    depth = 0
    for place, sign in enumerate(rest):
        escaped = place > 0 and rest[place - 1] == "\\"
        if not escaped:
            depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return rest[1:place]
    return None


def tidied(answer: str) -> str:
    """An answer in one of the many ways of writing it: without units, spacing, dollar signs and other ornaments."""
    answer = answer.strip().replace("\\$", "").replace("$", "")
    answer = _BRACED_THOUSANDS.sub(lambda number: re.sub(r"[^\d]", "", number[0]), answer)
    # a comma in a pair of numbers is none between thousands
    if not re.search(r"[(\[{]\s*-?\d{1,3},\d{3}", answer):
        answer = _THOUSANDS.sub(lambda number: re.sub(r"[^\d]", "", number[0]), answer)
    answer = _SPACES.sub(" ", answer)
    answer = re.sub(r"\\(?:left|right|displaystyle|bigl?|bigr)(?![a-zA-Z])\s*", "", answer)
    answer = re.sub(r"\\[dtc]frac(?![a-zA-Z])", r"\\frac", answer)
    answer = re.sub(r"\^\s*\{?\s*\\circ\s*\}?|\\degree(?![a-zA-Z])|°|\\?%", "", answer)
    whole = _WORDS.fullmatch(answer.strip())
    answer = whole[1] if whole else _without_words(answer)
    answer = _TRAILING_UNITS.sub("", answer.strip())
    answer = re.sub(r"^[a-zA-Z](?:\([a-zA-Z]\))?\s*(?:=|\\in(?![a-zA-Z]))\s*(?=\S)", "", answer)
    return _without_stop(re.sub(r"\s+", " ", answer))


def equivalent(first: str, second: str) -> bool:
    """Whether two answers are the same: as tidied text, or in value. Symmetric; never raises, and never takes long."""
    if max(len(first), len(second)) > _LONGEST_ANSWER:
        return first.strip() == second.strip()
    tidy = tidied(first), tidied(second)
    if not all(tidy):
        return first.strip() == second.strip()
    plain = [re.sub(r"\s", "", answer) for answer in tidy]
    if plain[0] == plain[1] or (
        plain[0].casefold() == plain[1].casefold() and all(len(answer) > 1 and answer.isalpha() for answer in plain)
    ):
        return True
    try:
        return same_value(*tidy)
    except UnreadableError:
        return False


def _without_words(answer: str) -> str:
    """Without words in text mode; those between two parts of an answer, as in "3 and 4", stand for a comma."""
    answer = re.sub(r"\\(?:text|mbox)\s*\{\s*,?\s*(?:and|or)\s*\}", ",", answer)
    return _UNITS_IN_WORDS.sub(" ", answer)


def _without_stop(answer: str) -> str:
    return answer.strip().strip("$").strip().rstrip(".").strip().strip("$").strip()
