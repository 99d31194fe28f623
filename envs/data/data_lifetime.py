"""A student that learns from data: its budgets, the engine, the checks on what it makes, and the tests."""

import copy
import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, ClassVar

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import ArrayLike, NDArray

from teachgym.base.annotations import shown
from teachgym.base.state import State, Stateful
from teachgym.core.evaluation import Evaluation, ScoredBy
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import DecisionT, Lifetime, ProbeRefusedError
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.data.discovery import SkillDiscovery
from teachgym.data.engine import DataEngine, EngineError, Order
from teachgym.data.example import Answer, Example
from teachgym.data.files import example_entry, example_of
from teachgym.data.quality import QualityControl
from teachgym.data.subject import Subject
from teachgym.envs.data.apportion import cut
from teachgym.envs.data.data_settings import DataSettings
from teachgym.envs.data.discovery.discoveries import make_discovery
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.expenses import Expenses
from teachgym.envs.data.round_files import read_given, write_round
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.blank import BlankSubject
from teachgym.envs.data.supply import make_examples
from teachgym.students.lifetimes.global_state import threads
from teachgym.students.supervised import SupervisedStudent, make_supervised_student, supervised_student_class

ROUNDS = 6
"""Steps of an episode, unless told otherwise; where an action is one choice of many, so many for each of them."""


@dataclass(frozen=True)
class Round:
    """What came of a plan."""

    given: list[list[Example]]
    """For each order the examples that the student was given."""
    failures: list[str]
    """What the engine could not do."""


class DataLifetime(Lifetime[DecisionT]):
    """One student, its data so far, and everything that is counted.

    A round: a plan is made into examples, within all budgets; the student is trained on them, in proportion; and it is
    tested on the validation set. In a probe copies do all that, and what it took is spent.

    Subclasses say what a plan is, and name in ``keeps`` what they know beside. The state holds the data, or the files
    of the rounds do, where there are such.

    Args:
        settings: What is learnt, by whom, from what.
        action: What an action is; the subclass says.
        rounds: Steps of an episode; None takes 6, or, where an action is one choice of many, 6 for each of them.
        sees: Whether the teacher is shown anything of the student.
        price: What is paid for every example.
        mastered_above: Accuracy above which a skill is mastered.

    Raises:
        ValueError: If something named in the settings is unknown, or can't be made.
    """

    budget_unit: ClassVar[str] = "examples"
    outcome_name: ClassVar[str] = "accuracy"
    scored_by: ClassVar[ScoredBy] = "mean_return"
    keeps: ClassVar[tuple[str, ...]] = (
        "rounds",
        "decisions",
        "expenses",
        "gain",
        "skill_names",
        "labels",
        "quality",
        "student",
    )
    replayed = False

    def __init__(
        self,
        settings: DataSettings,
        *,
        action: str,
        rounds: int | None,
        sees: bool,
        price: float,
        mastered_above: float,
    ) -> None:
        self.settings, self.budget, self.action = settings, int(settings.budget), action
        self.sees, self.mastered_above, self._price = sees, float(mastered_above), float(price)
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
        """Where the rounds leave their files; None for nowhere."""
        self.expenses = Expenses()
        self.decision_space, self.task_space = self._decisions(action)
        choices = int(self.decision_space.n) if isinstance(self.decision_space, spaces.Discrete) else 1
        self.most_rounds = rounds or ROUNDS * choices

    @abstractmethod
    def _decisions(self, action: str) -> tuple[Space[Any], TaskSpace]:
        """What is decided, and what the task of a feedback is.

        Raises:
            ValueError: If there is no such kind of action.
        """

    @abstractmethod
    def _carry_out(self, decision: DecisionT) -> tuple[FloatArray, int | None]:
        """Have the decision carried out by ``teach_orders`` or ``teach_examples``.

        Returns:
            The feedback's task, and the skill that its outcome is about; None is all of them.
        """

    def _fresh(self) -> None:
        """Begin an episode: there is no data yet. Here: nothing."""

    def _after_test(self) -> None:
        """Choose what is shown of the latest answers. Here: nothing."""

    def begin(self, seeds: Seeds) -> None:
        """Take a fresh student in, and test it."""
        self._start(seeds)
        self.engine.begin()
        self._test()
        self._name_skills()
        self._write([])
        self._fresh()
        self._after_test()

    def _start(self, seeds: Seeds) -> None:
        self.seeds = seeds
        self.student = self._make_student(seeds.student)
        self.expenses = Expenses()
        self.rounds = self.decisions = 0
        self.gain: FloatArray = np.zeros(self.skill_count)
        """``(skills,)`` what the last round has gained in accuracy."""
        self.skill_names: list[str] = []
        self.labels: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """``(validation examples,)`` the skill of each, as the teacher is shown it."""
        self.failures: list[str] = []
        """What the engine could not do in the last round."""
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
            ask=self._answers_right,  # not a lambda, which would ask this student from a copy, too
        )

    def _answers_right(self, examples: Sequence[Example]) -> list[bool]:
        return [answer.correct for answer in self.ask(examples)]

    @cached_property
    def _held_out(self) -> set[str]:
        return {example.key for example in (*self.subject.validation, *self.subject.test)}

    @property
    def spent(self) -> int:
        """Examples given so far."""
        return self.expenses.examples

    @property
    def left(self) -> int:
        """Examples of the budget that are left."""
        return self.budget - self.expenses.examples

    @property
    def size(self) -> int:
        """Examples that the next round is meant to make."""
        return self.left // max(self.most_rounds - self.rounds, 1)

    @property
    def over(self) -> bool:
        """Whether a budget is used up, or all rounds have been played."""
        return self._budget_is_spent or self.rounds >= self.most_rounds

    @property
    def _budget_is_spent(self) -> bool:
        return self.left == 0 or self.expenses.engine >= self.settings.spending_limit

    @property
    def paid(self) -> float:
        """The price of all examples so far."""
        return self._price * self.expenses.examples

    def score(self) -> float:
        """The accuracy on the validation set."""
        return self.accuracy

    def survives(self, error: Exception) -> bool:
        """Whether the engine has failed before anything was given, or a probe was refused."""
        return isinstance(error, EngineError) or super().survives(error)

    def teach(self, decision: DecisionT) -> Feedback:
        """Have a plan carried out.

        Raises:
            EngineError: If nothing could be made; all is as before, but for what the engine spent.
        """
        before, spent = self.skill_accuracy, self.expenses.examples
        task, skill = self._carry_out(decision)
        after = self.skill_accuracy
        self.gain = after - before
        outcome = self.accuracy if skill is None else float(after[skill])
        outcome = outcome if self.sees else 0.0
        self._shares = self.latest_shares()
        number, self.decisions = self.decisions, self.decisions + 1
        return Feedback(task, outcome, outcome > self.mastered_above, self.expenses.examples - spent, number)

    def probe(self, decision: DecisionT) -> Feedback:
        """What the plan would come to: it is made, learnt and tested, all by copies.

        The student, its data and all that was shown are as before. What it took is spent, examples of the budget too,
        so that the rounds that are left get less.

        Raises:
            ProbeRefusedError: If a budget would not last for a round after the probe, the student or the engine can't
                be copied, or students are retrained from their base, by updates that go by what is spent.
            EngineError: If nothing could be made.
        """
        if self.settings.regime == "retrain":
            raise ProbeRefusedError(
                "regime is 'retrain', with which a probe would change the student; expected another one"
            )
        twin = self._twin()
        try:
            feedback = twin.teach(decision)
        except EngineError as error:
            self.expenses.engine += error.cost
            raise
        if twin._budget_is_spent:
            raise ProbeRefusedError("the probe would use up what is left of a budget; learn from the last data instead")
        self.expenses, self.decisions = twin.expenses, twin.decisions
        self._shares = twin.latest_shares()
        return replace(feedback, probe=True)

    def _twin(self) -> "DataLifetime[DecisionT]":
        """A lifetime in the same state, where a student may learn without a trace here.

        Raises:
            ProbeRefusedError: If the student or the engine can't be copied.
        """
        twin = copy.copy(self)
        try:
            twin.student = twin._make_student(self.seeds.student)
            twin.engine = copy.deepcopy(self.engine, {id(self.subject): self.subject})
            twin.quality = twin._make_quality_control()
            twin._fresh()
            twin.load(Stateful.state(self))
        except (NotImplementedError, TypeError, ValueError) as error:
            raise ProbeRefusedError(
                f"{type(self.student).__name__} with {type(self.engine).__name__} can't be copied for a probe ({error})"
                "; choose another student or engine"
            ) from error
        twin.folder = None
        twin.data, twin._keys = list(self.data), set(self._keys)
        return twin

    def teach_orders(self, orders: Sequence[Order]) -> Round:
        """Have a plan carried out, the student trained on what comes of it, and tested.

        Orders beyond what is left of the budget are cut in proportion.

        Raises:
            EngineError: If nothing could be made; all is as before.
        """
        rng = np.random.default_rng([self.seeds.world, self.rounds])
        counts = cut([order.count for order in orders], self.left)
        given, failures = make_examples(
            self.engine,
            self.quality,
            [replace(order, count=count) for order, count in zip(orders, counts, strict=True)],
            rng,
            known=self._keys,
            expenses=self.expenses,
            spending_limit=self.settings.spending_limit,
        )
        return self._finish(given, failures)

    def teach_examples(self, examples: Sequence[Example]) -> Round:
        """As ``teach_orders``, with examples that the teacher itself has made; those beyond the budget are dropped."""
        return self._finish([self.quality.passed(examples, self._keys)[: self.left]], [])

    def _finish(self, given: list[list[Example]], failures: list[str]) -> Round:
        self._train([example for examples in given for example in examples])
        self.rounds += 1
        self._test()
        self._after_test()
        self.failures = failures
        self._write(failures)
        return Round(given, failures)

    def ask(self, examples: Sequence[Example]) -> list[Answer]:
        """Ask the student something that is no test; it is counted."""
        self.expenses.other_answers += len(examples)
        return self._answers(examples) if examples else []

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
        return self.most_updates * self.expenses.examples // self.budget

    def _answers(self, examples: Sequence[Example]) -> list[Answer]:
        with threads(self.settings.threads):
            given = self.student.answer(examples)
        return self.subject.mark(examples, given)

    def _test(self) -> None:
        self.expenses.validation_answers += len(self.subject.validation)
        self._answer_validation()

    def _answer_validation(self) -> None:
        self.answers = self._answers(self.subject.validation)
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

    @property
    def per_skill(self) -> NDArray[np.int64]:
        """``(skills,)`` validation examples of each."""
        return np.bincount(self.labels, minlength=self.skill_count)

    @property
    def accuracy(self) -> float:
        """Share of the validation set that the student answers correctly."""
        return float(self.correct.mean())

    @property
    def skill_accuracy(self) -> FloatArray:
        """``(skills,)`` the same by skill; 1 for a skill without examples, so that none seems weak for lack of any."""
        right = np.bincount(self.labels, weights=self.correct, minlength=self.skill_count)
        per_skill = self.per_skill
        return np.where(per_skill > 0, right / np.maximum(per_skill, 1), 1.0)

    def latest_shares(self) -> FloatArray:
        """``(skills,)`` the shares of the subject's own skills in the latest examples, as far as known."""
        given = Counter(example.skill for example in self.latest)
        total = max(len(self.latest), 1)
        return np.array([given[name] / total for name in self.subject.skill_names])

    @property
    def record_space(self) -> TaskSpace:
        """Each skill's share of the examples of a round."""
        return skill_shares(self.subject.skill_names)

    def recorded(self, feedback: Feedback) -> FloatArray:
        """``(skills,)`` the shares of the subject's own skills in what was made, as far as known."""
        return self._shares

    @property
    def test_space(self) -> TaskSpace:
        """The number of a skill of the subject's own."""
        return TaskSpace([Parameter("skill", 0.0, max(len(self.subject.skills) - 1.0, 1.0))])

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student on the test set, which no teacher sees anything of.

        Args:
            tasks: ``(m, 1)`` numbers of the subject's own skills; None takes all.

        Returns:
            For every skill the share of right answers as its return, and the number of questions as its length.
        """
        names = self.subject.skill_names
        if tasks is None:
            chosen = np.arange(len(names), dtype=np.float64)[:, None]
        else:
            chosen = self.test_space.validate_all(tasks)
        numbers = chosen[:, 0].astype(np.int64)
        if (numbers != chosen[:, 0]).any() or numbers.max() >= len(names):
            raise ValueError(f"tasks are {shown(tasks)}; expected numbers of skills, whole and below {len(names)}")
        asked = [names[number] for number in numbers]
        wanted = set(asked)
        questions = [one for one in self.subject.test if one.skill in wanted]
        self.expenses.test_answers += len(questions)
        answers = self._answers(questions)
        self.test_metrics = self.subject.metrics(answers)
        right: dict[str, list[bool]] = {name: [] for name in names}
        for answer in answers:
            right[answer.example.skill].append(answer.correct)
        returns = np.array([np.mean(right[name]) if right[name] else np.nan for name in asked], dtype=np.float64)
        lengths = np.array([len(right[name]) for name in asked], dtype=np.int64)
        known = lengths > 0
        return Evaluation(
            chosen[known], returns[known], lengths[known], self.mastered_above, self.spent, self.scored_by
        )

    def info(self) -> dict[str, Any]:
        """Accuracies, expenses, and what went wrong."""
        return {
            "budget_used": self.expenses.examples,
            "accuracy": self.accuracy,
            "skill_accuracy": dict(zip(self.skill_names, self.skill_accuracy.tolist(), strict=True)),
            "skill_gain": dict(zip(self.skill_names, self.gain.tolist(), strict=True)),
            "expenses": asdict(self.expenses),
            "rejected": dict(self.quality.rejected),
            "failures": list(self.failures),
        }

    def _make_student(self, seed: int) -> SupervisedStudent:
        return make_supervised_student(self.student_name, self.subject, seed=seed, **self.settings.student_settings)

    def student_state(self) -> State | None:
        """What ``restore_student`` needs."""
        return self.student.state_dict()

    def restore_student(self, state: State, seeds: Seeds) -> None:
        """Take over a stored student, to test it."""
        self.begin(seeds)
        self.student.load_state_dict(state)

    def keep_files(self, folder: FilePath) -> None:
        """Write what every round makes and answers into a folder, from which a stored episode takes its data.

        Nothing is written of a student that does not read: its examples are blank.
        """
        self.folder = folder if self.reads else None

    def state(self) -> State:
        """What is kept, the student, and the data unless they are in files."""
        data = [example_entry(example) for example in self.data] if self.folder is None else []
        return {
            "kept": Stateful.state(self),
            "data": json.dumps(data),
            "latest": len(self.latest),
        }

    def resume(self, state: State, seeds: Seeds) -> None:
        """Go on from what ``state`` gave, with the data of its rounds."""
        self._start(seeds)
        self._fresh()
        self.load(state["kept"])
        if self.folder is None:
            self.data = [example_of(entry) for entry in json.loads(state["data"])]
        else:
            self.data = [example for number in range(1, self.rounds + 1) for example in read_given(self.folder, number)]
        self.latest = self.data[len(self.data) - int(state["latest"]) :]
        self._keys = {example.key for example in self.data}
        self.engine.begin(self.data)
        self._answer_validation()
        self._after_test()

    def _write(self, failures: Sequence[str]) -> None:
        if self.folder is not None:
            write_round(self.folder, self, failures)


def skill_shares(names: tuple[str, ...]) -> TaskSpace:
    """Tasks that are each skill's share of what is made."""
    return TaskSpace([Parameter(name, 0.0, 1.0) for name in names])


def _engine(settings: DataSettings, subject: Subject) -> DataEngine:
    found = settings.engine
    return make_data_engine(found, subject, **settings.engine_settings) if isinstance(found, str) else found


def _discovery(settings: DataSettings) -> SkillDiscovery:
    found = settings.discovery
    return make_discovery(found, **settings.discovery_settings) if isinstance(found, str) else found
