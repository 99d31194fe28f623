"""The levels that a teacher may replay, and how likely each is."""

from typing import Literal

import numpy as np

from teachgym.base.ranges import PositiveFloat, PositiveInt, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.base.state import Stateful
from teachgym.core.task_space import FloatArray, TaskSpace

Priority = Literal["rank", "proportional", "top-k", "max", "greedy", "constant"]
NOT_STORED = -1
"""The number of a level that the store has given none."""
_LEAST_SCORE = 1e-3


@checked_dataclass
class StoreSettings:
    """How many levels are kept, and which of them are replayed; see ``LevelStore``.

    Raises:
        ValueError: If a value is not allowed.
    """

    capacity: PositiveInt = 1000
    """Most levels kept."""
    priority: Priority = "rank"
    """How chances follow from scores: ``"rank"`` by 1 / rank; ``"proportional"`` to the score, negative ones as 0;
    ``"top-k"`` equal among the ``top_k`` best; ``"max"`` the best only; ``"greedy"`` the best, but for a
    ``greedy_share`` of equal draws; ``"constant"`` equal."""
    temperature: PositiveFloat = 0.1
    """Ranks and scores are raised to 1 / this; small is greedy."""
    top_k: PositiveInt = 4
    """Levels that ``"top-k"`` draws from."""
    greedy_share: Share = 0.05
    """Share of equal draws in ``"greedy"``."""
    staleness_share: Share = 0.5
    """Share of draws by how long ago a level was last handed out; the rest is by score."""
    staleness_temperature: PositiveFloat = 1.0
    """That age is raised to 1 / this."""
    score_rate: PositiveShare = 1.0
    """Weight of the newest score in a level's score; 1 forgets those before."""
    replace_ties: bool = True
    """Whether a new level takes the place of one whose score is just as good; False asks for a better score."""
    unique: bool = True
    """Whether a task that is stored already counts as that level, instead of being stored once more."""


class LevelStore(Stateful):
    """Tasks with scores, and the chances of replaying each (Jiang et al. 2021, arXiv:2010.03934).

    A level's chance is ``(1 - staleness_share)`` times its share by score, plus ``staleness_share`` times its share by
    age, the number of decisions since it was last handed out (of any kind; the authors' code for generated levels
    counts replays only). Shares are equal where all scores or ages weigh nothing.
    A new level enters a full store in place of the level that is least likely to be replayed at that moment, if its
    score is no less than that level's; otherwise it is dropped.

    Levels of equal score share the weight of the ranks that they take together, so that which of them counts as the
    better is not left to the sorting. Every level in the store has a score: there is none to be replayed without.

    Levels are known by numbers that are never used twice, as the answer to a replay may come after its level was
    replaced.

    Args:
        space: What the levels are points of.
        settings: A ``StoreSettings``.
        memory: Numbers remembered per level, for its score.
    """

    keeps = ("_filled", "_next", "_tasks", "_scores", "_memories", "_handed_out", "_numbers")

    def __init__(self, space: TaskSpace, settings: StoreSettings, *, memory: int = 0) -> None:
        self._space, self._settings = space, settings
        self._memories = np.zeros((settings.capacity, memory))
        self._tasks = np.zeros((settings.capacity, space.dimensions))
        self._scores = np.zeros(settings.capacity)
        self._handed_out = np.zeros(settings.capacity, dtype=np.int64)
        self._numbers = np.zeros(settings.capacity, dtype=np.int64)
        self._filled = 0
        self._next = 0  # the number of the next level
        self._forget_derived()

    def _forget_derived(self) -> None:
        """Find levels by their numbers and tasks again."""
        self._slots: dict[int, int] = {}
        self._by_task: dict[bytes, int] = {}  # stays empty unless levels are unique
        for slot in range(self._filled):
            self._index(slot)

    def __len__(self) -> int:
        return self._filled

    def __contains__(self, number: int) -> bool:
        return number in self._slots

    @property
    def filled(self) -> float:
        """Share of the capacity that is in use."""
        return self._filled / self._settings.capacity

    def find(self, task: FloatArray) -> int:
        """The number of the level with exactly this task, where levels are unique; ``NOT_STORED`` if there is none."""
        return self._by_task.get(_key(task), NOT_STORED)

    def memory_of(self, number: int) -> FloatArray:
        """``(memory,)`` what is remembered of a level."""
        return np.array(self._memories[self._slots[number]])

    def nearest(self, task: FloatArray) -> int:
        """The number of the level nearest to a task, distances as shares of the ranges; ``NOT_STORED`` if empty."""
        if not self._filled:
            return NOT_STORED
        differences = (self._tasks[: self._filled] - task) / self._space.range
        return int(self._numbers[np.argmin(np.sum(differences * differences, axis=1))])

    def chances(self, now: int) -> FloatArray:
        """``(m,)`` the chance of each level to be the next replayed; sums to 1.

        Args:
            now: Decisions made so far.
        """
        stale = self._settings.staleness_share
        ages = np.maximum(now - self._handed_out[: self._filled], 0).astype(np.float64)
        by_age = in_proportion(ages, self._settings.staleness_temperature)
        return np.asarray((1 - stale) * self._by_score() + stale * by_age, dtype=np.float64)

    def _by_score(self) -> FloatArray:
        """``(m,)`` chances by score alone."""
        chosen, scores = self._settings, self._scores[: self._filled]
        if chosen.priority == "constant":
            return np.full(len(scores), 1 / len(scores))
        if chosen.priority == "proportional":
            least = 0.0 if chosen.staleness_share > 0 else _LEAST_SCORE
            return in_proportion(np.maximum(scores, 0.0) + least, chosen.temperature)
        ranks = np.arange(1.0, len(scores) + 1)
        if chosen.priority == "rank":
            weights = in_proportion(1 / ranks, chosen.temperature)
        else:
            best = chosen.top_k if chosen.priority == "top-k" else 1
            equal = chosen.greedy_share if chosen.priority == "greedy" else 0.0
            weights = (1 - equal) * in_proportion((ranks <= best).astype(np.float64)) + equal / len(ranks)
        return _by_rank(scores, weights)

    def draw(self, now: int, rng: np.random.Generator) -> tuple[int, FloatArray]:
        """Choose a level to replay: its number, and its task ``(n,)``; the store must not be empty.

        Args:
            now: Decisions made so far, which the level counts its age from.
            rng: What to draw from.
        """
        slot = int(rng.choice(self._filled, p=self.chances(now)))
        self._handed_out[slot] = now
        return int(self._numbers[slot]), self._tasks[slot].copy()

    def rescore(self, number: int, score: float | None, memory: FloatArray) -> None:
        """Update a stored level with what a further episode on it gave; None leaves its score."""
        slot = self._slots[number]
        self._memories[slot] = memory
        if score is not None:
            rate = self._settings.score_rate
            self._scores[slot] = (1 - rate) * self._scores[slot] + rate * score

    def offer(self, task: FloatArray, score: float | None, memory: FloatArray, *, handed_out: int, now: int) -> bool:
        """Store a new level, unless the store is full of better ones, or the score is None.

        Args:
            task: ``(n,)``, in task units.
            score: What it is worth.
            memory: ``(memory,)`` what to remember of it.
            handed_out: The decision that handed it out.
            now: Decisions made so far.

        Returns:
            Whether it was stored.
        """
        if score is None:
            return False
        slot = self._filled
        if slot == self._settings.capacity:
            slot = int(np.argmin(self.chances(now)))
            victim = self._scores[slot]
            if score < victim or (score == victim and not self._settings.replace_ties):
                return False
            del self._slots[int(self._numbers[slot])]
            self._by_task.pop(_key(self._tasks[slot]), None)
        else:
            self._filled += 1
        self._tasks[slot], self._scores[slot], self._memories[slot] = task, score, memory
        self._handed_out[slot], self._numbers[slot] = handed_out, self._next
        self._index(slot)
        self._next += 1
        return True

    def _index(self, slot: int) -> None:
        number = int(self._numbers[slot])
        self._slots[number] = slot
        if self._settings.unique:
            self._by_task[_key(self._tasks[slot])] = number


def in_proportion(weights: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Probabilities in proportion to weight^(1 / temperature) of non-negative weights ``(m,)``; equal if all are 0."""
    heaviest = np.max(weights)
    if heaviest == 0:
        return np.full(len(weights), 1 / len(weights))
    powers = (weights / heaviest) ** (1 / temperature)  # at most 1, so that no power overflows
    return np.asarray(powers / np.sum(powers), dtype=np.float64)


def _by_rank(scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the best score the first weight and so on; equal scores share the weights that they take together."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    group = np.concatenate([[0], np.cumsum(ranked[1:] != ranked[:-1])])
    shared = np.bincount(group, weights) / np.bincount(group)
    chances = np.empty(len(scores))
    chances[order] = shared[group]
    return chances


def _key(task: FloatArray) -> bytes:
    return (task + 0.0).tobytes()  # so that -0 is 0
