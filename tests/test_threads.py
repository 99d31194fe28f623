"""Two environments in two threads come to the same as each alone, though much of what they use is the process's own."""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

import teachgym
from teachgym.students import CallableStudent
from teachgym.study.cells.environment import make_pair
from teachgym.study.settings import Cell
from tests.study import toy_study


@pytest.fixture(autouse=True)
def threads_that_change_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def wander(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    """Draws each action from all global generators."""
    publish(lambda observations: np.zeros((len(observations), 1), dtype=np.float32))
    over = True
    for _ in range(steps):
        if over:
            world.reset()
        drawn = random.random() + np.random.random() + float(torch.rand(()))  # noqa: NPY002
        _, _, terminated, truncated, _ = world.step(np.array([drawn - 1.5], dtype=np.float32))
        over = terminated or truncated


def walk(seed: int) -> Any:
    env = gymnasium.make(toy_study.ENV, student=CallableStudent(wander), budget=200, disable_env_checker=True)
    record = teachgym.teach(env, teachgym.make_teacher("alp-gmm", env, seed=seed, fit_every=20), seed=seed)
    return [feedback.outcome for feedback in record.feedback]


def cell(env: str, teacher: str, student: str | None = None, steps: int | None = None) -> Callable[[int], Any]:
    def run(seed: int) -> Any:
        chosen = Cell(env=env, teacher=teacher, student=student, seed=seed, budget=steps, evaluations=1)
        made, acting = make_pair(chosen)
        record = teachgym.teach(made, acting, seed=seed)
        return [feedback.outcome for feedback in record.feedback], repr(made.lifetime.student_state())

    return run


PPO = "ppo,slots=2,rollout_steps=20,batch_size=20,epochs=2,hidden=[8]"
SMALL = "train_every=30,hidden=4,judge_hidden=[8],blocks=1,depth=1"
RUNS = {
    "a function": walk,
    "PPO": cell("StumpTracks,max_stump_height=0.2", "random", PPO, 200),
    "a network teacher": cell("SimulatedTasks,budget=60", f"setter-solver,{SMALL}"),
    "data": cell(
        "SkillTree,subject=tool-use,budget=40,rounds=2,updates=4", "uniform-tree", "transformer,layers=1,width=18"
    ),
    "a schedule": cell("SelfDistillation,budget=20", "random"),
}


@pytest.mark.parametrize("name", RUNS)
def test_two_threads_come_to_what_each_comes_to_alone(name: str) -> None:
    run = RUNS[name]
    alone = {seed: run(seed) for seed in (1, 2)}
    together: dict[int, Any] = {}
    start = threading.Barrier(2)

    def work(seed: int) -> None:
        start.wait()
        together[seed] = run(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert alone[1] != alone[2]
