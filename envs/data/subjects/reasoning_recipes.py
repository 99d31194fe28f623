"""How datasets of reasoning-gym are split into subskills, and written briefly enough for small students."""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Any

from teachgym.data.example import Path
from teachgym.data.skills import Skill
from teachgym.envs.data.subjects.reasoning_source import Item, Source, reasoning_gym

_MOST_LEVELS = 4
"""Levels of a curriculum that are tried."""
Config = Mapping[str, Any]
Level = Mapping[str, Config]
"""Names of parts, each with the fields of the dataset's configuration that make it."""


@dataclass(frozen=True)
class Recipe:
    """One dataset as a skill."""

    levels: tuple[Level, ...]
    """Parts of the skill, then parts of every part, and so on; each part of a level is split in the same way."""
    brief: Callable[[Item], tuple[str, str]] | None = None
    """Prompt and target in few characters; None if there is no such form."""
    fixed: Config = field(default_factory=dict)
    """Fields of the configuration that are the same for all parts."""

    def skill(self, name: str) -> Skill:
        """The tree of the skill."""
        parts: tuple[Skill, ...] = ()
        for level in reversed(self.levels):
            parts = tuple(Skill(part, parts) for part in level)
        return Skill(name, parts)

    def configs(self, name: str) -> dict[Path, Config]:
        """The configuration of every leaf of the tree."""
        return {
            (name, *(part for part, _ in chosen)): {**self.fixed, **{k: v for _, c in chosen for k, v in c.items()}}
            for chosen in product(*(level.items() for level in self.levels))
        }


def _exactly(label: str, field_name: str, values: Iterable[int]) -> Level:
    """Parts in which a quantity with a smallest and a largest value has one value."""
    return {f"{label} {value}": {f"min_{field_name}": value, f"max_{field_name}": value} for value in values}


def _expression(item: Item) -> tuple[str, str]:
    return item.metadata["expression"].replace(" ", "") + "=", item.answer


def _numbers(word: str) -> Callable[[Item], tuple[str, str]]:
    return lambda item: (f"{word} " + " ".join(map(str, item.metadata["numbers"])), item.answer)


def _bits(item: Item) -> tuple[str, str]:
    return f"ones {item.metadata['binary']}", item.answer


def _base(item: Item) -> tuple[str, str]:
    facts = item.metadata
    return f"{facts['source_repr']} base {facts['source_base']}>{facts['target_base']}", item.answer


def _fraction(item: Item) -> tuple[str, str]:
    facts = item.metadata
    whole = f"{facts['numerator']}/{facts['denominator']}"
    return f"{whole}=", f"{facts['simplified_numerator']}/{facts['simplified_denominator']}"


def _backward(item: Item) -> tuple[str, str]:
    return f"rev {item.metadata['word'].lower()}", item.answer.lower()


def _letters(item: Item) -> tuple[str, str]:
    return f"{item.metadata['target_letter']} in {' '.join(item.metadata['span']).lower()}", item.answer


def _digits(numbers: Iterable[str]) -> str:
    """One-digit numbers, which the dataset writes as ``"7.0"``, without anything between."""
    return "".join(str(int(float(number))) for number in numbers)


def _sorting(item: Item) -> tuple[str, str]:
    facts = item.metadata
    way = "up" if facts["direction"] == "ascending" else "down"
    return f"{way} {_digits(facts['original_numbers'])}", _digits(facts["sorted_numbers"])


def _filtering(item: Item) -> tuple[str, str]:
    facts = item.metadata
    verb, which = facts["operation"].split("_")
    sign = ">" if which == "larger" else "<"
    bound = _digits([facts["filter_value"]])
    return f"{verb} {sign}{bound} {_digits(facts['original_numbers'])}", _digits(facts["result"]) or "none"


def _equation(item: Item) -> tuple[str, str]:
    return item.metadata["equation"].replace(" ", "").replace(item.metadata["variable"], "x"), item.answer


def _swaps(item: Item) -> tuple[str, str]:
    return f"swap {item.metadata['string']}", item.answer


def _turn(item: Item) -> tuple[str, str]:
    rows = "".join(str(number) for row in item.metadata["matrix"] for number in row)
    return f"turn {item.metadata['num_rotations']} {rows}", "".join(item.answer.split())


_QUANTIFIERS = {"All": "A", "No": "E", "Some": "I", "Some not": "O"}
"""The letters that logicians use."""


def _syllogism(item: Item) -> tuple[str, str]:
    names: dict[str, str] = {}

    def briefly(statement: str) -> str:
        quantifier, subject, predicate = re.fullmatch(r"(\w+) (.+) are (.+)", statement).groups()  # type: ignore[union-attr]
        if predicate.startswith("not "):
            quantifier, predicate = f"{quantifier} not", predicate.removeprefix("not ")
        # two letters of each noun, not one for each role: there would be too few different puzzles
        first, second = (names.setdefault(noun, noun[:2]) for noun in (subject, predicate))
        return f"{_QUANTIFIERS[quantifier]}{first}{second}"

    facts = item.metadata
    premises = f"{briefly(facts['premise1'])} {briefly(facts['premise2'])}"
    return f"{premises}>{briefly(facts['conclusion'])}", item.answer


_CONNECTIVES = {"and": "&", "or": "|", "->": ">", "<=>": "="}


def _knights(item: Item) -> tuple[str, str]:
    def briefly(statement: Any) -> str:
        head, *rest = statement
        if head == "telling-truth":
            return "abcde"[rest[0]]
        if head == "lying":
            return "ABCDE"[rest[0]]
        if head == "not":
            return f"!{briefly(rest[0])}"
        return f"({_CONNECTIVES[head].join(briefly(part) for part in rest)})"

    said = [briefly(statement) for statement in item.metadata["statements"]]
    return " ".join(said), "".join(str(int(honest)) for honest in item.metadata["solution"])


_GATES = {"↑": "!", "⊕": "^", "↓": "-", "&": "&", "+": "+"}


def _circuit(item: Item) -> tuple[str, str]:
    facts, written = item.metadata, ""
    for sign in facts["expression"]:
        written += str(facts["assignments"].get(sign, _GATES.get(sign, sign)))
    return re.sub(r"([01])'", lambda match: "ft"[1 - int(match[1])], written), item.answer


def _alice(item: Item) -> tuple[str, str]:
    counts = re.findall(r"(\d+) ((?:fe)?male|brothers|sisters)", item.question)
    return " ".join(number + word[0] for number, word in counts), item.answer


def _self_reference(item: Item) -> tuple[str, str]:
    return "true " + "".join(re.findall(r"(?:least|most|Exactly) (\d)", item.question)), item.answer


def _rewriting(item: Item) -> tuple[str, str]:
    def briefly(program: str) -> str:
        return "".join(token[0] if token[1] == "#" else token[1].lower() for token in program.split())

    program = re.findall(r"^(?:[AB]#|#[AB])(?: (?:[AB]#|#[AB]))*$", item.question, re.MULTILINE)[-1]
    return f"ab {briefly(program)}", briefly(item.answer) or "none"


_ONE_DIGIT: Config = {"min_value": 0, "max_value": 9, "min_decimals": 0, "max_decimals": 0}


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "spell_backward": Recipe((_exactly("letters", "word_len", (3, 4)),), _backward),
        "count_bits": Recipe(
            ({"to 511": {"min_n": 1, "max_n": 511}, "to 1023": {"min_n": 512, "max_n": 1023}},), _bits
        ),
        "number_sorting": Recipe((_exactly("numbers", "numbers", (2, 3)),), _sorting, _ONE_DIGIT),
        "number_filtering": Recipe((_exactly("numbers", "numbers", (2, 3)),), _filtering, _ONE_DIGIT),
        "letter_counting": Recipe((_exactly("words", "words", (1, 2)),), _letters),
        "rotate_matrix": Recipe((_exactly("turns", "rotations", (1, 2)),), _turn, {"min_n": 2, "max_n": 2}),
        "chain_sum": Recipe(
            (_exactly("terms", "terms", (2,)),),
            _expression,
            {"min_digits": 1, "max_digits": 1, "allow_negation": True},
        ),
        "products": Recipe((_exactly("terms", "terms", (3,)),), _expression, {"min_digits": 1, "max_digits": 1}),
        "gcd": Recipe(
            ({"to 12": {"max_value": 12}, "to 30": {"max_value": 30}},),
            _numbers("gcd"),
            {"min_numbers": 3, "max_numbers": 3},
        ),
        "lcm": Recipe(({"to 12": {"max_value": 12}, "to 30": {"max_value": 30}},), _numbers("lcm")),
        "simple_equations": Recipe(
            ({"to 9": {"max_value": 9}, "to 30": {"max_value": 30}},), _equation, {"min_terms": 2, "max_terms": 2}
        ),
        "base_conversion": Recipe(
            ({"to 63": {"max_value": 63}, "to 255": {"max_value": 255}},),
            _base,
            {"min_value": 1, "min_base": 2, "max_base": 3},
        ),
        "fraction_simplification": Recipe(({"to 9": {"max_value": 9}, "to 30": {"max_value": 30}},), _fraction),
        "aiw": Recipe(({"to 15": {"max_entities": 15}, "to 30": {"max_entities": 30}},), _alice),
        "binary_alternation": Recipe((_exactly("digits", "n", (6, 8)),), _swaps),
        "syllogism": Recipe(({"any": {}},), _syllogism),
        "knights_knaves": Recipe(
            ({"3 people": {"n_people": 3}, "4 people": {"n_people": 4}},),
            _knights,
            {"depth_constraint": 2, "width_constraint": 2},
        ),
        "circuit_logic": Recipe((_exactly("terms", "terms", (2, 3)),), _circuit, {"min_inputs": 2, "max_inputs": 2}),
        "self_reference": Recipe(({"any": {}},), _self_reference),
        "ab": Recipe(({"tokens 8": {"length": 8}, "tokens 11": {"length": 11}},), _rewriting),
    }
)
"""Dataset -> how it is split, and how it is written briefly."""


def curriculum_recipe(name: str) -> Recipe:
    """A dataset without a recipe of its own, split by the levels of its curriculum; in words only.

    The parts are the first levels at which all of its attributes stand, as far as the dataset accepts them.
    """
    curriculum = (
        reasoning_gym().factory.create_curriculum(name) if reasoning_gym().factory.has_curriculum(name) else None
    )
    if curriculum is None:
        return Recipe(({"any": {}},))
    levels: dict[str, Config] = {}
    for level in range(_MOST_LEVELS):
        with contextlib.suppress(Exception):  # whatever a dataset's own checks raise for a level that it rejects
            curriculum.set_global_level(level)
            config = {
                field_name: value
                for field_name, value in vars(curriculum.generate_configuration()).items()
                if field_name not in ("seed", "size")
            }
            Source(name, config)
            if config not in levels.values():
                levels[f"level {level + 1}"] = config
    return Recipe((levels or {"any": {}},))
