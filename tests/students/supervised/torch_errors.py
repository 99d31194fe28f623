"""Students that meet errors which torch raises from C++, as a program.

``python -m tests.students.supervised.torch_errors``

Prints a line for every kind of error, place to start from, and whether the student catches it.
"""

import ast
import asyncio
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from torch.nn import functional

import teachgym
from teachgym.students import CallableStudent
from tests.study import toy_study

LENGTH = 5


def twice() -> None:
    loss = torch.ones(2, requires_grad=True).square().sum()
    loss.backward()  # type: ignore[no-untyped-call]
    loss.backward()  # type: ignore[no-untyped-call]


def of_inference() -> None:
    with torch.inference_mode():
        fixed = torch.ones(2)
    (fixed * torch.ones(2, requires_grad=True)).sum()


def within_inference() -> None:
    with torch.inference_mode():
        torch.zeros(2, 3) @ torch.zeros(2, 3)


KINDS: dict[str, tuple[Callable[[], Any], str]] = {
    "shapes": (lambda: torch.zeros(2, 3) @ torch.zeros(2, 3), "shapes cannot be multiplied"),
    "cholesky": (lambda: torch.linalg.cholesky(-torch.eye(2)), "not positive-definite"),
    "inverse": (lambda: torch.linalg.inv(torch.zeros(2, 2)), "singular"),
    "index": (lambda: torch.zeros(3).index_select(0, torch.tensor([5])), "out of range"),
    "dtype": (lambda: torch.zeros(2, 2) @ torch.zeros(2, 2, dtype=torch.float64), "same dtype"),
    "backward": (twice, "backward through the graph a second time"),
    "leaf": (lambda: torch.ones(2, requires_grad=True).add_(1), "in-place"),
    "view": (lambda: torch.zeros(2, 3).view(4), "invalid for input of size"),
    "inference": (of_inference, "cannot be saved for backward"),
    "within inference": (within_inference, "shapes cannot be multiplied"),
    "device": (lambda: torch.device("nonsense"), "device"),
    "convolution": (lambda: torch.conv2d(torch.zeros(1, 3, 4, 4), torch.zeros(2, 4, 3, 3)), "channels"),
    "embedding": (lambda: functional.embedding(torch.tensor([7]), torch.zeros(3, 2)), "out of range"),
    "expansion": (lambda: torch.zeros(2, 2).expand(3, 3), "must match the existing size"),
}
"""What to do, and what the error says."""


class StumblingStudent(CallableStudent):
    """Meets kinds of error in turn, one in every episode but the first, and ends by it unless it catches it."""

    def __init__(self, settings: Any = None, *, kinds: Sequence[str] = ("shapes",), catches: bool = False) -> None:
        self.kinds, self.catches, self.caught = kinds, catches, 0
        super().__init__(self.walk)

    def walk(self, world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
        publish(lambda observations: np.zeros((len(observations), 1), dtype=np.float32))
        for episode in range(steps // LENGTH):
            world.reset()
            if episode:
                self.meet(self.kinds[(episode - 1) % len(self.kinds)])
            for _ in range(LENGTH):
                world.step(np.zeros(1, dtype=np.float32))

    def meet(self, kind: str) -> None:
        try:
            KINDS[kind][0]()
        except (RuntimeError, IndexError):
            self.caught += 1
            if not self.catches:
                raise


def outcome(kinds: Sequence[str], catches: bool, teach: Callable[[Any], Any], *, episodes: int = 3) -> str:
    """What became of a run: ``went on``, ``raised``, or what is wrong."""
    student = StumblingStudent(kinds=kinds, catches=catches)
    env = gymnasium.make(toy_study.ENV, student=student, budget=episodes * LENGTH, disable_env_checker=True)
    try:
        teach(env)
    except (RuntimeError, IndexError) as error:
        own = "meet" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        return "raised" if KINDS[kinds[0]][1] in str(error) and own else f"raised {error!r}"
    finally:
        env.close()
    return "went on" if student.caught == episodes - 1 else f"caught {student.caught}"


def deep(frames: int, work: Callable[[], Any]) -> Any:
    return work() if not frames else deep(frames - 1, work)


def by_random(env: Any) -> None:
    teachgym.teach(env, teachgym.make_teacher("random", env, seed=0), seed=0)


def by_deeper_steps(env: Any) -> None:
    """Every step from another depth of the stack."""
    env.reset(seed=0)
    over = False
    for frames in (9, 0, 4, 2):
        if not over:
            over = deep(frames, lambda: env.step(env.action_space.sample()))[2]


def by_cell(env: Any) -> None:
    """As IPython does: a cell that is run by an event loop."""
    source = "teach(env); await sleep(0)"
    code = compile(source, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def run() -> None:
        await eval(code, {"teach": by_random, "env": env, "sleep": asyncio.sleep})

    asyncio.run(run())


def by_sb3(env: Any) -> None:
    PPO("MlpPolicy", env, n_steps=len(KINDS) + 1, batch_size=5, n_epochs=1, device="cpu").learn(1)


PLACES: dict[str, Callable[[Any], None]] = {
    "function": lambda env: deep(6, lambda: by_random(env)),
    "deeper steps": by_deeper_steps,
    "notebook": by_cell,
}


def report(*found: object) -> None:
    sys.stdout.write(" | ".join(map(str, found)) + "\n")


if __name__ == "__main__":
    for kind in KINDS:
        for catches in (True, False):
            report(kind, catches, "script", outcome([kind], catches, by_random))
            for place, teach in PLACES.items():
                report(kind, catches, place, outcome([kind], catches, teach))
    report("all", True, "SB3", outcome(list(KINDS), True, by_sb3, episodes=len(KINDS) + 1))
    report("shapes", False, "SB3", outcome(["shapes"], False, by_sb3))
