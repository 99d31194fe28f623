import math

import numpy as np
import pytest
import torch

from teachgym.agents.base.torch_networks import deciding, learning
from teachgym.agents.shaping.real_nvp import MIN_SCALE, RealNvp, soft_positive

DOUBLE = torch.float64


def flow(dimensions: int, seed: int = 0) -> RealNvp:
    """A flow whose networks' outputs are far from their initial values, so that no coupling is near the identity."""
    with learning(np.random.default_rng(seed)):
        made = RealNvp(dimensions, blocks=2, depth=2, hidden=8)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def latents(count: int, dimensions: int) -> torch.Tensor:
    return torch.randn(count, dimensions, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_going_there_and_back_ends_where_it_began_with_one_density(dimensions: int) -> None:
    z, f = latents(50, dimensions), torch.linspace(0.01, 0.99, 50, dtype=DOUBLE)[:, None]
    with deciding():
        points, there = flow(dimensions)(z, f)
        back, here = flow(dimensions).inverse(points, f)
    assert bool(torch.all((points > 0) & (points < 1)))
    torch.testing.assert_close(back, z, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(here, there, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_the_density_is_the_normal_one_over_the_jacobian(dimensions: int) -> None:
    net, step = flow(dimensions), 1e-5
    z, f = latents(1, dimensions), torch.full((1, 1), 0.3, dtype=DOUBLE)
    with deciding():
        log_density = float(net(z, f)[1])
        columns = [(net(z + e, f)[0] - net(z - e, f)[0])[0] / (2 * step) for e in step * torch.eye(dimensions).double()]
    jacobian = abs(np.linalg.det(torch.stack(columns).numpy()))
    normal = math.exp(-0.5 * float(torch.sum(z**2))) / (2 * math.pi) ** (dimensions / 2)
    assert math.exp(log_density) == pytest.approx(normal / jacobian, rel=1e-5)


def test_densities_sum_to_one_over_the_interval() -> None:
    grid = (torch.arange(2000, dtype=DOUBLE)[:, None] + 0.5) / 2000
    for condition in (0.1, 0.9):
        with deciding():
            _, log_density = flow(1).inverse(grid, torch.full((len(grid), 1), condition, dtype=DOUBLE))
        assert float(torch.mean(torch.exp(log_density))) == pytest.approx(1, abs=0.01)


def test_every_coordinate_depends_on_its_latent_the_condition_and_the_other_coordinates() -> None:
    net = flow(4)
    z, f = latents(1, 4).requires_grad_(), torch.full((1, 1), 0.5, dtype=DOUBLE, requires_grad=True)
    points, _ = net(z, f)
    for point in points[0]:
        for slope in torch.autograd.grad(point, (z, f), retain_graph=True):
            assert bool(torch.all(slope != 0))


def test_scales_are_positive_and_nearly_the_identity_far_up() -> None:
    x = torch.tensor([-1e5, -30.0, -1.0, 0.0, 100.0], dtype=DOUBLE)
    scale = soft_positive(x)
    assert bool(torch.all(MIN_SCALE + scale > MIN_SCALE / 2))
    assert float(scale[1]) == pytest.approx(1 / (3 * math.pi * 900), rel=1e-2)
    assert float(scale[3]) == pytest.approx(1 / math.pi)
    assert float(scale[4]) == pytest.approx(100, rel=1e-4)
