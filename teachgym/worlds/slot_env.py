"""A batch of one as an ordinary environment, for training loops that play one world."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from teachgym.core.task_space import TaskSpace
from teachgym.worlds.world_batch import WorldBatch

_SLOT = np.zeros(1, dtype=np.int64)


class SlotEnv(gymnasium.Env[NDArray[Any], NDArray[Any]]):
    """Slot 0 of a batch.

    Args:
        batch: Worlds; the others of them stay as they are.
    """

    def __init__(self, batch: WorldBatch) -> None:
        self._batch = batch
        self.observation_space, self.action_space = batch.observation_space, batch.action_space
        self.metadata, self.render_mode = dict(batch.metadata), batch.render_mode
        self._playing = False

    @property
    def task_space(self) -> TaskSpace:
        """What tasks there are."""
        return self._batch.task_spaces[0]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: Of the generator.
            options: ``{"task": task}``; without one, the task is drawn, or set by the teacher.
        """
        task = (options or {}).get("task")
        self._playing = False
        observations = self._batch.reset(_SLOT, [None if task is None else self.task_space.validate(task)], [seed])
        self._playing = True
        self.np_random = self._batch.generators[0]
        return observations[0], self._info()

    def step(self, action: Any) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """Play one step.

        Raises:
            ValueError: If the action has another shape.
            ResetNeeded: Before the first ``reset``, and after the end of an episode.
        """
        if not self._playing:
            raise ResetNeeded("call reset() before step(): the episode has not begun, or is over")
        actions = np.asarray(action)[None]
        if actions.shape[1:] != self.action_space.shape:
            raise ValueError(f"the action has shape {actions.shape[1:]}; expected {self.action_space.shape}")
        observations, rewards, terminated, truncated = self._batch.step(_SLOT, actions)
        self._playing = not (terminated[0] or truncated[0])
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), self._info()

    def render(self) -> Any:
        """Draw the world."""
        return self._batch.render(0)

    def close(self) -> None:
        """Close the batch."""
        self._batch.close()

    def _info(self) -> dict[str, Any]:
        return {"task": self._batch.task(0).copy()}
