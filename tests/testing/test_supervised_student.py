import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from teachgym.base.state import State, stored
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.supervised import SupervisedStudent
from teachgym.testing import check_supervised_student
from tests.data.toy import Numbers, Practice


@dataclass(frozen=True)
class ChooserSettings:
    """How fast it learns."""

    step: float = 1.0
    """Step size."""


class Chooser(SupervisedStudent):
    """Softmax regression from counts of characters to the answers it has seen; each subclass breaks one promise."""

    Settings: ClassVar[type[Any]] = ChooserSettings
    keeps: ClassVar[tuple[str, ...]] = ("weights", "known", "rng")

    def __init__(self, subject: Subject, settings: ChooserSettings | None = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        self.rng = np.random.default_rng(seed)
        self.known: list[str] = []
        self.weights = np.zeros((96, 0))

    def features(self, examples: Sequence[Example]) -> Any:
        counts = np.ones((len(examples), 96))
        for row, example in zip(counts, examples, strict=True):
            for place, character in enumerate(example.prompt):
                row[(31 * ord(character) + 7 * place) % 95] += 1
        return counts

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        for example in examples if updates else []:
            if example.target not in self.known:
                self.known.append(example.target)
        missing = len(self.known) - self.weights.shape[1]
        self.weights = np.hstack([self.weights, self.draw((96, missing))])
        features, wanted = self.features(examples), np.array([self.known.index(e.target) for e in examples if updates])
        for _ in range(updates):
            chosen = self.minibatch(len(examples))
            scores = features[chosen] @ self.weights
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            shares[np.arange(len(chosen)), wanted[chosen]] -= 1
            self.weights -= self.settings.step / 96 * features[chosen].T @ shares

    def draw(self, shape: tuple[int, int]) -> Any:
        return 0.1 * self.rng.normal(size=shape)

    def minibatch(self, count: int) -> Any:
        return self.rng.integers(count, size=8)

    def answer(self, examples: Sequence[Example]) -> list[str]:
        if not self.known:
            return ["?"] * len(examples)
        return [self.known[best] for best in (self.features(examples) @ self.weights).argmax(axis=1)]


class Unseeded(Chooser):
    """Has nothing random about it."""

    def draw(self, shape: tuple[int, int]) -> Any:
        return np.zeros(shape)

    def minibatch(self, count: int) -> Any:
        return np.arange(count)


def test_good_students_pass() -> None:
    check_supervised_student(Chooser, Numbers(), learns_within=2000)
    check_supervised_student(partial(Chooser, settings=ChooserSettings(step=0.1)), Numbers(), updates=2, seed=7)
    check_supervised_student(Unseeded, Numbers(), seeded=False)


def test_examples_may_be_given() -> None:
    pairs = [Example(f"say {letter}", letter) for letter in "abcdef"]
    check_supervised_student(Chooser, Numbers(), examples=pairs, learns_within=500)
    with pytest.raises(ValueError, match="examples has length 1; expected at least 2"):
        check_supervised_student(Chooser, Numbers(), examples=pairs[:1])


class NoMaker(Numbers):
    def make(self, path: Any, count: int, rng: np.random.Generator) -> list[Example]:
        raise NotImplementedError


def test_a_task_without_examples_needs_some() -> None:
    with pytest.raises(ValueError, match="NoMaker makes no examples of its own; pass examples="):
        check_supervised_student(Chooser, NoMaker())


@dataclass
class LooseSettings:
    """Not frozen."""


class Loose(Chooser):
    Settings: ClassVar[type[Any]] = LooseSettings


class Careless(Chooser):
    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, seed=seed)
        if settings is not None:
            self.settings = settings


class GlobalBirth(Chooser):
    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        random.random()


class GlobalMinibatch(Chooser):
    def minibatch(self, count: int) -> Any:
        return np.random.randint(count, size=8)  # noqa: NPY002


class SeedsGlobally(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        torch.manual_seed(0)
        return super().answer(examples)


class Threads(Chooser):
    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        torch.set_num_threads(torch.get_num_threads() + 1)


class TooFew(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        return super().answer(examples)[:-1]


class WritesNumbers(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        return [7 for _ in examples]  # type: ignore[misc]


class Tuples(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        return tuple(super().answer(examples))  # type: ignore[return-value]


class Moody(Chooser):
    moods = 0

    def answer(self, examples: Sequence[Example]) -> list[str]:
        self.moods += 1
        return [f"{word} {self.moods}" for word in super().answer(examples)]


class LearnsFromTests(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        answers = super().answer(examples)
        self.rng.random()
        return answers


class LearnsSecretly(Chooser):
    """Its state does not tell that it has been asked."""

    asked = 0

    def answer(self, examples: Sequence[Example]) -> list[str]:
        self.asked += 1
        return super().answer(examples)

    def minibatch(self, count: int) -> Any:
        return (super().minibatch(count) + self.asked) % count


class LooksUp(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        return [example.target for example in examples]


class Sorted(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        return sorted(example.prompt for example in examples)


class Eager(Chooser):
    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates + 1)


class Shuffles(Chooser):
    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        examples.reverse()  # type: ignore[attr-defined]


class Rewrites(Chooser):
    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        object.__setattr__(examples[0], "target", "changed")


class IgnoresItsSeed(Chooser):
    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=0)


class SeedsItselfFromTheClock(Chooser):
    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        self.rng = np.random.default_rng()


class Keepsake(Chooser):
    def state(self) -> State:
        return {**super().state(), "student": (1, 2)}


class NoSnapshot(Chooser):
    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        self.kept[:] = [self.weights.sum()]

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        self.kept = np.zeros(1)

    def state(self) -> State:
        return {**super().state(), "weights": self.kept}


class ForgetsItsGenerator(Chooser):
    def load(self, state: Mapping[str, Any]) -> None:
        super().load({**state, "rng": stored(self.rng)})


class ByHand(Chooser):
    def state_dict(self) -> State:  # type: ignore[misc]
        return {"weights": self.weights.copy(), "known": list(self.known)}


class ForgetsHowFar(Chooser):
    """Cools down, and its state does not tell how far."""

    trained = 0

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        self.trained += 1
        self.weights /= self.trained


class Lazy(Chooser):
    def answer(self, examples: Sequence[Example]) -> list[str]:
        return [example.prompt for example in examples]


@pytest.mark.parametrize(
    ("student", "message"),
    [
        (Loose, "expected a frozen dataclass"),
        (Careless, "settings of another class were accepted; the constructor must raise TypeError"),
        (GlobalBirth, r"making a student drew from a global generator.*'random'"),
        (GlobalMinibatch, r"train\(\) drew from a global generator.*'numpy'"),
        (SeedsGlobally, r"answer\(\) drew from a global generator.*'torch'"),
        (Threads, r"train\(\) drew from a global generator or changed a global setting.*'threads'"),
        (TooFew, r"answer\(\) gave 47 answers to 48 examples"),
        (WritesNumbers, r"answer\(\) gave 7 of type int; expected strings"),
        (Tuples, r"answer\(\) gave tuple; expected a list of strings"),
        (Moody, "two answers to the same examples; it must be deterministic"),
        (LearnsFromTests, r"answer\(\) changed the state"),
        (LearnsSecretly, r"answer\(\) changed the student"),
        (LooksUp, r"answer\(\) looks at targets; without them it answers otherwise"),
        (Sorted, "must answer in order"),
        (Eager, r"train\(examples, updates=0\) changed what it answers"),
        (Shuffles, r"train\(\) changed the list of examples"),
        (Rewrites, r"train\(\) changed an example: the examples\[0\]\['target'\]"),
        (IgnoresItsSeed, "seeds 0 and 1 give the same student; pass seeded=False"),
        (SeedsItselfFromTheClock, "answer\\(\\) changed the student"),
        (ByHand, "it has a state_dict or load_state_dict of its own; name what changes in keeps"),
        (Keepsake, r"more than arrays and plain values: the state\['student'\] is \(1, 2\)"),
        (NoSnapshot, "training went on changing a state"),
        (ForgetsItsGenerator, "one that loaded the state at the start and went on differs from one that never stopped"),
        (ForgetsHowFar, "one that loaded the state at the start and went on differs"),
    ],
)
def test_broken_students_are_told_what_is_wrong(student: type[SupervisedStudent], message: str) -> None:
    threads = torch.get_num_threads()
    state = random.getstate()
    try:
        with pytest.raises(AssertionError, match=message):
            check_supervised_student(student, Numbers())
    finally:
        torch.set_num_threads(threads)
        random.setstate(state)


def test_a_student_that_does_not_learn_is_found_where_that_is_asked_for() -> None:
    check_supervised_student(Lazy, Numbers())
    with pytest.raises(AssertionError, match=r"it answered 0\.00 of the examples correctly before 50 updates on them"):
        check_supervised_student(Lazy, Numbers(), learns_within=50)


def test_one_that_does_not_read_may_look_at_targets() -> None:
    class Counts(LooksUp):
        reads = False

    check_supervised_student(Counts, Numbers())


def test_something_else_than_a_student_is_refused() -> None:
    with pytest.raises(AssertionError, match="expected a teachgym"):
        check_supervised_student(lambda subject, seed: "a student", Numbers())  # type: ignore[arg-type, return-value]


def test_a_student_that_counts_examples_without_updates_is_found() -> None:
    pairs = [Example(f"same {number}", str(number), ("same", "small")) for number in range(22)]
    with pytest.raises(AssertionError, match="updates=0"):
        check_supervised_student(partial(Practice), Numbers(), examples=pairs, seeded=False)


def test_answers_do_not_depend_on_facts_that_are_hidden() -> None:
    """The check itself hides targets alone: prompts, paths and images stay."""
    seen: list[tuple[Example, ...]] = []

    class Watches(Chooser):
        def answer(self, examples: Sequence[Example]) -> list[str]:
            seen.append(tuple(examples))
            return super().answer(examples)

    examples = [replace(Example("a 1", "1"), path=("x",)), Example("b 2", "2"), Example("c 3", "3")]
    check_supervised_student(Watches, Numbers(), examples=examples)
    hidden = [one for asked in seen for one in asked if not one.target]
    assert hidden
    assert {(one.prompt, one.path) for one in hidden} == {("a 1", ("x",)), ("b 2", ()), ("c 3", ())}
