"""Where a student learns from data: the budgets, the engine, the checks on what it makes, and the tests."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path as FilePath

import numpy as np

from teachgym.base.state import State
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray
from teachgym.data.discovery import SkillDiscovery
from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Answer, Example
from teachgym.data.quality import QualityControl
from teachgym.data.subject import Subject
from teachgym.envs.data.apportion import cut
from teachgym.envs.data.classroom_settings import ClassroomSettings
from teachgym.envs.data.discovery.discoveries import make_discovery
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.round_files import read_given, write_round
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.blank import BlankSubject
from teachgym.students.lifetimes.global_state import threads
from teachgym.students.supervised import SupervisedStudent, make_supervised_student, supervised_student_class

_ATTEMPTS = 5
"""Times that an engine is asked for what checks have rejected."""


@dataclass
class Expenses:
    """What an episode has cost so far."""

    examples: int = 0
    """Examples given to the student."""
    updates: int = 0
    """Training updates, those of students that were retrained included."""
    engine: float = 0.0
    """What the engine spent, in its own unit."""
    validation_answers: int = 0
    """Answers to validation examples."""
    test_answers: int = 0
    """Answers to test examples."""
    probes: int = 0
    """Answers to other examples: candidates, and data that it was trained on."""


@dataclass(frozen=True)
class Round:
    """What came of a plan."""

    given: list[list[Example]]
    """For each order the examples that the student was given."""
    failures: list[str]
    """What the engine could not do."""


class Classroom:
    """One student, its data so far, and everything that is counted.

    Args:
        settings: What is learnt, by whom, from what.

    Raises:
        ValueError: If something named in the settings is unknown, or can't be made.
    """

    def __init__(self, settings: ClassroomSettings) -> None:
        self.settings = settings
        subject = settings.subject
        read = make_subject(subject, **settings.subject_settings) if isinstance(subject, str) else subject
        self.student_name = settings.student or read.student
        kind = supervised_student_class(self.student_name)
        self.reads = kind.reads
        self.subject: Subject = read if kind.reads else BlankSubject(read)
        self.engine = _engine(settings, self.subject)
        self._make_student(0)  # so that what can't be made is refused before anything is spent
        self.most_updates = (
            round(settings.budget * kind.updates_per_example) if settings.updates is None else settings.updates
        )
        given = isinstance(settings.discovery, str) and settings.discovery == "given"
        self.discovery = None if given else _discovery(settings)
        discovered = tuple(f"skill {k}" for k in range(settings.discovered))
        self.places = self.subject.skill_names if given else discovered
        """What skills are called before any is discovered, in the order of all that is by skill."""
        self.skill_count = len(self.places)
        self.folder: FilePath | None = None

    def begin(self, seeds: Seeds) -> None:
        """Take a fresh student in, and test it."""
        self._start(seeds)
        self.engine.begin()
        self._test()
        self._name_skills()
        self._write([])

    def _start(self, seeds: Seeds) -> None:
        self.seeds = seeds
        self.student = self._make_student(seeds.student)
        self.expenses = Expenses()
        self.rounds = 0
        self.data: list[Example] = []
        self.latest: list[Example] = []
        self._keys: set[str] = set()
        self.quality = self._make_quality_control()

    def _make_quality_control(self) -> QualityControl:
        checks = type(self.engine).checks if self.settings.checks is None else self.settings.checks
        return QualityControl(
            self.subject,
            checks,
            held_out=self._held_out,
            ask=self._answers_right,  # not a lambda, which would ask this classroom's student from a copy, too
        )

    def _answers_right(self, examples: Sequence[Example]) -> list[bool]:
        return [answer.correct for answer in self.probe(examples)]

    def twin(self) -> "Classroom":
        """A classroom in the same state, where a student may learn without a trace here.

        Raises:
            ValueError: If the student or the engine can't be copied.
        """
        twin = copy.copy(self)
        try:
            twin.student = twin._make_student(self.seeds.student)
            twin.student.load_state_dict(self.student.state_dict())
            twin.engine = copy.deepcopy(self.engine, {id(self.subject): self.subject})
        except (NotImplementedError, TypeError, ValueError) as error:
            raise ValueError(
                f"{type(self.student).__name__} with {type(self.engine).__name__} can't be copied for a probe ({error})"
                "; choose another student or engine"
            ) from error
        twin.folder, twin.expenses = None, replace(self.expenses)
        twin.data, twin._keys = list(self.data), set(self._keys)
        twin.quality = twin._make_quality_control()
        twin.quality.rejected.update(self.quality.rejected)
        return twin

    @cached_property
    def _held_out(self) -> set[str]:
        return {example.key for example in (*self.subject.validation, *self.subject.test)}

    @property
    def left(self) -> int:
        """Examples of the budget that are left."""
        return self.settings.budget - self.expenses.examples

    @property
    def is_over(self) -> bool:
        """Whether a budget is used up."""
        return self.left == 0 or self.expenses.engine >= self.settings.spending_limit

    def teach(self, orders: Sequence[Order]) -> Round:
        """Have a plan carried out, the student trained on what comes of it, and tested.

        Orders beyond what is left of the budget are cut in proportion.

        Raises:
            EngineError: If nothing could be made; all is as before.
        """
        rng = np.random.default_rng([self.seeds.world, self.rounds])
        counts = cut([order.count for order in orders], self.left)
        given, failures = self._make(
            [replace(order, count=count) for order, count in zip(orders, counts, strict=True)], rng
        )
        self._train([example for examples in given for example in examples])
        self.rounds += 1
        self._test()
        self._write(failures)
        return Round(given, failures)

    def teach_examples(self, examples: Sequence[Example]) -> Round:
        """As ``teach``, with examples that the teacher itself has made; those beyond the budget are dropped."""
        passed = self.quality.passed(examples, self._keys)[: self.left]
        self._train(passed)
        self.rounds += 1
        self._test()
        self._write([])
        return Round([passed], [])

    def probe(self, examples: Sequence[Example]) -> list[Answer]:
        """Ask the student something that is no test; it is counted."""
        self.expenses.probes += len(examples)
        return self._answers(examples) if examples else []

    def examine(self, examples: Sequence[Example]) -> list[Answer]:
        """Ask the student test examples; they are counted."""
        self.expenses.test_answers += len(examples)
        return self._answers(examples)

    def _make(self, orders: list[Order], rng: np.random.Generator) -> tuple[list[list[Example]], list[str]]:
        given: list[list[Example]] = [[] for _ in orders]
        failures: list[str] = []
        keys = set(self._keys)
        for attempt in range(_ATTEMPTS):
            missing = [order.count - len(made) for order, made in zip(orders, given, strict=True)]
            if not any(missing):
                break
            allowance = self.settings.spending_limit - self.expenses.engine
            wanted = [replace(order, count=count) for order, count in zip(orders, missing, strict=True)]
            try:
                batch = self._ask(wanted, rng, allowance)
            except EngineError as error:
                self.expenses.engine += error.cost
                if attempt == 0:
                    raise
                failures.append(str(error))
                break
            failures += batch.failures
            for made, examples, count in zip(given, batch.examples, missing, strict=True):
                passed = self.quality.passed(examples[:count], keys)
                keys.update(example.key for example in passed)
                made += passed
            if not any(batch.examples):
                break
        return given, failures

    def _ask(self, orders: list[Order], rng: np.random.Generator, allowance: float) -> Batch:
        wanted = [place for place, order in enumerate(orders) if order.count]
        batch = self.engine.make([orders[place] for place in wanted], rng, allowance=allowance)
        self.expenses.engine += batch.cost
        examples: list[list[Example]] = [[] for _ in orders]
        for place, made in zip(wanted, batch.examples, strict=True):
            examples[place] = made
        return Batch(examples, batch.cost, batch.failures)

    def _train(self, examples: list[Example]) -> None:
        self.latest = examples
        if not examples:
            return
        before = self._due()
        self.data += examples
        self._keys.update(example.key for example in examples)
        self.expenses.examples += len(examples)
        updates = self._due() - before
        if self.settings.regime == "retrain":
            self.student = self._make_student(self.seeds.student)
            updates = self._due()
        with threads(self.settings.threads):
            self.student.train(examples if self.settings.regime == "latest" else self.data, updates=updates)
        self.expenses.updates += updates

    def _due(self) -> int:
        """Updates that a student has had that was trained on all data so far."""
        return self.most_updates * self.expenses.examples // self.settings.budget

    def _answers(self, examples: Sequence[Example]) -> list[Answer]:
        with threads(self.settings.threads):
            given = self.student.answer(examples)
        return self.subject.mark(examples, given)

    def _test(self) -> None:
        validation = self.subject.validation
        self.expenses.validation_answers += len(validation)
        self.answers = self._answers(validation)
        self.correct = np.array([answer.correct for answer in self.answers], dtype=np.float64)

    def _name_skills(self) -> None:
        """Which skills the teacher is shown, and which validation example is of which."""
        if self.discovery is None:
            self.skill_names = list(self.subject.skill_names)
            number = {name: place for place, name in enumerate(self.skill_names)}
            labels = [number[answer.example.skill] for answer in self.answers]
        else:
            rng = np.random.default_rng([self.seeds.world, 2**32 - 1])
            names, labels = self.discovery.discover(self.answers, self.skill_count, rng)
            self.skill_names = [*names, *(f"(empty {place})" for place in range(len(names), self.skill_count))]
        self.labels = np.array(labels, dtype=np.int64)
        self.per_skill = np.bincount(self.labels, minlength=self.skill_count)

    @property
    def accuracy(self) -> float:
        """Share of the validation set that the student answers correctly."""
        return float(self.correct.mean())

    @property
    def skill_accuracy(self) -> FloatArray:
        """``(skills,)`` the same by skill; 1 for a skill without examples, so that none seems weak for lack of any."""
        right = np.bincount(self.labels, weights=self.correct, minlength=self.skill_count)
        return np.where(self.per_skill > 0, right / np.maximum(self.per_skill, 1), 1.0)

    def _make_student(self, seed: int) -> SupervisedStudent:
        return make_supervised_student(self.student_name, self.subject, seed=seed, **self.settings.student_settings)

    def state_dict(self) -> State:
        """Everything but the data, which is in the files of the rounds."""
        return {
            "seeds": asdict(self.seeds),
            "rounds": self.rounds,
            "expenses": asdict(self.expenses),
            "rejected": dict(self.quality.rejected),
            "student": self.student.state_dict(),
            "skills": list(self.skill_names),
            "labels": self.labels,
        }

    def load_state_dict(self, state: State, folder: FilePath) -> None:
        """Go on from what ``state_dict`` gave, with the data of its rounds."""
        self._start(Seeds(**state["seeds"]))
        self.student.load_state_dict(state["student"])
        self.rounds = int(state["rounds"])
        for number in range(1, self.rounds + 1):
            self.latest = read_given(folder, number)
            self.data += self.latest
        self._keys = {example.key for example in self.data}
        self.engine.begin(self.data)
        self._test()
        self.skill_names, self.labels = list(state["skills"]), np.array(state["labels"])
        self.per_skill = np.bincount(self.labels, minlength=self.skill_count)
        self.expenses = Expenses(**state["expenses"])
        self.quality.rejected.update(state["rejected"])

    def _write(self, failures: Sequence[str]) -> None:
        if self.folder is not None:
            write_round(self.folder, self, failures)


def _engine(settings: ClassroomSettings, subject: Subject) -> DataEngine:
    found = settings.engine
    return make_data_engine(found, subject, **settings.engine_settings) if isinstance(found, str) else found


def _discovery(settings: ClassroomSettings) -> SkillDiscovery:
    found = settings.discovery
    return make_discovery(found, **settings.discovery_settings) if isinstance(found, str) else found
