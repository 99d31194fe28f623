"""CURROT: particles that travel to a target distribution through tasks that the student can do."""

from typing import Annotated, final

import numpy as np
from annotated_types import Ge

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.shaping.outcome_thresholds import competent_outcome
from teachgym.agents.shaping.particle_moves import ball_candidates, kernel_regression
from teachgym.agents.shaping.success_buffer import SuccessBuffer, assign
from teachgym.base.exclusive import one_core
from teachgym.base.ranges import FiniteFloat, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from teachgym.base.setting_checks import check_numbers
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray

JITTER = 1e-3
"""How far a task is from its particle at most, as a share of each range."""
SUCCESS_NOISE = 0.005
"""Standard deviation of the noise on tasks that the student can do, as a share of ``reach``."""


@checked_dataclass
class CurrotSettings:
    """Settings of ``Currot``; the defaults are those of the adapter for TeachMyAgent in the code that it follows.

    Raises:
        ValueError: If a value is not allowed.
    """

    particles: Annotated[int, Ge(2)] = 500
    """Particles, which are the distribution of tasks."""
    update_every: PositiveInt = 50
    """Outcomes between two updates."""
    threshold: FiniteFloat | None = None
    """Predicted outcome that a task must have for a particle to go there; None takes 33/38 of the way from the worst
    outcome to ``mastered_above``, on the walker 180."""
    reach: PositiveFloat | None = None
    """Greatest distance that a particle travels in one update, in task units (or in shares of the range with
    ``normalise``); None takes 0.05 of the length of the task space's diagonal."""
    bandwidth: PositiveFloat = 0.3
    """Standard deviation of the kernel that predicts outcomes, as a share of ``reach``."""
    candidates: PositiveInt = 100
    """Random points that each particle tries in one update."""
    line_candidates: NonNegativeInt = 10
    """Points on the way to the target that each particle tries beside them. They help in many dimensions, where few
    random points lie near the way."""
    wait_for_threshold: bool = False
    """Whether particles stay until their mean predicted outcome has reached the threshold once; False sends them to
    the best tasks so far meanwhile."""
    target_mean: tuple[FiniteFloat, ...] | None = None
    """Centre of the Gaussian target, in task units; None makes the target uniform."""
    target_std: tuple[NonNegativeFloat, ...] | None = None
    """Standard deviations of the Gaussian target, in task units; draws are clipped to the bounds."""
    use_easy_tasks: bool = False
    """Whether particles start from the environment's easy tasks where it has them; False starts uniformly."""
    normalise: bool = False
    """Whether distances take each task parameter as a share of its range, instead of in its own unit."""

    def __post_init__(self) -> None:
        if (self.target_mean is None) != (self.target_std is None):
            raise ValueError(
                f"target_mean is {self.target_mean} and target_std is {self.target_std}; expected both or neither"
            )


@final
class Currot(TaskTeacher):
    """Moves a cloud of tasks to a target, through tasks that the student can do (Klink et al. 2024, arXiv:2309.14091).

    Curriculum RL via constrained optimal transport lets each particle of the cloud go as near to its own share of
    the target as outcomes predicted there allow. A task is a random particle, up to a thousandth of the range.
    After every ``update_every`` answers:

    1. The best answers enter a buffer (``success_buffer``); from step 3 on, the last of the others
       are kept beside it, as many as there are particles. A kernel regression over both predicts outcomes.
    2. Until the particles' mean prediction has reached the threshold once, they are drawn anew near the best
       answers, the wider the worse those are. From then on:
    3. Particles with predictions below the threshold are put on draws near the buffer's tasks, assigned with least
       transport.
    4. Particles are assigned to fresh draws of the target with least transport. Each tries random points within
       ``reach``, or within the distance to its target if that is less, on the side that faces the target (on all
       sides if its prediction is below the threshold), and points on the straight way there. It goes to the one
       nearest its target whose prediction reaches the threshold, or else to the one of best prediction.

    A success is believed for as long as the buffer keeps it, so a student that forgets is noticed late.

    It follows the authors' code for the paper of 2024 (psclklnk/optimal-transport-curricula at 49eae59). Their code for
    the first paper (Klink et al. 2022, PMLR 162, psclklnk/currot) takes the square root of the reach given here, 0.266
    instead of 0.071 on the unit square, sends particles the way that lessens a sliced Wasserstein distance instead of
    each to its own target, and tries no points on that way.

    Differs from the code that it follows: predictions use all answers kept, also where the kernel is tiny (the nearest
    one decides there); a prediction equal to the threshold is enough; the buffer starts empty instead of with an
    invented task; noise that leads out of bounds is redrawn from the same task instead of accumulating; and the least
    outcome that scales the noise is the least of all answers. Distances are in raw task units as in theirs, so a
    parameter of wider range weighs more: ``normalise`` changes that.

    ``origin`` is ``"particle"``.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``CurrotSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, or a Gaussian has other dimensions.
    """

    Settings = CurrotSettings
    settings: CurrotSettings
    keeps = ("_particles", "_reached", "_buffer", "_rejected", "_answers")

    def __init__(self, spec: TeachingSpec, settings: CurrotSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, space = self.settings, self.task_space
        # Everything below is in units: shares of the range, or raw ones.
        self._unit = space.range if chosen.normalise else np.ones(space.dimensions)
        self._low, self._high = space.low / self._unit, space.high / self._unit
        self._reach = 0.05 * float(np.linalg.norm(self._high - self._low)) if chosen.reach is None else chosen.reach
        self._threshold = competent_outcome(spec) if chosen.threshold is None else chosen.threshold
        if chosen.target_mean is not None:
            check_numbers("target_mean", chosen.target_mean, count=space.dimensions)
            check_numbers("target_std", chosen.target_std, count=space.dimensions)
        self._particles = self._start()
        self._reached = False
        self._buffer = SuccessBuffer(
            chosen.particles, self._threshold, self._low, self._high, noise=SUCCESS_NOISE * self._reach
        )
        self._rejected = np.zeros((0, space.dimensions + 1))  # tasks, and outcomes in the last column
        self._answers: list[FloatArray] = []  # since the last update, likewise

    @classmethod
    def requirements(cls, settings: CurrotSettings) -> Requirements:
        """It needs to know what mastered means, unless a threshold is set."""
        found = super().requirements(settings)
        return found.needing(Needs.SUCCESS) if settings.threshold is None else found

    def _start(self) -> FloatArray:
        easy = self.spec.easy_tasks
        if easy is None or not self.settings.use_easy_tasks:
            return self.task_space.uniform(self.rng, self.settings.particles) / self._unit
        check_numbers("easy_tasks.mean", easy.mean, count=self.task_space.dimensions)
        check_numbers("easy_tasks.std", easy.std, count=self.task_space.dimensions)
        return self._gaussian(easy.mean, easy.std)

    def _draw_target(self) -> FloatArray:
        mean, std = self.settings.target_mean, self.settings.target_std
        if mean is None or std is None:
            return self.task_space.uniform(self.rng, self.settings.particles) / self._unit
        return self._gaussian(mean, std)

    def _gaussian(self, mean: tuple[float, ...], std: tuple[float, ...]) -> FloatArray:
        draws = self.rng.normal(mean, std, size=(self.settings.particles, self.task_space.dimensions))
        return np.clip(draws / self._unit, self._low, self._high)

    def _choose(self) -> tuple[FloatArray, str]:
        particle = self._particles[self.rng.integers(len(self._particles))] * self._unit
        return particle + self.task_space.range * self.rng.uniform(-JITTER, JITTER, len(particle)), "particle"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        self._answers.append(np.append(task / self._unit, outcome))
        if len(self._answers) == self.settings.update_every:
            with one_core():  # so that the result does not depend on the number of cores
                self._improve(np.array(self._answers))
            self._answers = []

    def _improve(self, answers: FloatArray) -> None:
        taken = self._buffer.add(answers[:, :-1], answers[:, -1], self._draw_target())
        if self._reached:
            self._rejected = np.concatenate([self._rejected, answers[~taken]])[-self.settings.particles :]
        self._reached = self._reached or bool(np.mean(self._predict(self._particles)) >= self._threshold)
        if self._reached:
            self._particles = self._move()
        elif not self.settings.wait_for_threshold:
            self._particles = self._buffer.resample(self.rng)

    def _predict(self, points: FloatArray) -> FloatArray:
        return kernel_regression(
            points,
            np.concatenate([self._buffer.tasks, self._rejected[:, :-1]]),
            np.concatenate([self._buffer.outcomes, self._rejected[:, -1]]),
            self.settings.bandwidth * self._reach,
        )

    def _move(self) -> FloatArray:
        """Where the particles go from here: ``(particles, n)``."""
        particles = self._particles.copy()
        able = self._predict(particles) >= self._threshold
        restarts = self._buffer.resample(self.rng)
        restarts = restarts[assign(particles, restarts)[1]][~able]
        if len(restarts):
            particles[~able] = restarts
            able[~able] = self._predict(restarts) >= self._threshold

        targets = self._draw_target()
        targets = targets[assign(particles, targets)[1]]
        ways = targets - particles
        tries = ball_candidates(
            particles,
            ways,
            np.minimum(self._reach, np.linalg.norm(ways, axis=1)),
            able,
            self.rng,
            count=self.settings.candidates,
            on_line=self.settings.line_candidates,
        )
        tries = np.clip(tries, self._low, self._high)
        count, each, dimensions = tries.shape
        predictions = self._predict(tries.reshape(-1, dimensions)).reshape(count, each)
        distances = np.linalg.norm(tries - targets[:, None, :], axis=2)
        allowed = predictions >= self._threshold
        nearest = np.argmin(np.where(allowed, distances, np.inf), axis=1)
        best = np.where(np.any(allowed, axis=1), nearest, np.argmax(predictions, axis=1))
        return np.array(tries[np.arange(count), best])
