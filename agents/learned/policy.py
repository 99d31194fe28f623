"""A teacher that was trained: it acts by a policy that reinforcement learning found on many students."""

from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from teachgym.agents.base.task_actions import TASKS_AND_ARMS
from teachgym.agents.learned.trained_policy import (
    TrainedPolicy,
    check_observation_space,
    described,
    network_action_space,
    to_action,
)
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note, Teacher
from teachgym.students.lifetimes.global_state import preserved


@checked_dataclass
class PolicySettings:
    """Settings of ``PolicyTeacher``.

    Raises:
        ValueError: If a value is not allowed.
    """

    path: str = ""
    """Folder of a trained teacher, as `teachgym train` leaves it."""
    deterministic: bool = False
    """Whether to take the policy's most likely action (for a box: its mean) instead of drawing one, as in training."""


@final
class PolicyTeacher(Teacher):
    """Acts by a policy that was trained on many other students, from its observation alone.

    ``teachgym train`` trains it with an algorithm of Stable-Baselines3 or sb3-contrib in any teacher environment,
    best one with simulated students; here its weights are fixed, and it acts on the observation alone, with the
    network's memory where it has one. It can be transferred to any environment whose observations have the same
    shape and whose actions are of the same kind and shape: boxes of tasks are matched bound to bound. So a
    policy from ``SimulatedTasks`` can teach in ``Hypercubes`` or ``StumpTracks``, whose observations mean the same.

    ``origin`` is ``"policy"``.

    Args:
        spec: The environment's fixed facts.
        settings: A ``PolicySettings``, with a path.
        seed: Non-negative integer.

    Raises:
        ValueError: If there is no policy at the path, or it does not fit the environment.
        ImportError: If its algorithm needs a package that is not installed.
    """

    Settings = PolicySettings
    settings: PolicySettings
    acts_on = TASKS_AND_ARMS
    reads = spaces.Box
    keeps = ("_memory", "_fresh")
    _memory: tuple[NDArray[Any], ...] | None

    def __init__(self, spec: TeachingSpec, settings: PolicySettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        if not self.settings.path:
            raise ValueError(
                "path is ''; expected the folder of a teacher that `teachgym train` has trained, for instance "
                "policy,path=runs/my-teacher"
            )
        stored = TrainedPolicy.load(Path(self.settings.path))
        self._space: Any = spec.decisions
        _check_fit(stored, spec, self._space)
        self._network = stored.network()
        self._memory = None
        self._fresh = True

    def _act(self, observation: Any) -> Choice:
        """Choose by the policy."""
        seen = np.asarray(observation, dtype=np.float32)
        start = np.array([self._fresh])
        if self.settings.deterministic:
            chosen, memory = self._network.predict(seen, self._memory, start, deterministic=True)
        else:
            with preserved():
                torch.manual_seed(int(self.rng.integers(2**63)))
                chosen, memory = self._network.predict(seen, self._memory, start, deterministic=False)
        self._memory, self._fresh = memory, False
        action = to_action(chosen, self._space)
        if self.spec.has_probes:
            return Choice({"decision": action, "probe": np.int64(0)}, "policy")
        return Choice(action if action.shape else action[()], "policy")

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Learn nothing; the end of a student's lifetime clears the memory of it."""
        if transition.terminated:
            self._memory, self._fresh = None, True


def _check_fit(stored: TrainedPolicy, spec: TeachingSpec, action_space: Any) -> None:
    check_observation_space(spec.observation_space)
    shape = spec.observation_space.shape
    if shape != stored.observation_shape:
        raise ValueError(
            f"the policy was trained in {stored.env} on observations of shape {stored.observation_shape}; those of "
            f"this environment have shape {shape}"
        )
    own = network_action_space(action_space)
    if own != stored.action_space:
        raise ValueError(
            f"the policy was trained in {stored.env} to choose {described(stored.action_space)}; an action of this "
            f"environment is {described(own)}"
        )
