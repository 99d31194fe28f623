"""What every test needs."""

import os

# With more threads, those of tests side by side wait for each other, and take a hundred times as long. For subprocesses
# too, and before the libraries that read it are imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import pytest  # noqa: E402
import torch  # noqa: E402

from teachgym.envs.bipedal_walker import box2d as box2d  # noqa: E402  # first, and quietly: the binding crashes on a strict warning

torch.set_num_threads(1)

LONG = ("test_ray_executor", "test_readme", "test_interruptions", "test_compare", "test_stream_adaptation", "test_docs")
"""Files with tests of half a minute and more. They go first, so that no process is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONG))
