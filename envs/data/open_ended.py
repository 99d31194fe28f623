"""The open-ended environment: errors in, examples out."""

import zlib
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple, final

import numpy as np
from annotated_types import Ge, Le
from gymnasium import Space, spaces

from teachgym.base.annotations import read_numbers, shown
from teachgym.base.setting_checks import check_choice
from teachgym.base.settings import checked_arguments
from teachgym.core.requirements import OnDemand
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.data.engine import Order
from teachgym.data.example import Answer, Example
from teachgym.data.reports import ErrorReport, SubjectReport
from teachgym.data.spaces import Examples, Orders
from teachgym.envs.data.apportion import split
from teachgym.envs.data.data_env import DataEnv, DataView
from teachgym.envs.data.data_lifetime import DataLifetime, skill_shares
from teachgym.envs.data.data_settings import DataSettings

_FEATURES = 16
"""Dimensions of what is shown of a prompt as numbers."""
_SUMMARY = 3
"""Numbers about the whole in the first row: progress, accuracy, and its last gain."""


class OpenEndedPlan(NamedTuple):
    """A decoded action."""

    task: FloatArray | None
    """The action as a vector, where it is one."""
    orders: tuple[tuple[int, int | None, str], ...] = ()
    """The number of an error, how many examples like it (None for what the weights give), and what is said of it."""
    examples: tuple[Example, ...] = ()
    """Training examples."""


class OpenEndedLifetime(DataLifetime[OpenEndedPlan]):
    """A student whose errors are shown, and whose data are made like them.

    Args:
        settings: What is learnt, by whom, from what.
        shown: Errors that are shown at a time.
        more: As in ``DataLifetime``.
    """

    def __init__(self, settings: DataSettings, *, shown: int, **more: Any) -> None:
        self.shown = int(shown)
        super().__init__(settings, **more)

    def _decisions(self, action: str) -> tuple[Space[Any], TaskSpace]:
        check_choice("action", action, ("discrete", "weights", "plan", "examples"))
        if self.discovery is not None:
            raise ValueError("discovery is set, but an open-ended environment shows no skills; leave it 'given'")
        shown = self.shown
        if action == "discrete":
            return spaces.Discrete(shown), TaskSpace([Parameter("error", 0.0, max(shown - 1.0, 1.0))])
        if action == "weights":
            weights = spaces.Box(0.0, 1.0, (shown,), dtype=np.float32)
            return weights, skill_shares(tuple(f"error_{k}" for k in range(shown)))
        tasks = skill_shares(self.subject.skill_names)
        if action == "examples":
            if not self.reads or any(one.image is not None for one in self.subject.validation):
                raise ValueError("action is 'examples', which are text; the student reads none, or needs images")
            return Examples(), tasks
        return Orders(shown, self.budget), tasks

    def read(self, action: Any) -> OpenEndedPlan:
        """The action as a plan."""
        kind = self.action
        if kind == "discrete":
            number = read_numbers("the action", action)
            if number.ndim != 0 or number not in range(self.shown):
                raise ValueError(f"the action is {shown(action)}; expected an error's number, 0 to {self.shown - 1}")
            return OpenEndedPlan(number.reshape(1), ((int(number), None, ""),))
        if kind == "weights":
            weights = read_numbers("the action", action)
            if weights.shape != (self.shown,):
                raise ValueError(f"the action has shape {weights.shape}; expected ({self.shown},), one for each error")
            if not np.isfinite(weights).all() or (weights < 0).any() or (weights > 1 + 1e-6).any():
                raise ValueError(f"the action is {shown(action)}; expected weights from 0 to 1")
            return OpenEndedPlan(weights, tuple((k, None, "") for k in range(self.shown)))
        if isinstance(action, str) or not isinstance(action, Sequence):
            raise ValueError(f"the action is {shown(action)}; expected a sequence of {kind} entries, each a dict")
        if kind == "examples":
            return OpenEndedPlan(None, examples=_examples(action))
        return OpenEndedPlan(None, tuple(self._order(place, entry) for place, entry in enumerate(action)))

    def _order(self, place: int, entry: Any) -> tuple[int, int, str]:
        try:
            like, count, note = entry["like"], entry["count"], entry.get("note", "")
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"order {place} is {shown(entry)}; expected like, count and note") from error
        if like not in range(self.shown):
            raise ValueError(f"order {place} is like {shown(like)}; expected an error's number, 0 to {self.shown - 1}")
        if not np.isfinite(count) or count < 0 or count % 1 != 0:
            raise ValueError(f"order {place} counts {shown(count)}; expected a non-negative whole number of examples")
        return int(like), int(count), str(note)

    def _after_test(self) -> None:
        """Draw the errors that the teacher is shown, the same in a resumed episode."""
        rng = np.random.default_rng([self.seeds.evaluation, self.rounds])
        wrong = [answer for answer in self.answers if not answer.correct] if self.sees else []
        self.are_errors = bool(wrong)
        source = wrong or self.answers
        chosen = rng.permutation(len(source))[: self.shown]
        self.errors: list[Answer] = [source[chosen[k % len(chosen)]] for k in range(self.shown)]
        """``(shown,)`` answers of the student, or validation examples where ``are_errors`` is False."""

    def _carry_out(self, decision: OpenEndedPlan) -> tuple[FloatArray, int | None]:
        if self.action == "examples":
            self.teach_examples(decision.examples)
        else:
            counts = self._counts(decision)
            orders = [
                Order(
                    count,
                    like=(self.errors[like].example,),
                    mistakes=(self.errors[like],) if self.are_errors else (),
                    note=note,
                )
                for (like, _, note), count in zip(decision.orders, counts, strict=True)
            ]
            self.teach_orders(orders)
        if decision.task is not None:
            return decision.task, None
        return self.latest_shares(), None

    def _counts(self, plan: OpenEndedPlan) -> list[int]:
        if self.action == "plan":
            return [count or 0 for _, count, _ in plan.orders]
        if self.action == "discrete" or plan.task is None:
            return [self.size]
        return split(self.size, plan.task if plan.task.any() else np.ones(self.shown))


class OpenEndedView(DataView):
    """The errors that are shown, as hashed text or in a report."""

    def _number_space(self, lifetime: OpenEndedLifetime) -> Space[Any]:
        return spaces.Box(-1.0, 1.0, (1 + lifetime.shown, 1 + _FEATURES), dtype=np.float32)

    def _numbers(self, lifetime: OpenEndedLifetime) -> Any:
        rows = np.zeros((1 + lifetime.shown, 1 + _FEATURES), dtype=np.float32)
        rows[0, 0] = lifetime.spent / lifetime.budget
        if lifetime.sees:
            rows[0, 1:_SUMMARY] = lifetime.accuracy, np.average(lifetime.gain, weights=lifetime.per_skill)
        for place, answer in enumerate(lifetime.errors, 1):
            rows[place, 0] = lifetime.are_errors
            words = f"{answer.example.prompt} {answer.given}" if lifetime.are_errors else answer.example.prompt
            rows[place, 1:] = _hashed(words)
        return rows

    def _describe(self, lifetime: OpenEndedLifetime, report: SubjectReport) -> None:
        errors: list[ErrorReport] = []
        for number, answer in enumerate(lifetime.errors):
            shown: ErrorReport = {"number": number, "prompt": answer.example.prompt}
            if lifetime.are_errors:
                shown |= {"expected": answer.example.target, "given": answer.given}
            errors.append(shown)
        report["errors"] = errors


@final
class OpenEndedEnv(DataEnv):
    """Answer a student's errors with training examples, or with a plan for the engine that makes them.

    ## In Short
    - Decision: training examples, or orders for them, from the errors that are shown.
    - Student: a classifier or a language model.
    - Reward: the gain in accuracy on validation questions, less a price.
    - Truth: none; a test set that no teacher sees.
    - Episode: milliseconds (simulated student) to half a minute (transformer), or as long as your model takes.

    ## Description
    A student is tested on a validation set, and the teacher is shown some of its errors: prompt, expected and given
    answer, drawn anew after every step. It acts by examples, or by saying how many to make like which error. It
    is not told of skills. After the open-ended environment of DataEnvGym (Khan et al. 2025, arXiv:2410.06215). Differs
    from it: spaces, seeds, a reward and an end of the episode; errors are shown whole; and a budget that holds to the
    example. If there are fewer errors than ``shown``, they repeat from the first; if there are none, or the teacher may
    not see errors, it is shown validation examples without answers.

    ## Action Space
    By ``action``, for M errors shown: ``"discrete"``, ``Discrete(M)``, all examples of the step like one of them;
    ``"weights"``, ``Box(0, 1, (M,))``, divided in proportion (alike, if all are 0); ``"plan"``, ``Orders(M, budget)``,
    sequences of ``{"like": error, "count": number, "note": text}``, for teachers and engines that read; or
    ``"examples"``, ``Examples()``, sequences of ``{"prompt": text, "target": text}``, the training data itself, which
    must parse, be right by the subject's scorer and not repeat, unless ``checks`` says otherwise.

    ## Observation Space
    ``Box(-1, 1, (1 + M, 17))``, float32. Row 0 begins with progress, accuracy and its last gain. Each other row is of
    an error: 1 if it is one, and its prompt and the student's answer as hashed character trigrams, of length 1. Or,
    with ``observation="text"``, a report in JSON.

    ## Rewards
    The gain in accuracy on the validation set, less ``price`` for each example.

    ## Starting State
    A fresh student, fixed by the seed, and no data.

    ## Episode Termination
    When the budget is spent, or after ``rounds`` steps; never truncated.

    ## Arguments
    ``shown``, M; and those of ``DataEnv`` and of ``DataSettings``. A step's feedback has for its task the error
    or the weights, and with ``"plan"`` and ``"examples"`` each skill's share of what was made, as far as it is known.

    ## Version History
    * v0: Initial version.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (
        *DataEnv.on_demand,
        OnDemand({"action": "weights"}, action_space=spaces.Box),
        OnDemand({"action": "plan"}, action_space=Orders),
        OnDemand({"action": "examples"}, action_space=Examples),
    )
    lifetime: OpenEndedLifetime

    @checked_arguments
    def __init__(self, *, shown: Annotated[int, Ge(1), Le(10000)] = 16, **settings: Any) -> None:
        if settings.get("action") == "examples":
            settings.setdefault("checks", ("parses", "verified", "not-duplicate"))
        super().__init__(partial(OpenEndedLifetime, shown=shown), OpenEndedView, **settings)


def _examples(action: Sequence[Any]) -> tuple[Example, ...]:
    examples = tuple(_example(place, entry) for place, entry in enumerate(action))
    first: dict[str, int] = {}
    for place, example in enumerate(examples):
        if first.setdefault(example.key, place) != place:
            raise ValueError(f"example {place} has the prompt of example {first[example.key]}; give every prompt once")
    return examples


def _example(place: int, entry: Any) -> Example:
    try:
        prompt, target = entry["prompt"], entry["target"]
    except (TypeError, KeyError) as error:
        raise ValueError(f"example {place} is {entry!r}; expected a prompt and a target") from error
    if not (isinstance(prompt, str) and isinstance(target, str) and prompt.strip() and target.strip()):
        raise ValueError(f"example {place} is {entry!r}; expected a prompt and a target that are not empty")
    try:
        return Example(prompt, target)
    except ValueError as error:
        raise ValueError(f"example {place}: {error}") from error


def _hashed(text: str) -> FloatArray:
    """``(16,)`` of length 1: signed counts of character trigrams, by hash."""
    found = np.zeros(_FEATURES)
    for start in range(max(len(text) - 2, 1)):
        code = zlib.crc32(text[start : start + 3].encode())
        found[code % _FEATURES] += 1 if code & 1024 else -1
    return found / max(float(np.linalg.norm(found)), 1e-9)
