"""The base of environments whose action sets the controls of the student's next training segment."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from teachgym.base.annotations import shown
from teachgym.base.exclusive import exclusive
from teachgym.base.ranges import NonNegativeFloat, PositiveInt
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import COUNTED_PROBES, action_space
from teachgym.core.evaluation import Evaluation, ScoredBy
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import Needs
from teachgym.core.requirements import OnDemand
from teachgym.core.reward_rule import GainReward
from teachgym.core.seeding import Seeds
from teachgym.core.spaces import BoxWithTruth
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import Float32Array, FloatArray, Parameter, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.core.view import View
from teachgym.envs.problems.control_rules import ControlRule, OnObservations
from teachgym.envs.problems.controlled_student import ControlledStudent

ControlReward = Literal["gain", "end"]
Probing = Literal["off", "counted"]
_BEST = "best_"


class ControlLifetime(Lifetime[FloatArray]):
    """A student that learns one training segment at a time, under the controls that are decided.

    A probe lets a copy of the student learn; it spends one segment of the budget, and nothing is paid for it.

    Args:
        controls: What is decided.
        make_student: Makes a fresh student from the seeds of the episode.
        budget: In training segments.
        score_range: Scores that scale to 0 and 1.
        price: What the score is lowered by for each unit of cost.
        hides_score: Whether the score is part of the truth.
        choices: If given, the only control is one of so many choices, from 0, and decisions are ``Discrete``.
    """

    budget_unit: ClassVar[str] = "training segments"
    outcome_name: ClassVar[str] = "score"
    scored_by: ClassVar[ScoredBy] = "mean_return"

    def __init__(
        self,
        controls: TaskSpace,
        make_student: Callable[[Seeds], ControlledStudent],
        *,
        budget: int,
        score_range: tuple[float, float],
        price: float,
        hides_score: bool,
        choices: int | None,
    ) -> None:
        self.task_space, self.budget = controls, int(budget)
        self.decision_space = controls if choices is None else spaces.Discrete(choices)
        self._make_student, self._score_range = make_student, score_range
        self._price, self._hides_score = float(price), hides_score
        self._spent = 0

    @property
    def spent(self) -> int:
        """Segments learnt or probed so far."""
        return self._spent

    @property
    def over(self) -> bool:
        """Whether the budget is spent, or the student has nothing left to learn."""
        return self._spent >= self.budget or self.student.over

    @property
    def paid(self) -> float:
        """What was paid for the segments so far."""
        return self._paid

    @property
    def test_space(self) -> TaskSpace:
        """A single task: the student as a whole, task 0."""
        return TaskSpace([Parameter("student", 0.0, 1.0)])

    def begin(self, seeds: Seeds) -> None:
        """Make a fresh student."""
        self.student = self._make_student(seeds)
        self._spent = self._decisions = 0
        self._paid = 0.0
        self.last = np.zeros(self.task_space.dimensions)
        """``(n,)`` the controls of the last segment."""

    def read(self, action: Any) -> FloatArray:
        """The controls that the action sets, or its choice."""
        if isinstance(self.decision_space, spaces.Discrete):
            if not self.decision_space.contains(action):
                raise ValueError(
                    f"the action is {shown(action)}; expected a whole number from 0 to {self.decision_space.n - 1}"
                )
            return np.array([float(action)])
        return self.task_space.validate(action)

    def teach(self, decision: FloatArray) -> Feedback:
        """Let the student learn one segment under these controls."""
        self._paid += self._price * self.student.learn(decision)
        self.last = decision
        return self._feedback(decision, self.student)

    def probe(self, decision: FloatArray) -> Feedback:
        """Let a copy of the student learn one segment under these controls."""
        copied = copy.deepcopy(self.student)
        copied.learn(decision)
        return self._feedback(decision, copied, probe=True)

    def _feedback(self, controls: FloatArray, student: ControlledStudent, *, probe: bool = False) -> Feedback:
        number, self._decisions = self._decisions, self._decisions + 1
        self._spent += 1
        return Feedback(controls, student.outcome(), False, 1, number, probe)

    def score(self) -> float:
        """The student's score."""
        return self.student.score()

    def info(self) -> dict[str, Any]:
        """What was paid, the score, the truth, and what the student notes."""
        score = {"score": self.student.score()}
        hidden = {**(score if self._hides_score else {}), **self.student.truth()}
        return {
            **({} if self._hides_score else score),
            "paid": self._paid,
            "truth": hidden,
            **self.student.notes(),
        }

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """The student's score, less all that was paid, as the only task's return.

        Args:
            tasks: ``[[0]]``, the student as a whole, as ``test_space`` names it; None is the same.

        Raises:
            ValueError: If there is another task.
        """
        if tasks is not None and self.test_space.validate_all(tasks).any():
            raise ValueError(f"tasks are {shown(tasks)}; expected [[0]], the student as a whole")
        with exclusive():
            score = self.student.score() - self._paid
        one, length = np.zeros((1, 1)), np.ones(1, np.int64)
        return Evaluation(one, np.array([score]), length, self._score_range[1], self.spent, self.scored_by)


class ControlView(View):
    """Progress through the budget, the controls of the last segment, and what the student shows.

    Controls are 0 before the first segment, within their bounds. Numbers are in their own units, clipped to the bounds
    of the space.

    Args:
        controls: What is decided.
        seen: What the student shows, as far as names and bounds go.
        shows_best: Whether the observation ends with the controls that the truth says are best.
    """

    def __init__(self, controls: TaskSpace, seen: TaskSpace, *, shows_best: bool) -> None:
        last = [
            Parameter(f"last_{control.name}", min(control.low, 0.0), control.high, control.unit)
            for control in controls.parameters
        ]
        best = [
            Parameter(f"{_BEST}{control.name}", control.low, control.high, control.unit)
            for control in controls.parameters
        ]
        all_shown = TaskSpace([Parameter("progress", 0.0, 1.0), *last, *seen.parameters, *(best if shows_best else [])])
        self.names, self._seen_names, self._shows_best = all_shown.names, seen.names, shows_best
        low, high = all_shown.low.astype(np.float32), all_shown.high.astype(np.float32)
        self.space: spaces.Box = (
            BoxWithTruth(low, high, truth=len(best)) if shows_best else spaces.Box(low, high, dtype=np.float32)
        )

    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Float32Array:
        """What is seen now."""
        assert isinstance(lifetime, ControlLifetime)
        student = lifetime.student
        shown = student.seen()
        seen = [lifetime.spent / lifetime.budget, *lifetime.last, *(shown[name] for name in self._seen_names)]
        if self._shows_best:
            seen += student.best().tolist()
        return np.clip(np.array(seen, dtype=np.float64), self.space.low, self.space.high).astype(np.float32)


class ControlEnv(TeacherEnv):
    """Set the controls of each of a student's training segments; the base of the teaching problems of the literature.

    A step: the student learns one training segment under the controls, and is scored. The reward is the gain in score
    less ``price`` times what the segment cost, so that the undiscounted return is the final minus the initial score
    less all that was paid; ``evaluate`` gives the score less what was paid so far. With ``reward="end"`` all of it is
    paid in the last step, where the score is nothing that a teacher may see on the way. ``info`` has what was
    ``"paid"`` and the ``"score"``, which is in ``info["truth"]`` where it is hidden.

    ``observation_names`` names the observation: ``progress`` through the budget, each control of the last segment (0
    before the first, within its bounds), and what the environment shows; numbers are in their own units, clipped to
    the bounds of the space. ``spec.rules`` are reference policies on these observations, which the teacher ``rule``
    plays. ``info["truth"]`` is what teachers must not see; with ``truth=True`` the observation ends with the controls
    that the truth says are best, for the rule ``truth``.

    With ``probes="counted"`` the action says whether it is a probe (``ProbeSpace``), which tells what a segment
    would come to without changing the student, and spends one segment of the budget.

    Args:
        controls: What a teacher sets.
        seen: What it sees beside, as far as names and bounds go.
        make_student: Makes a fresh student from the seeds of the episode.
        budget: In training segments.
        score_range: Scores that scale to 0 and 1.
        rules: Reference policies by name.
        price: What the score is lowered by for each unit of cost.
        reward: Above.
        probes: Whether an action can be a probe: ``"off"`` or ``"counted"``.
        truth: Whether what is best is shown.
        has_best: Whether it is known.
        choices: If given, the only control is one of so many choices, from 0, and actions are ``Discrete``.

    Raises:
        ValueError: If an argument is not allowed; the message says what is.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (
        COUNTED_PROBES,
        OnDemand({"truth": True}, observation_space=BoxWithTruth),
    )
    lifetime: ControlLifetime

    @checked_arguments
    def __init__(
        self,
        controls: TaskSpace,
        seen: TaskSpace,
        make_student: Callable[[Seeds], ControlledStudent],
        *,
        budget: PositiveInt,
        score_range: tuple[float, float],
        rules: Mapping[str, ControlRule],
        price: NonNegativeFloat = 0.0,
        reward: ControlReward = "gain",
        probes: Probing = "off",
        truth: bool = False,
        has_best: bool = False,
        choices: int | None = None,
    ) -> None:
        if truth and not has_best:
            raise ValueError("truth is True; what is best is not known in this environment with these settings")
        at_end = reward == "end"
        lifetime = ControlLifetime(
            controls,
            make_student,
            budget=budget,
            score_range=score_range,
            price=price,
            hides_score=at_end,
            choices=choices,
        )
        view = ControlView(controls, seen, shows_best=truth)
        actions = action_space(lifetime.decision_space, probes)
        all_rules: dict[str, ControlRule] = {
            **rules,
            **({"truth": partial(_read_best, controls.names)} if truth else {}),
        }
        spec = TeachingSpec(
            action_space=actions,
            observation_space=view.space,
            outcome_range=score_range,
            mastered_above=math.nan,
            offers=Needs.RULES,
            rules={name: OnObservations(rule, view.names, controls, actions) for name, rule in all_rules.items()},
        )
        super().__init__(lifetime, spec, reward=GainReward(at_end=at_end), view=view)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Make a fresh student; see ``TeacherEnv.reset``."""
        with exclusive():  # other threads may change how many cores a sum is split among
            return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Let the student learn one segment; see ``TeacherEnv.step``."""
        with exclusive():
            return super().step(action)


def _read_best(names: Sequence[str], seen: Mapping[str, float]) -> ArrayLike:
    return [seen[f"{_BEST}{name}"] for name in names]
