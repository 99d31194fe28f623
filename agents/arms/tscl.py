"""Teacher-student curriculum learning: bandits over tasks that go where scores have a slope."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, final

import numpy as np
from annotated_types import Ge

from teachgym.agents.arms.arm_teacher import ArmTeacher
from teachgym.agents.arms.arms import ArmSettings
from teachgym.agents.arms.exploration import greedy, softmax
from teachgym.agents.base.optional_settings import given, refuse_unused
from teachgym.base.ranges import PositiveFloat, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.base.state import Stateful
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice


@checked_dataclass
class TsclSettings(ArmSettings):
    """Settings of ``Tscl``; the defaults are the paper's, where it has them, else those of the authors' code.

    Raises:
        ValueError: If a value is not allowed, or a setting is given that the algorithm or policy does not use.
    """

    algorithm: Literal["online", "naive", "window", "sampling"] = "sampling"
    """How progress is estimated."""
    progress: Literal["absolute", "signed"] = "absolute"
    """Whether arms are compared by the absolute value of their progress, so that what is being forgotten is taught
    again, or by progress with its sign, as the authors' code does unless told otherwise."""
    scale_outcomes: bool = True
    """Whether outcomes are mapped from the environment's outcome range to ``[0, 1]`` and clipped before use."""
    policy: Literal["epsilon-greedy", "boltzmann"] | None = None
    """How an arm is chosen by progress; None takes ``"epsilon-greedy"``. ``"sampling"`` knows that one only."""
    epsilon: Share | None = None
    """``"epsilon-greedy"``: share of uniform draws; None takes 0.1, and 0 for ``"sampling"``, where the authors' code
    has 0.1."""
    temperature: PositiveFloat | None = None
    """``"boltzmann"``: the difference in progress that makes an arm e times as likely; 0.0004."""
    learning_rate: PositiveShare | None = None
    """``"online"``, ``"naive"`` and ``"window"``: how far an expected progress moves towards a new one;
    0.1. With 1 ``"window"`` takes the slope itself, as the authors' code does."""
    window: Annotated[int, Ge(2)] | None = None
    """Scores of an arm that a slope is fitted to (``"naive"``, where they are a burst, and ``"window"``), or
    differences that one is sampled from (``"sampling"``); 10."""

    def __post_init__(self) -> None:
        if self.policy == "boltzmann" and self.algorithm == "sampling":
            raise ValueError("policy is 'boltzmann', but algorithm 'sampling' takes the best of what it samples")
        used = {name: algorithm.uses for name, algorithm in TSCL_ALGORITHMS.items()}
        refuse_unused(self, ("learning_rate", "window"), "algorithm", used)
        unused = "epsilon" if self.policy == "boltzmann" else "temperature"
        if getattr(self, unused) is not None:
            raise ValueError(
                f"{unused} is {getattr(self, unused)}, but policy {self.policy or 'epsilon-greedy'!r} does not use it"
            )


class Algorithm(ABC, Stateful):
    """How the progress on every arm is estimated from its scores. Subclasses take the number of arms and settings."""

    uses: ClassVar[tuple[str, ...]] = ()
    """Settings that it takes."""
    keeps: ClassVar[tuple[str, ...]] = ()
    """Attributes that make up what was learnt: numbers and arrays of numbers."""

    def __init__(self, arms: int, **settings: Any) -> None:
        self.arms = arms

    @abstractmethod
    def progress(self, rng: np.random.Generator) -> FloatArray:
        """``(arms,)`` signed progress to choose by."""

    @abstractmethod
    def learn(self, arm: int, score: float) -> None:
        """Learn an arm's score."""


class Online(Algorithm):
    """An average of the changes between successive scores, the recent ones weighing more; the first is from 0."""

    uses = ("learning_rate",)
    keeps = ("expected", "before")

    def __init__(self, arms: int, *, learning_rate: float = 0.1) -> None:
        super().__init__(arms)
        self._rate = learning_rate
        self.expected = np.zeros(arms)
        self.before = np.zeros(arms)

    def progress(self, rng: np.random.Generator) -> FloatArray:
        """The averages."""
        return self.expected

    def learn(self, arm: int, score: float) -> None:
        """Average the change since the arm's last score."""
        self.expected[arm] += self._rate * (score - self.before[arm] - self.expected[arm])
        self.before[arm] = score


class Naive(Algorithm):
    """An average of slopes, each fitted to the scores of one burst: the same arm several times in a row."""

    uses = ("learning_rate", "window")
    keeps = ("expected", "burst")

    def __init__(self, arms: int, *, learning_rate: float = 0.1, window: int = 10) -> None:
        super().__init__(arms)
        self._rate, self.window = learning_rate, window
        self.expected = np.zeros(arms)
        self.burst = np.zeros(0)

    def progress(self, rng: np.random.Generator) -> FloatArray:
        """The averages."""
        return self.expected

    def learn(self, arm: int, score: float) -> None:
        """Add a score to the burst; at its end, average its slope."""
        self.burst = np.append(self.burst, score)
        if len(self.burst) == self.window:
            slope = _slope(np.arange(self.window, dtype=np.float64), self.burst)
            self.expected[arm] += self._rate * (slope - self.expected[arm])
            self.burst = np.zeros(0)


class WindowAverage(Algorithm):
    """An average of slopes of an arm's latest scores over time, one fitted after each of them."""

    uses = ("learning_rate", "window")
    keeps = ("expected", "scores", "times", "counts", "time")

    def __init__(self, arms: int, *, learning_rate: float = 0.1, window: int = 10) -> None:
        super().__init__(arms)
        self._rate = learning_rate
        self.expected = np.zeros(arms)
        self.scores = np.zeros((arms, window))  # a ring for every arm
        self.times = np.zeros((arms, window))
        self.counts = np.zeros(arms, dtype=np.int64)
        self.time: Any = 0

    def progress(self, rng: np.random.Generator) -> FloatArray:
        """The averages; 1 of an arm that has no slope yet, as in the authors' code."""
        return np.where(self.counts < 2, 1.0, self.expected)

    def learn(self, arm: int, score: float) -> None:
        """Fit the arm's slope anew, and average it; the first slope is the first average."""
        place = int(self.counts[arm]) % self.scores.shape[1]
        self.scores[arm, place], self.times[arm, place] = score, self.time
        self.counts[arm] += 1
        self.time += 1
        count = int(self.counts[arm])
        if count < 2:
            return
        slope = _slope(self.times[arm, :count], self.scores[arm, :count])
        self.expected[arm] += (1.0 if count == 2 else self._rate) * (slope - self.expected[arm])


class Exploration(Algorithm):
    """One of an arm's latest changes between successive scores, drawn anew for every choice; 1 before the first."""

    uses = ("window",)
    keeps = ("changes", "counts", "before")

    def __init__(self, arms: int, *, window: int = 10) -> None:
        super().__init__(arms)
        self.changes = np.zeros((arms, window))  # a ring for every arm
        self.counts = np.zeros(arms, dtype=np.int64)
        self.before = np.zeros(arms)

    def progress(self, rng: np.random.Generator) -> FloatArray:
        """A sample of every arm's changes."""
        stored = np.minimum(self.counts, self.changes.shape[1])
        places = rng.integers(0, np.maximum(stored, 1))
        return np.where(stored == 0, 1.0, self.changes[np.arange(self.arms), places])

    def learn(self, arm: int, score: float) -> None:
        """Store the change since the arm's last score."""
        self.changes[arm, int(self.counts[arm]) % self.changes.shape[1]] = score - self.before[arm]
        self.counts[arm] += 1
        self.before[arm] = score


TSCL_ALGORITHMS: Mapping[str, type[Algorithm]] = MappingProxyType(
    {"online": Online, "naive": Naive, "window": WindowAverage, "sampling": Exploration}
)
"""The four algorithms by name."""


@final
class Tscl(ArmTeacher):
    """Teaches the tasks whose learning curve is steepest (Matiisen et al. 2017, arXiv:1707.00183).

    Each task keeps an estimate of its slope by one of four algorithms (``"online"``, ``"naive"``, ``"window"``,
    ``"sampling"``), and the steepest is taught next, with some chance for others. With absolute progress, tasks whose
    scores fall, because the student forgets them, come back too.

    Differs from the paper, where one step may score several tasks: an answer scores its own arm only. Where the paper
    is silent: in ``"window"`` an arm with fewer than two scores counts as having progress 1 (as in the authors' code,
    so that every arm is tried twice), and its first slope is its first average; the first change in ``"online"`` and
    ``"sampling"`` is from a score of 0 (as in the authors' code). The code's ``"sampling"`` without Thompson-like
    draws, by mean change, is not offered. In ``"naive"`` a burst ends when as many of its answers have come as the
    window asks for; answers to earlier bursts that come later teach nothing.

    ``origin`` is ``"best"``, ``"random"`` (epsilon's), ``"chance"`` (Boltzmann's), or ``"burst"`` while ``"naive"``
    goes on with an arm.

    Args:
        spec: The environment's fixed facts. Tasks are arms, or a box that is cut into a grid of them.
        settings: A ``TsclSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = TsclSettings
    settings: TsclSettings
    keeps = ("_algorithm", "_bursts", "_held")

    def __init__(self, spec: TeachingSpec, settings: TsclSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen = self.settings
        algorithm = TSCL_ALGORITHMS[chosen.algorithm]
        self._algorithm = algorithm(len(self.arms), **given(chosen, algorithm.uses))
        default = 0.0 if chosen.algorithm == "sampling" else 0.1
        self._epsilon = default if chosen.epsilon is None else chosen.epsilon
        self._temperature = 0.0004 if chosen.temperature is None else chosen.temperature
        self._size: Callable[[FloatArray], FloatArray] = np.abs if chosen.progress == "absolute" else np.asarray
        self._in_bursts = isinstance(self._algorithm, Naive)
        self._bursts, self._held = 0, -1  # how many have ended, and the arm of the one that goes on

    def _choose(self, observation: Any) -> Choice:
        if self._held >= 0:
            return Choice(self._held, "burst", (self._bursts,))
        values = self._size(self._algorithm.progress(self.rng))
        if self.settings.policy == "boltzmann":
            arm, origin = int(self.rng.choice(len(values), p=softmax(values / self._temperature))), "chance"
        else:
            arm, origin = greedy(values, self._epsilon, self.rng)
        if self._in_bursts:
            self._held = arm
        return Choice(arm, origin, (self._bursts,))

    def _learn(self, arm: int, memo: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        scaled = self.settings.scale_outcomes
        score = self.spec.scale_outcome(feedback.outcome) if scaled else feedback.outcome
        if isinstance(self._algorithm, Naive):
            if arm != self._held or (memo is not None and memo[0] != self._bursts):
                return
            self._algorithm.learn(arm, score)
            if not len(self._algorithm.burst):
                self._held = -1
                self._bursts += 1
        else:
            self._algorithm.learn(arm, score)


def _slope(x: FloatArray, y: FloatArray) -> float:
    """Slope of the least-squares line."""
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / (centred @ centred))
