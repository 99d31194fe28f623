"""What every test needs."""

import os

# With more threads, those of tests side by side wait for each other, and take a hundred times as long. For subprocesses
# too, and before the libraries that read it are imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import torch  # noqa: E402

from teachgym.envs.worlds.bipedal_walker import box2d as box2d  # noqa: E402  # first, and quietly: the binding crashes on a strict warning

torch.set_num_threads(1)
