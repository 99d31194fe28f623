"""Kill the workers of a study many times at random moments, and compare with one that was left alone.

``python -m tests.benchmarks.killed_study --kills 100``; a worker takes seconds to start, so this takes minutes.
"""

import argparse
import tempfile
import time
from pathlib import Path

from teachgym.study.settings import Cell
from tests.study.killer import check_kills

TRACKS = "StumpTracks,max_stump_height=0.5"
CELLS = (
    (TRACKS, "alp-gmm,fit_every=10", "ppo,slots=8,rollout_steps=128,batch_size=128", 200_000),
    (TRACKS, "random", "ppo", 250_000),
    (TRACKS, "paired,tasks_per_update=8", "ppo,slots=4,rollout_steps=128,batch_size=128", 150_000),
    (TRACKS, "accel,capacity=20", "ppo,slots=4,rollout_steps=128,batch_size=128", 100_000),
    (TRACKS, "alp-gmm,fit_every=10", "sac,hidden=[64,64],batch_size=128,random_steps=2000", 20_000),
    (TRACKS, "plr,capacity=50", "sac,slots=4,hidden=[64,64],batch_size=128,random_steps=2000,buffer_size=5000", 20_000),
)


def main() -> None:
    """Run it, and print what came of it; an error says what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cells = [Cell(env, teacher, student, seed, steps, 4) for seed, (env, teacher, student, steps) in enumerate(CELLS)]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        killer = check_kills(cells, Path(folder), kills=arguments.kills, longest=1.5, seed=arguments.seed)
    print(  # noqa: T201
        f"{len(killer.killed)} workers of {len(cells)} cells killed, in {time.perf_counter() - started:.0f} s; "
        "all records, teachers and students are equal, bit for bit, to those of the study that was left alone"
    )


if __name__ == "__main__":
    main()
