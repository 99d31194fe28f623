"""Speed of the walker's engines, of Gymnasium's walker, and of EnvPool's where it is installed, as a table.

``python -m tests.benchmarks.world_speed``: steps per CPU second on one core (run it under ``taskset -c 0``), with
random actions, resets included. Rounds alternate, so that a busy machine slows all alike; speeds are medians over the
rounds, and a ratio is the median of the rounds' ratios. ``--threads 2``: steps per second of wall-clock time instead,
with so many threads against one.
"""

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

import teachgym  # noqa: F401  (registers our environments)

ROUNDS = 7
STEPS = 6_400
"""Of all walkers together, in each round."""
WALKER = "teachgym/ParametricBipedalWalker-v0"


@dataclass(frozen=True)
class Contender:
    """A simulator of ``count`` walkers, ready to be stepped."""

    step: Callable[[Any], Any]
    count: int
    joints: int = 4

    def steps_per_second(self, seed: int, clock: Callable[[], float]) -> float:
        """Speed over about ``STEPS`` random actions."""
        rounds = max(1, STEPS // self.count)
        actions = np.random.default_rng(seed).uniform(-1, 1, (rounds, self.count, self.joints)).astype(np.float32)
        start = clock()
        for action in actions:
            self.step(action)
        return rounds * self.count / (clock() - start)


def single(env: gymnasium.Env[Any, Any]) -> Contender:
    """One walker, reset where its episode ends."""
    env.reset(seed=0)

    def step(actions: Any) -> None:
        _, _, terminated, truncated, _ = env.step(actions[0])
        if terminated or truncated:
            env.reset()

    return Contender(step, 1, env.action_space.shape[0])  # type: ignore[index]


def fast(count: int, **settings: Any) -> Contender:
    """The fast engine, as ``make_vec`` makes it."""
    env = gymnasium.make_vec(WALKER, num_envs=count, engine="fast", autoreset_mode=AutoresetMode.SAME_STEP, **settings)
    env.reset(seed=0)
    return Contender(env.step, count, env.single_action_space.shape[0])  # type: ignore[index]


def envpool(count: int) -> Contender:
    """EnvPool's BipedalWalker, in one thread."""
    from envpool import make_gymnasium  # type: ignore[import-not-found,unused-ignore]

    env = make_gymnasium("BipedalWalker-v3", num_envs=count, num_threads=1, seed=0)
    env.reset()
    return Contender(env.step, count)


def measure(
    contenders: Mapping[str, Contender], clock: Callable[[], float] = time.process_time
) -> list[dict[str, float]]:
    """Speeds by name, one mapping a round; a first round is not counted."""
    rounds = [
        {name: contender.steps_per_second(seed, clock) for name, contender in contenders.items()}
        for seed in range(ROUNDS + 1)
    ]
    return rounds[1:]


def table(rounds: list[dict[str, float]], bases: list[str]) -> str:
    """Median speeds, and median ratios to each base, in Markdown."""
    lines = [
        "| simulator | steps/s | " + " | ".join(f"x {base}" for base in bases) + " |",
        "|---" * (2 + len(bases)) + "|",
    ]
    for name in rounds[0]:
        speed = statistics.median(speeds[name] for speeds in rounds)
        ratios = [statistics.median(speeds[name] / speeds[base] for speeds in rounds) for base in bases]
        lines.append(f"| {name} | {speed:,.0f} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    return "\n".join(lines)


def on_one_core() -> None:
    """Stump tracks against the reference engine; grass against Gymnasium and EnvPool."""
    for body, terrain in (("default", "stump-tracks"), ("default", "hexagon-tracks"), ("quadruped", "stump-tracks")):
        settings: dict[str, Any] = {"body": body, "terrain": terrain}
        reference = f"reference, {body}, {terrain}"
        contenders = {reference: single(gymnasium.make(WALKER, engine="reference", **settings))}
        for count in (1, 4, 16, 64, 256):
            contenders[f"fast, {count}"] = fast(count, **settings)
        sys.stdout.write(table(measure(contenders), [reference]) + "\n\n")
    contenders = {"Gymnasium's": single(gymnasium.make("BipedalWalker-v3"))}
    bases = list(contenders)
    for count in (1, 64):
        try:
            contenders[f"EnvPool, {count}"] = envpool(count)
            bases.append(f"EnvPool, {count}")
        except ImportError:
            sys.stdout.write("EnvPool is not installed: pip install envpool==1.2.5\n")
    contenders["reference, grass"] = single(gymnasium.make(WALKER, engine="reference", terrain="grass"))
    for count in (1, 64):
        contenders[f"fast, grass, {count}"] = fast(count, terrain="grass")
    sys.stdout.write(table(measure(contenders), bases) + "\n")


def on_cores(threads: int) -> None:
    """How several threads compare with one."""
    for count in (16, 64, 256):
        one = f"{count} walkers, 1 thread"
        contenders = {one: fast(count), f"{count} walkers, {threads} threads": fast(count, threads=threads)}
        sys.stdout.write(table(measure(contenders, time.perf_counter), [one]) + "\n\n")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    warnings.simplefilter("ignore", DeprecationWarning)
    on_one_core() if threads == 1 else on_cores(threads)


if __name__ == "__main__":
    main()
