"""A small family of programs on texts and lists of whole numbers: what to do in words, as Python, and as a reference.

Every part of a skill is drawn by a function of a generator. References work position by position and value by value,
not with the expression that is the target, so that the two check each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Rng = np.random.Generator
Value = Any
"""A text or a list of whole numbers; of some programs a whole number."""

_MOST = 40
"""Largest position that slices name."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Exercise:
    """A program that is asked for."""

    takes: str
    """``"text"`` or ``"list"``."""
    asked: str
    """Compactly, at most 45 characters."""
    words: str
    """In a sentence."""
    code: str
    """An expression in ``x``, at most 27 characters."""
    run: Callable[[Value], Value]
    """The reference."""
    reach: int = 6
    """Some inputs are longer than this, and some are not."""
    numbers: tuple[int, ...] = ()
    """To be met in lists."""
    pieces: tuple[str, ...] = ()
    """To be met in texts."""


@dataclass(frozen=True)
class Step:
    """A program that others can follow."""

    asked: str
    words: str
    code: str
    """With ``{}`` for what it works on."""
    run: Callable[[Value], Value]
    reach: int = 0


def inputs(exercise: Exercise, rng: Rng) -> list[Value]:
    """Inputs to test a program on: of different lengths, with what the program looks for in it."""
    draw = _text if exercise.takes == "text" else _list
    lengths = (exercise.reach + 3, exercise.reach + 9, exercise.reach + 1, max(exercise.reach // 2, 2), 6)
    return [draw(exercise, length, rng) for length in lengths]


def _text(exercise: Exercise, length: int, rng: Rng) -> str:
    text = "".join(rng.choice(list(_LETTERS + _LETTERS.upper() + "   "), size=length))
    for piece in exercise.pieces:
        for at in rng.integers(length, size=2):
            text = text[:at] + piece + text[at:]
    return text


def _list(exercise: Exercise, length: int, rng: Rng) -> list[int]:
    values = rng.integers(-20, 120, size=length).tolist()
    for value in exercise.numbers:
        values.insert(int(rng.integers(len(values) + 1)), value)
    return [int(value) for value in values]


def _pick(wanted: Callable[[int, int], bool]) -> Callable[[Value], Value]:
    """The items whose position, in a value of some length, is wanted."""

    def run(value: Value) -> Value:
        items = [item for place, item in enumerate(value) if wanted(place, len(value))]
        return "".join(items) if isinstance(value, str) else items

    return run


def _backwards(value: Value) -> Value:
    items = list(value)
    turned = [items.pop() for _ in value]
    return "".join(turned) if isinstance(value, str) else turned


def _title(text: str) -> str:
    before = (" " + text)[: len(text)]
    return "".join(c.lower() if b.isalpha() else c.upper() for b, c in zip(before, text, strict=True))


def _ends(n: int) -> dict[str, Step]:
    """Slices at one end, by name."""
    return {
        "first": Step(f"first {n}", f"take the first {n}", f"{{}}[:{n}]", _pick(lambda i, _: i < n), n),
        "last": Step(f"last {n}", f"take the last {n}", f"{{}}[-{n}:]", _pick(lambda i, size: i >= size - n), n),
        "skip": Step(f"skip {n}", f"leave out the first {n}", f"{{}}[{n}:]", _pick(lambda i, _: i >= n), n),
        "cut": Step(f"cut {n}", f"leave out the last {n}", f"{{}}[:-{n}]", _pick(lambda i, size: i < size - n), n),
    }


_PLAIN: Mapping[str, tuple[Step, ...]] = {
    "text": (
        Step("upper", "turn it into upper case", "{}.upper()", lambda x: "".join(c.upper() for c in x)),
        Step("lower", "turn it into lower case", "{}.lower()", lambda x: "".join(c.lower() for c in x)),
        Step("title", "capitalise every word, as str.title does", "{}.title()", _title),
        Step("reversed", "reverse it", "{}[::-1]", _backwards),
    ),
    "list": (
        Step("sorted", "sort it in ascending order", "sorted({})", lambda x: sorted(x)),
        Step("reversed", "reverse it", "{}[::-1]", _backwards),
    ),
}
_LAST: Mapping[str, tuple[Step, ...]] = {
    "text": (Step("length", "give its length", "len({})", lambda x: sum(1 for _ in x)),),
    "list": (
        Step("sum", "give the sum", "sum({})", lambda x: int(np.sum(x, dtype=np.int64))),
        Step("length", "give its length", "len({})", lambda x: sum(1 for _ in x)),
    ),
}
"""Steps that give a number, so that none can follow."""


def _one_end(rng: Rng) -> Exercise:
    kind, n = _kind(rng), _whole(rng, 1, _MOST)
    name = str(rng.choice(["first", "last", "skip", "cut"]))
    ways = {
        "first": ("first {n} of {kind}", "{kind}: first {n}", "start of {kind}, {n} long"),
        "last": ("last {n} of {kind}", "{kind}: last {n}", "end of {kind}, {n} long"),
        "skip": ("{kind} without first {n}", "{kind}: skip {n}", "{kind} after its first {n}"),
        "cut": ("{kind} without last {n}", "{kind}: cut {n}", "{kind} before its last {n}"),
    }
    step = _ends(n)[name]
    asked = str(rng.choice(ways[name])).format(n=n, kind=kind)
    return Exercise(kind, asked, step.words, step.code.format("x"), step.run, n)


def _two_ends(rng: Rng) -> Exercise:
    kind = _kind(rng)
    a, b = sorted(rng.choice(_MOST + 1, size=2, replace=False).tolist())
    if rng.random() < 0.5:
        asked = str(rng.choice([f"{kind}: {a} to {b}", f"from {a} to {b} of {kind}"]))
        words = f"take positions {a}, counted from 0, up to but not including {b}"
        return Exercise(kind, asked, words, f"x[{a}:{b}]", _pick(lambda i, _: a <= i < b), b)
    s = _whole(rng, 2, 9)
    asked = str(rng.choice([f"{kind}: every {s} from {a}", f"from {a} each {s} of {kind}"]))
    words = f"take every item whose position, counted from 0, is {a}, {a + s}, {a + 2 * s} and so on in steps of {s}"
    return Exercise(kind, asked, words, f"x[{a}::{s}]", _pick(lambda i, _: i >= a and (i - a) % s == 0), a + s)


def _one_side(rng: Rng) -> Exercise:
    word = _word(rng, 1, 2)
    if rng.random() < 0.5:
        asked = str(rng.choice([f"put {word} before", f"{word} in front"]))
        return Exercise("text", asked, f"put {word!r} before it", f"'{word}'+x", lambda x: "".join((word, x)))
    asked = str(rng.choice([f"put {word} after", f"{word} at the end"]))
    return Exercise("text", asked, f"put {word!r} after it", f"x+'{word}'", lambda x: "".join((x, word)))


def _both_sides(rng: Rng) -> Exercise:
    one, other = _word(rng, 1, 2), _word(rng, 1, 2)
    asked = str(rng.choice([f"put {one} before and {other} after", f"{one} in front, {other} at the end"]))
    words = f"put {one!r} before it and {other!r} after it"
    return Exercise("text", asked, words, f"'{one}'+x+'{other}'", lambda x: "".join((one, x, other)))


def _replaced(rng: Rng, *, shortest: int, longest: int) -> Exercise:
    old, new = _word(rng, shortest, longest), _word(rng, 1, longest)
    while new == old:
        new = _word(rng, 1, longest)
    asked = str(rng.choice([f"replace {old} by {new}", f"turn {old} into {new}", f"{old} becomes {new}"]))
    words = f"replace every {old!r} by {new!r}"
    code = f"x.replace('{old}','{new}')"
    return Exercise("text", asked, words, code, lambda x: new.join(x.split(old)), pieces=(old,))


def _each_once(rng: Rng) -> Exercise:
    kind = int(rng.integers(4))
    n = _whole(rng, 1 if kind < 2 else 2, 99)
    asked, words, code = (
        ((f"each plus {n}", f"add {n} to each"), f"add {n} to each number", f"v+{n}"),
        ((f"each minus {n}", f"take {n} from each"), f"subtract {n} from each number", f"v-{n}"),
        ((f"each times {n}", f"multiply each by {n}"), f"multiply each number by {n}", f"v*{n}"),
        ((f"each modulo {n}", f"rest of each by {n}"), f"take each number modulo {n}", f"v%{n}"),
    )[kind]
    change = (lambda v: v + n, lambda v: v - n, lambda v: sum([v] * n), lambda v: v - v // n * n)[kind]
    return Exercise("list", str(rng.choice(asked)), words, f"[{code} for v in x]", lambda x: list(map(change, x)))


def _each_twice(rng: Rng) -> Exercise:
    a, b = _whole(rng, 2, 20), _whole(rng, 1, 99)
    sign, word = ((1, "plus"), (-1, "minus"))[int(rng.integers(2))]
    asked = str(rng.choice([f"each times {a} {word} {b}", f"{a} times each, {word} {b}"]))
    words = f"multiply each number by {a}, then {'add' if sign > 0 else 'subtract'} {b}"
    code = f"[v*{a}{'+' if sign > 0 else '-'}{b} for v in x]"
    return Exercise("list", asked, words, code, lambda x: [sum([v] * a) + sign * b for v in x])


def _one_bound(rng: Rng) -> Exercise:
    kind = int(rng.integers(5))
    n = _whole(rng, 2, 99)
    asked, words, code = (
        ((f"keep above {n}", f"only above {n}"), f"keep the numbers above {n}", f"v>{n}"),
        ((f"keep below {n}", f"only below {n}"), f"keep the numbers below {n}", f"v<{n}"),
        ((f"drop above {n}", f"none above {n}"), f"leave out the numbers above {n}", f"v<={n}"),
        ((f"drop below {n}", f"none below {n}"), f"leave out the numbers below {n}", f"v>={n}"),
        ((f"keep multiples of {n}", f"only multiples of {n}"), f"keep the multiples of {n}", f"v%{n}==0"),
    )[kind]
    keep = (
        lambda v: v - n >= 1,
        lambda v: n - v >= 1,
        lambda v: n - v >= 0,
        lambda v: v - n >= 0,
        lambda v: v // n * n == v,
    )[kind]
    critical = (n - 1, n, n + 1, 2 * n, 3 * n, 3 * n + 1)
    code = f"[v for v in x if {code}]"
    return Exercise("list", str(rng.choice(asked)), words, code, lambda x: list(filter(keep, x)), numbers=critical)


def _two_bounds(rng: Rng) -> Exercise:
    a, b = sorted((rng.choice(97, size=2, replace=False) + 1).tolist())
    b += 2
    if rng.random() < 0.5:
        asked = str(rng.choice([f"keep between {a} and {b}", f"only above {a} and below {b}"]))
        words, code = f"keep the numbers above {a} and below {b}", f"[v for v in x if {a}<v<{b}]"
        return Exercise("list", asked, words, code, _kept(range(a + 1, b)), numbers=(a - 1, a, a + 1, b - 1, b, b + 1))
    asked = str(rng.choice([f"keep from {a} to {b}", f"none below {a}, none above {b}"]))
    words, code = f"keep the numbers from {a} to {b}, both included", f"[v for v in x if {a}<=v<={b}]"
    return Exercise("list", asked, words, code, _kept(range(a, b + 1)), numbers=(a - 1, a, a + 1, b - 1, b, b + 1))


def _kept(among: range) -> Callable[[Value], Value]:
    return lambda x: [v for v in x if v in among]


def _chain(rng: Rng, *, kind: str, length: int) -> Exercise:
    """Steps one after the other, with at least one slice; none twice."""
    steps: list[Step] = []
    sliced = int(rng.integers(length))
    for place in range(length):
        left = [step for step in _PLAIN[kind] if step not in steps]
        if place == length - 1 and length > 1 and sliced != place:
            left += _LAST[kind]
        if place == sliced or not left or (length > 2 and rng.random() < 0.2):
            found = _ends(_whole(rng, 1, 12 if length > 2 else _MOST))
            steps.append(found[str(rng.choice(list(found)))])
        else:
            steps.append(left[int(rng.integers(len(left)))])
    code = "x"
    for step in steps:
        code = step.code.format(code)

    def run(value: Value) -> Value:
        for step in steps:
            value = step.run(value)
        return value

    asked = f"{kind}: {', '.join(step.asked for step in steps)}"
    words = ", then ".join(step.words for step in steps)
    return Exercise(kind, asked, words, code, run, sum(step.reach for step in steps))


def _shown_numbers(rng: Rng) -> Exercise:
    """Three numbers and what becomes of them."""
    kind = int(rng.integers(3))
    n = _whole(rng, 2, 9)
    code, change = ((f"v+{n}", lambda v: v + n), (f"v-{n}", lambda v: v - n), (f"v*{n}", lambda v: sum([v] * n)))[kind]
    values = (rng.choice(20, size=3, replace=False) + 1).tolist()
    pairs = [(str(value), str(change(value))) for value in values]
    words = "do to each number what was done to these: " + ", ".join(map(" became ".join, pairs))
    asked = f"{' '.join(one for one, _ in pairs)} > {' '.join(other for _, other in pairs)}"
    return Exercise("list", asked, words, f"[{code} for v in x]", lambda x: list(map(change, x)))


def _shown_texts(rng: Rng) -> Exercise:
    """Two texts of different lengths and what becomes of them; no letter is met twice, so it can be one thing only."""
    steps = _ends(_whole(rng, 1, 3))
    step = steps[str(rng.choice(list(steps)))]
    letters = "".join(rng.permutation(list(_LETTERS)))
    one, other = rng.choice([4, 5, 6], size=2, replace=False).tolist()
    texts = (letters[:one], letters[one : one + other])
    pairs = [(text, step.run(text)) for text in texts]
    words = "cut it as these were cut: " + ", ".join(f"{before!r} became {after!r}" for before, after in pairs)
    asked = ", ".join(f"{before}>{after}" for before, after in pairs)
    return Exercise("text", asked, words, step.code.format("x"), step.run, step.reach)


def _kind(rng: Rng) -> str:
    return ("text", "list")[int(rng.integers(2))]


def _whole(rng: Rng, least: int, most: int) -> int:
    return int(rng.integers(least, most + 1))


def _word(rng: Rng, shortest: int, longest: int) -> str:
    return "".join(rng.choice(list(_LETTERS), size=_whole(rng, shortest, longest)))


PARTS: Mapping[str, Mapping[str, Callable[[Rng], Exercise]]] = {
    "slice": {"one end": _one_end, "two ends": _two_ends},
    "add to a text": {"one side": _one_side, "both sides": _both_sides},
    "replace": {
        "a letter": partial(_replaced, shortest=1, longest=1),
        "a word": partial(_replaced, shortest=2, longest=3),
    },
    "change each": {"one step": _each_once, "two steps": _each_twice},
    "filter": {"one bound": _one_bound, "two bounds": _two_bounds},
    "two calls": {"text": partial(_chain, kind="text", length=2), "list": partial(_chain, kind="list", length=2)},
    "three calls": {"text": partial(_chain, kind="text", length=3), "list": partial(_chain, kind="list", length=3)},
    "by example": {"numbers": _shown_numbers, "texts": _shown_texts},
}
"""Skill -> part -> what draws a program of it."""
