from typing import Any

import numpy as np
import pytest

from teachgym.agents.arms.tscl import TSCL_ALGORITHMS, Exploration, Naive, Online, Tscl, TsclSettings, WindowAverage
from teachgym.agents.handmade.random import Random
from teachgym.core.teacher import Teacher
from teachgym.testing.teacher import check_teacher
from tests.agents.arm_specs import MANY_ARMS, answered, arms, play

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "settings",
    [
        TsclSettings(algorithm="online"),
        TsclSettings(algorithm="naive", window=2, epsilon=0.5),
        TsclSettings(algorithm="window", policy="boltzmann", progress="signed", window=4),
        TsclSettings(algorithm="window", learning_rate=1.0),
        TsclSettings(window=4, scale_outcomes=False),
    ],
    ids=lambda settings: settings.algorithm,
)
def test_it_keeps_the_contract(settings: TsclSettings) -> None:
    check_teacher(Tscl, settings=settings, episodes=50)
    check_teacher(Tscl, settings=settings, episodes=50, specs=MANY_ARMS)


class Chain:
    """Three tasks, each learnt only once the one before is; like the paper's chained tasks."""

    def __init__(self) -> None:
        self.skill = np.zeros(3)

    def __call__(self, step: int, arm: int) -> float:
        if arm == 0 or self.skill[arm - 1] > 0.7:
            self.skill[arm] = min(1.0, self.skill[arm] + 0.01)
        return float(self.skill[arm])


def steps_to_learn(teacher: Teacher) -> int:
    """Steps until all three tasks of a chain are learnt."""
    chain, steps = Chain(), 0
    while (chain.skill < 0.9).any() and steps < 3000:
        play(teacher, 10, chain, start=steps)
        steps += 10
    return steps


@pytest.mark.parametrize("algorithm", TSCL_ALGORITHMS)
def test_a_chain_of_tasks_is_learnt_sooner_than_with_uniform_tasks(algorithm: Any) -> None:
    # The burst of 10 with a rate of 0.1 leaves a learnt task late: it needs some 17 bursts to forget its progress.
    quick: dict[str, Any] = {"learning_rate": 0.5, "window": 3} if algorithm == "naive" else {}
    settings = TsclSettings(algorithm=algorithm, progress="signed", epsilon=0.2, **quick)
    taught = [steps_to_learn(Tscl(arms(3), settings, seed=seed)) for seed in range(8)]
    uniform = [steps_to_learn(Random(arms(3), seed=seed)) for seed in range(8)]
    assert np.mean(taught) < 0.8 * np.mean(uniform)


@pytest.mark.parametrize("algorithm", TSCL_ALGORITHMS)
def test_a_task_that_gets_worse_is_taught_by_absolute_progress_only(algorithm: Any) -> None:
    def share(step: int, arm: int) -> float:
        return max(0.0, 1 - step / 1000) if arm == 1 else 0.0

    shares = []
    for progress in ("absolute", "signed"):
        settings = TsclSettings(algorithm=algorithm, progress=progress, epsilon=0.2)
        shares.append(np.mean(np.array(play(Tscl(arms(3), settings, seed=0), 900, share)[200:]) == 1))
    assert shares[0] > 0.7
    assert shares[1] < 0.45


def test_online_is_a_moving_average_of_changes() -> None:
    online = Online(2, learning_rate=0.1)
    scores = [0.3, 0.5, 0.4]
    expected, before = 0.0, 0.0
    for score in scores:
        online.learn(1, score)
        expected, before = 0.1 * (score - before) + 0.9 * expected, score
    np.testing.assert_allclose(online.progress(RNG), [0, expected])


def test_naive_averages_the_slope_of_each_burst() -> None:
    naive = Naive(2, learning_rate=0.5, window=4)
    bursts = np.array([[0.1, 0.4, 0.2, 0.9], [0.9, 0.5, 0.6, 0.2]])
    expected = 0.0
    for burst in bursts:
        for score in burst:
            naive.learn(0, score)
        expected = 0.5 * np.polyfit(range(4), burst, 1)[0] + 0.5 * expected
    np.testing.assert_allclose(naive.progress(RNG), [expected, 0])


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_window_averages_slopes_of_the_latest_scores_over_time(rate: float) -> None:
    window, rng = WindowAverage(3, learning_rate=rate, window=4), np.random.default_rng(0)
    assert window.progress(rng).tolist() == [1, 1, 1]
    seen: list[list[tuple[int, float]]] = [[], [], []]
    expected = np.ones(3)
    for time in range(30):
        arm, score = int(rng.integers(2)), float(rng.random())
        window.learn(arm, score)
        seen[arm] = [*seen[arm], (time, score)]
        latest = np.array(seen[arm][-4:])
        if len(latest) > 1:
            slope = np.polyfit(latest[:, 0], latest[:, 1], 1)[0]
            expected[arm] = slope if len(seen[arm]) == 2 else rate * slope + (1 - rate) * expected[arm]
        np.testing.assert_allclose(window.progress(rng), expected)


def test_sampling_draws_one_of_the_latest_changes() -> None:
    sampling, rng = Exploration(2, window=3), np.random.default_rng(0)
    assert sampling.progress(rng).tolist() == [1, 1]
    for score in (0.9, 0.2, 0.3, 0.6, 0.5):
        sampling.learn(0, score)
    drawn = np.array([sampling.progress(rng) for _ in range(3000)])
    values, counts = np.unique(drawn[:, 0].round(9), return_counts=True)
    assert values.tolist() == [-0.1, 0.1, 0.3]
    assert counts.min() > 900
    assert (drawn[:, 1] == 1).all()


def test_a_naive_burst_ends_with_its_own_answers() -> None:
    teacher = Tscl(arms(5), TsclSettings(algorithm="naive", window=3, epsilon=1.0), seed=0)
    first = [int(teacher.act(None)) for _ in range(4)]  # one more than the burst asks for
    assert len(set(first)) == 1
    assert teacher.origin == "burst"
    for decision in (2, 0, 3):
        teacher.update(answered(decision, first[0], 0.5))
    second = int(teacher.act(None))
    assert teacher.origin == "random"
    teacher.update(answered(1, first[0], 0.9))  # late, of the first burst
    assert [int(teacher.act(None)) for _ in range(2)] == [second] * 2
    assert teacher._algorithm.burst.size == 0  # type: ignore[attr-defined]
    for decision in (4, 5, 6):
        teacher.update(answered(decision, second, 0.1))
    teacher.act(None)
    assert teacher.origin == "random"


def test_boltzmann_chooses_in_proportion_to_exponentials() -> None:
    settings = TsclSettings(algorithm="online", policy="boltzmann", temperature=0.05, learning_rate=1.0)
    teacher = Tscl(arms(3), settings, seed=0)
    teacher._algorithm.learn(1, 0.05)
    teacher._algorithm.learn(2, 0.1)
    played = np.bincount([int(teacher.act(None)) for _ in range(4000)]) / 4000
    weights = np.exp([0, 1, 2])
    np.testing.assert_allclose(played, weights / weights.sum(), atol=0.025)
    assert teacher.origin == "chance"


def test_sampling_explores_only_if_asked_to() -> None:
    for epsilon, expected in ((None, 0.0), (0.4, 0.4)):
        teacher = Tscl(arms(3), TsclSettings(epsilon=epsilon), seed=0)
        origins = []
        for _ in range(1000):
            teacher.act(None)
            origins.append(teacher.origin == "random")
        assert np.mean(origins) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"algorithm": "offline"}, "algorithm is 'offline'"),
        ({"progress": "squared"}, "progress is 'squared'"),
        ({"policy": "greedy"}, "policy is 'greedy'"),
        ({"policy": "boltzmann"}, "algorithm 'sampling' takes the best of what it samples"),
        ({"algorithm": "online", "window": 5}, "window is 5, but algorithm 'online' does not use it"),
        (
            {"learning_rate": 0.1},
            "learning_rate is 0.1, but algorithm 'sampling' does not use it; .* 'online', 'naive'",
        ),
        ({"temperature": 0.1}, "temperature is 0.1, but policy 'epsilon-greedy' does not use it"),
        ({"algorithm": "online", "policy": "boltzmann", "epsilon": 0.1}, "but policy 'boltzmann' does not use it"),
        ({"epsilon": 2}, "epsilon is 2"),
        ({"algorithm": "online", "policy": "boltzmann", "temperature": 0}, "temperature is 0"),
        ({"algorithm": "online", "learning_rate": 0}, "learning_rate is 0"),
        ({"window": 1}, "window is 1; expected a whole number, at least 2"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TsclSettings(**setting)
