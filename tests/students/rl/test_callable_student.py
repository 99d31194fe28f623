"""Training loops that know nothing of this library are taught through a function."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray
from torch import nn

from teachgym import Feedback
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent
from tests.toy import Reach


def reinforce(world: Any, *, steps: int, seed: int, publish: Any) -> None:
    """REINFORCE with a running baseline over a vector environment, in the manner of CleanRL."""
    torch.manual_seed(seed)
    envs: Any = world
    width = int(np.prod(envs.single_observation_space.shape))
    actor = nn.Linear(width, envs.single_action_space.shape[0])
    log_std = nn.Parameter(torch.full((1,), -0.5))
    optimizer = torch.optim.Adam([*actor.parameters(), log_std], lr=0.03)

    def policy(observations: NDArray[Any]) -> NDArray[Any]:
        with torch.no_grad():
            mean = actor(torch.as_tensor(observations, dtype=torch.float32))
        return np.asarray(np.clip(mean.numpy(), -1.0, 1.0))

    publish(policy)
    observations, _ = envs.reset(seed=seed)
    started = np.zeros(envs.num_envs, dtype=bool)
    batch: list[tuple[torch.Tensor, torch.Tensor, float]] = []
    for _ in range(steps // envs.num_envs):
        inputs = torch.as_tensor(observations, dtype=torch.float32)
        actions = torch.normal(actor(inputs), log_std.exp()).detach()
        observations, rewards, terminations, truncations, _ = envs.step(actions.numpy())
        # Where a slot has just reset, the action was not carried out.
        batch += [(inputs[i], actions[i], float(rewards[i])) for i in np.flatnonzero(~started)]
        started = terminations | truncations
        if envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP:
            started = np.zeros_like(started)
        if len(batch) >= 64:
            given, taken, paid = (torch.stack([torch.as_tensor(row[i]) for row in batch]) for i in range(3))
            advantage = (paid - paid.mean()) / (paid.std() + 1e-8)
            likelihood = (-(((taken - actor(given)) / log_std.exp()) ** 2) / 2 - log_std).sum(1)
            optimizer.zero_grad()
            (-(likelihood * advantage).mean()).backward()
            optimizer.step()
            batch.clear()


def climb(world: Any, *, steps: int, seed: int, publish: Any) -> None:
    """A (1+1) evolution strategy on a linear policy over one plain environment."""
    rng = np.random.default_rng(seed)
    best: NDArray[Any] = np.zeros(3)
    publish(lambda observations: np.clip(observations @ best[:2, None] + best[2], -1.0, 1.0).astype(np.float32))

    def fitness(candidate: NDArray[Any]) -> float:
        total = 0.0
        for _ in range(4):
            observation, _ = world.reset()
            over = False
            while not over:
                action = np.clip([observation @ candidate[:2] + candidate[2]], -1.0, 1.0)
                observation, reward, terminated, truncated, _ = world.step(action)
                total += reward
                over = terminated or truncated
        return total / 4

    while True:
        candidate = best + rng.normal(scale=0.5, size=3)
        if fitness(candidate) > fitness(best):
            best[:] = candidate


def make_env(student: CallableStudent, steps: int) -> TaskTeachingEnv:
    return TaskTeachingEnv(Reach, student=student, budget=steps, outcome_range=(-5.0, 0.0), mastered_above=-1.0)


def teach_all(env: TaskTeachingEnv) -> list[Feedback]:
    rng, answers, over = np.random.default_rng(0), [], False
    while not over:
        _, _, over, _, info = env.step(env.task_space.uniform(rng))
        if info["feedback"] is not None:
            answers.append(info["feedback"])
    return answers


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_a_torch_loop_over_a_vector_of_two_is_taught(mode: AutoresetMode) -> None:
    env = make_env(CallableStudent(reinforce, slots=2, autoreset_mode=mode), 5000)
    env.reset(seed=0)
    untrained = env.evaluate()
    with torch.no_grad():  # of no concern to the student
        answers = teach_all(env)
    assert len(answers) > 800
    assert env.evaluate().mean_return > untrained.mean_return + 0.5
    assert np.mean([answer.outcome for answer in answers[-100:]]) > np.mean([a.outcome for a in answers[:100]]) + 0.5


def test_a_loop_without_torch_over_one_world_is_taught() -> None:
    env = make_env(CallableStudent(climb), 4000)
    env.reset(seed=0)
    untrained = env.evaluate()
    answers = teach_all(env)
    assert len(answers) == env.spent / 5 == 800
    assert env.evaluate().mean_return > untrained.mean_return + 1.0


@pytest.mark.parametrize("train", [reinforce, climb])
def test_the_same_seed_makes_the_same_learner(train: Any) -> None:
    def learn(seed: int) -> NDArray[Any]:
        env = make_env(CallableStudent(train, slots=2 if train is reinforce else 1), 400)
        env.reset(seed=seed)
        teach_all(env)
        return env.lifetime.student.act(np.array([[0.1, 0.9], [0.3, -0.2]], dtype=np.float32))

    assert np.array_equal(learn(0), learn(0))
    assert not np.array_equal(learn(0), learn(1))


@pytest.mark.parametrize("slots", [1, 3])
def test_the_function_gets_a_plain_world_or_a_vector_of_them(slots: int) -> None:
    got = []

    def look(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        got.append((world, steps, seed))
        world.reset()

    env = make_env(CallableStudent(look, slots=slots, autoreset_mode=AutoresetMode.SAME_STEP), 70)
    env.reset(seed=3)
    world, steps, seed = got[0]
    assert (steps, seed) == (70, env.seeds.student)
    if slots == 1:
        assert isinstance(world, gymnasium.Env)
    else:
        assert isinstance(world, VectorEnv)
        assert world.num_envs == 3
        assert world.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    env.close()


def test_a_function_that_publishes_nothing_cannot_be_tested() -> None:
    def quiet(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        world.reset()

    env = make_env(CallableStudent(quiet), 10)
    env.reset()
    with pytest.raises(RuntimeError, match="call publish"):
        env.evaluate()
    env.close()


def test_the_policy_of_the_last_run_is_not_taken_for_one_of_this_run() -> None:
    runs = []

    def once(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        runs.append(seed)
        if len(runs) == 1:
            publish(lambda observations: np.zeros((len(observations), 1)))
        world.reset()

    env = make_env(CallableStudent(once), 10)
    env.reset(seed=0)
    env.evaluate()
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="call publish"):
        env.evaluate()
    env.close()


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="train is 3; expected a function"):
        CallableStudent(3)  # type: ignore[arg-type]

    def wrong(world: Any, *, steps: int, seed: int, publish: Any) -> None:
        publish("policy")

    with pytest.raises(TypeError, match=r"publish\(\) got 'policy'; expected a function"):
        make_env(CallableStudent(wrong), 10).reset()


def test_it_says_that_it_cannot_be_stored() -> None:
    student = CallableStudent(climb)
    assert student.state_dict() is None
    with pytest.raises(ValueError, match="can't be restored"):
        student.load_state_dict({}, Reach().observation_space, Reach().action_space)
