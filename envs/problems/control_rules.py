"""Reference policies of the teaching problems: from what is seen, by name, to controls. All of them can be pickled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import ArrayLike

from teachgym.base.annotations import read_numbers
from teachgym.core.spaces import ProbeSpace
from teachgym.core.task_space import TaskSpace

ControlRule = Callable[[Mapping[str, float]], ArrayLike]
"""From what is seen, by name, to controls ``(n,)`` in their own units; what lies out of bounds is clipped."""


@dataclass(frozen=True, eq=False)
class Always:
    """The rule that sets the same controls whatever it sees."""

    controls: Any
    """Whatever the rule is to return."""

    def __call__(self, seen: Mapping[str, float]) -> Any:
        """The controls."""
        return self.controls


@dataclass(frozen=True, eq=False)
class OnObservations:
    """A rule as a policy: from the observation of an environment to its action."""

    rule: ControlRule
    """What to play."""
    names: tuple[str, ...]
    """Of the numbers in the observation."""
    controls: TaskSpace
    """What the rule sets."""
    actions: Space[Any]
    """The action space: controls, a choice, or either and whether it is a probe, which no rule makes."""

    def __call__(self, observation: Any) -> Any:
        """The action."""
        numbers = read_numbers("the observation", observation, shape=(len(self.names),)).tolist()
        seen = dict(zip(self.names, numbers, strict=True))
        chosen = np.asarray(self.rule(seen), dtype=np.float64)
        action = np.clip(chosen.reshape(self.controls.shape), self.controls.low, self.controls.high)
        probes = isinstance(self.actions, ProbeSpace)
        decisions = self.actions.decisions if isinstance(self.actions, ProbeSpace) else self.actions
        decision = np.int64(round(float(action[0]))) if isinstance(decisions, spaces.Discrete) else action
        return {"decision": decision, "probe": np.int64(0)} if probes else decision
