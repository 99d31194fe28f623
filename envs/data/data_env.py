"""The base of teacher environments whose action is data, or a plan that an engine turns into data."""

import copy
import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import ArrayLike

from teachgym.base.annotations import shown
from teachgym.base.packing import unpack
from teachgym.base.ranges import NonNegativeFloat, PositiveInt, Share
from teachgym.base.settings import checked_arguments, make_settings
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.seeding import Seeds, fan_out
from teachgym.core.spec import SUCCESS, TEXT, TeachingSpec
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.data.engine import EngineError
from teachgym.data.reports import SubjectReport
from teachgym.data.spaces import AnyText
from teachgym.envs.data.classroom import Classroom, Round
from teachgym.envs.data.classroom_settings import ClassroomSettings

ROUNDS = 6
"""Steps of an episode, unless told otherwise; where an action is one choice of many, so many for each of them."""
_MOST_TEXT = 10_000_000

PlanT = TypeVar("PlanT")
"""A decoded action."""
ObservationKind = Literal["numbers", "text"]


class DataEnv(TeacherEnv[Any, PlanT]):
    """Teach a student by data; the base of the three data-generation environments.

    A step: the plan is made into examples, within all budgets; the student is trained on them, in proportion; and it is
    tested on the validation set. The reward is the gain in accuracy there, less ``price`` for each example, so that the
    undiscounted return is the whole gain less the price of everything. Each step is meant to take an equal part of what
    is left of the budget. The episode ends with the budget, or after ``rounds`` steps.

    Subclasses define ``_plan_spaces`` and what a plan means, in the methods with a leading underscore that have no
    body here.

    Args:
        action: What an action is; the subclass says.
        observation: ``"numbers"``, or ``"text"``: a report in JSON (``teachgym.data.reports``) for teachers that read.
        rounds: Steps of an episode; None takes 6, or, where an action is one choice of many, 6 for each of them.
        feedback: Whether the teacher is shown anything of the student. Without, observations and feedback tell only
            what data has been made; the reward is paid all the same.
        price: What the reward is lowered by for every example.
        mastered_above: Share of right answers above which a skill counts as mastered.
        classroom: Fields of ``ClassroomSettings``: what is learnt, by whom, from what, at what expense.

    Raises:
        ValueError: If an argument is not allowed, or something that is named does not exist; nothing is spent then.
    """

    budget_unit: ClassVar[str] = "examples"
    outcome_name: ClassVar[str] = "accuracy"
    headline: ClassVar[Literal["mastered", "mean_return"]] = "mean_return"

    @checked_arguments
    def __init__(
        self,
        *,
        action: str = "discrete",
        observation: ObservationKind = "numbers",
        rounds: PositiveInt | None = None,
        feedback: bool = True,
        price: NonNegativeFloat = 0.0,
        mastered_above: Share = 0.9,
        **classroom: Any,
    ) -> None:
        self.classroom = Classroom(make_settings("the environment", ClassroomSettings, _plain(classroom)))
        self._action, self._sees, self._price = action, feedback, float(price)
        self._reads = observation == "text"
        action_space, numbers, task_space, offers = self._plan_spaces(action)
        self.task_space = task_space
        self.action_space = action_space
        self.observation_space: Space[Any] = AnyText(_MOST_TEXT) if self._reads else numbers
        self.rounds = rounds or ROUNDS * (int(action_space.n) if isinstance(action_space, spaces.Discrete) else 1)
        self._spec = TeachingSpec(
            action_space=self.action_space,
            observation_space=self.observation_space,
            outcome_range=(0.0, 1.0),
            mastered_above=mastered_above,
            offers=frozenset({SUCCESS, *offers, *((TEXT,) if self._reads else ())}),
            skills=self.classroom.places,
        )
        self._folder: Path | None = None
        self._repeats = not self.classroom.reads
        self._gain: FloatArray = np.zeros(self.classroom.skill_count)
        self._failures: list[str] = []
        self._trials: list[dict[str, Any]] = []  # of a repeated episode: what each probe spent, after how many actions

    @abstractmethod
    def _plan_spaces(self, action: str) -> tuple[Space[Any], Space[Any], TaskSpace, frozenset[str]]:
        """Spaces of actions, and of observations as numbers; what the task of a feedback is; and what that offers.

        Raises:
            ValueError: If there is no such kind of action.
        """

    @abstractmethod
    def _fresh(self) -> None:
        """Begin an episode: the student has been tested, and there is no data yet."""

    @abstractmethod
    def _carry_out(self, plan: PlanT) -> tuple[FloatArray, int | None]:
        """Have the plan carried out by the classroom.

        Returns:
            The feedback's task, and the skill that its outcome is about; None is all of them.
        """

    @abstractmethod
    def _numbers(self) -> Any:
        """What is observed, as numbers."""

    @abstractmethod
    def _describe(self, report: SubjectReport) -> None:
        """Complete the report with what this environment shows."""

    def _shown_state(self) -> dict[str, Any]:
        """What the environment itself knows beside the classroom: arrays and plain values."""
        return {}

    def _load_shown(self, state: Mapping[str, Any]) -> None:
        """Take over what ``_shown_state`` gave; ``_fresh`` has been called."""

    @property
    def teaching_spec(self) -> TeachingSpec:
        """What a teacher may know before the first step."""
        return self._spec

    @property
    def budget(self) -> int:
        """Examples that the student may be given."""
        return int(self.classroom.settings.budget)

    @property
    def spent(self) -> int:
        """Examples given so far."""
        return self.classroom.expenses.examples if hasattr(self, "seeds") else 0

    @property
    def record_space(self) -> TaskSpace:
        """Each skill's share of the examples of a step."""
        return skill_shares(self.classroom.subject.skill_names)

    def recorded(self, feedback: Feedback) -> FloatArray:
        """``(skills,)`` ``latest_shares``."""
        return self.latest_shares()

    def latest_shares(self) -> FloatArray:
        """``(skills,)`` the shares of the subject's own skills in the latest examples, as far as known."""
        given = Counter(example.skill for example in self.classroom.latest)
        total = max(len(self.classroom.latest), 1)
        return np.array([given[name] / total for name in self.classroom.subject.skill_names])

    @property
    def test_space(self) -> TaskSpace:
        """The number of a skill of the subject's own."""
        return TaskSpace([Parameter("skill", 0.0, max(len(self.classroom.subject.skills) - 1.0, 1.0))])

    @property
    def size(self) -> int:
        """Examples that the next step is meant to make."""
        return self.classroom.left // max(self.rounds - self.classroom.rounds, 1)

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student on the test set, which no teacher sees anything of.

        Args:
            tasks: ``(m, 1)`` numbers of the subject's own skills; None takes all.

        Returns:
            For every skill the share of right answers as its return, and the number of questions as its length.
        """
        if not hasattr(self, "seeds"):
            raise RuntimeError("no student exists yet; call reset() before evaluate()")
        names = self.classroom.subject.skill_names
        if tasks is None:
            chosen = np.arange(len(names), dtype=np.float64)[:, None]
        else:
            chosen = self.test_space.validate_all(tasks)
        numbers = chosen[:, 0].astype(np.int64)
        if (numbers != chosen[:, 0]).any() or numbers.max() >= len(names):
            raise ValueError(f"tasks are {shown(tasks)}; expected numbers of skills, whole and below {len(names)}")
        asked = [names[number] for number in numbers]
        wanted = set(asked)
        answers = self.classroom.examine([one for one in self.classroom.subject.test if one.skill in wanted])
        self.test_metrics = self.classroom.subject.metrics(answers)
        right: dict[str, list[bool]] = {name: [] for name in names}
        for answer in answers:
            right[answer.example.skill].append(answer.correct)
        returns = np.array([np.mean(right[name]) if right[name] else np.nan for name in asked], dtype=np.float64)
        lengths = np.array([len(right[name]) for name in asked], dtype=np.int64)
        known = lengths > 0
        return Evaluation(chosen[known], returns[known], lengths[known], self._spec.mastered_above, self.spent)

    def probe(self, action: Any) -> Feedback:
        """What a step with this action would come to: the plan is made, learnt and tested, all by copies.

        The student, its data and all that was shown are as before. What it took is spent, examples of the budget too,
        so that the steps that are left get less.

        Args:
            action: As in ``step``.

        Returns:
            The feedback that ``step`` would give, with ``probe=True``.

        Raises:
            ResetNeeded: Before the first ``reset``, and after the budget is spent.
            ValueError: If the action is not allowed, a budget would not last for a step after the probe, the student or
                the engine can't be copied, or students are retrained from their base, by updates that go by what is
                spent.
            EngineError: If nothing could be made.
        """
        self._check_running("probe")
        if self.classroom.settings.regime == "retrain":
            raise ValueError("regime is 'retrain', with which a probe would change the student; expected another one")
        plan = self._check_action(action)
        before, twin = asdict(self.classroom.expenses), self._twin()
        try:
            feedback = twin._teach(plan)
        except EngineError as error:
            self._charge({"engine": error.cost})
            raise
        assert feedback is not None
        if twin.classroom.is_over:
            raise ValueError("the probe would use up what is left of a budget; take the last step with step()")
        after = asdict(twin.classroom.expenses)
        self._charge({name: after[name] - before[name] for name in after})
        return replace(feedback, probe=True)

    def _twin(self) -> "DataEnv[PlanT]":
        """An environment in the same state, whose student may learn without a trace here.

        Raises:
            ValueError: If the student or the engine can't be copied.
        """
        twin = copy.copy(self)
        twin.classroom = self.classroom.twin()
        shown = copy.deepcopy(self._shown_state())
        twin._fresh()
        twin._load_shown(shown)
        return twin

    def _charge(self, spent: Mapping[str, float]) -> None:
        """Count what a probe spent; where an episode is stored as its actions, note it among them."""
        for name, amount in spent.items():
            setattr(self.classroom.expenses, name, getattr(self.classroom.expenses, name) + amount)
        if self._repeats:
            self._trials.append({"after": len(self._carried_out), "spent": dict(spent)})

    def student_state(self) -> dict[str, Any] | None:
        """What ``restore_student`` needs."""
        return self.classroom.student.state_dict()

    def restore_student(self, state: dict[str, Any], *, seed: int) -> None:
        """Take over a stored student, to test it."""
        self.seeds = fan_out(seed)
        self.classroom.begin(self.seeds)
        self.classroom.student.load_state_dict(state)

    def keep_files(self, folder: Path) -> None:
        """Write what every round makes and answers into a folder, from which a stored episode takes its data.

        Nothing is written of a student that does not read: its examples are blank, and its episodes take milliseconds.
        """
        self._folder = folder if self.classroom.reads else None

    def _state(self) -> dict[str, Any]:
        if self._repeats:
            return {**super()._state(), "probes": copy.deepcopy(self._trials)}
        if self._folder is None:
            raise ValueError("the data of an episode are in its files; call keep_files(folder) before reset()")
        return {"classroom": self.classroom.state_dict(), "shown": self._shown_state(), "gain": self._gain}

    def _load(self, state: dict[str, Any]) -> None:
        if self._repeats:
            self._repeat(state)
            return
        if self._folder is None:
            raise ValueError("the data of an episode are in its files; call keep_files(folder) with the folder of it")
        self.classroom.folder = self._folder
        self.classroom.load_state_dict(state["classroom"], self._folder)
        self._fresh()
        self._gain = np.array(state["gain"])
        self._failures = []
        self._trials = []
        self._load_shown(state["shown"])
        self._score = self.classroom.accuracy

    def _repeat(self, state: dict[str, Any]) -> None:
        """Carry the actions of a stored episode out again, and count what its probes spent where they did."""
        self._carried_out = []
        self._begin(self.seeds)
        self._running = True
        due = [*state.get("probes", ())]
        for number, action in enumerate([*unpack(state["actions"]), None]):
            for trial in due:
                if trial["after"] == number:
                    self._charge(trial["spent"])
            if action is not None:
                self.step(action)
        if self.spent != state["spent"]:
            raise ValueError(
                f"the actions that had led {type(self).__name__} to {state['spent']} spent led it to {self.spent}: "
                "another version or machine computes differently"
            )

    def _begin(self, seeds: Seeds) -> None:
        self.classroom.folder = self._folder
        self.classroom.begin(seeds)
        self._score = self.classroom.accuracy
        self._gain = np.zeros(self.classroom.skill_count)
        self._failures = []
        self._trials = []
        self._fresh()

    def _teach(self, plan: PlanT) -> Feedback | None:
        classroom = self.classroom
        before, spent, decision = classroom.skill_accuracy, classroom.expenses.examples, classroom.rounds
        task, skill = self._carry_out(plan)
        after = classroom.skill_accuracy
        self._gain = after - before
        outcome = classroom.accuracy if skill is None else float(after[skill])
        outcome = outcome if self._sees else 0.0
        mastered = outcome > self._spec.mastered_above
        return Feedback(task, outcome, mastered, classroom.expenses.examples - spent, decision)

    def _reward(self, feedback: Feedback | None) -> float:
        assert feedback is not None
        before, self._score = self._score, self.classroom.accuracy
        return self._score - before - self._price * feedback.cost

    def _observe(self, feedback: Feedback | None) -> Any:
        if not self._reads:
            return self._numbers()
        classroom = self.classroom
        report: SubjectReport = {
            "subject": (type(classroom.subject).__doc__ or "").partition("\n")[0],
            "progress": round(self.spent / self.budget, 4),
            "examples_left": classroom.left,
            "examples_now": self.size,
            "steps_left": self.rounds - classroom.rounds,
        }
        if self._sees:
            report["accuracy"] = round(classroom.accuracy, 4)
        self._describe(report)
        return json.dumps(report, ensure_ascii=False)

    def _is_over(self) -> bool:
        return self.classroom.is_over or self.classroom.rounds >= self.rounds

    def _survives(self, error: Exception) -> bool:
        return isinstance(error, EngineError)

    def _info(self) -> dict[str, Any]:
        classroom = self.classroom
        names = classroom.skill_names
        return {
            "budget_used": classroom.expenses.examples,
            "accuracy": classroom.accuracy,
            "skill_accuracy": dict(zip(names, classroom.skill_accuracy.tolist(), strict=True)),
            "skill_gain": dict(zip(names, self._gain.tolist(), strict=True)),
            "expenses": asdict(classroom.expenses),
            "rejected": dict(classroom.quality.rejected),
            "failures": list(self._failures),
        }

    def _note(self, made: Round) -> None:
        """Keep what the engine could not do, for ``info``."""
        self._failures = made.failures


def skill_shares(names: tuple[str, ...]) -> TaskSpace:
    """Tasks that are each skill's share of what is made."""
    return TaskSpace([Parameter(name, 0.0, 1.0) for name in names])


def _plain(classroom: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they come from a command line or a file, where a tuple is a list, or a bare name."""
    found = dict(classroom)
    checks = found.get("checks")
    if checks is not None:
        found["checks"] = (checks,) if isinstance(checks, str) else tuple(checks)
    return found
