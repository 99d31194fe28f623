"""One episode of a student as teachers may look into it: rewards, and what the student thinks of its chances."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.problem import EXTRAS
from teachgym.students.student import Student


class EpisodeExtras(Mapping[str, Any]):
    """What ``student.offers`` of an episode of T steps, worked out when it is asked for, from the student as it is.

    Args:
        student: The learner that played it.
        observations: T + 1 observations.
        rewards: T rewards.
        terminated: Whether the world ended it, so that nothing was to come.
    """

    def __init__(
        self, student: Student, observations: list[NDArray[Any]], rewards: list[float], *, terminated: bool
    ) -> None:
        self._student: Student | None = student
        self._observations, self._rewards, self._terminated = observations, rewards, terminated
        self._kept: dict[str, Any] = {}
        self._names = [name for offer in sorted(student.offers) for name in EXTRAS[offer]]

    def keep(self) -> None:
        """Work everything out now, because the student is about to go on."""
        self._kept = dict(self)

    def expire(self) -> None:
        """The student goes on learning: from now on there is nothing to ask for, but what was kept."""
        self._student, self._observations, self._rewards = None, [], []

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept if self._student is None else self._names)

    def __len__(self) -> int:
        return len(self._kept if self._student is None else self._names)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name in self._kept:
            return self._kept[name]
        if self._student is None:
            raise RuntimeError(f"{name!r} of this episode is gone; ask for it in update(), before the next step()")
        if name == "rewards":
            return np.array(self._rewards)
        observations = np.array(self._observations)
        if name == "entropies":
            return self._student.entropies(observations[:-1])
        values = self._student.values(observations)
        if self._terminated:
            values[-1] = 0.0
        return values
