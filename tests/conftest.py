"""What every test needs."""

import torch

from teachgym.envs.bipedal_walker import box2d as box2d  # first, and quietly: the binding crashes on a strict warning

torch.set_num_threads(1)  # with more, threads that wait for each other take most of the time
