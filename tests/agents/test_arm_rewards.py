from typing import Any

import numpy as np
import pytest

from teachgym.agents.arms.arm_rewards import ArmRewards, Rescale, RewardKind
from tests.agents.arm_specs import answered, arms


def rewards(kind: RewardKind, rescale: Rescale, shares: list[tuple[int, float]], **settings: Any) -> list[Any]:
    """Rewards of (arm, scaled outcome) in turn; the environment pays 10 times the share."""
    made = ArmRewards(arms(3), 3, kind, rescale=rescale, **settings)
    given = []
    for i, (arm, share) in enumerate(shares):
        step = answered(i, arm, share, reward=10 * share)
        assert step.feedback is not None
        reward = made.of(arm, step, step.feedback)
        given.append(None if reward is None else round(reward, 9))
    return given


def test_outcomes_are_scaled_and_clipped() -> None:
    assert rewards("outcome", "none", [(0, 0.2), (1, 1.7), (0, -3)]) == [0.2, 1, 0]


def test_progress_is_the_change_since_the_same_arm_was_last_answered() -> None:
    history = [(0, 0.5), (1, 0.1), (0, 0.2), (1, 0.4), (0, 0.2)]
    assert rewards("progress", "none", history) == [None, None, -0.3, 0.3, 0]
    assert rewards("absolute-progress", "none", history) == [None, None, 0.3, 0.3, 0]


def test_the_environment_may_pay() -> None:
    assert rewards("environment", "none", [(0, 0.2), (1, 3)]) == [2, 30]


def test_bounds_map_linearly() -> None:
    history = [(0, 0.5), (0, 0.0), (0, 1.0)]
    assert rewards("progress", "bounds", history) == [None, 0.25, 1]
    assert rewards("outcome", "bounds", history, bounds=(-1, 1)) == [0, -1, 1]


def test_the_range_is_of_all_rewards_so_far() -> None:
    history = [(0, 0.5), (0, 0.4), (0, 0.9), (0, 0.5)]
    assert rewards("outcome", "range", history, bounds=(-1, 1)) == [0, -1, 1, -0.6]


def test_quantiles_are_of_the_last_rewards_and_clip() -> None:
    shares = np.random.default_rng(0).uniform(0, 1, 40).tolist()
    seen = rewards("environment", "quantiles", [(0, share) for share in shares], bounds=(-1, 1), window=15)
    for i, reward in enumerate(seen):
        low, high = np.percentile(shares[max(0, i - 14) : i + 1], [20, 80])
        expected = 0 if low == high else np.clip(2 * (shares[i] - low) / (high - low) - 1, -1, 1)
        assert reward == pytest.approx(expected)
    assert {-1, 1} < set(seen)


def test_unknown_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="rescale is 'bounds' and reward is 'environment', whose bounds are unknown"):
        rewards("environment", "bounds", [])
