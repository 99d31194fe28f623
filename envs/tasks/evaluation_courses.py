"""The test courses of the eight-parameter walker (Parker-Holder et al. 2022, ACCEL, arXiv:2203.01302).

A course is solved in an episode whose return is above 230. An episode ends after 2,000 steps, on BipedalWalker-v3
after 1,600, and the authors' students sample their actions in tests as in training. Published means over 10 seeds and
100 episodes each, share solved and return, after 20,000 updates of PPO on up to two billion steps:

| | BipedalWalker-v3 | Hardcore-v3 | Med-Stairs | Med-PitGap | Med-StumpHeight | Med-Roughness |
|---|---|---|---|---|---|---|
| ACCEL | 1.00, 317.9 | 0.63, 210.8 | 0.21, 91.6 | 0.31, 112.0 | 0.49, 165.8 | 0.76, 253.3 |
| robust PLR | 0.99, 304.8 | 0.16, 84.8 | 0.04, 51.0 | 0.04, 43.3 | 0.01, 6.6 | 0.24, 129.7 |
| domain randomisation | 0.84, 266.8 | 0.01, 14.2 | 0.01, 18.6 | 0.00, 12.4 | 0.00, -10.4 | 0.03, 51.8 |

Their tests were seeded from the clock, with a thousand possible seeds; ours are seeded like every evaluation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from teachgym.base.setting_checks import check_whole
from teachgym.core.task_space import FloatArray
from teachgym.envs.tasks.world_maker import WorldMaker
from teachgym.envs.worlds.bipedal_walker.obstacle_course import ObstacleCourse
from teachgym.worlds.evaluate import Policy, evaluate
from teachgym.worlds.world_batch import WorldBatch

TEST_COURSES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "BipedalWalker-v3": (1, 0, 0, 0, 0, 0, 0, 1),
        "Med-Stairs": (0, 0, 0, 0, 0, 2, 2, 5),
        "Med-PitGap": (0, 5, 5, 0, 0, 0, 0, 1),
        "Med-StumpHeight": (0, 0, 0, 2, 2, 0, 0, 1),
        "Med-Roughness": (5, 0, 0, 0, 0, 0, 0, 1),
    }
)
"""The courses that are tasks, in the order of the parameters of ``ObstacleCourse``. The first equals Gymnasium's."""
HARDCORE = "Hardcore-v3"
"""The course that is not a task, see the terrain ``Hardcore``."""
FLAT_STEPS = 1600
"""Gymnasium's time limit on ``BipedalWalker-v3``, and so the authors'; on the other courses it is 2,000."""


@dataclass(frozen=True)
class CourseResult:
    """How a student did on one course."""

    episodes: int
    """How many were played, each on a track of its own."""
    solved: float
    """Share of the episodes with a return above the bound, from 0 to 1."""
    mean_return: float
    """Mean undiscounted return."""


def play_test_courses(
    policy: Policy, *, seed: int, episodes: int = 100, solved_above: float = 230.0, walker: Mapping[str, Any]
) -> Mapping[str, CourseResult]:
    """Play every test course.

    Args:
        policy: Maps observations ``(k, d)`` to actions ``(k, joints)``; the authors' samples them.
        seed: Non-negative integer. Episode i of each course is played on the same track whoever is tested.
        episodes: How many on each course.
        solved_above: A return above this solves a course.
        walker: Keywords of ``teachgym/ParametricBipedalWalker-v0`` other than the terrain.

    Returns:
        The result of each course, by name, in the order of the published table.

    Raises:
        ValueError: If there are no episodes.
    """
    check_whole("episodes", episodes, 1)

    def play(make_batch: Callable[[int], WorldBatch], task: tuple[float, ...]) -> CourseResult:
        tasks: FloatArray = np.tile(np.array(task, dtype=np.float64), (episodes, 1))
        played = evaluate(policy, make_batch, tasks, seed=seed, mastered_above=solved_above)
        return CourseResult(episodes, played.mastered / 100, played.mean_return)

    def make_batch(**settings: Any) -> Callable[[int], WorldBatch]:
        return WorldMaker("teachgym/ParametricBipedalWalker-v0", {**walker, **settings}).make_batch

    on_tasks = make_batch(terrain=ObstacleCourse())
    (flat, flat_task), *others = TEST_COURSES.items()
    return MappingProxyType(
        {
            flat: play(make_batch(terrain=ObstacleCourse(), max_episode_steps=FLAT_STEPS), flat_task),
            HARDCORE: play(make_batch(terrain="hardcore"), (1.0,)),
            **{name: play(on_tasks, task) for name, task in others},
        }
    )
