"""Many lifetimes of simulated students in step, and the Gymnasium vector environment that plays them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from teachgym.base.registry import reset_options
from teachgym.core.reward_rule import RewardKind
from teachgym.core.seeding import fan_out, slot_seeds
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.worlds.world_batch import Slots


class ProgressMeter(Protocol):
    """What works out the learning progress of one student."""

    def add(self, task: FloatArray, outcome: float) -> float:
        """Take in an outcome, and return its progress."""


class BatchOutcomes(NamedTuple):
    """What came of one episode in each of m slots."""

    tasks: FloatArray
    """``(m, n)`` what they were about."""
    expected: FloatArray
    """``(m,)`` outcomes that the students expected before them."""
    outcomes: FloatArray
    """``(m,)``"""
    successes: NDArray[np.bool_]
    """``(m,)``"""


class StudentBatch(ABC):
    """Lifetimes of simulated students in numbered slots, which are independent of one another.

    All arrays that the methods return are new.
    """

    size: int
    """Number of slots."""
    budget: int
    """Episodes in a lifetime."""
    observation_space: gymnasium.Space[Any]
    """Of one teacher."""
    action_space: gymnasium.Space[Any]
    """Of one teacher."""
    task_space: TaskSpace
    """What the tasks of outcomes belong to."""
    spent: NDArray[np.int64]
    """``(size,)`` episodes so far in each slot."""

    @abstractmethod
    def begin(self, slots: Slots, seeds: Sequence[int]) -> None:
        """Put fresh students, made from these seeds, in some slots."""

    @abstractmethod
    def check(self, actions: Any) -> NDArray[Any]:
        """Return one action for each of some slots as ``teach`` takes them, or raise ``ValueError``."""

    @abstractmethod
    def teach(self, slots: Slots, actions: NDArray[Any]) -> BatchOutcomes:
        """Teach one episode in each of some slots."""

    @abstractmethod
    def observe(self, slots: Slots) -> Float32Array:
        """``(m, ...)`` what the teachers of some slots see now."""

    @abstractmethod
    def score(self, slots: Slots) -> FloatArray:
        """``(m,)`` how good the students of some slots are now, which teachers do not see."""

    @abstractmethod
    def truth(self, slots: Slots) -> dict[str, NDArray[Any]]:
        """``(m, ...)`` each: what is true of the students, for records."""


class BatchRewards:
    """Pays the teachers of a batch as ``make_reward`` pays one.

    Args:
        kind: By what.
        students: Whose teachers they are.
        make_progress: Makes what works learning progress out, one for each slot.
    """

    def __init__(self, kind: RewardKind, students: StudentBatch, make_progress: Callable[[], ProgressMeter]) -> None:
        self._kind, self._students, self._make_progress = kind, students, make_progress
        self._score: FloatArray = np.zeros(students.size)
        self._progress = [make_progress() for _ in range(students.size)]

    def begin(self, slots: Slots) -> None:
        """Begin with fresh students in some slots."""
        if self._kind == "gain":
            self._score[slots] = self._students.score(slots)
        for slot in slots.tolist():
            self._progress[slot] = self._make_progress()

    def pay(self, slots: Slots, episodes: BatchOutcomes) -> FloatArray:
        """``(m,)`` the rewards of these slots for these episodes."""
        if self._kind == "outcome":
            return episodes.outcomes.copy()
        if self._kind == "gain":
            score = self._students.score(slots)
            gain: FloatArray = score - self._score[slots]
            self._score[slots] = score
            return gain
        answers = zip(slots.tolist(), episodes.tasks, episodes.outcomes.tolist(), strict=True)
        return np.array([self._progress[slot].add(task, outcome) for slot, task, outcome in answers])


def student_seed(seed: int, generation: int = 0) -> int:
    """The seed of the student that an environment makes from ``Seeds.student``, and of those that replace it."""
    return int(np.random.SeedSequence([seed, generation]).generate_state(2)[0])


def check_no_step_limit(max_episode_steps: int | None) -> None:
    """Raise ``ValueError`` if a time limit is asked for: ``gymnasium.make_vec`` can't put one around a batch.

    Args:
        max_episode_steps: None and -1 ask for none, as in ``gymnasium.make``.
    """
    if max_episode_steps not in (None, -1):
        raise ValueError(f"max_episode_steps is {max_episode_steps!r}; expected None or -1, and budget for a limit")


class StudentVectorEnv(VectorEnv[Float32Array, NDArray[Any], NDArray[Any]]):
    """Plays ``StudentBatch``: the same seeds and actions give what as many single environments give.

    ``info`` has arrays in place of ``Feedback``: ``"task"``, ``"outcome"`` and ``"success"`` of the episodes
    that this step gave, ``"spent"``, and what is true of the students; each with a mask, as always in
    Gymnasium.

    Args:
        students: What is played; stays accessible as ``students``.
        rewards: What their teachers are paid.
        autoreset_mode: When a slot whose lifetime is over begins the next: in the next step, which then ignores
            its action; in the same step, with the last observation in ``info["final_obs"]``; or by ``reset`` only.
    """

    def __init__(
        self,
        students: StudentBatch,
        rewards: BatchRewards,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    ) -> None:
        self.students, self.num_envs = students, students.size
        self._rewards = rewards
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = students.observation_space, students.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._all: Slots = np.arange(self.num_envs)
        self._generators: list[np.random.Generator | None] = [None] * self.num_envs
        self._begun = np.zeros(self.num_envs, dtype=np.bool_)
        self._over = np.zeros(self.num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin a lifetime in all slots, or in some.

        Args:
            seed: One seed for each slot, or an integer s that stands for s, s + 1, and so on. None continues the
                slots' own streams.
            options: ``"reset_mask"``: which slots to reset, ``(n,)`` bool.

        Raises:
            ValueError: If a seed is not allowed, or an option unknown.
        """
        slots = self._chosen(reset_options(options, ["reset_mask"]).get("reset_mask"))
        seeds = slot_seeds(seed, self.num_envs)
        for slot in slots.tolist():
            if seeds[slot] is not None:
                self._generators[slot], _ = seeding.np_random(seeds[slot])
        self._begin(slots, [seeds[slot] for slot in slots.tolist()])
        return self.students.observe(self._all), self._info(slots, self._state_info(slots))

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Float32Array, FloatArray, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Teach an episode in all slots.

        Args:
            actions: ``(n, ...)``.

        Raises:
            ValueError: If an action is not allowed.
            ResetNeeded: Before the first ``reset``, and, without autoreset, after the end of a lifetime.
        """
        if not self._begun.all():
            raise ResetNeeded("call reset() before step()")
        actions, students = self.students.check(actions), self.students
        if len(actions) != self.num_envs:
            raise ValueError(f"there are {len(actions)} actions; expected {self.num_envs}, one for each slot")
        ended = np.flatnonzero(self._over)
        if len(ended) and self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(f"the lifetimes of slots {ended.tolist()} are over; reset them by a reset_mask first")
        taught = np.flatnonzero(~self._over)
        rewards, over = np.zeros(self.num_envs), np.zeros(self.num_envs, dtype=np.bool_)
        episodes = students.teach(taught, actions[taught])
        rewards[taught] = self._rewards.pay(taught, episodes)
        over[taught] = students.spent[taught] >= students.budget
        if len(ended):
            self._begin(ended, [None] * len(ended))
        came = {"task": episodes.tasks, "outcome": episodes.outcomes, "success": episodes.successes}
        final: dict[str, Any] = {}
        now_over = np.flatnonzero(over)
        if len(now_over) and self.autoreset_mode is AutoresetMode.SAME_STEP:
            final = self._final(now_over, came)
            self._begin(now_over, [None] * len(now_over))
            goes_on = ~over  # here all slots were taught
            came, taught = {name: values[goes_on] for name, values in came.items()}, taught[goes_on]
        else:
            self._over = over
        info = self._info(taught, came) | self._info(self._all, self._state_info(self._all)) | final
        return students.observe(self._all), rewards, over, np.zeros(self.num_envs, dtype=np.bool_), info

    def _begin(self, slots: Slots, seeds: Sequence[int | None]) -> None:
        """As ``TeacherEnv.reset`` does it."""
        fresh = [
            int(self._generator(slot).integers(2**31)) if seed is None else seed
            for slot, seed in zip(slots.tolist(), seeds, strict=True)
        ]
        self.students.begin(slots, [student_seed(fan_out(seed).student) for seed in fresh])
        self._rewards.begin(slots)
        self._begun[slots], self._over[slots] = True, False

    def _generator(self, slot: int) -> np.random.Generator:
        generator = self._generators[slot]
        if generator is None:
            generator, _ = seeding.np_random()
            self._generators[slot] = generator
        return generator

    def _state_info(self, slots: Slots) -> dict[str, NDArray[Any]]:
        return {"spent": self.students.spent[slots], **self.students.truth(slots)}

    def _info(self, slots: Slots, values: dict[str, NDArray[Any]]) -> dict[str, Any]:
        """Values ``(m, ...)`` of some slots as arrays ``(n, ...)`` with masks."""
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[slots] = True
        info: dict[str, Any] = {}
        for name, some in values.items():
            every = np.zeros((self.num_envs, *some.shape[1:]), dtype=some.dtype)
            every[slots] = some
            info[name], info[f"_{name}"] = every, mask.copy()
        return info

    def _final(self, slots: Slots, came: dict[str, NDArray[Any]]) -> dict[str, Any]:
        """What autoreset in the same step adds."""
        last = np.full(self.num_envs, None, dtype=object)
        for slot, observation in zip(slots.tolist(), self.students.observe(slots), strict=True):
            last[slot] = observation
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[slots] = True
        values = {name: some[slots] for name, some in came.items()} | self._state_info(slots)
        return {
            "final_obs": last,
            "_final_obs": mask,
            "final_info": self._info(slots, values),
            "_final_info": mask.copy(),
        }

    def _chosen(self, mask: Any) -> Slots:
        if mask is None:
            return self._all
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask is {mask!r}; expected a NumPy array of {self.num_envs} bools")
        if not mask.any():
            raise ValueError("reset_mask has no True; expected at least one slot to reset")
        return np.flatnonzero(mask)
