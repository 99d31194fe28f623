"""Setter-Solver: a flow that makes tasks of any feasibility asked for, and a judge of feasibility."""

import itertools
from typing import final

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.base.torch_networks import (
    deciding,
    descend,
    learning,
    numbers,
    tensor,
)
from teachgym.agents.shaping.real_nvp import RealNvp, linear
from teachgym.base.ranges import NonNegativeInt, PositiveFloat, PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note

LEAST_FEASIBILITY = 1e-8
NOISY_EDGE = 1e-4
"""Mastered tasks with noise are kept this far inside the unit cube, as in the authors' code."""
EDGE = 1e-6
"""Tasks are kept this far inside the unit cube where their latents are asked for; at its surface they are infinite."""


@checked_dataclass
class SetterSolverSettings:
    """Settings of ``SetterSolver``; the defaults are those that TeachMyAgent's class has.

    Raises:
        ValueError: If a value is not allowed.
    """

    train_every: PositiveInt = 100
    """Outcomes between two trainings, which forget them afterwards; TeachMyAgent's tuned: 50."""
    steps: PositiveInt = 1
    """Steps of each network in one training, each on all outcomes; the source takes one."""
    learning_rate: PositiveFloat = 3e-4
    """Step size of Adam, for both networks."""
    noise: Share = 0.01
    """Greatest of the uniform noise added to mastered tasks, as a share of each range; TeachMyAgent's tuned: 0.1."""
    blocks: PositiveInt = 3
    """Blocks of the setter's flow, of three couplings each."""
    depth: NonNegativeInt = 3
    """Gated layers in each network of a coupling."""
    hidden: PositiveInt = 128
    """Width of those layers; TeachMyAgent's tuned: 64."""
    judge_hidden: tuple[PositiveInt, ...] = (64, 64)
    """Widths of the judge's hidden layers. TeachMyAgent's code asks for three of 64, and builds two."""


@final
class SetterSolver(TaskTeacher):
    """Generates tasks of a random feasibility, with a normalising flow (Racaniere et al. 2020, arXiv:1909.12892).

    The setter, a normalising flow, turns noise and a wanted feasibility into a task; a judge learns how likely the
    student is to succeed at a task. For each decision a feasibility is drawn uniformly from 0 to 1. After every
    ``train_every`` answers the judge takes a step towards the successes (cross-entropy), and the setter a step down
    the sum of three losses: that the judge finds its tasks as feasible as was wanted (squared difference of log odds),
    that it gives mastered tasks a high density (validity), and that it gives its own tasks a low one (coverage).

    Differs from TeachMyAgent's code: without a single success among the answers the validity is left out, instead of
    the mean of nothing; answers may come out of order, and count in the order in which they come; a task is kept 1e-6
    inside the bounds, as a share of the range, where its latents are inferred, so that one on the bounds does no
    harm. An answer to an unknown decision is ignored, because the feasibility that was wanted is not known.

    With one step of 3e-4 in 100 answers, as in the source, learning takes many thousands of answers: raise ``steps``
    for short runs.

    ``origin`` is ``"feasibility 0.73"``, the one that was wanted.

    Args:
        spec: The environment's fixed facts, with what counts as a success.
        settings: A ``SetterSolverSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = SetterSolverSettings
    settings: SetterSolverSettings
    needs = Needs.SUCCESS

    keeps = ("_setter", "_judge", "_setter_optimiser", "_judge_optimiser", "_answers")

    def __init__(self, spec: TeachingSpec, settings: SetterSolverSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, n = self.settings, self.task_space.dimensions
        with learning(self.rng):
            self._setter = RealNvp(n, blocks=chosen.blocks, depth=chosen.depth, hidden=chosen.hidden)
            widths = (n, *chosen.judge_hidden, 1)
            layers = [
                layer
                for inputs, outputs in itertools.pairwise(widths)
                for layer in (linear(inputs, outputs), nn.ReLU())
            ]
            self._judge = nn.Sequential(*layers[:-1])
        self._setter_optimiser = torch.optim.Adam(self._setter.parameters(), lr=chosen.learning_rate)
        self._judge_optimiser = torch.optim.Adam(self._judge.parameters(), lr=chosen.learning_rate)
        self._answers: list[FloatArray] = []  # [task in [0, 1], wanted feasibility, success] since the last training

    def _choose(self) -> Choice:
        feasibility = self.rng.uniform(LEAST_FEASIBILITY, 1.0)
        return Choice(self.generate(np.array([feasibility]))[0], f"feasibility {feasibility:.2f}", feasibility)

    def generate(self, feasibilities: FloatArray) -> FloatArray:
        """Draw ``(m, n)`` tasks of feasibilities ``(m,)`` from the setter as it is. They are not offered."""
        latents = self.rng.standard_normal((len(feasibilities), self.task_space.dimensions))
        with deciding():
            made, _ = self._setter(_double(latents), _double(feasibilities[:, None]))
            return self.task_space.denormalise(numbers(made))

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        if note is None:
            return
        unit = np.clip(self.task_space.normalise(task), EDGE, 1 - EDGE)
        self._answers.append(np.array([*unit, note.memo, feedback.success]))
        if len(self._answers) == self.settings.train_every:
            self._train(np.array(self._answers))
            self._answers = []

    def _train(self, answers: FloatArray) -> None:
        with learning(self.rng):
            goals, wanted, successes = _double(answers[:, :-2]), _double(answers[:, -2:-1]), _double(answers[:, -1:])
            for _ in range(self.settings.steps):
                descend(
                    binary_cross_entropy_with_logits(self._judge(goals), successes), self._judge, self._judge_optimiser
                )
                descend(self._setter_loss(goals, wanted, successes[:, 0] > 0), self._setter, self._setter_optimiser)

    def _setter_loss(self, goals: torch.Tensor, wanted: torch.Tensor, mastered: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            latents, _ = self._setter.inverse(goals, wanted)
        made, log_density = self._setter(latents, wanted)
        loss = torch.mean((self._judge(made) - torch.logit(wanted)) ** 2) + torch.mean(log_density)
        if mastered.any():
            known = goals[mastered]
            noisy = torch.clamp(known + self.settings.noise * torch.rand_like(known), NOISY_EDGE, 1 - NOISY_EDGE)
            loss = loss - torch.mean(self._setter.inverse(noisy, wanted[mastered])[1])
        return loss


def _double(values: FloatArray) -> torch.Tensor:
    return tensor(values, torch.float64)
