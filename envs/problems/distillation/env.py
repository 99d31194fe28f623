"""How much to learn from which teacher: weights and temperatures of distillation."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, final

import numpy as np
from numpy.typing import ArrayLike

from teachgym.base.ranges import PositiveInt
from teachgym.base.setting_checks import check_share
from teachgym.base.settings import checked_arguments
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.envs.problems.control_rules import Always, ControlRule
from teachgym.envs.problems.distillation.distilled_student import DistillationSetup, DistilledStudent, Objective
from teachgym.envs.problems.distillation.triangle_student import TRIANGLE, TRUE_COEFFICIENTS, TriangleStudent

ProblemKind = Literal["robust", "noisy", "order"]
_TEACHERS: Mapping[str, tuple[str, ...]] = {
    "robust": ("clean", "robust"),
    "noisy": ("early",),
    "order": ("weak", "strong"),
}
COSTS = {"strong": 1.0}
"""Of asking a teacher about all the data, epoch after epoch; the others are free."""
BEST_ROBUST = {
    "weight_of_clean": 0.94,
    "weight_of_robust": 0.83,
    "weight_of_labels": 0.23,
    "temperature_of_clean": 8.8,
    "temperature_of_robust": 3.9,
}
"""Of 64 points of a Sobol sequence over 5 seeds, as the others here: ``python -m tests.benchmarks.best_constants``."""
BEST_NOISY = {"weight_of_early": 0.58, "weight_of_labels": 0.39, "temperature_of_early": 9.5}
BEST_ORDER = {"weight_of_strong": 1.0}
BEST_TRIANGLE = (-9.8, -10.6, -1.1, 7.5, -11.5, 13.3)
BATCHES = 18
"""Batches of an epoch, in each of which the source updates its weights."""
WEIGHT_RATE, PAPER_TEMPERATURE_RATE, RESCALED_TEMPERATURE_RATE = 0.025, 0.001, 0.02
SLOPE_RATE = 1.0
"""Ours: by how much the coefficients of a triangle move against the slope of the validation loss, each epoch."""
PRICE_OF_ORDER = 0.1
_OFF = 10.0
"""Coefficient that leaves nothing to the label, or to the teacher."""


@final
class DistillationEnv(ControlEnv):
    """Weigh one or several teachers against each other and against labels, epoch by epoch.

    ## In Short
    - Decision: weights and temperatures of teachers, for an epoch.
    - Student: a perceptron that reads digits.
    - Reward: the gain in accuracy, or in its mean with that under attack, minus the price of teachers.
    - Truth: limits of single teachers; by sample, a policy that knows who is right.
    - Episode: 0.2 to 0.7 seconds, and once in a process a second for the teachers.

    ## Description
    A student with 24 hidden units learns handwritten digits from the outputs of teachers with 128, which have been
    trained before, and from labels. The loss is the mean of the teachers' and the labels' losses, weighted by the
    controls' shares; only the teachers' outputs are softened. ``problem`` says what is at stake:

    ``"robust"``, after MTARD (Zhao et al. 2022, arXiv:2306.16170): a clean and a robust teacher; the robust one teaches
    on images that are attacked within 0.15 by 5 steps of projected gradient ascent.

    ``"noisy"``, after TGeo-KD (Hu et al. 2024, arXiv:2312.15112): 30 % of the labels are wrong, and the teacher has
    seen 150 examples. With ``weights="sample"`` every example has a weight of its own, by the triangle of student,
    teacher and label.

    ``"order"``, after Orca (Mukherjee et al. 2023, arXiv:2306.02707): a weak teacher and a strong one, who has a price.

    ``random_teacher=True`` adds one that was never trained (Sarnthein et al. 2023, arXiv:2302.12091), as a control. It
    knows nothing of digits; beside wrong labels its answers, which are almost uniform, do no harm, as they smooth them.

    ## Action Space
    A weight from 0 to 1 for each teacher and, but for ``"order"``, the labels (``weight_of_...``), of which only the
    shares matter; with all at 0, nothing is learnt. Then a temperature from 1 to 10 for each teacher. With
    ``weights="sample"`` the coefficients, from -20 to 20, of what an example's share of the teacher depends on
    (``coefficient_of_...``): a constant, and the distances between the answers of the student and the teacher, the
    label, and the teacher's mean answer to that label.

    ## Observation Space
    ``progress``, the last controls, the losses of the last epoch relative to the first (``loss_of_...``), the mean
    entropies of the teachers' softened answers as shares of the greatest (``entropy_of_...``), ``accuracy`` and
    ``robust_accuracy`` on 200 validation images. With ``weights="sample"``: ``accuracy``, ``loss``, the mean share of
    the teacher where it agrees with the label and where not, and the slopes of the validation loss, one training step
    ahead, by each coefficient.

    ## Rewards
    The gain in accuracy on 500 test images, or (``"robust"``) in the mean of the accuracies without and with an attack
    of 10 steps; less the price of the teachers that were asked, of which only ``strong`` has one.

    ## Starting State
    A fresh student. Teachers and images are the same in every episode; the wrong labels are not.

    ## Episode Termination
    After ``budget`` epochs.

    ## Truth
    A share of 1 for the labels is plain training, one of 1 for a teacher plain distillation. More weight on the robust
    teacher trades accuracy for robustness, and the best mean lies between. With ``weights="sample"`` there is an
    oracle: trust the teacher where only the teacher is right, the label where only the label is, and both alike
    elsewhere; it is shown as one more coefficient. It is what a weight of each example could be if one knew who is
    right, though nothing proves it optimal.

    ## Reference Policies
    ``none`` learns from labels only (``"order"``: nothing), ``constant`` is the best constant. ``"robust"``: ``paper``
    balances losses and entropies as MTARD does; ``rescaled`` moves the temperatures 20 times as fast, for 540 batches
    instead of 100,000; ``weights-only`` leaves them at 1, as the first version did. ``"noisy"``: ``teacher`` learns
    from the teacher only; by sample, ``alike`` from teacher and labels alike, and ``paper`` follows the slopes, a
    one-step-unrolled solver of the source's bilevel problem, as it does not say which it uses. ``"order"``: ``paper``
    has the weak teacher for the first half and the strong one then; ``strong``, ``weak``, ``mixed``,
    ``strong-then-weak``, and ``late-strong``, which learns nothing in the first half, are controls.

    Measured here: MTARD's balance is as good as equal weights at temperature 1, 2 points below the best constant, which
    softens both teachers much and adds some labels. TGeo's rule is no better than weighing both alike, though there are
    coefficients that are (0.941 against 0.934, 10 seeds). As much of the strong teacher as in the source's order does
    almost as well alone (within a point): the weak teacher's lessons add little, and the strong teacher from the
    beginning is best unless it is dear.

    ## Arguments
    ``problem="robust"``, ``budget=30``, ``weights="shared"`` or ``"sample"`` (with ``"noisy"``), ``label_noise=None``
    (0.3 with ``"noisy"``, else 0), ``random_teacher=False``, ``objective="distillation"``, ``"label-assisted"`` (LAD: a
    noisy label is mixed into what a teacher says) or ``"relations"`` (adds MiniLM's value relations of the hidden
    layers), ``price=None`` (0.1 with ``"order"``, else 0), and ``probes``, ``truth`` and ``reward`` of
    ``ControlEnv``.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(
        self,
        *,
        problem: ProblemKind = "robust",
        budget: PositiveInt = 30,
        weights: Literal["shared", "sample"] = "shared",
        label_noise: float | None = None,
        random_teacher: bool = False,
        objective: Objective = "distillation",
        price: float | None = None,
        truth: bool = False,
        **schedule: Any,
    ) -> None:
        noise = (0.3 if problem == "noisy" else 0.0) if label_noise is None else label_noise
        check_share("label_noise", noise)
        default_price = PRICE_OF_ORDER if problem == "order" else 0.0
        shared: dict[str, Any] = {"budget": budget, "truth": truth, "score_range": (0.0, 1.0)}
        shared["price"] = default_price if price is None else price
        if weights == "sample":
            if problem != "noisy" or random_teacher or objective != "distillation":
                raise ValueError("weights is 'sample'; expected problem='noisy', with its one teacher and distillation")
            controls, seen = _sample_spaces(truth)
            super().__init__(
                controls,
                seen,
                partial(_triangle_student, noise, truth),
                rules=_sample_rules(truth),
                has_best=True,
                **shared,
                **schedule,
            )
            return
        teachers = (*_TEACHERS[problem], *(("random",) if random_teacher else ()))
        costs = tuple(COSTS.get(name, 0.0) for name in teachers)
        curriculum = DistillationSetup(teachers, costs, problem != "order", problem == "robust", noise, budget)
        controls, seen = _spaces(curriculum)
        super().__init__(
            controls,
            seen,
            partial(DistilledStudent, curriculum, objective),
            rules={name: partial(_by_name, controls, rule) for name, rule in _RULES[problem].items()},
            **shared,
            **schedule,
        )


def _triangle_student(label_noise: float, knows: bool, seeds: Seeds) -> TriangleStudent:
    return TriangleStudent("early", label_noise=label_noise, knows=knows, seeds=seeds)


def _spaces(curriculum: DistillationSetup) -> tuple[TaskSpace, TaskSpace]:
    weights = [Parameter(f"weight_of_{name}", 0.0, 1.0) for name in curriculum.sources]
    temperatures = [Parameter(f"temperature_of_{name}", 1.0, 10.0) for name in curriculum.teachers]
    losses = [Parameter(f"loss_of_{name}", 0.0, 3.0) for name in curriculum.sources]
    entropies = [Parameter(f"entropy_of_{name}", 0.0, 1.0) for name in curriculum.teachers]
    accuracies = [Parameter(name, 0.0, 1.0) for name in ("accuracy", "robust_accuracy")]
    return TaskSpace([*weights, *temperatures]), TaskSpace([*losses, *entropies, *accuracies])


def _sample_spaces(truth: bool) -> tuple[TaskSpace, TaskSpace]:
    names = (*TRIANGLE, *((TRUE_COEFFICIENTS,) if truth else ()))
    controls = [Parameter(f"coefficient_of_{name}", -20.0, 20.0) for name in names]
    shares = [Parameter(name, 0.0, 1.0) for name in ("accuracy", "alpha_where_agreed", "alpha_where_not")]
    slopes = [Parameter(f"slope_of_{name}", -1.0, 1.0) for name in names]
    return TaskSpace(controls), TaskSpace([*shares, Parameter("loss", 0.0, 10.0), *slopes])


_Named = Mapping[str, float]
_NamedRule = Callable[[_Named], _Named]


def _by_name(controls: TaskSpace, rule: _NamedRule, seen: _Named) -> ArrayLike:
    """Controls from those that a rule names: other weights are 0, and other temperatures 1."""
    lowest = dict(zip(controls.names, controls.low.tolist(), strict=True))
    return list({**lowest, **rule(seen)}.values())


def _balanced(temperature_rate: float, seen: _Named) -> _Named:
    """MTARD's two balances, as far as they move in the batches of an epoch."""
    fresh = seen["progress"] == 0
    before = 0.5 if fresh else seen["last_weight_of_clean"]
    clean, robust = seen["loss_of_clean"], seen["loss_of_robust"]
    wanted = clean / max(clean + robust, 1e-9)
    weight = wanted + (before - wanted) * (1 - WEIGHT_RATE) ** BATCHES
    warmer = temperature_rate * BATCHES * np.sign(seen["entropy_of_robust"] - seen["entropy_of_clean"])
    last = [max(seen[f"last_temperature_of_{name}"], 1.0) for name in ("clean", "robust")]
    return {
        "weight_of_clean": weight,
        "weight_of_robust": 1 - weight,
        "temperature_of_clean": float(np.clip(last[0] + warmer, 1, 10)),
        "temperature_of_robust": float(np.clip(last[1] - warmer, 1, 10)),
    }


def _only(**weights: float) -> Always:
    return Always({f"weight_of_{name}": weight for name, weight in weights.items()})


def _halves(first: _Named, second: _Named, seen: _Named) -> _Named:
    return first if seen["progress"] < 0.5 else second


_WEAK, _STRONG = {"weight_of_weak": 1.0}, {"weight_of_strong": 1.0}
_RULES: Mapping[str, Mapping[str, _NamedRule]] = {
    "robust": {
        "none": _only(labels=1.0),
        "constant": Always(BEST_ROBUST),
        "paper": partial(_balanced, PAPER_TEMPERATURE_RATE),
        "rescaled": partial(_balanced, RESCALED_TEMPERATURE_RATE),
        "weights-only": partial(_balanced, 0.0),
        "clean": _only(clean=1.0),
        "robust": _only(robust=1.0),
    },
    "noisy": {
        "none": _only(labels=1.0),
        "constant": Always(BEST_NOISY),
        "teacher": _only(early=1.0),
    },
    "order": {
        "none": _only(),
        "constant": Always(BEST_ORDER),
        "paper": partial(_halves, _WEAK, _STRONG),
        "strong": _only(strong=1.0),
        "weak": _only(weak=1.0),
        "mixed": _only(weak=1.0, strong=1.0),
        "strong-then-weak": partial(_halves, _STRONG, _WEAK),
        "late-strong": partial(_halves, {}, _STRONG),
    },
}


def _sample_rules(truth: bool) -> dict[str, ControlRule]:
    names = (*TRIANGLE, *((TRUE_COEFFICIENTS,) if truth else ()))

    def always(*coefficients: float) -> Always:
        return Always([*coefficients, *([0.0] * (len(names) - len(coefficients)))])

    return {
        "none": always(-_OFF),
        "constant": always(*BEST_TRIANGLE),
        "alike": always(0.0),
        "paper": partial(_follow, names),
        "teacher": always(_OFF),
    }


def _follow(names: tuple[str, ...], seen: _Named) -> ArrayLike:
    return [seen[f"last_coefficient_of_{name}"] - SLOPE_RATE * seen[f"slope_of_{name}"] for name in names]
