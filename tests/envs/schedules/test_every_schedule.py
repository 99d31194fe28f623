"""What holds in every schedule."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym.envs.schedules.schedule_env import ScheduleEnv
from teachgym.testing import check_teacher_env
from teachgym.testing.equality import difference

SHORT: dict[str, dict[str, Any]] = {
    "SelfDistillation": {},
    "Intervention": {"steps": 4},
    "Distillation": {"steps": 3},
    "ProxyDistillation": {"steps": 3},
    "PseudoLabel": {"steps": 3},
    "StreamAdaptation": {"steps": 4},
    "TeacherForcing": {"steps": 3},
}
"""Every schedule, with settings that make an episode short."""
WITHOUT_TRUTH = ("Distillation", "StreamAdaptation", "TeacherForcing")
NAMES = [name for name in SHORT if f"teachgym/{name}-v0" in gymnasium.registry]


def make(name: str, **settings: Any) -> ScheduleEnv:
    env = gymnasium.make(f"teachgym/{name}-v0", disable_env_checker=True, **{**SHORT[name], **settings}).unwrapped
    assert isinstance(env, ScheduleEnv)
    return env


def drawn(env: ScheduleEnv, rng: np.random.Generator) -> np.ndarray:
    """Random knobs that do not end the episode."""
    knobs = env.task_space.uniform(rng)
    return np.where(np.array(env.task_space.names) == "stop", 0.0, knobs)


def play(env: ScheduleEnv, *, seed: int = 3, probing: bool = False) -> tuple[list[float], list[dict[str, Any]]]:
    """Rewards and infos of an episode under random knobs; probes on the way, where it is to."""
    env.reset(seed=seed)
    rng, rewards, infos, over = np.random.default_rng(seed), [], [], False
    while not over:
        knobs = drawn(env, rng)
        if probing and env.spent + 2 < env.budget:
            env.probe(drawn(env, np.random.default_rng(7)))
        action = {"task": knobs, "train": 1} if env.problem.screens else knobs
        _, reward, over, _, info = env.step(action)
        rewards.append(reward)
        infos.append(info)
    return rewards, infos


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name: str) -> None:
    check_teacher_env(lambda: make(name))


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract_with_probes_as_actions(name: str) -> None:
    check_teacher_env(lambda: make(name, screening="counted"))


@pytest.mark.parametrize("reward", ["gain", "end"])
@pytest.mark.parametrize("name", NAMES)
def test_the_return_is_the_final_less_the_initial_score_less_what_was_paid(name: str, reward: str) -> None:
    env = make(name, price=0.01, reward=reward)
    _, info = env.reset(seed=3)
    rewards, infos = play(env)
    assert sum(rewards) == pytest.approx(infos[-1]["score"] - info["score"] - infos[-1]["paid"], abs=1e-9)
    assert env.evaluate().mean_return == pytest.approx(infos[-1]["score"] - infos[-1]["paid"])
    if reward == "end":
        assert not any(rewards[:-1])


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_foretells_the_step_and_leaves_the_student_as_it_was(name: str) -> None:
    env = make(name)
    env.reset(seed=5)
    rng = np.random.default_rng(0)
    env.step(drawn(env, rng))
    before = env.learner.score(), env.learner.seen(), env.learner.truth()
    knobs, spent = drawn(env, rng), env.spent
    foretold = env.probe(knobs)
    assert difference((env.learner.score(), env.learner.seen(), env.learner.truth()), before, "student") is None
    assert env.spent == spent + 1
    _, _, _, _, info = env.step(knobs)
    assert info["feedback"].outcome == foretold.outcome
    assert not foretold.trained


@pytest.mark.parametrize("name", NAMES)
def test_probes_spend_the_budget_and_change_nothing_else(name: str) -> None:
    env = make(name, steps=4)
    plain = play(env)[1]
    probed = play(env, probing=True)[1]
    assert probed[-1]["student_steps"] == plain[-1]["student_steps"]
    assert len(probed) < len(plain)
    for one, other in zip(plain, probed, strict=False):
        assert one["score"] == other["score"]


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_episode_with_probes_goes_on_as_if_nothing_had_happened(name: str) -> None:
    first, second = make(name, steps=5), make(name, steps=5)
    first.reset(seed=2)
    rng = np.random.default_rng(1)
    first.step(drawn(first, rng))
    first.probe(drawn(first, rng))
    second.load_state_dict(first.state_dict())
    assert second.spent == first.spent == 2
    knobs = drawn(first, rng)
    left, right = first.step(knobs), second.step(knobs)
    assert difference(left[:3], right[:3], "step") is None
    assert left[4]["score"] == right[4]["score"]


@pytest.mark.parametrize("name", NAMES)
def test_its_rules_choose_allowed_knobs_and_none_is_one_of_them(name: str) -> None:
    env = make(name)
    assert "none" in env.problem.rules
    for rule in env.problem.rules.values():
        observation, _ = env.reset(seed=0)
        over = False
        while not over:
            action = rule(observation)
            assert env.action_space.contains(action)
            observation, _, over, _, _ = env.step(action)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_best_is_shown_only_where_it_is_known_and_asked_for(name: str) -> None:
    env = make(name)
    assert "oracle" not in env.problem.rules
    if name in WITHOUT_TRUTH:
        with pytest.raises(ValueError, match="not known"):
            make(name, truth=True)
        return
    told = make(name, truth=True)
    assert "oracle" in told.problem.rules
    assert len(told.observation_names) == len(env.observation_names) + env.task_space.dimensions


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"price": -1.0},
        {"price": float("nan")},
        {"reward": "outcome"},
        {"screening": "free"},
        {"truth": 1},
    ],
)
def test_settings_that_are_not_allowed_are_refused(name: str, settings: dict[str, Any]) -> None:
    (field,) = settings
    with pytest.raises(ValueError, match=field):
        make(name, **settings)


@pytest.mark.parametrize("name", NAMES)
def test_the_last_quantum_can_not_be_a_probe(name: str) -> None:
    env = make(name, steps=1)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="last quantum"):
        env.probe(env.task_space.low)
