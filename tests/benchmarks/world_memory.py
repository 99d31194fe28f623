"""Memory of the fast engine: ``python -m tests.benchmarks.world_memory``. Needs ``/proc``.

A batch of 1,024 walkers, half of them on grass, whose tracks have most bodies; then ten million steps, after which
the process should not have grown.
"""

import sys
from pathlib import Path

import numpy as np
from gymnasium.vector import AutoresetMode

from teachgym.envs.worlds.bipedal_walker.batch import make_walkers

WALKERS = 1_024
STEPS = 10_000_000
REPORTS = 5


def resident() -> float:
    """Memory of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def main() -> None:
    """Print the memory as it goes."""
    before = resident()
    env = make_walkers(
        WALKERS,
        terrain=["grass", "stump-tracks"] * (WALKERS // 2),
        engine="fast",
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    calls = STEPS // WALKERS
    # At first every walker is in its first episode, and keeps few actions.
    for call in range(1, calls + 1):
        env.step(rng.uniform(-1, 1, (WALKERS, 4)).astype(np.float32))
        if call % (calls // REPORTS) == 0 or call == 1:
            sys.stdout.write(f"{call * WALKERS:>12,} steps: {resident() - before:6.0f} MiB for {WALKERS:,} walkers\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
