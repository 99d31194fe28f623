"""Whether a teacher environment keeps the contract of ``teachgym.core.teacher_env.TeacherEnv``."""

import random
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from teachgym.base.files import read_state, write_state
from teachgym.base.state import stored
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.seeding import check_seed
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher_env import TeacherEnv
from teachgym.data.spaces import Shares
from teachgym.students.lifetimes.global_state import preserved
from teachgym.testing.equality import difference

Env = gymnasium.Env[Any, Any]

_ADVICE = ("Not able to test alternative render modes", "we recommend using a symmetric and normalized space")
"""What Gymnasium's checker warns of that is no fault here: no spec where none is needed, actions in their own units."""


def check_teacher_env(make: Callable[[], Env], *, seed: int = 0, max_steps: int = 1000) -> None:
    """Check that a teacher environment keeps the contract; call it from a test of your own.

    Beside what Gymnasium's own checker finds, it plays a few whole episodes with random actions, and checks
    that: ``spec`` fits the spaces; ``info["feedback"]`` is a ``Feedback`` or None, and answers a decision that
    was made, once, with the task that it chose; ``info["spent"]`` never falls, covers all costs and
    stays within ``budget``; the episode terminates, and is never truncated; ``step`` before ``reset``
    and after the end raises ``ResetNeeded``; an action that is not allowed raises ``ValueError`` and changes
    nothing; and the same seed and actions give the same episode, bit for bit, in a fresh environment and in a
    used one, whatever is drawn from global generators in between, and also when it is stored in a file half-way and a
    fresh environment goes on from there.

    Args:
        make: Makes the environment, with a budget that is spent within ``max_steps`` steps.
        seed: Non-negative integer.
        max_steps: Steps after which an episode must have terminated, at least 1.

    Raises:
        AssertionError: If the environment breaks the contract; the message says how.
        ValueError: If an argument is not allowed.
    """
    check_seed(seed)
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; expected at least 1")
    env = make()
    assert isinstance(env.unwrapped, TeacherEnv), f"make() gave {env}; expected a teachgym.core.teacher_env.TeacherEnv"
    _check_problem(env)
    _check_needs_reset(env, "before the first reset()")
    episode = _play(env, seed, max_steps, None)
    _check_needs_reset(env, "after the episode has terminated")
    again = _play(env, seed, max_steps, episode.actions, disturb=True)
    _check_equal(episode, again, "in an environment that has played before, with draws from global generators between")
    env.close()
    fresh = make()
    _check_equal(episode, _play(fresh, seed, max_steps, episode.actions), "in a fresh environment")
    fresh.close()
    _check_goes_on(make, episode, seed)
    _check_api(make())


@dataclass(frozen=True)
class _Episode:
    """Everything that came out of one episode."""

    actions: list[Any]
    outputs: list[Any]
    """Of ``reset`` and every ``step``: observation, reward, end, student steps, the fields of the feedback."""


def _check_api(env: Env) -> None:
    """What Gymnasium asks of any environment."""
    with warnings.catch_warnings():
        for advice in _ADVICE:
            warnings.filterwarnings("ignore", message=f".*{advice}")
        check_env(env.unwrapped)
    env.close()


def _check_problem(env: Env) -> None:
    """``spec`` says the same as the environment."""
    assert isinstance(env.unwrapped, TeacherEnv)
    spec, budget = env.unwrapped.teaching_spec, env.unwrapped.budget
    assert isinstance(spec, TeachingSpec), f"spec is {spec!r}; expected a teachgym.core.spec.TeachingSpec"
    for name in ("action_space", "observation_space"):
        stated, own = getattr(spec, name), getattr(env, name)
        assert stated == own, f"spec.{name} is {stated}, but the environment's is {own}"
    assert isinstance(budget, int), f"budget is {budget!r}; expected an integer"
    assert budget >= 1, f"budget is {budget!r}; expected a positive integer"


def _check_needs_reset(env: Env, when: str) -> None:
    try:
        env.step(env.action_space.sample())
    except ResetNeeded:
        return
    raise AssertionError(f"step() {when} must raise gymnasium.error.ResetNeeded")


def _play(env: Env, seed: int, max_steps: int, actions: list[Any] | None, *, disturb: bool = False) -> _Episode:
    """Play one episode with the actions, or with random ones, and check every step of it."""
    assert isinstance(env.unwrapped, TeacherEnv)
    env.action_space.seed(seed)
    observation, info = env.reset(seed=seed)
    watch = _Watch(env.unwrapped.teaching_spec, env.unwrapped.budget)
    watch.begin(observation, info)
    episode = _Episode([], [_values(observation, 0.0, False, info)])
    if actions is not None:
        _check_refuses(env)
    terminated = False
    while not terminated:
        assert len(episode.actions) < max_steps, (
            f"the episode has not terminated after {max_steps} steps, with {watch.spent} of {watch.budget} student "
            "steps spent; it must when the budget is spent (or give a smaller budget, or more max_steps)"
        )
        if actions is None:
            action = env.action_space.sample()
        else:
            assert len(episode.actions) < len(actions), "the same seed and actions gave a longer episode"
            action = actions[len(episode.actions)]
        episode.actions.append(action)
        with preserved():
            if disturb:
                random.seed(len(episode.actions))
                np.random.seed(len(episode.actions))  # noqa: NPY002
            observation, reward, terminated, truncated, info = env.step(action)
        assert not truncated, "a teacher environment ends by termination, when its budget is spent, not by truncation"
        watch.step(action, observation, reward, info)
        episode.outputs.append(_values(observation, reward, terminated, info))
    return episode


def _check_goes_on(make: Callable[[], Env], episode: _Episode, seed: int) -> None:
    """A fresh environment goes on from a stored state as if nothing had happened."""
    half = len(episode.actions) // 2
    if not half:
        return
    with tempfile.TemporaryDirectory() as folder:
        first, second = make().unwrapped, make().unwrapped
        assert isinstance(first, TeacherEnv)
        assert isinstance(second, TeacherEnv)
        first.lifetime.keep_files(Path(folder) / "data")
        second.lifetime.keep_files(Path(folder) / "data")
        first.reset(seed=seed)
        for action in episode.actions[:half]:
            first.step(action)
        path = Path(folder) / "state.npz"
        try:
            write_state(path, first.state_dict())
        except TypeError as error:
            raise AssertionError(f"state_dict() can't be written to a file: {error}") from error
        first.close()
        second.load_state_dict(read_state(path))
        outputs = list(episode.outputs[: half + 1])
        for action in episode.actions[half:]:
            observation, reward, terminated, _, info = second.step(action)
            outputs.append(_values(observation, float(reward), terminated, info))
        second.close()
    _check_equal(
        episode, _Episode(episode.actions, outputs), "stored half-way, and gone on with in a fresh environment"
    )


def _check_refuses(env: Env) -> None:
    """An action outside the space is refused; that it changes nothing shows in the episode that follows."""
    space = env.action_space
    bad: Any
    if isinstance(space, spaces.Box | Shares) and np.issubdtype(space.dtype, np.floating):
        bad = np.full(space.shape, np.nan, dtype=space.dtype)
    elif isinstance(space, spaces.Discrete):
        bad = space.start + space.n
    else:
        return
    try:
        env.unwrapped.step(bad)
    except ValueError:
        return
    raise AssertionError(f"step({bad!r}) was carried out; an action outside the action space must raise ValueError")


class _Watch:
    """What must hold from step to step of one episode."""

    def __init__(self, spec: TeachingSpec, budget: int) -> None:
        self.spec, self.budget = spec, budget
        self.spent = self.costs = 0
        self.actions: list[Any] = []
        self.answered: set[int] = set()

    def begin(self, observation: Any, info: dict[str, Any]) -> None:
        """After ``reset``."""
        self._check_output(observation, info)
        assert info["feedback"] is None, 'reset() gave info["feedback"]; it must be None, as nothing has been decided'

    def step(self, action: Any, observation: Any, reward: Any, info: dict[str, Any]) -> None:
        """After ``step``."""
        self.actions.append(action)
        self._check_output(observation, info)
        assert np.ndim(reward) == 0, f"the reward is {reward!r}; expected one number"
        assert np.isfinite(reward), f"the reward is {reward!r}; expected a finite number"
        if info["feedback"] is not None:
            self._check_feedback(info["feedback"])

    def _check_output(self, observation: Any, info: dict[str, Any]) -> None:
        space = self.spec.observation_space
        assert space.contains(observation), f"the observation {observation!r} is not in the observation space {space}"
        for name in ("feedback", "spent"):
            assert name in info, f"info lacks {name!r}; it has {sorted(info)}"
        feedback, steps = info["feedback"], info["spent"]
        assert feedback is None or isinstance(feedback, Feedback), (
            f'info["feedback"] is {feedback!r}; expected a teachgym.Feedback or None'
        )
        assert isinstance(steps, int | np.integer), f'info["spent"] is {steps!r}; expected an integer'
        assert self.spent <= steps, f'info["spent"] fell from {self.spent} to {steps}'
        assert steps <= self.budget, f'info["spent"] is {steps}, beyond the budget of {self.budget}'
        self.spent = int(steps)

    def _check_feedback(self, feedback: Feedback) -> None:
        decision, made = feedback.decision, len(self.actions)
        assert 0 <= decision < made, f"feedback answers decision {decision}, but those made so far are 0 to {made - 1}"
        assert decision not in self.answered, f"decision {decision} was answered twice"
        self.answered.add(decision)
        task = np.asarray(feedback.task)
        assert task.ndim == 1, f"feedback.task has shape {task.shape}; expected (n,)"
        assert np.all(np.isfinite(task)), f"feedback.task is {task}; expected finite numbers"
        if isinstance(self.spec.action_space, spaces.Box | Shares | ProbeSpace):
            action = self.actions[decision]
            action, probe = (action["decision"], bool(action["probe"])) if self.spec.has_probes else (action, False)
            assert feedback.probe is probe, f"feedback answers decision {decision} with probe={feedback.probe}"
            chosen = np.asarray(action, dtype=np.float64).ravel()
            same = task.shape == chosen.shape and np.allclose(task, chosen, rtol=1e-6, atol=1e-6)
            assert same, f"feedback answers decision {decision} with task {task}, but that decision chose {chosen}"
        assert not feedback.success or Needs.SUCCESS in self.spec.offers, (
            f"feedback answers decision {decision} with success=True, and spec.offers does not have Needs.SUCCESS"
        )
        self.costs += feedback.cost
        assert self.costs <= self.spent, (
            f'the costs of all feedback sum to {self.costs}, more than info["spent"], {self.spent}'
        )
        trace, offers = feedback.trace, self.spec.offers
        told = {
            Needs.VALUES: None if trace is None else trace.values,
            Needs.ENTROPIES: None if trace is None else trace.entropies,
            Needs.ANTAGONIST: feedback.antagonist_outcome,
        }
        for offer, value in told.items():
            assert (value is not None) == (offer in offers), (
                f"feedback {'lacks' if value is None else 'has'} what goes with {offer!r}, and spec.offers is "
                f"{offers!r}"
            )


def _values(observation: Any, reward: Any, terminated: bool, info: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a step, as values that can be compared."""
    feedback = info["feedback"]
    return {
        "observation": observation.copy() if isinstance(observation, np.ndarray) else observation,
        "reward": float(reward),
        "terminated": bool(terminated),
        "spent": int(info["spent"]),
        "feedback": stored(feedback),
    }


def _check_equal(first: _Episode, second: _Episode, where: str) -> None:
    for step, (left, right) in enumerate(zip(first.outputs, second.outputs, strict=False)):
        what = "reset()" if step == 0 else f"step {step - 1}"
        found = difference(left, right, what)
        assert found is None, f"the same seed and actions gave another episode {where}: {found}"
    assert len(first.outputs) == len(second.outputs), f"the same seed and actions gave a shorter episode {where}"
