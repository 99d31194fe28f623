"""Made-up specs and students, for checks that need no environment."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.data.observation import SkillRows, TreeField, TreeFields
from teachgym.data.spaces import Shares
from teachgym.data.tree_plan import TreePlans

_Outcome = Callable[[int, FloatArray, np.random.Generator], float]
"""Made-up student: the outcome as a share of the outcome range, from the step, the task and a generator."""


_EXAMPLES = 200
"""Budget of made-up episodes in which data is made."""


def made_up_specs(required: Requirements | None = None) -> list[TeachingSpec]:
    """Problems that meet what is required, with actions of the first of these kinds that is acted on.

    Boxes of tasks of 1, 2 and 30 dimensions, one of them a box of shape ``()``, with every direction of difficulty;
    the first three with probes; arms, as in ``discrete_specs``; ``shares_problems``; ``tree_problems``.

    Raises:
        ValueError: If no such problem meets what is required.
    """
    required = required or Requirements()
    boxes: list[Space[Any]] = [_tasks(count) for count in (1, 2, 30)]
    specs = [
        *(_spec(space, required.needs) for space in (*boxes, spaces.Box(-1.0, 1.0, (), np.float32))),
        *(_spec(ProbeSpace(space), required.needs) for space in boxes),
        *discrete_specs(required.needs),
        *shares_problems(required.needs),
        *tree_problems(required.needs),
    ]
    met = [spec for spec in specs if not required.unmet(spec)]
    if not met:
        raise ValueError(f"no made-up problem is for a teacher that {required}; give specs= of your own")
    return [spec for spec in met if _kind(spec) is _kind(met[0])]


def _kind(spec: TeachingSpec) -> type[Space[Any]]:
    """The kind of action space, whatever it is a subclass of that teachers do not tell apart."""
    return spaces.Box if isinstance(spec.action_space, spaces.Box) else type(spec.action_space)


def _tasks(count: int) -> TaskSpace:
    signs = [1.0 if i % 2 == 0 else -1.0 for i in range(count)]
    return TaskSpace([Parameter(f"p{i}", -1.0, 2.0 + i, harder=0.1 * sign) for i, sign in enumerate(signs)])


def discrete_specs(offers: Needs = NOTHING) -> list[TeachingSpec]:
    """Problems whose tasks are 2 and 7 arms, the latter numbered from 3."""
    arms: list[Space[Any]] = [spaces.Discrete(2), spaces.Discrete(7, start=3)]
    return [_spec(space, offers & ~Needs.EASY_TASKS) for space in arms]


def shares_problems(offers: Needs = NOTHING) -> list[TeachingSpec]:
    """Problems in which examples are divided among 2 and among 7 skills."""
    return [_data_problem(Shares(count), SkillRows(count), count, offers) for count in (2, 7)]


def tree_problems(offers: Needs = NOTHING) -> list[TeachingSpec]:
    """Problems of trees: 2 skills with up to 3 subskills each, and 5 with up to 8."""
    return [
        _data_problem(TreePlans(count, most, _EXAMPLES), TreeObservations(count, most), count, offers)
        for count, most in ((2, 3), (5, 8))
    ]


class TreeObservations(TreeFields):
    """Observations whose samples show trees that may come up in an episode."""

    def sample(self, mask: None = None, probability: None = None) -> NDArray[np.float32]:
        """Draw trees."""
        skills, slots, _ = self.shape
        rng, seen = self.np_random, np.zeros(self.shape, dtype=np.float32)
        for k in range(skills):
            grown = int(rng.integers(slots))
            whole, parts = seen[k, 0], seen[k, 1 : 1 + grown]
            parts[:, TreeField.ALLOCATION] = rng.integers(6, size=grown) * rng.integers(2, size=grown)
            parts[:, TreeField.MADE] = rng.integers(20, size=grown)
            parts[:, TreeField.TESTED] = parts[:, TreeField.MADE] > 0
            parts[:, TreeField.TRAINED_ACCURACY] = rng.random(grown) * parts[:, TreeField.TESTED]
            parts[:, TreeField.ACCURACY] = rng.random(grown)
            whole[[TreeField.ALLOCATION, TreeField.MADE]] = parts[:, [TreeField.ALLOCATION, TreeField.MADE]].sum(axis=0)
            whole[TreeField.ACCURACY], whole[TreeField.REWARD] = rng.random(), rng.uniform(-0.1, 0.1)
            whole[TreeField.EXPLORED], whole[TreeField.EXPLOITED] = grown, rng.integers(5)
            whole[TreeField.LAST] = rng.choice([-1, 1]) if grown else 0
            whole[TreeField.COMPLETE] = grown == slots - 1
            seen[k, : 1 + grown, TreeField.ACTIVE] = 1
        return seen


def _data_problem(actions: Space[Any], seen: Space[Any], skills: int, offers: Needs) -> TeachingSpec:
    names, told = tuple(f"skill {k}" for k in range(skills)), offers & ~(Needs.EASY_TASKS | Needs.RULES)
    return TeachingSpec(actions, seen, (0.0, 1.0), 0.8, told, skills=names)


def _spec(space: Space[Any], offers: Needs) -> TeachingSpec:
    decisions = space.decisions if isinstance(space, ProbeSpace) else space
    easy = None
    if Needs.EASY_TASKS in offers and isinstance(decisions, spaces.Box):
        box = TaskSpace.from_box(decisions)
        easy = EasyTasks(tuple(box.low + 0.2 * box.range), tuple(0.1 * box.range))
    rules = {"none": lambda observation: _lowest(space)} if Needs.RULES in offers else {}
    seen = spaces.Box(-1.0, 1.0, (3,), np.float32)
    return TeachingSpec(space, seen, (-150.0, 350.0), 230.0, offers, easy, rules=rules)


def _lowest(space: Space[Any]) -> Any:
    """The action in the lowest corner."""
    if isinstance(space, ProbeSpace):
        return {"decision": _lowest(space.decisions), "probe": np.int64(0)}
    return space.low.copy() if isinstance(space, spaces.Box) else space.start  # type: ignore[attr-defined]


def made_up_trace(offers: Needs, outcome: float, rng: np.random.Generator) -> EpisodeTrace | None:
    """An episode of one to five steps, with what the offers say of it."""
    if not offers & (Needs.VALUES | Needs.ENTROPIES):
        return None
    steps = int(rng.integers(1, 6))
    rewards = outcome * rng.dirichlet(np.ones(steps))
    values = np.append(rng.normal(size=steps) * abs(outcome), 0.0) if Needs.VALUES in offers else None
    return EpisodeTrace(rewards, values, rng.normal(size=steps) if Needs.ENTROPIES in offers else None)


def made_up_antagonist(offers: Needs, outcome: float, rng: np.random.Generator) -> float | None:
    """What an antagonist made of the task, where one is offered."""
    return float(outcome + rng.normal()) if Needs.ANTAGONIST in offers else None


def in_order(step: int) -> int | None:
    """Every decision is answered at once."""
    return step


def out_of_order(step: int) -> int | None:
    """Of every four decisions the second, the first and the third are answered, with a step that answers none."""
    answered = (None, 1, 0, 2)[step % 4]
    return None if answered is None else step - step % 4 + answered


def _changing(step: int, place: FloatArray, rng: np.random.Generator) -> float:
    return float(0.5 + 0.4 * np.sin(4 * np.mean(place) + step / 100) + 0.1 * rng.uniform(-1, 1))


def _extreme(step: int, place: FloatArray, rng: np.random.Generator) -> float:
    return float(rng.choice([0.0, 1.0, -1e6, 1e6]))


def _constant(step: int, place: FloatArray, rng: np.random.Generator) -> float:
    return 0.0


@dataclass(frozen=True)
class History:
    """What happens to a teacher in a run, apart from its own actions. No part depends on what came before."""

    name: str
    outcome: _Outcome = _changing
    answers: Callable[[int], int | None] = in_order
    """Which decision is answered at a step, if any."""
    fixed_task: bool = False
    """Whether every answer is about one and the same task, whatever the action."""
    inverted: bool = False
    """Whether every success is told as a failure, and every failure as a success."""
    scribble: bool = False
    """Whether every array is overwritten as soon as the teacher has had its use."""


DEGENERATE = (
    History("with all outcomes equal", outcome=_constant),
    History("with all tasks equal", fixed_task=True),
    History("with all tasks and outcomes equal", outcome=_constant, fixed_task=True),
    History("with outcomes at the extremes and beyond", outcome=_extreme),
)
