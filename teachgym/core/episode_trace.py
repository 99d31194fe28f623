"""One episode of an acting student, step by step."""

from dataclasses import dataclass

import numpy as np

from teachgym.core.task_space import FloatArray


@dataclass(frozen=True, eq=False)
class EpisodeTrace:
    """What an episode of T steps paid, and what the student estimated at its end, before it learnt anything else.

    It holds arrays only, so that it can be copied and sent to another process.

    Raises:
        ValueError: If an array is not a vector, or has another length than the rewards ask for.
    """

    rewards: FloatArray
    """``(T,)`` the reward of each step."""
    values: FloatArray | None = None
    """``(T + 1,)`` the estimated return before each step and after the last (0 after a termination); None where the
    student estimates none, or nobody asks for them."""
    entropies: FloatArray | None = None
    """``(T,)`` the entropy of the student's random policy at each step, in nats; None as for ``values``."""

    def __post_init__(self) -> None:
        steps = len(self.rewards) if np.ndim(self.rewards) == 1 else None
        wanted = {"rewards": steps, "values": None if steps is None else steps + 1, "entropies": steps}
        for name, vector in vars(self).items():
            if vector is not None and (steps is None or np.shape(vector) != (wanted[name],)):
                raise ValueError(
                    f"{name} have shape {np.shape(vector)}; expected one number for each of {len(self.rewards)} steps"
                    + (", and one for the end" if name == "values" else "")
                )
