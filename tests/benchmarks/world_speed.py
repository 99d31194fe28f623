"""Steps per CPU second of our walker and of Gymnasium's: ``python tests/benchmarks/world_speed.py``.

Both walk on the same kind of track with random actions. Rounds alternate, so that a busy machine slows both.
"""

import statistics
import time
import warnings
from typing import Any

import gymnasium
import numpy as np

import teachgym  # noqa: F401  (registers our environments)

ROUNDS = 7
STEPS = 3000


def steps_per_second(env: gymnasium.Env[Any, Any], seed: int) -> float:
    """Speed over ``STEPS`` random actions, resets included."""
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (STEPS, *(env.action_space.shape or ()))).astype(np.float32)
    env.reset(seed=seed)
    start = time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return STEPS / (time.process_time() - start)


def main() -> None:
    """Print the median speed of each walker, and its ratio to Gymnasium's in the same round."""
    warnings.simplefilter("ignore", DeprecationWarning)
    ours = "teachgym/ParametricBipedalWalker-v0"
    gymnasiums = "gymnasium BipedalWalker-v3"
    envs: dict[str, gymnasium.Env[Any, Any]] = {
        "ours, grass": gymnasium.make(ours, terrain="grass"),
        "ours, stump tracks": gymnasium.make(ours),
        "ours, hexagon tracks": gymnasium.make(ours, terrain="hexagon-tracks"),
        "ours, quadruped on hexagons": gymnasium.make(ours, terrain="hexagon-tracks", body="quadruped"),
        gymnasiums: gymnasium.make("BipedalWalker-v3"),
    }
    rounds = [{name: steps_per_second(env, seed) for name, env in envs.items()} for seed in range(ROUNDS)]
    for name in envs:
        speed = statistics.median(speeds[name] for speeds in rounds)
        ratio = statistics.median(speeds[name] / speeds[gymnasiums] for speeds in rounds)
        print(f"{name:30} {speed:8.0f} steps per CPU second {ratio:6.2f} x gymnasium")  # noqa: T201


if __name__ == "__main__":
    main()
