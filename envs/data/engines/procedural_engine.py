"""Examples from the subject's own generators, whose labels are right by construction."""

from collections import Counter
from collections.abc import Sequence
from typing import final

import numpy as np

from teachgym.data.engine import Batch, DataEngine, Order
from teachgym.data.example import Example, Path


@final
class ProceduralEngine(DataEngine):
    """Draws examples from the subject's generators: offline, fast, and with verified labels.

    An order that names a skill, or a part of one, is drawn from there; one that shows examples is drawn from the leaf
    of the skill tree that a random one of them belongs to, each time; and any other from all skills alike. It
    ignores mistakes and notes. Every example costs 1, and none is made beyond the allowance.
    """

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        """Draw what is ordered."""
        made: list[list[Example]] = []
        left = allowance
        failures = []
        for order in orders:
            count = int(min(order.count, left))
            if count < order.count:
                failures.append(f"the allowance of {allowance:g} examples is used up: {count} of {order.count} made")
            left -= count
            made.append(self._draw(order, count, rng))
        return Batch(made, float(sum(map(len, made))), failures)

    def _draw(self, order: Order, count: int, rng: np.random.Generator) -> list[Example]:
        if order.path:
            return self.subject.make(order.path, count, rng)
        places: list[Path] = [example.path for example in order.like if example.path]
        if not places:
            places = [(name,) for name in self.subject.skill_names]
        chosen = Counter(rng.integers(len(places), size=count).tolist())
        return [example for place in sorted(chosen) for example in self.subject.make(places[place], chosen[place], rng)]
