"""Runs of a curriculum: seeds, evaluation, and what goes wrong on the way."""

import gc
import random
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded

from teachgym.core.seeding import fan_out
from teachgym.students import CallableStudent
from tests.envs.tasks.curricula import QUICK_PPO, QUICK_SAC, equal_weights, make_env, run, weights
from tests.toy import Reach, noisy_walk


@pytest.mark.parametrize("seed", [-1, True, 1.0])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match="expected a non-negative integer"):
        make_env().reset(seed=seed)


def test_options_are_refused() -> None:
    with pytest.raises(ValueError, match=r"options are \{'task'.*a teacher environment takes none"):
        make_env().reset(options={"task": [0.5]})


def test_without_a_seed_every_episode_is_another_of_a_stream_that_the_first_seed_fixes() -> None:
    def outcomes() -> list[list[float]]:
        env, found = make_env(), []
        env.reset(seed=3)
        for _ in range(3):
            env.reset()
            found.append([env.step([0.5])[1] for _ in range(3)])
        return found

    first = outcomes()
    assert first[0] != first[1] != first[2]
    assert outcomes() == first


@pytest.mark.parametrize(
    ("student", "settings"), [("ppo", QUICK_PPO), ("ppo", QUICK_PPO | {"slots": 3}), ("sac", QUICK_SAC)]
)
def test_one_seed_makes_one_run_whatever_happens_between_its_steps(student: str, settings: dict[str, Any]) -> None:
    def make() -> Any:
        return make_env(student=student, student_settings=settings, steps=100)

    quiet = make()
    expected = run(quiet, seed=5)

    noisy = make()

    def disturb() -> None:
        random.random()
        np.random.random(3)  # noqa: NPY002
        torch.rand(3)
        noisy.evaluate()

    with torch.no_grad():
        assert run(noisy, seed=5, between=disturb) == expected
    assert equal_weights(weights(noisy), weights(quiet))

    other = make()
    assert run(other, seed=6) != expected
    assert not equal_weights(weights(other), weights(quiet))


def test_a_run_leaves_the_global_generators_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    expected = np.random.random(), float(torch.rand(()))  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    env = make_env(student="ppo", student_settings=QUICK_PPO)
    run(env)
    env.evaluate()
    env.close()
    assert (np.random.random(), float(torch.rand(()))) == expected  # noqa: NPY002


def test_evaluation_is_deterministic_and_costs_nothing() -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO)
    env.reset(seed=0)
    untrained = env.evaluate()
    for _ in range(6):
        env.step([0.5])
    first, second = env.evaluate(), env.evaluate()
    assert env.spent == first.spent == 30
    assert np.array_equal(first.returns, second.returns)
    assert not np.array_equal(first.returns, untrained.returns)
    assert np.array_equal(first.tasks, env.lifetime.test_tasks)
    assert first.tasks.shape == (50, 1)
    assert first.mastered_above == env.teaching_spec.mastered_above
    assert env.evaluate([[0.1], [0.2]]).tasks.tolist() == [[0.1], [0.2]]


def test_evaluation_meets_the_same_worlds_at_any_time_whoever_is_tested() -> None:
    quick, late = make_env(), make_env()
    quick.reset(seed=2)
    late.reset(seed=2)
    for _ in range(5):
        late.step([0.5])
    assert np.array_equal(quick.evaluate().returns, late.evaluate().returns)
    quick.reset(seed=3)
    assert not np.array_equal(quick.evaluate().returns, late.evaluate().returns)


def test_a_policy_that_draws_when_tested_leaves_the_global_generators_alone() -> None:
    def train(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        publish(lambda observations: np.random.random((len(observations), 1)))  # noqa: NPY002
        world.reset()

    env = make_env(student=CallableStudent(train))
    env.reset(seed=0)
    np.random.seed(1)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    env.evaluate()
    assert np.random.random() == expected  # noqa: NPY002
    env.close()


def test_worlds_and_students_are_seeded_by_their_own_parts_of_the_seed() -> None:
    seen = []

    def look(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        observation, _ = world.reset()
        seen.append((seed, observation[0]))

    env = make_env(student=CallableStudent(look))
    env.reset(seed=6)
    env.step([0.5])
    world_seed = np.random.SeedSequence(fan_out(6).world).generate_state(1)[0]
    observation, _ = Reach().reset(seed=int(world_seed), options={"task": [0.5]})
    assert seen == [(fan_out(6).student, observation[0])]


def test_evaluation_needs_a_student_and_tasks_within_bounds() -> None:
    env = make_env()
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.evaluate()
    env.reset()
    with pytest.raises(ValueError, match="'target' is 3"):
        env.evaluate([[3.0]])


class StudentError(Exception):
    pass


def fall(world: Any, *, steps: int, seed: int, publish: Any) -> None:
    world.reset()
    for _ in range(7):
        _, _, over, _, _ = world.step(np.zeros(1))
        if over:
            world.reset()
    raise StudentError("fell")


def test_an_exception_in_the_student_surfaces_in_step_and_ends_the_episode() -> None:
    env = make_env(student=CallableStudent(fall))
    env.reset()
    env.step([0.5])
    with pytest.raises(StudentError, match="fell"):
        env.step([0.5])
    with pytest.raises(ResetNeeded, match=r"before step\(\): the last step\(\) failed \(StudentError: fell\)"):
        env.step([0.5])
    with pytest.raises(ResetNeeded, match=r"before state_dict\(\): the last step\(\) failed"):
        env.state_dict()
    env.reset()
    env.step([0.5])
    env.close()


def test_an_exception_before_the_first_task_surfaces_in_reset() -> None:
    def stumble(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        raise StudentError("stumbled")

    env = make_env(student=CallableStudent(stumble))
    with pytest.raises(StudentError, match="stumbled"):
        env.reset()
    with pytest.raises(ResetNeeded, match=r"the last reset\(\) failed"):
        env.step([0.5])


def test_closing_in_mid_run_ends_the_student_and_its_worlds() -> None:
    ended = []

    class Closing(Reach):
        def close(self) -> None:
            ended.append("world")

    def train(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        try:
            noisy_walk(world, steps=steps, seed=seed, publish=publish)
        finally:
            ended.append("student")

    env = make_env(student=CallableStudent(train), world=Closing)
    ended.clear()
    env.reset()
    env.step([0.5])
    env.close()
    assert ended == ["student", "world"]
    env.close()
    assert ended == ["student", "world"]
    with pytest.raises(ResetNeeded, match="the environment was closed"):
        env.step([0.5])


def test_reset_in_mid_run_begins_afresh() -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO)
    expected = run(env, seed=1)
    first = weights(env)
    env.reset(seed=2)
    for _ in range(4):
        env.step([0.5])
    assert run(env, seed=1) == expected
    assert equal_weights(weights(env), first)


def test_two_environments_of_one_student_do_not_share_a_learner() -> None:
    student = CallableStudent(noisy_walk)
    learners = []

    def train(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        learners.append(seed)
        mine = float(len(learners))
        publish(lambda observations: np.full((len(observations), 1), mine))
        noisy_walk(world, steps=steps, seed=seed, publish=lambda _: None)

    student = CallableStudent(train)
    first, second = make_env(student=student), make_env(student=student)
    first.reset(seed=0)
    second.reset(seed=1)
    first.step([0.5])
    second.step([0.5])
    observations = np.zeros((1, 2))
    assert first.lifetime.student.act(observations).item() == 1.0
    assert second.lifetime.student.act(observations).item() == 2.0
    with pytest.raises(RuntimeError):
        student.act(observations)


def test_an_environment_that_is_dropped_in_mid_run_takes_its_student_along() -> None:
    ended = []

    def watched(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        try:
            noisy_walk(world, steps=steps, seed=seed, publish=publish)
        finally:
            ended.append(True)

    env = make_env(student=CallableStudent(watched))
    env.reset(seed=0)
    env.step(env.task_space.uniform(np.random.default_rng(0)))
    dropped = weakref.ref(env)
    assert not ended
    del env
    gc.collect()
    assert dropped() is None
    assert ended == [True]
