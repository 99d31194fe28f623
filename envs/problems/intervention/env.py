"""To explain or not to explain: a teacher that may interrupt its student only so often."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, final

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from teachgym.base.ranges import Share
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.requirements import OnDemand
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.envs.problems.control_rules import Always, ControlRule
from teachgym.envs.problems.controlled_student import ControlledStudent
from teachgym.envs.problems.intervention.explanations import ITEMS, Explainer, InterventionData, Reader

ActionKind = Literal["weights", "scores", "each"]
FEATURES = ("alone", "explained", "student_sure", "teacher_sure")
"""What is known of an item: the two mental models (probability of a right answer alone and after an explanation), and
the confidence of the student and of the teacher in their own answers."""
_BEST_CONSTANT = (0.0, 0.0, -1.0, 0.0, 0.2)
"""Of weights on a grid of 625 (-1, -0.5, ..., 1 each), 10 seeds, with a budget of 0.2."""
_MOST_SCORED = 200
_ROUNDING = 1e-4
"""Shares are shown in single precision."""


class ExplainedStudent(ControlledStudent):
    """A student that answers items, some of them after an explanation.

    Args:
        data: Who and what it is about.
        student_reads: Whether the student learns from what was explained, with the teacher's labels.
        action: What the controls are, as in ``InterventionEnv``.
        items: Items of a round.
        rounds: Rounds of the episode.
        explained: Explanations that may be given.
        knows: Whether the mental models are replaced by the truth.
    """

    has_best = True

    def __init__(
        self,
        data: InterventionData,
        *,
        student_reads: bool,
        action: ActionKind,
        items: int,
        rounds: int,
        explained: int,
        knows: bool,
    ) -> None:
        self._data, self._action, self._reads, self._knows = data, action, student_reads, knows
        self._size, self._rounds, self._left = items, rounds, explained
        self._share = explained / (items * rounds)
        self._read, self._known = data.read
        self._round = self._right = 0
        self._prepare()

    def learn(self, controls: FloatArray) -> float:
        """Answer the items of a round, and return how many were explained, as a share of all items."""
        shown = self._now()
        told = self._explained(controls, self._features[:, shown], self._size)[: self._left]
        self._left -= len(told)
        right = self._alone[shown].copy()
        right[told] = self._told[shown][told]
        self._right += int(right.sum())
        self._round += 1
        if self._reads and len(told):
            taught = np.arange(ITEMS)[shown][told]
            self._read = np.concatenate([self._read, self._data.items[0][taught]])
            self._known = np.concatenate([self._known, self._data.teacher_labels[taught]])
            self._prepare()
        return len(told) / (self._size * self._rounds)

    def score(self) -> float:
        """Right answers so far, as a share of all items of the episode."""
        return self._right / (self._size * self._rounds)

    def seen(self) -> Mapping[str, float]:
        """The items that come next."""
        left = self._rounds - self._round
        shares = {"budget_left": self._left / (self._size * self._rounds), "budget_share": self._share}
        features = self._features[:, self._now()] if left else np.zeros((len(FEATURES), self._size))
        if self._action == "scores":
            numbered = {
                f"{name}_{i}": x for name, row in zip(FEATURES, features, strict=True) for i, x in enumerate(row)
            }
            return {**shares, **numbered}
        named = {name: float(row.mean()) for name, row in zip(FEATURES, features, strict=True)}
        if self._action == "weights":
            useful = features[1] > features[0]
            return {**shares, **named, "useful": float(useful.mean())}
        return {**shares, **named, "rank": self._rank(float(features[1, 0] - features[0, 0]))}

    def best(self) -> FloatArray:
        """Explain what puts the student right, as long as explanations are left."""
        if self._round >= self._rounds:
            return np.zeros({"weights": len(FEATURES) + 1, "scores": self._size, "each": 1}[self._action])
        gains = self._told[self._now()] & ~self._alone[self._now()]
        if self._action == "weights":
            return np.array([-1.0, 1.0, 0.0, 0.0, gains.mean()])
        return gains.astype(np.float64)

    def truth(self) -> dict[str, Any]:
        """Which of all items an explanation puts right (1), makes wrong (-1) or leaves (0)."""
        return {"gains": self._told.astype(np.int64) - self._alone.astype(np.int64)}

    def _now(self) -> slice:
        return slice(self._round * self._size, (self._round + 1) * self._size)

    def _prepare(self) -> None:
        """Work out what the student would say to every item and probe."""
        student, data = Reader(self._read, self._known), self._data
        of_probes, of_items = (student.log_probabilities(one) for one in (data.probes[0], data.items[0]))
        self._alone, self._told = (data.answers(of_items, of_probes=False, explained=told) for told in (False, True))
        minds = [data.mental_model(data.answers(of_probes, of_probes=True, explained=told)) for told in (False, True)]
        if self._knows:
            minds = [self._alone.astype(np.float64), self._told.astype(np.float64)]
        self._features = np.array([*minds, np.exp(of_items).max(axis=1), data.teacher_confidence])

    def _explained(self, controls: FloatArray, features: FloatArray, size: int) -> NDArray[np.int64]:
        """Numbers of the items to explain, the most wanted first."""
        if self._action == "weights":
            wanted = controls[:-1] @ features
            return np.argsort(-wanted, kind="stable")[: int(controls[-1] * size + _ROUNDING)]
        order = np.argsort(-controls, kind="stable")
        least = 0.5 if self._action == "each" else 1e-9
        return order[controls[order] >= least]

    def _rank(self, useful: float) -> float:
        """Share of the items of the episode that look less useful; of those that look the same, half."""
        utility = self._features[1] - self._features[0]
        return float(np.mean(utility < useful) + np.mean(utility == useful) / 2)


def _weighing(weights: tuple[float, ...], seen: Mapping[str, float]) -> ArrayLike:
    """Explain the share of each round that the budget allows, by a weighted sum of the features."""
    return [*weights, seen["budget_share"]]


def _scoring(size: int, weights: tuple[float, ...], seen: Mapping[str, float]) -> ArrayLike:
    """The same for scores: those within the budget's share, from 1 down, and 0 for the others."""
    features = np.array([[seen[f"{name}_{i}"] for i in range(size)] for name in FEATURES])
    chosen = np.zeros(size)
    order = np.argsort(-np.array(weights) @ features, kind="stable")[: int(seen["budget_share"] * size + _ROUNDING)]
    chosen[order] = 1 - np.arange(len(order)) / (2 * size)
    return chosen


_WEIGHTS = {
    "paper": (-1.0, 1.0, 0.0, 0.0),
    "least-able": (-1.0, 0.0, 0.0, 0.0),
    "most-helped": (0.0, 1.0, 0.0, 0.0),
    "least-sure": (0.0, 0.0, -1.0, 0.0),
    "teacher-sure": (0.0, 0.0, 0.0, 1.0),
    "deceive": (1.0, -1.0, 0.0, 0.0),
    "unguided": (0.0, 0.0, 0.0, 0.0),
}


def _rules(action: ActionKind, size: int) -> dict[str, ControlRule]:
    if action == "weights":
        nothing = (0.0,) * (len(FEATURES) + 1)
        found: dict[str, ControlRule] = {name: partial(_weighing, weights) for name, weights in _WEIGHTS.items()}
        return {**found, "none": Always(nothing), "constant": Always(_BEST_CONSTANT)}
    if action == "scores":
        found = {name: partial(_scoring, size, weights) for name, weights in _WEIGHTS.items()}
        return {**found, "none": Always(np.zeros(size)), "constant": Always(np.ones(size))}
    return {"none": Always(0.0), "constant": Always(1.0), "paper": _most_useful}


def _most_useful(seen: Mapping[str, float]) -> float:
    """Explain what is among the most useful, as many as the budget has left for the items that are left."""
    return float(seen["rank"] >= 1 - seen["budget_left"] / max(1 - seen["progress"], 1e-9))


def _spaces(action: ActionKind, size: int) -> tuple[TaskSpace, TaskSpace]:
    shares = [Parameter("budget_left", 0.0, 1.0), Parameter("budget_share", 0.0, 1.0)]
    if action == "scores":
        numbered = [Parameter(f"{name}_{i}", 0.0, 1.0) for name in FEATURES for i in range(size)]
        return TaskSpace([Parameter(f"item_{i}", 0.0, 1.0) for i in range(size)]), TaskSpace([*shares, *numbered])
    named = [Parameter(name, 0.0, 1.0) for name in FEATURES]
    if action == "weights":
        weights = [Parameter(f"weight_of_{name}", -1.0, 1.0) for name in FEATURES]
        useful = Parameter("useful", 0.0, 1.0)
        return TaskSpace([*weights, Parameter("share", 0.0, 1.0)]), TaskSpace([*shares, *named, useful])
    return TaskSpace([Parameter("explain", 0.0, 1.0)]), TaskSpace([*shares, *named, Parameter("rank", 0.0, 1.0)])


@final
class InterventionEnv(ControlEnv):
    """Explain or not, item by item, within a budget of explanations.

    ## In Short
    - Decision: which items to explain, within a budget.
    - Student: a softmax regression that reads digits.
    - Reward: right answers, as a share of all items.
    - Truth: the optimum, by an exchange argument.
    - Episode: 0.05 seconds.

    ## Description
    After Saha, Hase and Bansal 2023 (arXiv:2306.09299), with readers of handwritten digits in the place of language
    models. The student is a softmax regression that has read 60 digits, the teacher one that has read 120. An item is
    one of 1,000 digits. Its explanation adds 1.5 times the teacher's log-probabilities to the student's. Two mental
    models of the student, the share of right answers alone and after an explanation among the 8 nearest of 60 probes,
    tell how able it is (``alone``) and would be (``explained``); their difference is the utility of an explanation. A
    round shows ``items`` items; at most ``explained`` of all items can be explained.

    With ``refit=True`` (the multi-round form) the student then also reads what was explained to it, with the teacher's
    labels, so that explanations last.

    ## Action Space
    ``action="weights"``: the weights of the four features of an item, from -1 to 1, by whose sum the most wanted are
    explained, and ``share``, how many of the round. ``"scores"``: one number an item, from 0 to 1; those above 0 are
    explained, the greatest first. ``"each"``: rounds of a single item, ``Discrete(2)``.

    ## Observation Space
    ``progress``, the last controls, ``budget_left`` and ``budget_share`` (shares of all items), and of the items that
    come
    next: the mean of each feature and the share that looks ``useful`` (weights), every feature of every item (scores),
    or its features and the ``rank`` of its utility among all items (each).

    ## Rewards
    Right answers of the round as a share of all items.

    ## Starting State
    A fresh student, teacher, probes and items.

    ## Episode Termination
    After ``budget`` rounds.

    ## Truth
    An explanation costs the same for each item, so to explain just what it puts right, as long as explanations are
    left, is optimal (an exchange argument); that is ``truth``, which is shown the truth in the place of the mental
    models. Unguided explanations gain in proportion to their number, a share of 1 can be spent on explaining
    everything, and the optimum is above that. With ``refit=True`` the optimum is not known.

    ## Reference Policies
    ``none`` explains nothing; ``paper`` takes the greatest utility; ``least-able`` and ``most-helped`` use one mental
    model only, ``least-sure`` and ``teacher-sure`` a confidence; ``deceive`` takes the least utility; ``unguided``
    takes items as they come. ``constant`` is the best of a grid of weights. By ``"each"`` only ``none``, ``constant``
    (explain everything) and ``paper``, which explains what is among the most useful as far as they go.

    ## Arguments
    ``budget=None`` (as many rounds as 1,000 items give), ``items=None`` (50, or 1 by ``"each"``), ``explained=0.2``,
    ``action="weights"``, ``explainer="plain"``, ``"personal"`` (the teacher has also read the first four probes on
    which an explanation puts this student right) or ``"deceptive"`` (argues for its second choice), ``refit=False``,
    and ``probes``, ``truth``, ``reward`` and ``price`` (of explaining everything) of ``ControlEnv``.

    ## Version History
    - v0: first version.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (
        *ControlEnv.on_demand,
        OnDemand({"action": "each"}, action_space=spaces.Discrete),
    )

    @checked_arguments
    def __init__(
        self,
        *,
        budget: int | None = None,
        items: int | None = None,
        explained: Share = 0.2,
        action: ActionKind = "weights",
        explainer: Explainer = "plain",
        refit: bool = False,
        truth: bool = False,
        **schedule: Any,
    ) -> None:
        size = (1 if action == "each" else 50) if items is None else items
        check_whole("items", size, 1)
        if (action == "each" and size != 1) or (action == "scores" and size > _MOST_SCORED):
            raise ValueError(f"items is {items}; expected 1 for action='each', and at most {_MOST_SCORED} for 'scores'")
        rounds = ITEMS // size if budget is None else budget
        check_whole("budget", rounds, 1)
        if rounds * size > ITEMS:
            raise ValueError(f"budget is {rounds} and items is {size}; expected at most {ITEMS} items in all")
        controls, seen = _spaces(action, size)
        super().__init__(
            controls,
            seen,
            partial(
                _student,
                explainer,
                student_reads=refit,
                action=action,
                items=size,
                rounds=rounds,
                explained=int(explained * rounds * size + 1e-9),
                knows=truth,
            ),
            budget=rounds,
            score_range=(0.0, 1.0),
            rules=_rules(action, size),
            truth=truth,
            has_best=not refit,
            choices=2 if action == "each" else None,
            **schedule,
        )


def _student(explainer: Explainer, seeds: Seeds, **settings: Any) -> ExplainedStudent:
    return ExplainedStudent(InterventionData(seeds.world, explainer), **settings)
