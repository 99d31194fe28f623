"""A curriculum that takes milliseconds, registered so that worker processes find it, and students for it."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from teachgym.students import CallableStudent
from tests.toy import Reach, noisy_walk

ENV = "tests.study.toy_study:tests/ReachTaskTeaching-v0"
QUICK = "tests.study.toy_study:QuickStudent"
LATE = "tests.study.toy_study:LateStudent"
FAILING = "tests.study.toy_study:FailingStudent"
DYING = "tests.study.toy_study:DyingStudent"
SLOW = "tests.study.toy_study:SlowStudent"
WAITING = "tests.study.toy_study:WaitingStudent"
HANGING = "tests.study.toy_study:HangingStudent"
GREEDY = "tests.study.toy_study:GreedyStudent"
KILLED = "tests.study.toy_study:KilledStudent"
FULL_DISK = "tests.study.toy_study:FullDiskStudent"

if "tests/ReachTaskTeaching-v0" not in gymnasium.registry:
    gymnasium.register(
        "tests/ReachTaskTeaching-v0",
        entry_point="teachgym.envs.tasks.task_teaching_env:TaskTeachingEnv",
        kwargs={"world": Reach, "outcome_range": (-5.0, 0.0), "mastered_above": -1.0},
    )


class QuickStudent(CallableStudent):
    """Explores, and never improves."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(noisy_walk)


class LateStudent(CallableStudent):
    """Has no policy before its first episode begins."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_begin_late)


class FailingStudent(CallableStudent):
    """Raises in the middle of its training."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_fail)


class DyingStudent(CallableStudent):
    """Takes its process with it."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_die)


class SlowStudent(CallableStudent):
    """Sleeps at every episode."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_dawdle)


@dataclass
class WaitingSettings:
    """Of a student that waits for a test."""

    gate: str = ""
    """File whose existence lets it go on."""


class WaitingStudent(CallableStudent):
    """Goes on slowly, and more slowly the longer it takes, until a file is there; then at once."""

    Settings = WaitingSettings

    def __init__(self, settings: WaitingSettings) -> None:
        def train(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
            episodes = 0

            class Waiting(gymnasium.Wrapper[Any, Any, Any, Any]):
                def reset(self, **arguments: Any) -> Any:
                    nonlocal episodes
                    episodes += 1
                    if not os.path.exists(settings.gate):
                        time.sleep(0.05 if episodes < 30 else 2.0)
                    return super().reset(**arguments)

            noisy_walk(Waiting(world), steps=steps, seed=seed, publish=publish)

        super().__init__(train)


class HangingStudent(CallableStudent):
    """Never comes back."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_hang)


class GreedyStudent(CallableStudent):
    """Wants more memory than there is."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_take_all)


class KilledStudent(CallableStudent):
    """Is killed by the system."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_be_killed)


class FullDiskStudent(CallableStudent):
    """Finds, in the middle of its training, that no file may grow any more."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(_fill_disk)


class NotANumberStudent(CallableStudent):
    """Has lost its weights."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(noisy_walk)

    def state_dict(self) -> dict[str, Any]:
        return {"weights": {"w": np.array([1.0, np.nan])}}


def _begin_late(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    world.reset()
    noisy_walk(world, steps=steps, seed=seed, publish=publish)


def _fail(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    world.reset()
    sys.stdout.write("about to fail\n")
    raise RuntimeError("the student lost its way")


def _die(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    world.reset()
    os._exit(7)


def _dawdle(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    class Sleepy(gymnasium.Wrapper[Any, Any, Any, Any]):
        def reset(self, **arguments: Any) -> Any:
            time.sleep(0.05)
            return super().reset(**arguments)

    noisy_walk(Sleepy(world), steps=steps, seed=seed, publish=publish)


def _hang(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    world.reset()
    time.sleep(3600)


def _take_all(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    world.reset()
    bytearray(1 << 62)


def _be_killed(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    world.reset()
    os.kill(os.getpid(), signal.SIGKILL)


def _fill_disk(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    noisy_walk(world, steps=150, seed=seed, publish=publish)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    noisy_walk(world, steps=steps, seed=seed, publish=publish)
