"""Two engines for one subject: a weak one that is cheap, and a strong one that is dear, one after the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from math import ceil
from typing import Any, Literal, final

import numpy as np

from teachgym.base.ranges import NonNegativeFloat, PositiveInt, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Example, Path
from teachgym.data.skills import find_skill
from teachgym.data.subject import Subject
from teachgym.envs.data.apportion import cut
from teachgym.envs.data.data_settings import DataSettings
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.subjects.blank import BlankSubject

MADE = "made"
"""Of an example's facts: ``{"by": "weak" or "strong", "planned": examples planned by the end of its step}``."""
_NAME = "weak-then-strong"


@checked_dataclass
class WeakThenStrongSettings:
    """Settings of ``WeakThenStrongEngine``.

    Raises:
        ValueError: If a value is not allowed.
    """

    weak: str = "procedural"
    """Name of the weak engine, or ``"package.module:Class"``."""
    weak_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings by name."""
    strong: str = "procedural"
    """Name of the strong engine, or ``"package.module:Class"``."""
    strong_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings by name."""
    weak_cost: NonNegativeFloat = 1.0
    """What the weak engine's own unit costs: an example, of ``procedural`` and ``pool``."""
    strong_cost: NonNegativeFloat = 10.0
    """What the strong engine's own unit costs."""
    order: Literal["weak-first", "strong-first", "mixed"] = "weak-first"
    """Which comes first; or ``"mixed"``, both in every step. However it is, they make the same shares of ``total``."""
    switch_at: Share = 0.5
    """The weak engine's share of ``total``: with ``"weak-first"``, when to switch. With 0 or 1 there is one engine."""
    total: PositiveInt = DataSettings.budget
    """Examples that will be planned in the episode: the environment's budget, which an engine is not told."""
    easy: PositiveShare = 0.5
    """The weak engine is asked for this share of the parts of a skill, at least one: the first, which come easiest."""
    wrong: Share = 0.0
    """Chance that an example of the weak engine has the target of another one."""

    def __post_init__(self) -> None:
        for name in ("weak", "strong"):
            if getattr(self, name) == _NAME:
                raise ValueError(f"{name} is {_NAME!r}; expected an engine that is not made of two")


@final
class WeakThenStrongEngine(DataEngine):
    """Has the first examples made by a weak, cheap engine, and those after the switch by a strong, dear one.

    After Orca (Mukherjee et al. 2023, arXiv:2306.02707), whose student learns from five million answers of a weaker
    teacher before one million of a stronger one, which is slower and dearer. Differs from the source: which is better
    is not taken for granted. ``order="strong-first"`` and ``"mixed"`` are controls with equal data of either engine, at
    equal cost; ``switch_at=0`` is the strong engine alone, with as much data in all, which the source lacks.

    What makes an engine weak is true of its data: it is asked for the easier parts of each skill alone, by the order in
    which the subject names them (a skill of one part, or a part that is ordered by name, is no easier from it); and, if
    asked for, some of its targets are wrong. These have to pass the environment's checks, as all data do. Where a
    subject can tell what is right without the target, as ``code`` can, what is wrong is rejected, ordered again and
    paid for again; elsewhere, or with ``checks=()``, the student learns from it. A student that reads nothing would not
    notice, so there wrong targets are refused.

    Costs are those of the two engines, each times its price. What checks have rejected is ordered again from both as
    they had shared the step, and does not count as planned. Every example says in its facts who made it, and how much
    had been planned, so that an episode which goes on from its files switches where it would have.

    Measured here, on ``math`` with ``uniform`` and the defaults: weak first beats strong first at equal data and cost
    where students learn from the latest data alone (transformer, ``regime="latest"``, accuracy .585 against .461, on 5
    of 5 seeds), as in the source, and with simulated students (``budget=1200``, 10 seeds, .605 against .586). Strong
    first wins where a transformer learns from all data so far (.761 against .714, on 5 of 5), as the harder examples
    are then seen for longer. The strong engine alone, for nearly twice the cost, is at least as good: .633, .606, .773.

    Args:
        subject: What the examples are for.
        settings: A ``WeakThenStrongSettings``; None takes the defaults.

    Raises:
        ValueError: If one of the engines can't be made, or the subject's examples are blank and some are to be wrong.
    """

    Settings = WeakThenStrongSettings
    unit = "priced units of the engines"
    checks = ("parses", "verified")
    settings: WeakThenStrongSettings

    def __init__(self, subject: Subject, settings: WeakThenStrongSettings | None = None) -> None:
        super().__init__(subject, settings)
        chosen = self.settings
        if chosen.wrong > 0 and isinstance(subject, BlankSubject):
            raise ValueError(f"wrong is {chosen.wrong}; expected 0 for a student that does not read its examples")
        self.weak = make_data_engine(chosen.weak, subject, **chosen.weak_settings)
        self.strong = make_data_engine(chosen.strong, subject, **chosen.strong_settings)
        self._forget()

    def _forget(self) -> None:
        self.planned = 0
        """Examples planned so far in this episode, those ordered again not counted."""
        self._step: tuple[np.random.Generator | None, int, int] = (None, 0, 0)  # whose; planned; of these weak

    def begin(self, made: Sequence[Example] = ()) -> None:
        """Both engines begin, or go on, each with what it has made; the count of what was planned goes on."""
        self._forget()
        notes = [(example, example.facts[MADE]) for example in made if MADE in example.facts]
        for name, engine in (("weak", self.weak), ("strong", self.strong)):
            engine.begin([example for example, note in notes if note["by"] == name])
        if notes:
            self.planned = int(notes[-1][1]["planned"])

    def weak_among(self, count: int) -> int:
        """How many of the first so many examples planned in an episode are the weak engine's."""
        chosen = self.settings
        weak = round(chosen.switch_at * chosen.total)
        if chosen.order == "mixed":
            return round(chosen.switch_at * count)
        return min(count, weak) if chosen.order == "weak-first" else max(count - (chosen.total - weak), 0)

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        """Have a plan made by the engine whose turn it is, or a part of it by each.

        Raises:
            EngineError: If nothing was made, and an engine said why.
        """
        counts = [order.count for order in orders]
        owner, planned, weak = self._step
        end = self.planned
        if owner is not rng:  # no order of the same step for what was rejected
            planned = sum(counts)
            end += planned
            weak = self.weak_among(end) - self.weak_among(self.planned)
        weakly = cut(counts, round(sum(counts) * weak / max(planned, 1)))
        strongly = [count - part for count, part in zip(counts, weakly, strict=True)]
        made: list[list[Example]] = [[] for _ in orders]
        failures: list[str] = []
        spent, broken = 0.0, False
        for name, parts in (("weak", weakly), ("strong", strongly)):
            places = [place for place, count in enumerate(parts) if count]
            if not places:
                continue
            wanted = [replace(orders[place], count=parts[place]) for place in places]
            try:
                batch = self._ask(name, wanted, rng, allowance - spent)
            except EngineError as error:
                batch, broken = Batch([[] for _ in wanted], error.cost, [str(error)]), True
            spent += batch.cost
            failures += [f"{name} engine: {failure}" for failure in batch.failures]
            for place, examples in zip(places, batch.examples, strict=True):
                made[place] += [_signed(example, name, end) for example in examples]
        if broken and not any(made):
            raise EngineError("; ".join(failures), cost=spent)
        self.planned, self._step = end, (rng, planned, weak)
        return Batch(made, spent, failures)

    def _ask(self, name: str, orders: list[Order], rng: np.random.Generator, allowance: float) -> Batch:
        """What one of the two makes, at its price."""
        is_weak = name == "weak"
        engine, price = (self.weak, self.settings.weak_cost) if is_weak else (self.strong, self.settings.strong_cost)
        parts = [self._eased(order, rng) if is_weak else [order] for order in orders]
        flat = [part for of_order in parts for part in of_order]
        try:
            batch = engine.make(flat, rng, allowance=allowance / price if price > 0 else np.inf)
        except EngineError as error:
            raise EngineError(str(error), cost=price * error.cost) from error
        answers = iter(batch.examples)
        examples = [[example for _ in of_order for example in next(answers)] for of_order in parts]
        if is_weak and self.settings.wrong > 0:
            examples = [self._spoilt(of_order, rng) for of_order in examples]
        return Batch(examples, price * batch.cost, batch.failures)

    def _eased(self, order: Order, rng: np.random.Generator) -> list[Order]:
        """An order for the easier parts of what it is for; as it is where nobody knows which these are."""
        places = [order.path] if order.path else [example.path[:1] for example in order.like if example.path]
        if not order.path and not order.like:
            places = [(name,) for name in self.subject.skill_names]
        if not places or self.settings.easy == 1:
            return [order]
        easy = {place: self._easy_parts(place) for place in set(places)}
        chosen: Counter[Path] = Counter()
        drawn = zip(rng.integers(len(places), size=order.count).tolist(), rng.random(order.count).tolist(), strict=True)
        for number, depth in drawn:
            parts = easy[places[number]]
            chosen[parts[int(depth * len(parts))]] += 1
        return [replace(order, count=count, path=path) for path, count in sorted(chosen.items())]

    def _easy_parts(self, path: Path) -> list[Path]:
        """The first leaves below a skill, or a part of one; the path itself where the subject knows no such skill."""
        try:
            leaves = find_skill(self.subject.skills, path).leaves()
        except ValueError:
            return [path]
        return [(*path[:-1], *leaf) for leaf in leaves[: ceil(self.settings.easy * len(leaves))]]

    def _spoilt(self, examples: list[Example], rng: np.random.Generator) -> list[Example]:
        """Some with the target of another, or another answer of the subject; right where all have the same."""
        targets = [example.target for example in examples]
        spoilt = list(examples)
        for place in np.flatnonzero(rng.random(len(examples)) < self.settings.wrong).tolist():
            others = [target for target in targets if target != targets[place]]
            others = others or [target for target in self.subject.answers or () if target != targets[place]]
            if others:
                spoilt[place] = replace(examples[place], target=others[int(rng.integers(len(others)))])
        return spoilt


def _signed(example: Example, name: str, planned: int) -> Example:
    """The example with a note of who made it, and when."""
    return replace(example, facts={**example.facts, MADE: {"by": name, "planned": planned}})
