"""GoalGAN: a generative adversarial network that proposes tasks of intermediate difficulty."""

import itertools
from typing import final

import numpy as np
import torch
from torch import nn

from teachgym.agents.base.repeated_tasks import RepeatedTasks
from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.base.torch_networks import (
    deciding,
    descend,
    learning,
    numbers,
    tensor,
)
from teachgym.base.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note


@checked_dataclass
class GoalGanSettings:
    """Settings of ``GoalGan``; the defaults are those of the authors' code as TeachMyAgent runs it.

    Raises:
        ValueError: If a value is not allowed.
    """

    rollouts: PositiveInt = 2
    """Times that a generated task is offered in a row before it is labelled."""
    success_min: Share = 0.25
    """Least share of successes of a task of intermediate difficulty, inclusive."""
    success_max: Share = 0.75
    """Greatest share of successes of such a task, inclusive; what is above counts as mastered."""
    train_every: PositiveInt = 100
    """Labelled tasks between two trainings of the networks, which forget them afterwards."""
    replay_share: Share = 0.2
    """Share of draws from the tasks mastered so far instead of the generator; each is offered once, unlabelled."""
    noise: NonNegativeFloat = 0.01
    """Standard deviation of the noise added to every new task, as a share of each range; TeachMyAgent's tuned: 0.1."""
    min_distance: NonNegativeFloat = 0.01
    """Distance from all mastered tasks above which one more is kept, as a share of the diagonal of the box."""
    max_mastered: PositiveInt = 10_000
    """Mastered tasks that are kept at most, so that a decision's cost is bounded; the oldest go first."""
    pretrain: bool = True
    """Whether to train the networks on the environment's easy tasks first, where it says which are easy."""
    pretrain_tasks: PositiveInt = 1000
    """Easy tasks drawn for that."""
    pretrain_iterations: NonNegativeInt = 500
    """Iterations of that."""
    iterations: PositiveInt = 250
    """Iterations of one training: each a step of the discriminator and a step of the generator."""
    batch_size: PositiveInt = 64
    """Labelled tasks, and as many generated ones, in one iteration."""
    learning_rate: PositiveFloat = 1e-3
    """Step size of RMSProp, for both networks."""
    generator_hidden: tuple[PositiveInt, ...] = (256, 256)
    """Widths of the generator's hidden layers."""
    discriminator_hidden: tuple[PositiveInt, ...] = (128, 128)
    """Widths of the discriminator's hidden layers."""
    reach: PositiveFloat = 2.0
    """How far the generator's outputs reach from the centre of the box, in half ranges; what is outside is clipped.

    With the 2 of the authors' code it need not saturate to reach the bounds; with 1 it can't leave them."""

    def __post_init__(self) -> None:
        if self.success_min > self.success_max:
            raise ValueError(
                f"success_min is {self.success_min}; expected no more than success_max, {self.success_max}"
            )


@final
class GoalGan(TaskTeacher):
    """Generates tasks on which the student succeeds sometimes, with an adversarial network (Florensa et al. 2018).

    A generator learns to make tasks that a discriminator takes for those of intermediate difficulty, neither always
    mastered nor never (arXiv:1705.06366). Each generated task is offered ``rollouts`` times in a row and labelled by
    whether its share of successes lies within bounds. Once ``train_every`` tasks are labelled, both networks are
    trained on them with the least-squares losses of LSGAN, unless none has the right difficulty, and start collecting
    anew. A share of draws are mastered tasks instead, against forgetting. Noise is added to every new task. Where the
    environment says which tasks are easy, the networks are first trained on those, before the first decision; otherwise
    the first tasks are those of a random network.

    Differs from the authors' code: answers may come out of order, and a task is labelled when all of its answers are
    there, in the order in which that happens; a mean share of successes is of the task's own answers, even if two
    equal tasks are generated; PyTorch's RMSProp starts its running mean of squared gradients at 0 instead of 1; the
    mastered tasks are at most ``max_mastered``.

    ``origin`` is ``"generator"`` or ``"replay"``.

    Args:
        spec: The environment's fixed facts, with what counts as a success.
        settings: A ``GoalGanSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = GoalGanSettings
    settings: GoalGanSettings
    needs = Needs.SUCCESS

    keeps = (
        "_generator",
        "_discriminator",
        "_generator_optimiser",
        "_discriminator_optimiser",
        "_pretrained",
        "_offers",
        "_tasks",
        "_labels",
        "_mastered",
    )

    def __init__(self, spec: TeachingSpec, settings: GoalGanSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, n = self.settings, self.task_space.dimensions
        self._centre = (self.task_space.low + self.task_space.high) / 2
        self._unit = chosen.reach * self.task_space.range / 2
        with learning(self.rng):
            self._generator = nn.Sequential(*_layers((n, *chosen.generator_hidden, n), nn.ReLU()), nn.Tanh())
            self._discriminator = nn.Sequential(*_layers((n, *chosen.discriminator_hidden, 1), nn.LeakyReLU(0.2)))
        self._generator_optimiser, self._discriminator_optimiser = (
            torch.optim.RMSprop(network.parameters(), lr=chosen.learning_rate, alpha=0.9, eps=1e-10)
            for network in (self._generator, self._discriminator)
        )
        self._pretrained = not (chosen.pretrain and spec.easy_tasks is not None)
        self._offers = RepeatedTasks(chosen.rollouts)
        self._tasks: list[FloatArray] = []
        self._labels: list[bool] = []
        self._mastered = np.empty((0, n))

    def _choose(self) -> Choice:
        if not self._pretrained:
            self._pretrain()
        again = self._offers.again()
        if again is not None:
            task, number = again
            return Choice(task, "generator", number)
        if self.rng.random() < self.settings.replay_share and len(self._mastered) > 0:
            return Choice(self._noisy(self._mastered[self.rng.integers(len(self._mastered))]), "replay")
        task = self._noisy(self.generate(1)[0])
        return Choice(task, "generator", self._offers.begin(task))

    def generate(self, count: int) -> FloatArray:
        """Draw ``(count, n)`` tasks from the generator as it is, without noise. They are not offered."""
        latents = tensor(self.rng.standard_normal((count, self.task_space.dimensions)))
        with deciding():
            made = numbers(self._generator(latents))
        return self._within(self._centre + made * self._unit)

    def _within(self, tasks: FloatArray) -> FloatArray:
        return np.clip(tasks, self.task_space.low, self.task_space.high)

    def _noisy(self, task: FloatArray) -> FloatArray:
        noise = self.rng.standard_normal(len(task)) * self.settings.noise * self.task_space.range
        return self._within(task + noise)

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        if note is None or note.memo is None:
            return
        judged = self._offers.answer(note.memo, np.array([feedback.success]))
        if judged is None:
            return
        share = float(np.mean(judged.results))
        self._tasks.append(task)
        self._labels.append(self.settings.success_min <= share <= self.settings.success_max)
        if share > self.settings.success_max:
            self._remember(task)
        if len(self._tasks) == self.settings.train_every:
            if any(self._labels):
                self._train(np.array(self._tasks), np.array(self._labels), self.settings.iterations)
            self._tasks, self._labels = [], []

    def _remember(self, task: FloatArray) -> None:
        apart = self.settings.min_distance * np.linalg.norm(self.task_space.range)
        if len(self._mastered) == 0 or np.min(np.linalg.norm(self._mastered - task, axis=1)) > apart:
            self._mastered = np.vstack([self._mastered[-self.settings.max_mastered + 1 :], task])

    def _pretrain(self) -> None:
        easy, count = self.spec.easy_tasks, self.settings.pretrain_tasks
        assert easy is not None
        tasks = self._within(self.rng.normal(easy.mean, easy.std, size=(count, self.task_space.dimensions)))
        self._train(tasks, np.ones(count, dtype=np.bool_), self.settings.pretrain_iterations)
        self._pretrained = True

    def _train(self, tasks: FloatArray, labels: np.ndarray[tuple[int], np.dtype[np.bool_]], iterations: int) -> None:
        """Train both networks on tasks ``(m, n)`` and labels ``(m,)``, batch after batch in their order."""
        size = self.settings.batch_size
        batch = min(size, len(tasks))
        with learning(self.rng):
            known = tensor((tasks - self._centre) / self._unit)
            targets = tensor(2.0 * labels - 1.0)
            generated = -torch.ones(size)
            for iteration in range(iterations):
                rows = torch.arange(iteration * batch, (iteration + 1) * batch) % len(tasks)
                latents = torch.randn(size, self.task_space.dimensions)
                made = self._generator(latents)
                verdicts = self._discriminator(torch.cat([known[rows], made.detach()]))[:, 0]
                taken_for = torch.mean((torch.cat([targets[rows], generated]) - verdicts) ** 2)
                descend(taken_for, self._discriminator, self._discriminator_optimiser)
                descend(torch.mean((self._discriminator(made) - 1) ** 2), self._generator, self._generator_optimiser)


def _layers(widths: tuple[int, ...], activation: nn.Module) -> list[nn.Module]:
    """Linear layers with Xavier's initial weights and no bias at first, and activations between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        linear = nn.Linear(inputs, outputs)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, activation]
    return layers[:-1]
