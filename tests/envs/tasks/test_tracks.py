"""The walker's curricula."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import teachgym
from teachgym.agents import TEACHERS, teacher_class
from teachgym.core.needs import Needs
from teachgym.core.spaces import ProbeSpace
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent

TRACKS = ("StumpTracks", "HexagonTracks", "StumpSequence", "ObstacleCourse")
DIMENSIONS = {"StumpTracks": 2, "HexagonTracks": 12, "StumpSequence": 10, "ObstacleCourse": 8}


def lunge(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    """A student that throws its legs forward: it falls within some hundred steps."""
    joints = world.action_space.shape[0]
    publish(lambda observations: np.ones((len(observations), joints)))
    while True:
        world.reset()
        over = False
        while not over:
            _, _, terminated, truncated, _ = world.step(np.ones(joints))
            over = terminated or truncated


class Lunger(CallableStudent):
    """The same, and it can tell what it thinks of its chances: nothing."""

    offers = Needs.VALUES | Needs.ENTROPIES

    def __init__(self) -> None:
        super().__init__(lunge)

    def values(self, observations: Any) -> Any:
        return np.zeros(len(observations))

    entropies = values


def make(name: str, **settings: Any) -> TaskTeachingEnv:
    chosen: dict[str, Any] = {"student": CallableStudent(lunge), "budget": 1500, **settings}
    env = gymnasium.make(f"teachgym/{name}-v0", **chosen).unwrapped
    assert isinstance(env, TaskTeachingEnv)
    return env


OF_TASKS = sorted(
    name
    for name, entry in TEACHERS.items()
    if not entry.requires
    if any(issubclass(kind, teacher_class(name).acts_on) for kind in (spaces.Box, ProbeSpace))
    if Needs.RULES not in teacher_class(name).needs
)
"""Teachers that choose tasks."""


@pytest.mark.parametrize(("teacher", "name"), [*zip(OF_TASKS, cycle(TRACKS), strict=False)])
def test_every_teacher_teaches_on_a_track(name: str, teacher: str) -> None:
    twice = Needs.ANTAGONIST in teacher_class(teacher).needs
    env, acting = teachgym.pair(name, teacher, seed=3, student=Lunger(), budget=3000 if twice else 1500)
    record = teachgym.teach(env, acting, seed=3)
    assert record.tasks.shape[1] == DIMENSIONS[name]
    assert len(record.feedback) >= 5
    assert all(-150 < outcome < -90 for outcome in record.outcomes)  # a fall on the start pad


@pytest.mark.parametrize("body", ["short", "default", "quadruped"])
@pytest.mark.parametrize("defects", ["fixed", "faithful"])
def test_bodies_and_defects_reach_the_world(body: str, defects: str) -> None:
    world: Any = make("StumpTracks", body=body, defects=defects).make_world().unwrapped
    assert world.observation_space.shape == ((34,) if body == "quadruped" else (24,))
    assert world.defects.lidar == (defects == "faithful")


def test_the_defaults_are_the_papers() -> None:
    env = gymnasium.make("teachgym/StumpTracks-v0").unwrapped
    assert isinstance(env, TaskTeachingEnv)
    assert type(env.lifetime.student).__name__ == "SACStudent"
    assert env.budget == 20_000_000
    assert env.teaching_spec.outcome_range == (-150.0, 350.0)
    assert env.teaching_spec.mastered_above == 230.0


def test_teachers_of_higher_stumps_are_tested_on_the_same_tracks() -> None:
    plain, high = make("StumpTracks"), make("StumpTracks", max_stump_height=5.0)
    assert high.task_space.high[0] == 5.0
    np.testing.assert_array_equal(plain.lifetime.test_tasks, high.lifetime.test_tasks)


def test_a_range_that_does_not_cover_the_papers_test_set_has_one_of_its_own() -> None:
    easy = make("StumpTracks", max_stump_height=0.5, min_stump_spacing=2.0)
    assert (easy.task_space.low == [0.0, 2.0]).all()
    assert easy.lifetime.test_tasks.shape == (50, 2)
    assert all(easy.task_space.contains(task) for task in easy.lifetime.test_tasks)
    apart = make("StumpTracks", max_stump_height=9.0, max_test_height=0.5, min_test_spacing=2.0)
    np.testing.assert_array_equal(apart.lifetime.test_tasks, easy.lifetime.test_tasks)
    assert apart.task_space.high[0] == 9.0
    with pytest.raises(ValueError, match=r"test tracks have stumps up to 4\.0 and"):
        make("StumpTracks", max_test_height=4.0)
    assert make("StumpTracks", max_stump_height=2, test_tasks=[[1.0, 3.0]]).lifetime.test_tasks.shape == (1, 2)


def test_sac_learns_on_the_walker_within_its_budget() -> None:
    settings = {"random_steps": 300, "batch_size": 50, "hidden": (16,)}
    env = make("StumpTracks", student="sac", student_settings=settings, budget=1200)
    record = teachgym.teach(env, teachgym.make_teacher("random", env, seed=0), seed=0)
    assert sum(feedback.cost for feedback in record.feedback) <= 1200
    assert env.spent == 1200
    assert np.isfinite(env.evaluate([[0.0, 6.0]]).mean_return)
