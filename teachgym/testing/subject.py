"""Whether a subject keeps the contract of ``teachgym.data.subject.Subject``."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from teachgym.data.example import Example
from teachgym.data.skills import find_skill
from teachgym.data.subject import Subject
from teachgym.testing.equality import difference

ODD_ANSWERS = (
    "",
    " ",
    "?",
    "\x00\x01",
    "é漢字",
    "a" * 5_000,
    "(" * 2_000,
    "1/0",
    "None",
    "[]",
    "\n\n",
    "-",
    "nan",
    "9" * 400,
)
"""What a student may answer, beside the truth."""


def check_subject(
    make: Callable[[], Subject],
    *,
    generates: bool = True,
    targets: bool = True,
    exact: bool = True,
    most_held_out: float = 0.3,
    least_different: float = 0.5,
) -> None:
    """Check that a subject keeps the contract; call it from a test of your own.

    Checks that skills have names and paths; that validation and test sets have examples of every skill, all different,
    and are the same in a fresh subject; that targets are right, have the form of an answer and pass ``verify``; that an
    answer which only contains the target, or none, is not right, and nothing that a student may answer raises; that
    ``scores`` equals ``score``; and, of a subject that makes examples, that as many come as are asked for, of the part
    that is asked for, the same for the same generator, with few of them held out and many different ones; and that no
    global generator is touched.

    Args:
        make: Makes a new subject at each call.
        generates: Whether it makes examples.
        targets: Whether its examples have right answers; False for a benchmark whose solutions are not published.
        exact: Whether an answer that only contains the target is wrong; False for a scorer that looks for it there.
        most_held_out: Share of the examples made that may be of the validation or test set.
        least_different: Share of the examples made that must be different.

    Raises:
        AssertionError: If the subject breaks the contract; the message says how.
    """
    subject = make()
    _ = subject.validation  # whatever is imported on the way has been
    before = _generators()
    _check_held_out(subject, make())
    for examples in (subject.validation, subject.test):
        if targets:
            _check_targets(subject, examples)
        _check_odd_answers(subject, examples, exact=exact and targets)
    if generates:
        for skill in subject.skills:
            for path in skill.walk():
                _check_made(subject, path)
            _check_variety(subject, (skill.name,), most_held_out, least_different)
    found = difference(before, _generators(), "their state")
    assert found is None, f"the subject drew from, or seeded, a global generator of Python or NumPy: {found}"


def _check_held_out(subject: Subject, again: Subject) -> None:
    names = subject.skill_names
    assert names, "the subject has no skills"
    assert len(set(names)) == len(names), f"two skills have the same name: {names}"
    keys: set[str] = set()
    for kind in ("validation", "test"):
        examples: Sequence[Example] = getattr(subject, kind)
        assert {example.skill for example in examples} == set(names), (
            f"the {kind} set has examples of {sorted({one.skill for one in examples})}; expected all of {names}"
        )
        for example in examples:
            find_skill(subject.skills, example.path)
            assert example.key not in keys, f"{example.prompt!r} stands in validation and test sets twice"
            keys.add(example.key)
        same = [one.key for one in examples] == [one.key for one in getattr(again, kind)]
        assert same, f"a fresh subject has another {kind} set"


def _check_targets(subject: Subject, examples: Sequence[Example]) -> None:
    for answer in subject.mark(examples, [example.target for example in examples]):
        example = answer.example
        assert answer.correct, f"the target {example.target!r} of {example.prompt!r} scores {answer.score}"
    for example in examples[:: max(len(examples) // 40, 1)]:
        assert subject.parses(example), f"the target {example.target!r} of {example.prompt!r} does not parse"
        assert subject.verify([example]) == [True], (
            f"the target {example.target!r} of {example.prompt!r} is not verified"
        )


def _check_odd_answers(subject: Subject, examples: Sequence[Example], *, exact: bool) -> None:
    chosen = examples[:: max(len(examples) // 8, 1)]
    odd = [(example, words) for example in chosen for words in ODD_ANSWERS]
    if exact:
        odd += [(example, f"maybe {example.target} or something else {example.target}0") for example in chosen]
    marked = subject.mark(*map(list, zip(*odd, strict=True)))
    for answer in marked:
        right = answer.given.strip() == answer.example.target.strip()
        assert 0 <= answer.score <= 1, f"{answer.given[:40]!r} scores {answer.score}; expected 0 to 1"
        assert right or not answer.correct, (
            f"{answer.given[:60]!r} counts as a right answer to {answer.example.prompt!r}, whose target is "
            f"{answer.example.target!r}"
        )
    single = [subject.score(example, words) for example, words in odd[::7]]
    assert single == [answer.score for answer in marked[::7]], "scores() gives other scores than score()"


def _check_made(subject: Subject, path: tuple[str, ...]) -> None:
    made = subject.make(path, 3, np.random.default_rng(5))
    again = subject.make(path, 3, np.random.default_rng(5))
    assert len(made) == 3, f"{len(made)} examples of {path} were made; expected 3"
    assert [(one.key, one.target) for one in made] == [(one.key, one.target) for one in again], (
        f"the same generator made other examples of {path}"
    )
    leaves = {(*path[:-1], *leaf) for leaf in find_skill(subject.skills, path).leaves()}
    for example in made:
        assert example.path in leaves, f"an example of {path} has the path {example.path}; expected a leaf below"
        assert subject.score(example, example.target) >= subject.pass_mark, f"the target of {example.prompt!r} is wrong"
    assert subject.make(path, 0, np.random.default_rng(5)) == [], f"no examples of {path} were asked for, and some made"


def _check_variety(subject: Subject, path: tuple[str, ...], most_held_out: float, least_different: float) -> None:
    count = 200
    made = [example.key for example in subject.make(path, count, np.random.default_rng(6))]
    held_out = {example.key for example in (*subject.validation, *subject.test)}
    leaked = sum(key in held_out for key in made)
    assert leaked <= most_held_out * count, f"{leaked} of {count} examples of {path} are held out for tests"
    different = len(set(made))
    assert different >= least_different * count, f"only {different} of {count} examples of {path} are different"


def _generators() -> dict[str, Any]:
    return {"python": random.getstate(), "numpy": np.random.get_state()}  # noqa: NPY002 - to watch it
