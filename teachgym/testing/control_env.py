"""Whether a problem keeps the contract of ``teachgym.envs.problems.control_env.ControlEnv``."""

import copy
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.testing.equality import difference
from teachgym.testing.teacher_env import check_teacher_env

Make = Callable[..., gymnasium.Env[Any, Any]]
_CLOSE = 1e-9


def check_control_env(make: Make, *, seed: int = 0, max_steps: int = 1000) -> None:
    """Check that a problem keeps the contract; call it from a test of your own.

    Beside what ``check_teacher_env`` finds, with probes as actions and without, it checks that: the undiscounted return
    is the final minus the initial score less what was paid, whichever way it is rewarded, and ``evaluate`` gives the
    score less what was paid; a probe foretells the step, leaves the student as it was, and spends one segment; every
    rule chooses allowed actions, one of them is ``"none"``, and ``"truth"`` is there only where it is asked for.

    Args:
        make: Makes the environment; takes the keywords ``price``, ``reward`` and ``probes``, and hands them on. Its
            budget is at least 4 segments.
        seed: Non-negative integer.
        max_steps: Steps after which an episode must have terminated.

    Raises:
        AssertionError: If the environment breaks the contract; the message says how.
    """
    check_teacher_env(make, seed=seed, max_steps=max_steps)
    check_teacher_env(lambda: make(probes="counted"), seed=seed, max_steps=max_steps)
    for reward in ("gain", "end"):
        _check_return(_made(make, price=0.01, reward=reward), seed, at_end=reward == "end")
    _check_probe(_made(make, probes="counted"), seed)
    for probes in ("off", "counted"):
        _check_rules(_made(make, probes=probes), seed)


def _made(make: Make, **settings: Any) -> ControlEnv:
    env = make(**settings).unwrapped
    assert isinstance(env, ControlEnv), f"make() gave {env}; expected a teachgym.envs.problems.control_env.ControlEnv"
    return env


def _controls(env: ControlEnv, rng: np.random.Generator) -> FloatArray:
    """Random ones; a control called ``stop`` is at its least, so that the episode goes on."""
    decisions = env.lifetime.decision_space
    if isinstance(decisions, spaces.Discrete):
        return np.array([float(rng.integers(decisions.n))])
    stops = np.array([name == "stop" for name in env.task_space.names])
    return np.where(stops, env.task_space.low, env.task_space.uniform(rng))


def _action(env: ControlEnv, controls: FloatArray, *, probe: bool = False) -> Any:
    decision = np.int64(controls[0]) if isinstance(env.lifetime.decision_space, spaces.Discrete) else controls
    return {"decision": decision, "probe": int(probe)} if env.teaching_spec.has_probes else decision


def _check_return(env: ControlEnv, seed: int, *, at_end: bool) -> None:
    env.reset(seed=seed)
    first, rng, rewards, over = env.lifetime.student.score(), np.random.default_rng(seed), [], False
    while not over:
        _, reward, over, _, info = env.step(_action(env, _controls(env, rng)))
        rewards.append(reward)
    last = env.lifetime.student.score()
    net = last - info["paid"]
    assert abs(sum(rewards) - (net - first)) < _CLOSE, (
        f"the rewards sum to {sum(rewards)}, but the score went from {first} to {last}, and {info['paid']} "
        "was paid; the return must be the final minus the initial score less what was paid"
    )
    assert abs(env.evaluate().mean_return - net) < _CLOSE, "evaluate() must give the score less what was paid"
    assert not (at_end and any(rewards[:-1])), 'with reward="end" only the last step may pay'
    assert ("score" in info) is not at_end, 'with reward="end" the score belongs in info["truth"]'


def _check_probe(env: ControlEnv, seed: int) -> None:
    assert env.budget >= 4, (
        f"the budget is {env.budget}; make it at least 4 segments, so that there is room for a probe"
    )
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    env.step(_action(env, _controls(env, rng)))
    before, spent, controls = copy.deepcopy(_looked_at(env)), env.spent, _controls(env, rng)
    _, reward, _, _, info = env.step(_action(env, controls, probe=True))
    foretold = info["feedback"]
    found = difference(_looked_at(env), before, "student")
    assert found is None, f"a probe changed the student: {found}"
    assert env.spent == spent + 1, f"a probe spent {env.spent - spent} segments of the budget; expected 1"
    assert reward == 0, f"a probe was paid {reward}; expected 0, as the student is as before"
    assert foretold.probe, "the feedback of a probe must have probe=True"
    feedback = env.step(_action(env, controls))[4]["feedback"]
    assert feedback.outcome == foretold.outcome, (
        f"a probe foretold an outcome of {foretold.outcome}, and the step came to {feedback.outcome}; everything that "
        "changes, generators too, must be in attributes that copy.deepcopy copies"
    )


def _looked_at(env: ControlEnv) -> tuple[Any, ...]:
    return env.lifetime.student.score(), dict(env.lifetime.student.seen()), env.lifetime.student.truth()


def _check_rules(env: ControlEnv, seed: int) -> None:
    rules = env.teaching_spec.rules
    assert "none" in rules, f'the rules are {sorted(rules)}; one of them must be "none", to do nothing'
    assert "truth" not in rules, 'the rule "truth" may be there with truth=True only'
    for name, rule in rules.items():
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            action = rule(observation)
            assert env.action_space.contains(action), f"rule {name!r} chose {action!r}, not in {env.action_space}"
            observation, _, over, _, _ = env.step(action)
