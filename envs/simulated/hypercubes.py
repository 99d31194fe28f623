"""The toy grid of hypercubes, on which a teacher's own merit and cost show in seconds."""

from functools import partial
from itertools import product
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from teachgym.base.ranges import Share
from teachgym.base.settings import checked_arguments
from teachgym.core.reward_rule import RewardKind
from teachgym.core.spec import EasyTasks
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.simulated.simulated_env import SimulatedEnv, SimulatedStudent

FULL = 100.0
"""Greatest competence."""
UNLOCKS = 75.0
"""Competence from which a cube unlocks its neighbours, and above which it is mastered."""
MOST_CUBES = 1_000_000


class HypercubesStudent(SimulatedStudent):
    """Competence from 0 to 100 in every cube of a grid; a visit to an unlocked cube adds 1.

    Args:
        cubes_per_dimension: Cubes along each side of the unit cube.
        dimensions: Dimensions of the grid, the first of a task; the others are ignored.
        forgetting: Share of its competence that a cube loses in every episode that does not visit it.
    """

    def __init__(self, cubes_per_dimension: int, dimensions: int, forgetting: float) -> None:
        self._side, self._dimensions = cubes_per_dimension, dimensions
        self._keeps = 1.0 - forgetting
        self._competence = np.zeros(cubes_per_dimension**dimensions)
        self._visited = np.zeros(cubes_per_dimension**dimensions, dtype=np.int64)
        self._episode = 0
        self._mastered = 0
        self._strides = [cubes_per_dimension**i for i in reversed(range(dimensions))]
        self._lower = [step for step in product((0, 1), repeat=dimensions) if any(step)]

    def learn(self, task: FloatArray) -> float:
        """Visit the cube that holds the task, and return its competence afterwards, from 0 to 1."""
        place = self._place(task)
        cube = self._cube(place)
        before = self._at(cube)
        after = min(before + 1.0, FULL) if self._is_unlocked(place) else before
        self._competence[cube], self._visited[cube] = after, self._episode
        self._mastered += (after > UNLOCKS) - (before > UNLOCKS)
        self._episode += 1
        return after / FULL

    def play(self, task: FloatArray) -> float:
        """The competence of the cube that holds the task."""
        return self._at(self._cube(self._place(task))) / FULL

    def expected(self, tasks: FloatArray) -> FloatArray:
        """Competence of the cubes that hold the tasks."""
        if len(tasks) == 1:
            return np.array([self.play(tasks[0])])
        places = np.minimum((tasks[:, : self._dimensions] * self._side).astype(np.int64), self._side - 1)
        competence: FloatArray = self._now()[places @ np.array(self._strides)] / FULL
        return competence

    def score(self) -> float:
        """Share of the cubes with a competence above 75."""
        mastered = self._mastered if self._keeps == 1.0 else int(np.count_nonzero(self._now() > UNLOCKS))
        return mastered / len(self._competence)

    def _place(self, task: FloatArray) -> list[int]:
        last = self._side - 1
        return [min(int(x * self._side), last) for x in task.tolist()[: self._dimensions]]

    def _cube(self, place: list[int]) -> int:
        return sum(index * stride for index, stride in zip(place, self._strides, strict=True))

    def _at(self, cube: int) -> float:
        competence = float(self._competence[cube])
        if self._keeps == 1.0:
            return competence
        return competence * self._keeps ** max(self._episode - int(self._visited[cube]) - 1, 0)

    def _now(self) -> FloatArray:
        if self._keeps == 1.0:
            return self._competence
        return np.asarray(self._competence * self._keeps ** np.maximum(self._episode - self._visited - 1, 0))

    def _is_unlocked(self, place: list[int]) -> bool:
        if not any(place) or self._at(self._cube(place)) >= UNLOCKS:
            return True
        for step in self._lower:
            below = [max(index - down, 0) for index, down in zip(place, step, strict=True)]
            if below != place and self._at(self._cube(below)) >= UNLOCKS:
                return True
        return False


class HypercubesEnv(SimulatedEnv):
    """Choose points of a grid of cubes that unlock one another; the toy problem that tests teachers.

    ## In Short
    - Decision: a point of the cube.
    - Student: competence in every cell of a grid, unlocked by that of its neighbours.
    - Reward: the competence of the visited cell.
    - Truth: the share of mastered cells, exact; published results are reproduced.
    - Episode: a second for 20,000 visits, and what the teacher takes.

    ## Description
    The n-dimensional toy of Portelas et al. 2019 (arXiv:1910.07224). The student has a competence in every cube of
    a grid over the first ``dimensions`` task parameters. An episode on a task visits the cube that holds it; a visit
    to an unlocked cube adds 1 to its competence, up to 100. The cube at the origin is unlocked. Another is unlocked
    while any of the cubes that lie one step lower along one or more dimensions has a competence of 75 or more, and
    stays open by a competence of 75 of its own. Irrelevant dimensions are ignored. With ``forgetting`` a cube loses
    that share of its competence in every episode that does not visit it, so that what it unlocked may close again:
    then teachers have to go back to what they left.

    ## Action Space
    ``x_0``, ``x_1``, ... each from 0 to 1: the grid's dimensions, then the irrelevant ones.

    ## Observation Space
    A ``StudentHistory``: 7 numbers and the last task, from 0 to 1.

    ## Rewards
    ``"outcome"``: the competence of the visited cube after the visit, as a share of 100. ``"learning-progress"``
    and ``"gain"`` (of the share of mastered cubes): see ``SimulatedEnv``.

    ## Starting State
    No competence anywhere.

    ## Episode Termination
    After ``budget`` episodes of the student.

    ## Arguments
    ``cubes_per_dimension=10``, ``dimensions=2``, ``irrelevant_dimensions=0``, ``budget=20_000``,
    ``forgetting=0.0``, and ``reward``, ``probes`` and ``antagonist`` of ``SimulatedEnv``. ``info["mastered"]`` is
    the share of mastered cubes, those with a competence above 75, which ``evaluate`` tests one by one. Differs from
    the authors' toy in that ``reset`` makes a fresh grid, whatever was played before.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(
        self,
        *,
        cubes_per_dimension: Annotated[int, Ge(1), Le(MOST_CUBES)] = 10,
        dimensions: Annotated[int, Ge(1), Le(20)] = 2,
        irrelevant_dimensions: Annotated[int, Ge(0), Le(1000)] = 0,
        budget: int = 20_000,
        forgetting: Share = 0.0,
        reward: RewardKind = "outcome",
        **simulated: Any,
    ) -> None:
        if cubes_per_dimension**dimensions > MOST_CUBES:
            raise ValueError(
                f"{cubes_per_dimension} cubes in each of {dimensions} dimensions make "
                f"{cubes_per_dimension**dimensions:,}; expected at most {MOST_CUBES:,}"
            )
        total = dimensions + irrelevant_dimensions
        centres = (np.arange(cubes_per_dimension) + 0.5) / cubes_per_dimension
        grid = np.stack(np.meshgrid(*[centres] * dimensions, indexing="ij"), axis=-1).reshape(-1, dimensions)
        super().__init__(
            TaskSpace([Parameter(f"x_{i}", 0.0, 1.0, harder=0.1 if i < dimensions else 0.0) for i in range(total)]),
            partial(_student, cubes_per_dimension, dimensions, forgetting),
            budget=budget,
            test_tasks=np.concatenate([grid, np.full((len(grid), irrelevant_dimensions), 0.5)], axis=1),
            mastered_above=UNLOCKS / FULL,
            easy_tasks=EasyTasks((0.0,) * dimensions + (0.5,) * irrelevant_dimensions, (0.1,) * total),
            score_name="mastered",
            reward=reward,
            **simulated,
        )


def _student(cubes_per_dimension: int, dimensions: int, forgetting: float, seed: int) -> HypercubesStudent:
    """A fresh student; all are alike, whatever the seed."""
    return HypercubesStudent(cubes_per_dimension, dimensions, forgetting)
