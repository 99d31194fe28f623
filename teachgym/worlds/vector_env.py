"""A batch of worlds as a Gymnasium vector environment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from teachgym.base.registry import reset_options
from teachgym.core.seeding import slot_seeds
from teachgym.core.task_space import FloatArray
from teachgym.worlds.world_batch import Flags, Slots, WorldBatch

Tasks = list[FloatArray | None]


class BatchVectorEnv(VectorEnv[NDArray[Any], NDArray[Any], NDArray[Any]]):
    """Plays a ``WorldBatch``.

    The same seeds, tasks and actions give the same outputs as ``gymnasium.vector.SyncVectorEnv`` gives over the
    same worlds, in all three autoreset modes. ``info["task"]`` says which task each slot plays, and is all that
    ``info`` has besides what autoreset adds.

    Args:
        batch: What is played; stays accessible as ``batch``.
        autoreset_mode: When a slot whose episode is over begins the next: in the next step, which then ignores
            its action; in the same step, with the last observation in ``info["final_obs"]``; or by ``reset`` only.
    """

    def __init__(self, batch: WorldBatch, *, autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP) -> None:
        self.batch = batch
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**batch.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = batch.render_mode
        self.num_envs = batch.size
        self.single_observation_space, self.single_action_space = batch.observation_space, batch.action_space
        self.observation_space = batch_space(batch.observation_space, batch.size)
        self.action_space = batch_space(batch.action_space, batch.size)
        self._actions_shape = (batch.size, *(batch.action_space.shape or ()))
        self._slots: Slots = np.arange(batch.size)
        self._seeds = [-1] * batch.size
        dimensions = {space.dimensions for space in batch.task_spaces}
        self._tasks: NDArray[Any] = (
            np.zeros((batch.size, dimensions.pop()))
            if len(dimensions) == 1
            else np.full(batch.size, None, dtype=object)
        )
        self._observations: NDArray[Any] | None = None
        self._over: Flags = np.zeros(batch.size, dtype=np.bool_)
        self._some_over = False

    @property  # type: ignore[misc]  # read-only, and one for each slot, as in SyncVectorEnv
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each slot."""
        return tuple(self.batch.generators)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seed that each slot was last given; -1 where there was none."""
        return tuple(self._seeds)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin an episode in all slots, or in some.

        Args:
            seed: One seed for each slot, or an integer s that stands for s, s + 1, and so on.
            options: ``"task"``: a task for all slots, or a sequence of one for each, such as an array ``(n, d)``; None
                draws one from the slot's generator. ``"reset_mask"``: which slots to reset, ``(n,)`` bool.

        Raises:
            ValueError: If a task or seed is not allowed, or an option unknown.
            TypeError: If the options are not a mapping, or the mask is no array of bool.
            ResetNeeded: If the mask leaves a slot out that was never reset.
            ClosedEnvironmentError: If the environment was closed.
        """
        self._check_open("reset")
        options = reset_options(options, ["task", "reset_mask"])
        slots = self._chosen_slots(options.get("reset_mask"))
        seeds, tasks = slot_seeds(seed, self.num_envs), self._checked_tasks(options.get("task"))
        chosen = slots.tolist()
        observations = self._begin(slots, [tasks[slot] for slot in chosen], [seeds[slot] for slot in chosen])
        for slot in chosen:
            given = seeds[slot]
            self._seeds[slot] = self._seeds[slot] if given is None else given
        self._over[slots] = False
        self._some_over = bool(self._over.any())
        if len(slots) < self.num_envs:
            assert self._observations is not None
            observations, some = self._observations.copy(), observations
            observations[slots] = some
        self._observations = observations.copy()
        return observations, self._task_info(None if len(slots) == self.num_envs else slots)

    def take_up(self, observations: NDArray[Any]) -> None:
        """Go on with a batch all of whose slots are in the middle of an episode.

        Args:
            observations: ``(n, ...)`` what the slots show.
        """
        for slot in range(self.num_envs):
            self._tasks[slot] = self.batch.task(slot).copy()
        self._over[:], self._some_over = False, False
        self._observations = observations.copy()

    @property
    def observations(self) -> NDArray[Any]:
        """``(n, ...)`` what the slots show."""
        if self._observations is None:
            raise ResetNeeded("call reset() first")
        return self._observations.copy()

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Play one step in all slots.

        Args:
            actions: ``(n, ...)``.

        Raises:
            ValueError: If the actions have another shape.
            ResetNeeded: Before the first ``reset``, and, without autoreset, after the end of an episode.
            ClosedEnvironmentError: If the environment was closed.
        """
        self._check_open("stepped")
        if self._observations is None:
            raise ResetNeeded("call reset() before step()")
        try:
            actions = np.asarray(actions)
        except ValueError as error:
            raise ValueError(f"actions are ragged; expected an array of shape {self._actions_shape}") from error
        if actions.shape != self._actions_shape:
            raise ValueError(f"actions have shape {actions.shape}; expected {self._actions_shape}")
        if self._some_over:
            observations, rewards, terminated, truncated = self._step_some(actions)
        else:
            observations, rewards, terminated, truncated = self.batch.step(self._slots, actions)
        over = terminated | truncated
        some_over = bool(over.any())
        info: dict[str, Any] = {}
        if some_over and self.autoreset_mode is AutoresetMode.SAME_STEP:
            ended = np.flatnonzero(over)
            info = self._final_info(ended, observations)
            observations[ended] = self._begin(ended, [None] * len(ended), None)
            some_over = False
        else:
            self._over = over
        self._some_over = some_over
        self._observations = observations.copy()
        return observations, rewards, terminated, truncated, self._task_info() | info

    def render(self) -> tuple[Any, ...]:
        """Draw every slot."""
        self._check_open("rendered")
        return tuple(self.batch.render(slot) for slot in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Close the batch."""
        self.batch.close()

    def _begin(self, slots: Slots, tasks: Tasks, seeds: list[int | None] | None) -> NDArray[Any]:
        observations = self.batch.reset(slots, tasks, seeds)
        for slot in slots.tolist():
            self._tasks[slot] = self.batch.task(slot).copy()
        return observations

    def _step_some(self, actions: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Step the slots that play, and begin the next episode in the others."""
        ended, playing = np.flatnonzero(self._over), np.flatnonzero(~self._over)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(
                f"the episode of slot {_listed(ended)} is over; call reset(options={{'reset_mask': mask}}) first"
            )
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros(self.num_envs, dtype=np.bool_), np.zeros(self.num_envs, dtype=np.bool_)
        assert self._observations is not None
        observations = np.empty_like(self._observations)
        if len(playing):
            played = self.batch.step(playing, actions[playing])
            observations[playing], rewards[playing], terminated[playing], truncated[playing] = played
        observations[ended] = self._begin(ended, [None] * len(ended), None)
        return observations, rewards, terminated, truncated

    def _task_info(self, slots: Slots | None = None) -> dict[str, Any]:
        """What all slots play, or some."""
        if slots is None:
            return {"task": self._tasks.copy(), "_task": np.ones(self.num_envs, dtype=np.bool_)}
        tasks = np.zeros_like(self._tasks) if self._tasks.ndim == 2 else np.full_like(self._tasks, None)
        tasks[slots] = self._tasks[slots]
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[slots] = True
        return {"task": tasks, "_task": mask}

    def _final_info(self, ended: Slots, observations: NDArray[Any]) -> dict[str, Any]:
        last = np.full(self.num_envs, None, dtype=object)
        for slot in ended.tolist():
            last[slot] = observations[slot].copy()
        tasks = self._task_info(ended)
        return {
            "final_obs": last,
            "_final_obs": tasks["_task"].copy(),
            "final_info": tasks,
            "_final_info": tasks["_task"].copy(),
        }

    def _check_open(self, what: str) -> None:
        if self.closed:
            raise ClosedEnvironmentError(f"the worlds were closed and can't be {what}; make new ones")

    def _chosen_slots(self, mask: Any) -> Slots:
        if mask is None:
            return self._slots
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"reset_mask is {mask!r}; expected a NumPy array of bool")
        if mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask has shape {mask.shape}; expected ({self.num_envs},)")
        slots = np.flatnonzero(mask)
        if len(slots) == 0:
            raise ValueError("reset_mask has no True; expected at least one slot to reset")
        if self._observations is None and len(slots) < self.num_envs:
            raise ResetNeeded("reset all slots before resetting some of them")
        return slots

    def _checked_tasks(self, task: Any) -> Tasks:
        if task is None:
            return [None] * self.num_envs
        given = [task] * self.num_envs if _is_one_task(task) else list(task)
        if len(given) != self.num_envs:
            raise ValueError(
                f"there are {len(given)} tasks; expected {self.num_envs}, one for each slot, or one for all"
            )
        checked: Tasks = []
        for slot, (one, space) in enumerate(zip(given, self.batch.task_spaces, strict=True)):
            try:
                checked.append(None if one is None else space.validate(one))
            except ValueError as error:
                raise ValueError(f"slot {slot}: {error}") from error
        return checked


def _is_one_task(task: Any) -> bool:
    """Whether this is a task: a mapping, a number, or a sequence of numbers."""
    if isinstance(task, Mapping | str) or not np.iterable(task):
        return True
    return all(part is not None and not isinstance(part, Mapping) and np.ndim(part) == 0 for part in task)


def _listed(slots: Slots) -> str:
    return ", ".join(map(str, slots.tolist()))
