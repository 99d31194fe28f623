"""The base of environments whose action sets the controls of the student's next training segment."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike

from teachgym.base.annotations import shown
from teachgym.base.exclusive import exclusive
from teachgym.base.ranges import NonNegativeFloat, PositiveInt
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import Decision, decision_space, read_decision
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.seeding import Seeds
from teachgym.core.spec import PROBES, RULES, TRUTH, TeachingSpec
from teachgym.core.task_space import Float32Array, FloatArray, Parameter, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.problems.control_rules import ControlRule, OnObservations
from teachgym.envs.problems.controlled_student import ControlledStudent

ControlReward = Literal["gain", "end"]
Probing = Literal["off", "counted"]
_BEST = "best_"


class ControlEnv(TeacherEnv[Float32Array, Decision]):
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

    ``probe`` says what a segment under other controls would come to, without changing the student; it spends one
    segment of the budget. With ``probes="counted"`` the action says so itself (``spec.probe_space``).

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

    budget_unit: ClassVar[str] = "training segments"
    outcome_name: ClassVar[str] = "score"
    headline: ClassVar[Literal["mastered", "mean_return"]] = "mean_return"

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
        if choices is not None and probes != "off":
            raise ValueError(f"probes is {probes!r}; expected 'off' where an action is a choice: use probe()")
        if truth and not has_best:
            raise ValueError("truth is True; what is best is not known in this environment with these settings")
        self.task_space = controls
        self._make_student, self._budget = make_student, int(budget)
        self._price, self._at_end, self._shows_best = float(price), reward == "end", truth
        last = [
            Parameter(f"last_{control.name}", min(control.low, 0.0), control.high, control.unit)
            for control in controls.parameters
        ]
        best = [
            Parameter(f"{_BEST}{control.name}", control.low, control.high, control.unit)
            for control in controls.parameters
        ]
        shown = TaskSpace([Parameter("progress", 0.0, 1.0), *last, *seen.parameters, *(best if truth else [])])
        self._seen_names = seen.names
        self.observation_names = shown.names
        low, high = shown.low.astype(np.float32), shown.high.astype(np.float32)
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space = decision_space(controls, probes) if choices is None else spaces.Discrete(choices)
        all_rules: dict[str, ControlRule] = {
            **rules,
            **({"truth": partial(_read_best, controls.names)} if truth else {}),
        }
        self._spec = TeachingSpec(
            action_space=self.action_space,
            observation_space=self.observation_space,
            outcome_range=score_range,
            mastered_above=math.nan,
            offers=frozenset({RULES, *({TRUTH} if truth else ()), *({PROBES} if probes == "counted" else ())}),
            rules={
                name: OnObservations(rule, self.observation_names, controls, self.action_space)
                for name, rule in all_rules.items()
            },
        )
        self._segments = self._probes = 0

    @property
    def teaching_spec(self) -> TeachingSpec:
        """What a teacher may know before the first step."""
        return self._spec

    @property
    def budget(self) -> int:
        """Quanta that may be learnt or probed."""
        return self._budget

    @property
    def spent(self) -> int:
        """Quanta learnt or probed so far."""
        return self._segments + self._probes

    @property
    def test_space(self) -> TaskSpace:
        """A single task: the student as a whole, task 0."""
        return TaskSpace([Parameter("student", 0.0, 1.0)])

    @property
    def student(self) -> ControlledStudent:
        """The student of this episode.

        Raises:
            ResetNeeded: Before the first ``reset``.
        """
        if not hasattr(self, "seeds"):
            raise ResetNeeded("no student exists yet; call reset() first")
        return self._student

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
            score, one = self.student.score() - self._paid, np.zeros((1, 1))
        return Evaluation(one, np.array([score]), np.ones(1, np.int64), self._spec.outcome_range[1], self.spent)

    def probe(self, controls: ArrayLike) -> Feedback:
        """What a segment under these controls would come to; it is paid for, and the student is as before.

        Args:
            controls: ``(n,)`` as in an action.

        Returns:
            The feedback that ``step`` would give, with ``probe=True``.

        Raises:
            ResetNeeded: Before the first ``reset``, and after the budget is spent.
            ValueError: If the controls are not allowed, or the budget's last segment is all that is left.
        """
        self._check_running("probe")
        if self.spent + 1 >= self._budget:
            raise ValueError("the last segment of the budget can't be a probe; take it with step()")
        with exclusive():
            feedback = self._try(self.task_space.validate(controls))
        self._probes += 1
        return feedback

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

    def _begin(self, seeds: Seeds) -> None:
        self._student = self._make_student(seeds)
        self._segments = self._probes = self._decisions = 0
        self._paid = 0.0
        self._rewarded = self._student.score()
        self._last = np.zeros(self.task_space.dimensions)

    def _check_action(self, action: Any) -> Decision:
        if isinstance(self.action_space, spaces.Discrete):
            if not self.action_space.contains(action):
                raise ValueError(
                    f"the action is {shown(action)}; expected a whole number from 0 to {self.action_space.n - 1}"
                )
            return Decision(np.array([float(action)]), False)
        return read_decision(action, self.task_space, self.action_space)

    def _teach(self, decision: Decision) -> Feedback | None:
        controls, probe = decision
        if probe:
            feedback = self._try(controls)
            self._decisions += 1
            self._segments += 1
            return feedback
        self._paid += self._price * self._student.learn(controls)
        self._last = controls
        self._segments += 1
        number, self._decisions = self._decisions, self._decisions + 1
        return Feedback(controls, self._student.outcome(), False, 1, number)

    def _try(self, controls: FloatArray) -> Feedback:
        copied = copy.deepcopy(self._student)
        copied.learn(controls)
        return Feedback(controls, copied.outcome(), False, 1, self._decisions, probe=True)

    def _reward(self, feedback: Feedback | None) -> float:
        if self._at_end and not self._is_over():
            return 0.0
        before, self._rewarded = self._rewarded, self._student.score() - self._paid
        return self._rewarded - before

    def _observe(self, feedback: Feedback | None) -> Float32Array:
        shown, student = self._student.seen(), self._student
        seen = [self.spent / self._budget, *self._last, *(shown[name] for name in self._seen_names)]
        if self._shows_best:
            seen += student.best().tolist()
        space = self.observation_space
        assert isinstance(space, spaces.Box)
        return np.clip(np.array(seen, dtype=np.float64), space.low, space.high).astype(np.float32)

    def _is_over(self) -> bool:
        return self.spent >= self._budget or self._student.over

    def _info(self) -> dict[str, Any]:
        score = {"score": self._student.score()}
        hidden = {**(score if self._at_end else {}), **self._student.truth()}
        return {**({} if self._at_end else score), "paid": self._paid, "truth": hidden, **self._student.notes()}

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "probes": self._probes}

    def _load(self, state: dict[str, Any]) -> None:
        super()._load({**state, "spent": int(state["spent"]) - int(state["probes"])})
        self._probes = int(state["probes"])


def _read_best(names: Sequence[str], seen: Mapping[str, float]) -> ArrayLike:
    return [seen[f"{_BEST}{name}"] for name in names]
