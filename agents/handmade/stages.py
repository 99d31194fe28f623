"""Stages: a curriculum in an order that a person wrote, each stage until its condition is met."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, final

from teachgym.agents.base.task_actions import TASKS_AND_ARMS, TaskActions
from teachgym.agents.handmade.stop_conditions import Condition
from teachgym.base.ranges import PositiveInt
from teachgym.base.registry import unknown_name
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.sampling import Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note, Teacher

_KEYS = ("low", "high", "task", "until")


@checked_dataclass
class StagesSettings:
    """Settings of ``Stages``.

    Raises:
        ValueError: If a value is not allowed.
    """

    stages: Sequence[Mapping[str, Any]] = ()
    """What to teach, in order. Each is ``{"low": [...], "high": [...], "until": "..."}`` for tasks that are uniform
    between two corners (either may be left out for the task space's own), or ``{"task": [...], "until": "..."}`` for
    a single one; all in task units, or numbers of arms. None at all stands for the whole task space.

    ``"until"`` ends the stage: tests such as ``steps>20000``, ``episodes>=50``, ``outcome>230``, ``success>0.75``,
    joined by ``&`` and ``|`` (``teachgym.agents.handmade.stop_conditions``). All stages but the last need it."""
    window: PositiveInt = 1000
    """Latest episodes of a stage, over which ``outcome`` and ``success`` are averaged."""

    def __post_init__(self) -> None:
        for number, stage in enumerate(self.stages):
            self._check(number, stage)

    def _check(self, number: int, stage: Mapping[str, Any]) -> None:
        for key in stage:
            if key not in _KEYS:
                raise unknown_name(f"key of stage {number}", str(key), _KEYS)
        if "task" in stage and ("low" in stage or "high" in stage):
            raise ValueError(f"stage {number} is {stage!r}; expected either a task or low and high")
        if "until" not in stage and number < len(self.stages) - 1:
            raise ValueError(f'stage {number} never ends: {stage!r}; expected "until" in all stages but the last')
        if "until" in stage:
            Condition.parse(stage["until"])

    def conditions(self) -> tuple[Condition | None, ...]:
        """When each stage ends; None is never."""
        return tuple(Condition.parse(stage["until"]) if "until" in stage else None for stage in self.stages) or (None,)


@final
class Stages(Teacher):
    """Teaches the stages that a person wrote down, one after the other, each until its condition is met.

    A stage is a box of tasks, drawn uniformly, or a single task; its condition speaks of steps and episodes spent in
    it, and of the mean outcome and share of successes among its latest episodes. The idea and the form of the
    conditions are those of the sequential curriculum of Syllabus (Sullivan et al. 2024).

    Differs from it: counts and means are of the stage, and start anew with each, so that an early success of the
    next stage is not taken for one of this; an answer that comes after its stage has ended counts towards the
    totals alone. After the last stage's condition nothing changes. A mean over no answers makes no test true.

    ``origin`` is ``"stage 0"``, and so on.

    Args:
        spec: The environment's fixed facts. Tasks are a floating box of any shape, or arms.
        settings: A ``StagesSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If a corner or task of a stage is not in the task space.
    """

    Settings = StagesSettings
    settings: StagesSettings
    acts_on = TASKS_AND_ARMS
    keeps = ("_stage", "_counts", "_outcomes", "_successes")

    def __init__(self, spec: TeachingSpec, settings: StagesSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._actions = TaskActions(spec)
        self._conditions = self.settings.conditions()
        self._boxes = [self._box(number, stage) for number, stage in enumerate(self.settings.stages or ({},))]
        self._reads_success = Needs.SUCCESS in self.requirements(self.settings).needs
        self._stage = 0
        self._counts = dict.fromkeys(("steps", "episodes", "total_steps", "total_episodes"), 0)
        self._outcomes: deque[float] = deque(maxlen=self.settings.window)
        self._successes: deque[float] = deque(maxlen=self.settings.window)
        self._described: Window | None = None  # made when asked for

    @classmethod
    def requirements(cls, settings: StagesSettings) -> Requirements:
        """It needs to know successes, where a condition speaks of them."""
        found = super().requirements(settings)
        spoken = (condition.quantities for condition in settings.conditions() if condition is not None)
        return found.needing(Needs.SUCCESS) if any("success" in names for names in spoken) else found

    def sampling(self) -> Window:
        """The box of the present stage."""
        if self._described is None:
            low, high = self._boxes[self._stage]
            self._described = Window(low.copy(), high.copy())
        return self._described

    def _act(self, observation: Any) -> Choice:
        """Draw a task of the present stage."""
        task = self._actions.uniform(self.rng, *self._boxes[self._stage])
        return Choice(self._actions.action(task), f"stage {self._stage}", self._stage)

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Count the answer, and go on to the next stage where the condition is met."""
        feedback = transition.feedback
        if feedback is None:
            return
        self._counts["total_steps"] += feedback.cost
        self._counts["total_episodes"] += 1
        if note is not None and note.memo != self._stage:
            return
        self._counts["steps"] += feedback.cost
        self._counts["episodes"] += 1
        self._outcomes.append(feedback.outcome)
        if self._reads_success:
            self._successes.append(float(feedback.success))
        condition = self._conditions[self._stage]
        if condition is not None and self._stage < len(self._boxes) - 1 and condition.holds(self._values(condition)):
            self._stage += 1
            self._counts["steps"] = self._counts["episodes"] = 0
            self._outcomes.clear()
            self._successes.clear()
            self._described = None

    def _values(self, condition: Condition) -> dict[str, float]:
        """What a condition speaks of, as it is."""
        values: dict[str, float] = dict(self._counts)
        for name, recent in (("outcome", self._outcomes), ("success", self._successes)):
            if recent and name in condition.quantities:
                values[name] = math.fsum(recent) / len(recent)
        return values

    def _box(self, number: int, stage: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
        """The corners of a stage."""
        actions = self._actions
        try:
            low = actions.validate(stage.get("task", stage.get("low", actions.low)))
            high = actions.validate(stage.get("task", stage.get("high", actions.high)))
        except ValueError as error:
            raise ValueError(f"stage {number}: {error}") from error
        if (low > high).any():
            raise ValueError(f"stage {number} has low {low} and high {high}; expected no number of low above high's")
        return low, high

    def _forget_derived(self) -> None:
        self._described = None
