"""The values of written formulas, read without running any of them as code, and within bounds."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import mpmath

Node = tuple[Any, ...]
"""``("number", value)``, ``("variable", name)``, or the name of an operation and its parts."""

_LONGEST, _DEEPEST = 400, 40
_MOST_SIGNS, _MOST_COMMAS = 4, 50
"""Of plus or minus, each of which doubles the work, and of members of sets, which are compared pair by pair."""
_LARGEST_EXPONENT = 1_000
_MOST_BITS = 10_000
_TOLERANCE = 1e-30
_CONTEXT = mpmath.MPContext()
_CONTEXT.dps = 50
_POINTS = 3
"""Values of the variables at which two formulas are compared."""
_TOKEN = re.compile(
    r"\s*(\d+\.?\d*|\.\d+|\\[a-zA-Z]+|\\[{}|]|\*\*|sqrt|infinity|inf|pi|[a-zA-Z]|[-+*/^(){}\[\],=|!_&])"
)
_FUNCTIONS = ("sin", "cos", "tan", "ln", "log", "exp")
_TIMES = ("*", "\\cdot", "\\times")
_OVER = ("/", "\\div")
_OPENING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}"}


class UnreadableError(ValueError):
    """A text is no formula that is known here, or too large a one."""


def same_value(first: str, second: str) -> bool:
    r"""Whether two formulas have the same value, whatever their variables are.

    What is understood: numbers, variables, ``+ - * / ^``, fractions, roots, common functions, pi, i and infinity, in
    LaTeX or plain; pairs and longer tuples, intervals, sets, lists without brackets, which are sets, ``\pm``, which
    makes two; and equations, which are the same if one is a multiple of the other. Two numbers side by side
    are not a product, and can't be read.

    Two formulas are compared at three points: exactly where they are rational, and to 30 digits elsewhere. No symbolic
    algebra is done, for that can take any time; two formulas that differ agree at random points only by a miracle.

    Raises:
        UnreadableError: If either is no such formula.
    """
    shapes = [_Reader(text).whole() for text in (first, second)]
    return _same(*shapes)


class _Reader:
    """Reads one formula by recursive descent."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise UnreadableError(f"{len(text)} characters; at most {_LONGEST} are read")
        self._tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise UnreadableError(f"unknown sign {text[place]!r}")
            self._tokens.append(found[1])
            place = found.end()
        if self._tokens.count("\\pm") > _MOST_SIGNS or self._tokens.count(",") > _MOST_COMMAS:
            raise UnreadableError("there are too many parts")
        self._place = self._depth = 0

    def whole(self) -> Node:
        """All of the formula, or formulas."""
        found = self._union()
        if self._next() is not None:
            raise UnreadableError(f"{self._next()!r} is not expected")
        return found

    def _next(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _take(self, *wanted: str) -> str | None:
        token = self._next()
        if token in wanted:
            self._place += 1
            return token
        return None

    def _need(self, wanted: str) -> None:
        if self._take(wanted) is None:
            raise UnreadableError(f"{wanted!r} is missing")

    def _union(self) -> Node:
        parts = [self._list()]
        while self._take("\\cup"):
            parts.append(self._list())
        return parts[0] if len(parts) == 1 else ("set", *parts)

    def _list(self) -> Node:
        parts = self._items()
        return parts[0] if len(parts) == 1 else ("set", *parts)

    def _items(self) -> list[Node]:
        parts = [self._equation()]
        while self._take(","):
            parts.append(self._equation())
        return parts

    def _equation(self) -> Node:
        left = self._sum()
        return ("equation", left, self._sum()) if self._take("=") else left

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableError("nested too deeply")
        found = self._product()
        while sign := self._take("+", "-", "\\pm"):
            found = (sign, found, self._product())
        self._depth -= 1
        return found

    def _product(self) -> Node:
        found = last = self._signed()
        while True:
            if self._take(*_TIMES):
                found = ("*", found, last := self._signed())
            elif self._take(*_OVER):
                found = ("/", found, last := self._signed())
            elif self._starts_value():
                if last[0] == "number" and self._tokens[self._place][0] in "0123456789.":
                    raise UnreadableError("two numbers side by side are not a product")
                found = ("*", found, last := self._power())
            else:
                return found

    def _starts_value(self) -> bool:
        token = self._next()
        return token is not None and (
            token in ("(", "[", "{", "\\frac", "\\sqrt", "sqrt", "\\pi", "pi", "\\infty", "inf", "infinity")
            or token[0].isalnum()
            or token.removeprefix("\\") in _FUNCTIONS
        )

    def _signed(self) -> Node:
        negative = False
        while sign := self._take("-", "+"):
            negative ^= sign == "-"
        if self._take("\\pm"):
            return ("\\pm", ("number", Fraction(0)), self._power())
        found = self._power()
        return ("-", ("number", Fraction(0)), found) if negative else found

    def _power(self) -> Node:
        found = self._atom()
        if self._take("^", "**"):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise UnreadableError("nested too deeply")
            found = ("^", found, self._signed() if self._next() == "-" else self._one_or_group(power=True))
            self._depth -= 1
        return found

    def _one_or_group(self, *, power: bool = False) -> Node:
        r"""An argument: a group in braces, or one sign, so that ``\frac12`` is a half; in an exponent also a number."""
        if self._take("{"):
            found = self._sum()
            self._need("}")
            return found
        token = self._next()
        if token is not None and token.isdigit() and len(token) > 1 and not power:
            self._tokens[self._place : self._place + 1] = list(token)
        return self._power() if power else self._atom()

    def _atom(self) -> Node:
        token = self._next()
        if token is None:
            raise UnreadableError("something is missing at the end")
        self._place += 1
        if token[0].isdigit() or token[0] == ".":
            number: Node = ("number", Fraction(token if token[-1] != "." else token[:-1]))
            return self._mixed(number) if token.isdigit() else number
        if token == "\\frac":
            return ("/", self._one_or_group(), self._one_or_group())
        if token in ("\\sqrt", "sqrt"):
            index: Node = ("number", Fraction(2))
            if self._take("["):
                index = self._sum()
                self._need("]")
            return ("^", self._one_or_group(), ("/", ("number", Fraction(1)), index))
        if token in _OPENING:
            return self._group(token)
        if token == "|":
            found = self._sum()
            self._need("|")
            return ("abs", found)
        if token in ("\\pi", "pi"):
            return ("pi",)
        if token in ("\\infty", "inf", "infinity"):
            return ("variable", "infinity")
        if (name := token.removeprefix("\\")) in _FUNCTIONS:
            return (name, self._power())
        if len(token) == 1 and token.isalpha():
            return self._variable(token)
        raise UnreadableError(f"{token!r} is not expected")

    def _mixed(self, number: Node) -> Node:
        r"""``3\frac{1}{2}``, which is three and a half."""
        rest = self._tokens[self._place : self._place + 7]
        if rest[:1] == ["\\frac"] and (
            re.fullmatch(r"\{ \d+ \} \{ \d+ \}", " ".join(rest[1:]))
            or (len(rest) > 1 and re.fullmatch(r"\d\d", rest[1]))
        ):
            return ("+", number, self._atom())
        return number

    def _variable(self, name: str) -> Node:
        if self._take("_"):
            index = self._atom()
            return ("variable", f"{name}_{index}")
        return ("i",) if name == "i" else ("variable", name)

    def _group(self, opening: str) -> Node:
        if self._take(_OPENING[opening]):
            return ("set",) if opening == "\\{" else ("tuple", opening)
        parts = self._items()
        closing = self._take(")", "]", "}", "\\}")
        interval = opening in "([" and closing in (")", "]") and len(parts) == 2
        if closing is None or (closing != _OPENING[opening] and not interval):
            raise UnreadableError("brackets do not match")
        if opening == "\\{":
            return ("set", *parts)
        if len(parts) == 1:
            return parts[0]
        return ("tuple", opening + closing, *parts)


def _same(first: Node, second: Node) -> bool:
    one, other = _alternatives(first), _alternatives(second)
    if len(one) != 1 or len(other) != 1 or "set" in (first[0], second[0]):
        return _same_set(one, other)
    (left,), (right,) = one, other
    if left[0] != right[0] and {left[0], right[0]} & {"tuple", "equation"}:
        return False
    if left[0] == "tuple":
        alike = left[1] == right[1] and len(left) == len(right)
        return alike and all(_same(a, b) for a, b in zip(left[2:], right[2:], strict=True))
    if left[0] == "equation":
        return _proportional([("-", left[1], left[2]), ("-", right[1], right[2])])
    values = [[_value(node, point) for point in range(_POINTS)] for node in (left, right)]
    return all(_close(a, b) for a, b in zip(*values, strict=True))


def _alternatives(node: Node) -> list[Node]:
    """The members of a set; of a formula with plus or minus the two that it stands for; else itself."""
    if node[0] == "set":
        return [found for part in node[1:] for found in _alternatives(part)]
    if node[0] == "\\pm":
        return [(sign, *node[1:]) for sign in "+-"]
    if node[0] in ("+", "-", "*", "/"):
        sides = [_alternatives(side) for side in node[1:]]
        if sum(len(side) > 1 for side in sides) == 1:
            return [(node[0], left, right) for left in sides[0] for right in sides[1]]
    return [node]


def _same_set(one: Sequence[Node], other: Sequence[Node]) -> bool:
    """Whether each member of either has one of its own in the other."""
    if len(one) != len(other):
        return False
    left = list(other)
    for member in one:
        place = next((place for place, node in enumerate(left) if _same(member, node)), None)
        if place is None:
            return False
        del left[place]
    return True


def _proportional(differences: Sequence[Node]) -> bool:
    """Whether the left sides less the right sides of two equations are in the same ratio everywhere."""
    one, other = ([_value(node, point) for point in range(_POINTS)] for node in differences)
    if any(_close(a, Fraction(0)) or _close(b, Fraction(0)) for a, b in zip(one, other, strict=True)):
        return False
    ratios = [_mp(a) / _mp(b) for a, b in zip(one, other, strict=True)]
    return all(_close(ratio, ratios[0]) for ratio in ratios)


def _value(node: Node, point: int) -> Any:
    """A fraction where that is exact, else a complex number of 50 digits."""
    kind, *parts = node
    if kind == "number":
        return parts[0]
    if kind == "variable":
        # spread out, of both signs, the same for the same name, and simple in no way
        spread = sum(ord(sign) * 37**place for place, sign in enumerate(parts[0][:20]))
        return Fraction((spread * 7_919 + point * 104_729) % 1_999 + 211, (613, -809, 1_013)[point])
    if kind == "pi":
        return _CONTEXT.pi + 0
    if kind == "i":
        return _CONTEXT.mpc(0, 1)
    if kind in ("tuple", "set", "equation", "\\pm"):
        raise UnreadableError("a number is expected")
    values = [_value(part, point) for part in parts]
    try:
        found = _applied(kind, values)
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        raise UnreadableError(str(error)) from error
    return _bounded(found)


def _applied(kind: str, values: Sequence[Any]) -> Any:
    if kind == "abs":
        return abs(values[0])
    if kind in _FUNCTIONS:
        return _function(kind, values[0])
    left, right = values
    if kind == "^":
        return _raised(left, right)
    if not (isinstance(left, Fraction) and isinstance(right, Fraction)):
        left, right = _mp(left), _mp(right)
    if kind == "+":
        return left + right
    if kind == "-":
        return left - right
    return left * right if kind == "*" else left / right


def _raised(base: Any, exponent: Any) -> Any:
    if abs(exponent) > _LARGEST_EXPONENT:
        raise UnreadableError("the exponent is too large")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent.numerator) > _MOST_BITS:
            raise UnreadableError("the power is too large")
        return base**exponent.numerator
    if isinstance(exponent, Fraction) and exponent.denominator % 2 == 1 and isinstance(base, Fraction) and base < 0:
        # the real root: the cube root of -8 is -2 in schoolbooks
        return (-1) ** exponent.numerator * _mp(-base) ** _mp(exponent)
    return _mp(base) ** _mp(exponent)


def _function(name: str, argument: Any) -> Any:
    argument = _mp(argument)
    if abs(argument) > _LARGEST_EXPONENT * 100:
        raise UnreadableError("the argument is too large")
    if name == "log":
        return _CONTEXT.log(argument) / _CONTEXT.log(10)
    return getattr(_CONTEXT, name)(argument)


def _bounded(value: Any) -> Any:
    if isinstance(value, Fraction):
        too_large = max(value.numerator.bit_length(), value.denominator.bit_length()) > 4 * _MOST_BITS
    else:
        size = _CONTEXT.mag(value)
        too_large = not (_CONTEXT.isfinite(value) and (value == 0 or abs(int(size)) <= _MOST_BITS))
    if too_large:
        raise UnreadableError("the value is too large")
    return value


def _mp(value: Any) -> Any:
    return _CONTEXT.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    one, other = _mp(one), _mp(other)
    return bool(abs(one - other) <= _TOLERANCE * max(1, abs(one), abs(other)))
