"""Whether a student keeps the contract of ``teachgym.students.supervised.SupervisedStudent``."""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from teachgym.base.files import read_state, write_state
from teachgym.base.setting_checks import check_whole
from teachgym.core.seeding import check_seed
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.lifetimes.global_state import capture, preserved
from teachgym.students.supervised.student import SupervisedStudent
from teachgym.testing.equality import difference, not_plain
from teachgym.testing.forgotten import forgotten

_EXAMPLES = 48
"""Examples to learn from, unless others are given."""
_AGREEMENT = 0.9
"""Share of answers that must be the same in any order; sums of floats that depend on the batch may turn a few."""
_RISE = 0.1
"""What the share of right answers must rise by to count as learning."""


def check_supervised_student(
    make: Callable[..., SupervisedStudent],
    subject: Subject,
    *,
    examples: Sequence[Example] | None = None,
    updates: int = 8,
    seed: int = 0,
    seeded: bool = True,
    learns_within: int | None = None,
) -> None:
    """Check that a student keeps the contract; call it from a test of your own.

    It learns a few times and must: be the same student, bit for bit, from the same seed, whatever is drawn from global
    generators in between, and another one from another seed; leave global generators, torch's threads and what it is
    given as they are; answer every example with a string, in order, the same when asked again, without looking at the
    target (unless it does not read), and without any effect on what it learns later; change no answer by a training
    of no updates; and give a state of arrays and plain values, a snapshot, from which a fresh student goes on as if
    nothing had been.

    Args:
        make: The class, or anything that is called as ``make(subject, seed=0)``: ``partial(Class, settings=...)``.
            Equality bit for bit is promised on CPU, so settings should choose that.
        subject: What it learns.
        examples: To learn from, at least two; None draws 48 from the subject, evenly over its skills.
        updates: Updates of each training, at least 1.
        seed: Non-negative integer.
        seeded: Whether other seeds give other students; False for one that has nothing random about it.
        learns_within: Updates within which the share of these examples that it answers correctly must rise by 0.1;
            None does not ask.

    Raises:
        AssertionError: If the student breaks the contract; the message says how.
        ValueError: If an argument is not allowed.
    """
    check_seed(seed)
    check_whole("updates", updates, 1)
    if learns_within is not None:
        check_whole("learns_within", learns_within, 1)
    given = _drawn(subject, seed) if examples is None else list(examples)
    if len(given) < 2:
        raise ValueError(f"examples has length {len(given)}; expected at least 2 to learn from")
    check = _Check(make, subject, given, updates, seed)
    check.is_described()
    check.answers_well()
    check.learns_nothing_from_no_updates()
    check.follows_from_its_seed(other_seeds_differ=seeded)
    check.goes_on_from_its_state()
    if learns_within is not None:
        check.learns(learns_within)


class _Check:
    """The contract, for one way of making students."""

    def __init__(
        self,
        make: Callable[..., SupervisedStudent],
        subject: Subject,
        examples: list[Example],
        updates: int,
        seed: int,
    ) -> None:
        self.make, self.subject, self.updates, self.seed = make, subject, updates, seed
        half = (len(examples) + 1) // 2
        self.rounds = [examples[:half], examples]
        """A first round of data, and a second, which goes on with all of it."""
        self.asked = examples

    def is_described(self) -> None:
        """Its class says what its settings are, and refuses others."""
        student = self._fresh()
        kind = type(student)
        assert isinstance(student, SupervisedStudent), (
            f"make() gave {student!r}; expected a teachgym.students.supervised.SupervisedStudent"
        )
        settings: Any = kind.Settings
        parameters = getattr(settings, "__dataclass_params__", None)
        frozen = parameters is not None and parameters.frozen
        assert frozen, f"Settings is {settings!r}; expected a frozen dataclass"
        try:
            settings()
        except TypeError as error:
            raise AssertionError(f"a field of Settings has no default: {error}") from error
        names = [field.name for field in fields(settings)]
        assert isinstance(student.settings, settings), (
            f"settings is {student.settings!r}; expected a {settings.__name__} with {', '.join(names) or 'no fields'}"
        )
        own = kind.state_dict is not SupervisedStudent.state_dict
        own = own or kind.load_state_dict is not SupervisedStudent.load_state_dict
        assert not own, "it has a state_dict or load_state_dict of its own; name what changes in keeps"
        assert isinstance(kind.reads, bool), f"reads is {kind.reads!r}; expected True or False"
        assert kind.updates_per_example > 0, f"updates_per_example is {kind.updates_per_example!r}; expected above 0"
        try:
            kind(self.subject, object(), seed=self.seed)
        except TypeError:
            return
        raise AssertionError("settings of another class were accepted; the constructor must raise TypeError")

    def answers_well(self) -> None:
        """Before any training and after some, answers are well formed, and asking for them has no effects."""
        student = self._fresh()
        self._check_answers(student)
        self._train(student, self.rounds[0])
        self._check_answers(student)
        other = self._fresh()
        self._train(other, self.rounds[0])
        found = difference(student.state_dict(), other.state_dict(), "the state")
        assert found is None, f"answer() changed the student: {found}"

    def learns_nothing_from_no_updates(self) -> None:
        """Training of no updates changes no answer."""
        student = self._fresh()
        self._train(student, self.rounds[0])
        before = student.answer(self.asked)
        student.train(self.rounds[1], updates=0)
        found = difference(before, student.answer(self.asked), "the answers")
        assert found is None, f"train(examples, updates=0) changed what it answers: {found}"

    def follows_from_its_seed(self, *, other_seeds_differ: bool) -> None:
        """The student follows from the seed, which matters."""
        expected = self._taught()
        other = self._taught(disturb=True)
        failure = (
            "two students of one seed, taught alike, differ; one of them was tested and global generators were drawn "
            "from in between"
        )
        self._check_same(expected, other, failure)
        if other_seeds_differ:
            another = self._taught(seed=self.seed + 1)
            alike = difference(expected.state_dict(), another.state_dict()) is None
            assert not alike, (
                f"seeds {self.seed} and {self.seed + 1} give the same student; pass seeded=False if there is nothing "
                "random about it"
            )

    def goes_on_from_its_state(self) -> None:
        """A fresh student that loads the state goes on as the one that gave it."""
        for rounds in ([], self.rounds[:1]):
            student = self._taught(rounds=rounds)
            state = student.state_dict()
            found = not_plain(state)
            assert found is None, f"state_dict() holds more than arrays and plain values: {found}"
            stored = _through_file(state)
            rest = self.rounds[len(rounds) :]
            self._teach(student, rest)
            changed = difference(stored, _through_file(state), "the state")
            assert changed is None, f"training went on changing a state that state_dict() gave out; copy: {changed}"
            when = "at the start" if not rounds else "halfway"
            for learnt in ([], self.rounds[:1]):  # whatever the one that loads has learnt must be gone
                resumed = self._taught(rounds=learnt)
                resumed.load_state_dict(stored)
                self._teach(resumed, rest)
                failure = f"one that loaded the state {when} and went on differs from one that never stopped"
                self._check_same(student, resumed, failure)
            lost = forgotten(student, self._fresh())
            assert lost is None, (
                f"it forgets {lost}, which has changed and does not come back from its state; name it in keeps, or "
                "drop it in _forget_derived if it follows from what is kept"
            )

    def learns(self, updates: int) -> None:
        """It answers more of what it was trained on correctly than before."""
        student = self._fresh()
        before = self._accuracy(student)
        student.train(self.asked, updates=updates)
        after = self._accuracy(student)
        assert after >= before + _RISE, (
            f"it answered {before:.2f} of the examples correctly before {updates} updates on them, and {after:.2f} "
            f"after; expected a rise by {_RISE}"
        )

    def _fresh(self, seed: int | None = None) -> SupervisedStudent:
        seed = self.seed if seed is None else seed
        with _Untouched("making a student"):
            return self.make(self.subject, seed=seed)

    def _taught(
        self, *, seed: int | None = None, rounds: Sequence[list[Example]] | None = None, disturb: bool = False
    ) -> SupervisedStudent:
        if disturb:
            with preserved():
                _draw_from_global_generators()
                student = self._fresh(seed)
        else:
            student = self._fresh(seed)
        self._teach(student, self.rounds if rounds is None else rounds, disturb=disturb)
        return student

    def _teach(self, student: SupervisedStudent, rounds: Sequence[list[Example]], *, disturb: bool = False) -> None:
        for examples in rounds:
            if disturb:
                with preserved():
                    _draw_from_global_generators()
                    student.answer(self.asked)
                    self._train(student, examples)
            else:
                self._train(student, examples)

    def _train(self, student: SupervisedStudent, examples: list[Example]) -> None:
        own, before = list(examples), [_values(example) for example in examples]
        with _Untouched("train()"):
            student.train(own, updates=self.updates)
        kept = len(own) == len(examples) and all(a is b for a, b in zip(own, examples, strict=True))
        assert kept, "train() changed the list of examples it was given"
        found = difference(before, [_values(example) for example in examples], "the examples")
        assert found is None, f"train() changed an example: {found}"

    def _check_answers(self, student: SupervisedStudent) -> None:
        before = student.state_dict()
        with _Untouched("answer()"):
            answers = student.answer(self.asked)
        self._check_form(answers)
        again = difference(answers, student.answer(self.asked), "the answers")
        assert again is None, f"answer() gave two answers to the same examples; it must be deterministic: {again}"
        assert student.answer([]) == [], "answer() of no examples gave something else than an empty list"
        found = difference(before, student.state_dict(), "the state")
        assert found is None, f"answer() changed the state: {found}"
        if student.reads:
            hidden = [replace(example, target="") for example in self.asked]
            found = difference(answers, student.answer(hidden), "the answers")
            assert found is None, f"answer() looks at targets; without them it answers otherwise: {found}"
            reverse = student.answer(self.asked[::-1])[::-1]
            same = np.mean([a == b for a, b in zip(answers, reverse, strict=True)])
            assert same >= _AGREEMENT, (
                f"answer() must answer in order; asked backwards, it gave other answers to {1 - same:.0%} of examples"
            )

    def _check_form(self, answers: Any) -> None:
        assert isinstance(answers, list), f"answer() gave {type(answers).__name__}; expected a list of strings"
        assert len(answers) == len(self.asked), f"answer() gave {len(answers)} answers to {len(self.asked)} examples"
        wrong = next((answer for answer in answers if type(answer) is not str), None)
        assert wrong is None, f"answer() gave {wrong!r} of type {type(wrong).__name__}; expected strings"

    def _check_same(self, expected: SupervisedStudent, other: SupervisedStudent, failure: str) -> None:
        found = difference(expected.state_dict(), other.state_dict(), "the state")
        found = found or difference(expected.answer(self.asked), other.answer(self.asked), "the answers")
        assert found is None, f"{failure}: {found}"

    def _accuracy(self, student: SupervisedStudent) -> float:
        answers = self.subject.mark(self.asked, student.answer(self.asked))
        return float(np.mean([answer.correct for answer in answers]))


class _Untouched:
    """Sees that a block leaves the process-wide state as it was."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._before = _process_state()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            found = difference(self._before, _process_state(), "the state of the process")
            assert found is None, f"{self._what} drew from a global generator or changed a global setting: {found}"


def _process_state() -> dict[str, Any]:
    """The global generators and torch's settings, as values that can be compared."""
    state = {name: value.numpy() if name == "torch" else value for name, value in capture().items() if name != "cuda"}
    return {**state, "threads": torch.get_num_threads(), "dtype": str(torch.get_default_dtype())}


def _draw_from_global_generators() -> None:
    random.random()
    np.random.random(3)  # noqa: NPY002
    torch.rand(2)


def _drawn(subject: Subject, seed: int) -> list[Example]:
    """Examples of every skill in turn, no two the same, and none of the validation set.

    Raises:
        ValueError: If the subject can't make any.
    """
    rng = np.random.default_rng([seed, 5_003])
    names = subject.skill_names
    each = max(2, _EXAMPLES // len(names))
    found: dict[str, Example] = {}
    try:
        for name in names:
            found.update((example.key, example) for example in subject.make((name,), each, rng))
    except NotImplementedError as error:
        raise ValueError(f"{type(subject).__name__} makes no examples of its own; pass examples=") from error
    drawn = list(found.values())
    return [drawn[place] for place in rng.permutation(len(drawn))]


def _values(example: Example) -> dict[str, Any]:
    return {
        "prompt": example.prompt,
        "target": example.target,
        "path": example.path,
        "image": None if example.image is None else example.image.copy(),
    }


def _through_file(state: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "student.npz"
        try:
            write_state(path, state)
        except TypeError as error:
            raise AssertionError(f"state_dict() can't be written to a file: {error}") from error
        return read_state(path)
