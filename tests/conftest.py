"""Every test runs on one torch thread: with more, threads that wait for each other take most of the time."""

import torch

torch.set_num_threads(1)
