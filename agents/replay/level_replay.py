"""What the teachers that replay levels share: when to replay, and what to do with an answer."""

from abc import abstractmethod
from typing import ClassVar, Literal

import numpy as np

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.replay.level_scores import LevelScore, ScoreSettings, needs_of_score
from teachgym.agents.replay.level_store import NOT_STORED, LevelStore, StoreSettings
from teachgym.base.ranges import Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note

NewLevels = Literal["uniform", "easy", "easy-if-offered"]


@checked_dataclass
class LevelReplaySettings(StoreSettings, ScoreSettings):
    """What the teachers that replay levels have to set.

    Raises:
        ValueError: If a value is not allowed.
    """

    replay_chance: Share = 0.5
    """Chance that a decision replays a stored level, once there are enough."""
    replay_schedule: Literal["fixed", "proportionate"] = "proportionate"
    """Chance of a replay once ``least_filled`` of the store is filled: ``"fixed"`` is ``replay_chance``,
    ``"proportionate"`` the filled share of the store while that is below ``replay_chance``."""
    least_filled: Share = 0.5
    """Filled share of the store below which nothing is replayed."""
    new_levels: NewLevels = "uniform"
    """Where new levels come from: ``"uniform"``, ``"easy"`` for its easy tasks, or ``"easy-if-offered"``."""


class LevelReplay(TaskTeacher):
    """Hands out new levels, and again and again those that score best.

    Subclasses say by ``_probes`` which of them the student does not learn from, and may have more origins of levels
    than ``"new"`` and ``"replay"``. A level enters the store with the answer to its first episode, so that a level
    without an answer is never replayed. Answers to decisions that were given up, or to replays of levels that have been
    replaced since, change no score.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``LevelReplaySettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, or the environment lacks what the settings need.
    """

    Settings = LevelReplaySettings
    settings: LevelReplaySettings
    keeps: ClassVar[tuple[str, ...]] = ("_store",)

    def __init__(self, spec: TeachingSpec, settings: LevelReplaySettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._score = LevelScore(self.settings, spec)
        self._store = LevelStore(self.task_space, self.settings, memory=self._score.memory)

    @classmethod
    def requirements(cls, settings: LevelReplaySettings) -> Requirements:
        """It needs what the score does, and easy tasks where new levels are such."""
        found = super().requirements(settings).needing(needs_of_score(settings.score))
        return found.needing(Needs.EASY_TASKS) if settings.new_levels == "easy" else found

    @abstractmethod
    def _probes(self, origin: str) -> bool:
        """Whether the student is not to learn from levels of this origin."""

    def _choose(self) -> Choice:
        number, task, origin = self._choose_level()
        return Choice(task, origin, number)

    def _choose_level(self) -> tuple[int, FloatArray, str]:
        """The level's number in the store if it has one, the task and the origin."""
        if self._replays():
            return *self._store.draw(self.decisions, self.rng), "replay"
        return NOT_STORED, self._new_level(), "new"

    def _replays(self) -> bool:
        filled = self._store.filled
        if not filled or filled < self.settings.least_filled:
            return False
        chance = self.settings.replay_chance
        if self.settings.replay_schedule == "proportionate":
            chance = min(filled, chance)
        return self.rng.random() < chance

    def _new_level(self) -> FloatArray:
        easy = self.spec.easy_tasks
        if easy is None or self.settings.new_levels == "uniform":
            return self.task_space.uniform(self.rng)
        return np.asarray(self.rng.normal(easy.mean, easy.std), dtype=np.float64)

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        if note is None:
            return
        replayed = note.memo != NOT_STORED
        number = note.memo if replayed else self._store.find(task)
        score, memory = self._score(feedback, self._memory(task, number))
        if number in self._store:
            self._store.rescore(number, score, memory)
        elif not replayed:
            self._store.offer(task, score, memory, handed_out=feedback.decision, now=self.decisions)
        if replayed:
            self._replayed(task, feedback, score)

    def _memory(self, task: FloatArray, number: int) -> FloatArray:
        """What the score goes on from."""
        if number == NOT_STORED and self._score.borrows:
            number = self._store.nearest(task)
        return self._store.memory_of(number) if number in self._store else self._score.first_memory()

    def _replayed(self, task: FloatArray, feedback: Feedback, score: float | None) -> None:
        """A replay was answered, with this score if there is one; for teachers that make something of it."""
