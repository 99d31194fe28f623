from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.arms.contextual_bandits import (
    LinearBandit,
    LinearBanditSettings,
    LinearThompson,
    LinearThompsonSettings,
    LinUcb,
    LinUcbSettings,
)
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Note
from teachgym.testing.made_up import discrete_specs
from teachgym.testing.teacher import check_teacher
from tests.agents.arm_specs import MANY_ARMS

BOTH = pytest.mark.parametrize("cls", [LinUcb, LinearThompson])


def facts(arms: int, size: int = 3) -> TeachingSpec:
    observations = spaces.Box(-1.0, 1.0, (size,), np.float64)
    return TeachingSpec(spaces.Discrete(arms), observations, (-150.0, 350.0), 230.0)


def answer(decision: int, observation: Any, arm: int, reward: float) -> Transition:
    feedback = Feedback(np.array([arm], dtype=np.float64), 100.0, False, 1, decision)
    return Transition(observation, arm, reward, observation, False, feedback)


def learn(teacher: LinearBandit, steps: int, coefficients: FloatArray, seed: int = 0) -> list[tuple[FloatArray, int]]:
    """Pay what is linear in the observation, with some noise; returns observations and arms."""
    rng, history = np.random.default_rng(seed), []
    for step in range(steps):
        observation = rng.uniform(-1, 1, coefficients.shape[1] - 1)
        arm = int(teacher.act(observation))
        reward = coefficients[arm] @ np.append(observation, 1) + 0.1 * rng.normal()
        teacher.update(answer(step, observation, arm, float(reward)))
        history.append((observation, arm))
    return history


@BOTH
@pytest.mark.parametrize("reward", ["environment", "progress"])
def test_they_keep_the_contract(cls: type[LinearBandit], reward: Any) -> None:
    settings = cls.Settings(reward=reward, most_arms=10)
    check_teacher(cls, settings=settings, episodes=50)
    check_teacher(cls, settings=settings, episodes=50, specs=MANY_ARMS if cls is LinUcb else discrete_specs())


@BOTH
def test_regressions_are_those_of_all_answers_at_once(cls: type[LinearBandit]) -> None:
    rng = np.random.default_rng(0)
    teacher = cls(facts(3), cls.Settings(rescale="none", ridge=0.7), seed=0)
    contexts: list[list[FloatArray]] = [[], [], []]
    rewards: list[list[float]] = [[], [], []]
    for step in range(200):
        observation, reward = rng.uniform(-1, 1, 3), float(rng.normal())
        arm = int(teacher.act(observation))
        teacher.update(answer(step, observation, arm, reward))
        contexts[arm].append(np.append(observation, 1))
        rewards[arm].append(reward)
    context = np.array([0.3, -0.2, 0.9, 1.0])
    expected, widths = teacher.posterior(context)
    for arm in range(3):
        x = np.array(contexts[arm]).reshape(-1, 4)
        precision = 0.7 * np.eye(4) + x.T @ x
        assert expected[arm] == pytest.approx(context @ np.linalg.solve(precision, x.T @ np.array(rewards[arm])))
        assert widths[arm] == pytest.approx(np.sqrt(context @ np.linalg.inv(precision) @ context))


@BOTH
def test_they_learn_which_arm_pays_where(cls: type[LinearBandit]) -> None:
    coefficients = np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0], [0, 0.5, 0, -0.3]])
    history = learn(cls(facts(3), cls.Settings(rescale="none"), seed=0), 800, coefficients)
    right = [arm == np.argmax(coefficients @ np.append(seen, 1)) for seen, arm in history]
    assert np.mean(right[400:]) > 0.85


def test_linucb_plays_the_greatest_upper_bound() -> None:
    teacher = LinUcb(facts(4), LinUcbSettings(alpha=0.8), seed=0)
    learn(teacher, 30, np.random.default_rng(1).normal(size=(4, 4)))
    rng = np.random.default_rng(2)
    for _ in range(20):
        observation = rng.uniform(-1, 1, 3)
        expected, widths = teacher.posterior(np.append(observation, 1))
        assert int(teacher.act(observation)) == np.argmax(expected + 0.8 * widths)
    assert teacher.origin == "bound"


def test_linear_thompson_plays_as_if_it_drew_coefficients() -> None:
    teacher = LinearThompson(facts(2), LinearThompsonSettings(spread=0.4, rescale="none"), seed=0)
    learn(teacher, 6, np.array([[0.1, 0, 0, 0], [0, 0.1, 0, 0.1]]))
    observation = np.array([0.5, -0.5, 0.2])
    state, rng = teacher.state_dict(), np.random.default_rng(0)
    drawn = [
        rng.multivariate_normal(inverse @ total, 0.16 * inverse, size=4000) @ np.append(observation, 1)
        for inverse, total in zip(state["inverses"], state["sums"], strict=True)
    ]
    played = np.mean([int(teacher.act(observation)) == 0 for _ in range(4000)])
    assert played == pytest.approx(np.mean(drawn[0] > drawn[1]), abs=0.035)


@BOTH
def test_a_late_answer_counts_in_the_context_of_its_decision(cls: type[LinearBandit]) -> None:
    settings = cls.Settings(rescale="none")
    prompt, late = cls(facts(2), settings, seed=0), cls(facts(2), settings, seed=0)
    observations = np.random.default_rng(0).uniform(-1, 1, (4, 3))
    chosen = [int(late.act(observation)) for observation in observations]
    for decision in (3, 1, 0, 2):
        late.update(answer(decision, np.zeros(3), chosen[decision], float(decision)))
    for decision in (3, 1, 0, 2):
        prompt._notes[decision] = Note("", np.concatenate([[chosen[decision]], observations[decision], [1.0]]))
        prompt.update(answer(decision, observations[decision], chosen[decision], float(decision)))
    for one, other in zip(prompt.posterior(np.ones(4)), late.posterior(np.ones(4)), strict=True):
        np.testing.assert_allclose(one, other)


@BOTH
def test_an_answer_whose_decision_is_forgotten_teaches_nothing(cls: type[LinearBandit]) -> None:
    teacher = cls(facts(2), seed=0)
    before = teacher.posterior(np.ones(4))
    teacher.update(answer(99, np.zeros(3), 1, 5.0))
    np.testing.assert_array_equal(teacher.posterior(np.ones(4)), before)


def test_observations_are_flattened_with_a_constant() -> None:
    space = spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(0, 1, (2, 2))})
    teacher = LinUcb(TeachingSpec(spaces.Discrete(2), space, (0, 1), 0.5), seed=0)
    context = teacher.context({"a": np.int64(1), "b": np.full((2, 2), 0.5, np.float32)})
    assert context.tolist() == [0, 1, 0, 0.5, 0.5, 0.5, 0.5, 1]


def test_observations_that_do_not_flatten_or_do_not_fit_are_refused() -> None:
    graph = spaces.Sequence(spaces.Box(0, 1, (2,)))
    with pytest.raises(ValueError, match="expected one that flattens to a vector"):
        LinUcb(TeachingSpec(spaces.Discrete(2), graph, (0, 1), 0.5), seed=0)
    with pytest.raises(ValueError, match="choose fewer arms"):
        LinUcb(facts(100, size=1000), seed=0)


@pytest.mark.parametrize(
    ("cls", "setting", "message"),
    [
        (LinearBanditSettings, {"reward": "regret"}, "reward is 'regret'"),
        (LinearBanditSettings, {"rescale": "ranks"}, "rescale is 'ranks'"),
        (LinearBanditSettings, {"rescale": "bounds"}, "whose bounds are unknown"),
        (LinearBanditSettings, {"ridge": 0}, "ridge is 0"),
        (LinUcbSettings, {"alpha": -1}, "alpha is -1; expected a number, at least 0"),
        (LinUcbSettings, {"most_arms": 0}, "most_arms is 0"),
        (LinearThompsonSettings, {"spread": 0}, "spread is 0"),
    ],
)
def test_bad_settings_are_named(cls: type, setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(**setting)
